// Job proc.measure: runs a command and says how fast it worked and how much memory it held.
#pragma once

#include "kernels/job/job.h"

namespace checkride::kernels::process {

Job proc_measure_job();

}  // namespace checkride::kernels::process

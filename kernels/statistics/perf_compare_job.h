// Job perf.compare: recorded samples of a base and a candidate, and whether it regressed.
#pragma once

#include "kernels/job/job.h"

namespace checkride::kernels::statistics {

Job perf_compare_job();

}  // namespace checkride::kernels::statistics

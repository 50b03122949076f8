// kernel.inspect: the machine code of kernels judged without a device: spills, local memory and
// which instructions are there.
#pragma once

#include "kernels/job/job.h"

namespace checkride::kernels {

Job inspect_job();

}  // namespace checkride::kernels

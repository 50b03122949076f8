// ncu.parse and ncu.run: figures of Nsight Compute, relative to the shape's own bound where one is
// given. ncu.parse reads a report; ncu.run makes one first, with the clocks left as they are.
#pragma once

#include "kernels/job/job.h"

namespace checkride::kernels {

Job ncu_parse_job();
Job ncu_run_job();

}  // namespace checkride::kernels

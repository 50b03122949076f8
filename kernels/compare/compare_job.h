// The job tensor.compare: two tensors in files, or made up from the seed, compared by compare.h,
// and a verdict by one of four policies.
#pragma once

#include "kernels/job/job.h"

namespace checkride::kernels {

Job tensor_compare_job();

}  // namespace checkride::kernels

// gemm.tensor: how fast tensor cores multiply matrices, and whether they do so correctly.
#pragma once

#include "kernels/job/job.h"

namespace checkride::kernels {

Job gemm_tensor_job();

}  // namespace checkride::kernels

// Whether there is a device to compute on, asked once in a process, and the choice of a backend.
#pragma once

#include "kernels/cuda/check.h"
#include "kernels/job/job.h"

namespace checkride::kernels {

// Facts of the device in use. Error: unavailable, where there is no driver or no device, or where
// this program was built without CUDA.
const Result<cuda::DeviceFacts>& device();

// cuda where the request allows it and a device is here, else cpu. Error: unavailable where the
// request wants cuda and there is none.
Result<Backend> choose_backend(const JobRequest& request);

}  // namespace checkride::kernels

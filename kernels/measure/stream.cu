#include "kernels/measure/stream.h"

#include <cuda_runtime.h>

#include "kernels/cuda/check.h"

namespace checkride::kernels::measure {

Result<CUstream_st*> timing_stream() {
  static cudaStream_t stream = nullptr;
  static const int made = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  CR_CHECK(cuda::check(made, "create a stream"));
  return stream;
}

}  // namespace checkride::kernels::measure

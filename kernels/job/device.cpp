#include "kernels/job/device.h"

namespace checkride::kernels {

const Result<cuda::DeviceFacts>& device() {
#ifdef CR_CUDA
  static const Result<cuda::DeviceFacts> facts = cuda::device_facts();
#else
  static const Result<cuda::DeviceFacts> facts =
      fail(ErrorCode::unavailable, "this program was built without CUDA");
#endif
  return facts;
}

Result<Backend> choose_backend(const JobRequest& request) {
  if (request.where == JobRequest::Where::cpu) return Backend::cpu;
  if (device()) return Backend::cuda;
  if (request.where == JobRequest::Where::cuda) return tl::unexpected(device().error());
  return Backend::cpu;
}

}  // namespace checkride::kernels

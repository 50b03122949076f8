#include "kernels/attention/sdpa_compute.h"

#include "kernels/job/host_threads.h"
#ifdef CR_CUDA
#include "kernels/attention/sdpa_device.h"
#endif

namespace checkride::kernels::attention {
namespace {

class HostPass : public ForwardPass {
 public:
  explicit HostPass(const SdpaCase& sdpa) : sdpa_(sdpa) {}
  Result<std::vector<std::uint16_t>> compute(const HostTensors& tensors,
                                             const std::vector<float>& v_scale) override {
    return compute_on_host(sdpa_, tensors, v_scale);
  }

 private:
  const SdpaCase& sdpa_;
};

#ifdef CR_CUDA
class DevicePass : public ForwardPass {
 public:
  explicit DevicePass(DeviceForward forward) : forward_(std::move(forward)) {}
  Result<std::vector<std::uint16_t>> compute(const HostTensors& tensors,
                                             const std::vector<float>& v_scale) override {
    CR_CHECK(forward_.set_inputs(tensors, v_scale));
    CR_CHECK(forward_.poison());
    CR_CHECK(forward_.launch(nullptr));
    return forward_.output();
  }

 private:
  DeviceForward forward_;
};
#endif

}  // namespace

std::vector<std::uint16_t> compute_on_host(const SdpaCase& sdpa, const HostTensors& tensors,
                                           const std::vector<float>& v_scale, const Rows& rows,
                                           std::vector<float>* lse) {
  if (!sdpa.e4m3)
    return forward_host(sdpa.problem, tensors, sdpa.tiling, host_threads(), rows, lse);
  return forward_host(sdpa.problem, quantise(sdpa.problem, tensors, v_scale), sdpa.tiling,
                      host_threads(), rows, lse);
}

Result<std::unique_ptr<ForwardPass>> forward_pass(const SdpaCase& sdpa) {
#ifdef CR_CUDA
  if (sdpa.backend == Backend::cuda) {
    CR_TRY(DeviceForward forward, DeviceForward::create(sdpa));
    return std::make_unique<DevicePass>(std::move(forward));
  }
#endif
  return std::make_unique<HostPass>(sdpa);
}

}  // namespace checkride::kernels::attention

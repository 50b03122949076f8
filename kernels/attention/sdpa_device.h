// A problem's tensors on the device and the launches over them: what sdpa.forward judges and times.
// Built where CUDA is.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/attention/forward_e4m3.h"
#include "kernels/attention/sdpa_case.h"
#include "kernels/cuda/check.h"

namespace checkride::kernels::attention {

class DeviceForward {
 public:
  // The case's own tensors, in as many sets of inputs at different addresses as wanted.
  static Result<DeviceForward> create(const SdpaCase& sdpa, int sets = 1);

  // Other inputs of the same sizes in the first set.
  Result<void> set_inputs(const HostTensors& tensors, const std::vector<float>& v_scale = {});
  // Queues one launch on a set of inputs; always into the same output.
  Result<void> launch(CUstream_st* stream, int set = 0) const;
  Result<void> poison();                              // every byte of the output becomes 0xff
  Result<std::vector<std::uint16_t>> output() const;  // waits for the device
  const void* output_address() const { return o_.data(); }
  int sets() const { return static_cast<int>(sets_.size()); }
  std::size_t output_bytes() const { return o_.bytes(); }

 private:
  struct Inputs {
    cuda::DeviceBuffer q, k, v, q_scale, k_scale, v_scale;
  };
  DeviceForward(ForwardProblem problem, ForwardPlan plan, bool e4m3)
      : problem_(problem), plan_(plan), e4m3_(e4m3) {}
  Result<void> fill(Inputs& inputs, const HostTensors& tensors, const std::vector<float>& v_scale);

  ForwardProblem problem_;
  ForwardPlan plan_;
  bool e4m3_ = false;
  std::vector<Inputs> sets_;
  cuda::DeviceBuffer o_;
};

}  // namespace checkride::kernels::attention

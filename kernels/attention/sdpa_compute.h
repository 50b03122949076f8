// One forward pass of a case, on the device or on the host, behind one interface: what is judged,
// repeated and fed with the inputs of the invariants.
#pragma once

#include <memory>
#include <vector>

#include "kernels/attention/sdpa_case.h"

namespace checkride::kernels::attention {

class ForwardPass {
 public:
  virtual ~ForwardPass() = default;
  // Output bits of every row, from poisoned memory. `v_scale` as in quantise().
  virtual Result<std::vector<std::uint16_t>> compute(const HostTensors& tensors,
                                                     const std::vector<float>& v_scale) = 0;
  Result<std::vector<std::uint16_t>> compute(const HostTensors& tensors) {
    return compute(tensors, {});
  }
};

// The host's arithmetic of one case, with the rows wanted or all.
std::vector<std::uint16_t> compute_on_host(const SdpaCase& sdpa, const HostTensors& tensors,
                                           const std::vector<float>& v_scale = {},
                                           const Rows& rows = {},
                                           std::vector<float>* lse = nullptr);

// On sdpa.backend. `sdpa` must outlive it.
Result<std::unique_ptr<ForwardPass>> forward_pass(const SdpaCase& sdpa);

}  // namespace checkride::kernels::attention

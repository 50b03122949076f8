// What a request to sdpa.forward asks for: the problem, its tensors, and how it is computed.
#pragma once

#include <string>

#include "kernels/attention/e4m3_tensors.h"
#include "kernels/attention/forward_host.h"
#include "kernels/job/job.h"

namespace checkride::kernels::attention {

// Elements of one tensor, at most (16 x 16 x 4096 x 64).
inline constexpr std::size_t sdpa_elements_max = std::size_t{1} << 26;

struct SdpaCase {
  ForwardProblem problem;  // its dtype is that of the tensors and the output
  bool e4m3 = false;       // tensors are quantised by head first
  HostTensors tensors;     // before quantisation
  bool normal = false;     // standard normal values, whose error in e4m3 is known
  Backend backend = Backend::cpu;
  ForwardPlan plan;       // of the device's kernel; unused on the host
  Tiling tiling;          // of the arithmetic in either case
  std::string impl_used;  // auto, split, stream, mma, e4m3, cpu: never auto
};

// Reads the inputs, makes or loads the tensors and chooses the kernel. Errors: invalid_argument
// (sizes, names, files that do not fit one another), unsupported (no kernel for this problem),
// unavailable (a kernel was asked for and there is no device), those of read_tensor.
Result<SdpaCase> sdpa_case(const JobRequest& request);

}  // namespace checkride::kernels::attention

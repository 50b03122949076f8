#include "kernels/attention/attention.h"
#include "kernels/attention/forward_kernels.h"
#include "kernels/cuda/check.h"

namespace checkride::kernels::attention {

Result<void> launch_forward(const ForwardProblem& problem, const ForwardPlan& plan,
                            const ForwardTensors& tensors, CUstream_st* stream) {
  int code = 0;
  switch (plan.variant) {
    case Variant::split: code = launch_split(problem, plan, tensors, stream); break;
    case Variant::stream: code = launch_stream(problem, plan, tensors, stream); break;
    case Variant::mma: code = launch_mma(problem, plan, tensors, stream); break;
    case Variant::automatic:
      return fail(ErrorCode::invalid_argument,
                  "attention was launched without a plan; call plan_forward first");
  }
  return cuda::check(code, "attention: the kernel could not be queued");
}

}  // namespace checkride::kernels::attention

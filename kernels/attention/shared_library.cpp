// The family as a small shared library, to be loaded beside another framework in its process
// (peers.py does it through ctypes): one C function for 16-bit tensors, one for e4m3, one for an
// empty kernel of the same launch. Each returns 0, or 1 with a sentence on standard error.
#include <cstdio>

#include "kernels/attention/attention.h"
#include "kernels/attention/forward_e4m3.h"
#include "kernels/measure/floor.h"

namespace {

using namespace checkride::kernels;

int told(const checkride::Result<void>& launched) {
  if (launched) return 0;
  std::fprintf(stderr, "%s\n", launched.error().text().c_str());
  return 1;
}

attention::ForwardProblem problem_of(int batch, int heads, int seq, int bf16, int causal) {
  attention::ForwardProblem problem;
  problem.batch = batch;
  problem.heads = heads;
  problem.seq = seq;
  problem.dtype = bf16 != 0 ? Dtype::bf16 : Dtype::f16;
  problem.causal = causal != 0;
  return problem;
}

checkride::Result<void> queue_empty(const attention::ForwardPlan& plan, void* stream) {
  return measure::launch_empty(
      {plan.grid_x, plan.grid_y, plan.cluster, plan.threads, plan.shared_bytes},
      static_cast<CUstream_st*>(stream));
}

}  // namespace

extern "C" int checkride_attention_forward(const void* q, const void* k, const void* v, void* o,
                                           int batch, int heads, int seq, int bf16, int causal,
                                           int sm, const char* variant, void* stream) {
  const auto problem = problem_of(batch, heads, seq, bf16, causal);
  return told(attention::parse_variant(variant).and_then([&](attention::Variant chosen) {
    return attention::plan_forward(problem, sm, chosen)
        .and_then([&](const attention::ForwardPlan& plan) {
          return attention::launch_forward(problem, plan, {q, k, v, o},
                                           static_cast<CUstream_st*>(stream));
        });
  }));
}

// Codes as forward_e4m3.h wants them, one scale a head; `tensors` is its q, k, v transposed, their
// three scales and o.
extern "C" int checkride_attention_forward_e4m3(const void* const* tensors, int batch, int heads,
                                                int seq, int causal, int sm, void* stream) {
  const auto problem = problem_of(batch, heads, seq, 0, causal);
  const auto scale = [&](int i) { return static_cast<const float*>(tensors[i]); };
  const attention::E4m3Tensors e4m3{tensors[0],
                                    tensors[1],
                                    tensors[2],
                                    scale(3),
                                    scale(4),
                                    scale(5),
                                    const_cast<void*>(tensors[6])};
  return told(attention::plan_e4m3(problem, sm).and_then([&](const attention::ForwardPlan& plan) {
    return attention::launch_e4m3(problem, plan, e4m3, static_cast<CUstream_st*>(stream));
  }));
}

extern "C" int checkride_attention_empty(int batch, int heads, int seq, int e4m3, int sm,
                                         void* stream) {
  const auto problem = problem_of(batch, heads, seq, 0, 0);
  const auto plan = e4m3 != 0 ? attention::plan_e4m3(problem, sm)
                              : attention::plan_forward(problem, sm, attention::Variant::automatic);
  return told(
      plan.and_then([&](const attention::ForwardPlan& p) { return queue_empty(p, stream); }));
}

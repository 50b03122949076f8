// The family as a small shared library, to be loaded beside another framework in its process
// (peers.py does it through ctypes): one C function. Returns 0, or 1 with a sentence on standard
// error.
#include <cstdio>

#include "kernels/attention/attention.h"

extern "C" int checkride_attention_forward(const void* q, const void* k, const void* v, void* o,
                                           int batch, int heads, int seq, int bf16, int causal,
                                           int sm, const char* variant, void* stream) {
  using namespace checkride::kernels;
  attention::ForwardProblem problem;
  problem.batch = batch;
  problem.heads = heads;
  problem.seq = seq;
  problem.dtype = bf16 != 0 ? Dtype::bf16 : Dtype::f16;
  problem.causal = causal != 0;
  const auto launched = attention::parse_variant(variant).and_then([&](attention::Variant chosen) {
    return attention::plan_forward(problem, sm, chosen)
        .and_then([&](const attention::ForwardPlan& plan) {
          return attention::launch_forward(problem, plan, {q, k, v, o},
                                           static_cast<CUstream_st*>(stream));
        });
  });
  if (launched) return 0;
  std::fprintf(stderr, "%s\n", launched.error().text().c_str());
  return 1;
}

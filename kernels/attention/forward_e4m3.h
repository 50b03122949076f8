// Forward attention on 8-bit floating point (e4m3): what the kernel takes, its plan and its launch.
// Codes are of values divided by a scale of their head and tensor (kernels/quant); the output is
// fp16. Up to 512 keys, an H200 only.
#pragma once

#include <cstdint>

#include "kernels/attention/attention.h"

namespace checkride::kernels::attention {

// Probabilities are rounded to e4m3 times 2^8.
inline constexpr float p_bias_log2 = 8.0f;

// Rows stored for each head: a multiple of 16, the last ones zero.
constexpr int e4m3_rows(int seq) {
  return (seq + 15) / 16 * 16;
}

struct E4m3Tensors {
  const void* q = nullptr;             // [batch * heads][e4m3_rows(seq)][64]
  const void* k = nullptr;             // the same
  const void* v_transposed = nullptr;  // [batch * heads][64][e4m3_rows(seq)]
  const float* q_scale = nullptr;      // [batch * heads], what a code's value is multiplied with
  const float* k_scale = nullptr;
  const float* v_scale = nullptr;
  void* o = nullptr;  // [batch * heads][seq][64], fp16
};

// Errors as plan_forward; unsupported for more than 512 keys and for any device but an H200's.
Result<ForwardPlan> plan_e4m3(const ForwardProblem& problem, int sm);
Result<void> launch_e4m3(const ForwardProblem& problem, const ForwardPlan& plan,
                         const E4m3Tensors& tensors, CUstream_st* stream);

}  // namespace checkride::kernels::attention

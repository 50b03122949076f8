// The arithmetic of one attention tile that is not a matrix product: the folded softmax exponent,
// and the weights that join partial results over disjoint key ranges. Kernels and host tests
// compile the same lines. A partial is (m, l, O): m the largest score of the row in units of log2,
// l the sum of 2^(score - m), O the sum of 2^(score - m) * V, unnormalised. Follows the split
// softmax of FlashAttention-2 (Dao 2023, section 3.1) with base 2.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/math/host_device.h"

namespace checkride::kernels::attention {

inline constexpr int head_dim = 64;
inline constexpr float log2_e = 1.4426950408889634f;

// What a row without any visible key has for m; it takes part in no combination.
CR_HOST_DEVICE float no_score() {
  return -INFINITY;
}

CR_HOST_DEVICE float exp2_fast(float x) {
#ifdef __CUDA_ARCH__
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return std::exp2(x);
#endif
}

// Keys of row `row` that may be seen are [0, visible_keys).
CR_HOST_DEVICE int visible_keys(bool causal, int row, int seq) {
  return causal && row + 1 < seq ? row + 1 : seq;
}

// How many of the key ranges [g*keys, (g+1)*keys) hold a key visible to any of rows [row0,
// row0+rows); the ranges that do are the first ones. Never 0 and never above `parts`.
CR_HOST_DEVICE int active_parts(bool causal, int row0, int rows, int seq, int keys, int parts) {
  const int seen = visible_keys(causal, row0 + rows - 1, seq);
  const int active = (seen + keys - 1) / keys;
  return active < parts ? active : parts;
}

// m in units of log2 from the largest raw score of the row; finite even for a row that sees no key,
// so that exponent() gives 0 there and not NaN.
CR_HOST_DEVICE float folded_max(float raw_max, float scale_log2) {
  return raw_max == no_score() ? 0.0f : raw_max * scale_log2;
}

// 2^(score*scale*log2(e) - m): scale and log2(e) in one fused multiply-add.
CR_HOST_DEVICE float probability(float raw_score, float scale_log2, float folded) {
  return exp2_fast(fmaf(raw_score, scale_log2, -folded));
}

// What earlier sums of a row are multiplied with when its largest raw score rises from `raw_before`
// and the folded maximum from `before` to `now`; 0 while nothing was seen before.
CR_HOST_DEVICE float rescale(float raw_before, float before, float now) {
  return raw_before == no_score() ? 0.0f : exp2_fast(before - now);
}

// weight[g] such that the row's output is sum over g of weight[g] * O[g], added in the order of g.
// Ranges without a visible key have m = no_score() and get weight 0. `count` ranges, at least one
// of them with a visible key.
template <int kMax>
CR_HOST_DEVICE void combine_weights(const float (&m)[kMax], const float (&l)[kMax], int count,
                                    float (&weight)[kMax]) {
  float top = m[0];
  CR_UNROLL
  for (int g = 1; g < kMax; ++g)
    if (g < count && m[g] > top) top = m[g];
  float sum = 0.0f;
  CR_UNROLL
  for (int g = 0; g < kMax; ++g) {
    weight[g] = g < count && m[g] != no_score() ? exp2_fast(m[g] - top) : 0.0f;
    sum = g < count ? fmaf(weight[g], l[g], sum) : sum;
  }
  const float inverse = 1.0f / sum;
  CR_UNROLL
  for (int g = 0; g < kMax; ++g) weight[g] *= inverse;
}

}  // namespace checkride::kernels::attention

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

// 1/x to within one unit in the last place.
CR_HOST_DEVICE float reciprocal(float x) {
#ifdef __CUDA_ARCH__
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return 1.0f / x;
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

// Two partials of a row over disjoint keys become one: its output is weight_a * O_a + weight_b *
// O_b, again unnormalised. A partial without any visible key has m = no_score() and gets weight 0.
struct Joined {
  float m, l, weight_a, weight_b;
};
CR_HOST_DEVICE Joined join(float m_a, float l_a, float m_b, float l_b) {
  Joined joined;
  joined.m = m_a > m_b ? m_a : m_b;
  joined.weight_a = m_a == no_score() ? 0.0f : exp2_fast(m_a - joined.m);
  joined.weight_b = m_b == no_score() ? 0.0f : exp2_fast(m_b - joined.m);
  joined.l = fmaf(joined.weight_a, l_a, joined.weight_b * l_b);
  return joined;
}

}  // namespace checkride::kernels::attention

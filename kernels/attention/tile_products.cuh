// The two matrix products of one tile of a warpgroup on 16-bit operands, with the softmax's
// exponentials between them. Tiles have rows of 128 bytes in the 128-byte swizzle.
#pragma once

#include "kernels/attention/tile_copy.cuh"
#include "kernels/attention/tile_math.h"
#include "kernels/attention/wgmma.cuh"

namespace checkride::kernels::attention {

// Starts s = Q K^T of 64 rows and as many keys as `s` has columns; done at the next wgmma_wait.
template <bool kBf16, int kCount>
__device__ __forceinline__ void start_scores(float (&s)[kCount], std::uint32_t q_tile,
                                             std::uint32_t k_tile) {
  wgmma_fence();
#pragma unroll
  for (int step = 0; step < 4; ++step)
    wgmma_ss<kBf16>(s, swizzled_tile(q_tile + 32u * step), swizzled_tile(k_tile + 32u * step),
                    step > 0);
  wgmma_commit();
}

// Starts o (+)= P V, where P = 2^(s * scale_log2 - top), sixteen keys at a time: their
// probabilities become the A operand of the next products, which run while the following ones are
// computed. This thread's probabilities are added to `sum`, unrounded.
template <bool kBf16, int kCount>
__device__ __forceinline__ void start_values(float (&o)[32], const float (&s)[kCount],
                                             float scale_log2, const float (&top)[2],
                                             float (&sum)[2], std::uint32_t v_tile, bool add) {
#pragma unroll
  for (int step = 0; step < kCount / 8; ++step) {
    float p[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) p[i] = probability(s[8 * step + i], scale_log2, top[(i >> 1) & 1]);
    sum[0] += (p[0] + p[1]) + (p[4] + p[5]);
    sum[1] += (p[2] + p[3]) + (p[6] + p[7]);
    const std::uint32_t a[4] = {pack<kBf16>(p[0], p[1]), pack<kBf16>(p[2], p[3]),
                                pack<kBf16>(p[4], p[5]), pack<kBf16>(p[6], p[7])};
    wgmma_fence();
    wgmma_rs<kBf16>(o, a, swizzled_tile(v_tile + 2048u * step), add || step > 0);
    wgmma_commit();
  }
}

}  // namespace checkride::kernels::attention

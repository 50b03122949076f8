// The softmax of one tile of scores held in a matrix accumulator: of an array of 4n floats a thread
// holds n pieces of columns 8j + 2q and the next (q its place in the quad), in rows r (first two of
// four) and r + 8 (last two). Index 0 of the pairs below is row r, index 1 is row r + 8.
#pragma once

#include "kernels/attention/tile_math.h"

namespace checkride::kernels::attention {

__device__ __forceinline__ float quad_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 2));
}

__device__ __forceinline__ float quad_sum(float x) {
  x += __shfl_xor_sync(0xffffffffu, x, 1);
  return x + __shfl_xor_sync(0xffffffffu, x, 2);
}

// Which key the first of the two columns of piece j is, from the tile's first key, for place q in
// the quad; the second column is the next key.
struct PlainColumns {
  static __device__ __forceinline__ int first(int q) { return 2 * q; }
  static __device__ __forceinline__ int offset(int j) { return 8 * j; }
};

// Scores of keys at or past the limit of their row become no_score().
template <class Columns, int kCount>
__device__ __forceinline__ void mask_scores(float (&s)[kCount], int key0, int q, int limit0,
                                            int limit1) {
  const int key = key0 + Columns::first(q);
#pragma unroll
  for (int j = 0; j < kCount / 4; ++j) {
    if (key + Columns::offset(j) >= limit0) s[4 * j] = no_score();
    if (key + Columns::offset(j) + 1 >= limit0) s[4 * j + 1] = no_score();
    if (key + Columns::offset(j) >= limit1) s[4 * j + 2] = no_score();
    if (key + Columns::offset(j) + 1 >= limit1) s[4 * j + 3] = no_score();
  }
}

// Raises `top` to the largest raw score of the two rows.
template <int kCount>
__device__ __forceinline__ void raise_max(const float (&s)[kCount], float (&top)[2]) {
  float other[2] = {top[0], top[1]};
#pragma unroll
  for (int j = 0; j < kCount / 4; ++j) {
    top[0] = fmaxf(top[0], s[4 * j]);
    other[0] = fmaxf(other[0], s[4 * j + 1]);
    top[1] = fmaxf(top[1], s[4 * j + 2]);
    other[1] = fmaxf(other[1], s[4 * j + 3]);
  }
  top[0] = quad_max(fmaxf(top[0], other[0]));
  top[1] = quad_max(fmaxf(top[1], other[1]));
}

}  // namespace checkride::kernels::attention

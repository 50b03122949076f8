// Sums and largest keys over the lanes of a warp, in the fixed order in which the host joins lanes.
// A part of device_compare.cu.
#pragma once

#include "kernels/compare/group.h"

namespace checkride::kernels::compare {
namespace {

using Long = unsigned long long;  // what atomics of 64 bits take

__device__ double shifted(double value, int by) {
  return __shfl_down_sync(~0u, value, by);
}
__device__ std::uint64_t largest_of_warp(std::uint64_t key) {
  for (int half = 16; half > 0; half /= 2) {
    const std::uint64_t other = __shfl_xor_sync(~0u, static_cast<Long>(key), half);
    key = other > key ? other : key;
  }
  return key;
}
__device__ Sums sum_of_warp(Sums sums) {
  for (int half = 16; half > 0; half /= 2)
    sums = sums + Sums{shifted(sums.d2, half), shifted(sums.d1, half), shifted(sums.a2, half),
                       shifted(sums.b2, half)};
  return sums;
}
__device__ Long sum_of_warp(Long value) {
  for (int half = 16; half > 0; half /= 2) value += __shfl_xor_sync(~0u, value, half);
  return value;
}

}  // namespace
}  // namespace checkride::kernels::compare

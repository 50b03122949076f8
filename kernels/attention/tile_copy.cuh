// Tiles of 128-byte rows in shared memory, in the 128-byte swizzle that the copy engine and the
// matrix unit share: how a block of threads fills one with 16-byte asynchronous copies (compute
// capability 8.0 and up), and how accumulators become 16-bit operands.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

namespace checkride::kernels::attention {

// Offset of 16-byte chunk `chunk` of row `row`.
__device__ __forceinline__ std::uint32_t swizzled(int row, int chunk) {
  return static_cast<std::uint32_t>(row * 128 + ((chunk ^ (row & 7)) << 4));
}

// 16 bytes from global to shared memory; `bytes` of them are read, the rest become zero.
__device__ __forceinline__ void copy16(std::uint32_t shared, const void* global,
                                       std::uint32_t bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared), "l"(global),
               "r"(bytes)
               : "memory");
}
__device__ __forceinline__ void copy_commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int kPending>
__device__ __forceinline__ void copy_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}
// 16-byte copies of rows [row0, row0 + rows) of one head into a swizzled tile, shared by `threads`
// threads; rows past `seq` become zeros.
__device__ __forceinline__ void copy_rows(std::uint32_t tile, const void* head, int row0, int rows,
                                          int seq, int thread, int threads) {
  for (int i = thread; i < rows * 8; i += threads) {
    const int row = i >> 3, chunk = i & 7;
    const int source = row0 + row < seq ? row0 + row : 0;
    copy16(tile + swizzled(row, chunk),
           static_cast<const char*>(head) + static_cast<std::size_t>(source) * 128 + chunk * 16,
           row0 + row < seq ? 16u : 0u);
  }
}

// Two floats rounded to 16 bits each, `low` in the low half.
template <bool kBf16>
__device__ __forceinline__ std::uint32_t pack(float low, float high) {
  std::uint32_t packed;
  if constexpr (kBf16)
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  else
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}

}  // namespace checkride::kernels::attention

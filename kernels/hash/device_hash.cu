#include <cuda_runtime.h>

#include <algorithm>

#include "kernels/cuda/check.h"
#include "kernels/hash/device_hash.h"
#include "kernels/hash/position_hash.h"

namespace checkride::kernels {
namespace {

using cuda::check;

constexpr int threads = 256;
constexpr int loads = 4;  // independent 16-byte loads of a thread in one step

__global__ void __launch_bounds__(threads)
    position_hash_kernel(const unsigned char* data, std::size_t bytes, unsigned long long* sum) {
  const auto* pairs = reinterpret_cast<const ulonglong2*>(data);
  const std::size_t pair_count = bytes / 16;
  const std::size_t stride = std::size_t{gridDim.x} * threads;
  std::uint64_t mine = 0;
  std::size_t i = std::size_t{blockIdx.x} * threads + threadIdx.x;
  for (; i + (loads - 1) * stride < pair_count; i += loads * stride) {
    ulonglong2 value[loads];
    CR_UNROLL
    for (int j = 0; j < loads; ++j) value[j] = __ldcs(pairs + i + j * stride);
    CR_UNROLL
    for (int j = 0; j < loads; ++j) {
      const std::uint64_t word = 2 * (i + j * stride);
      mine += mixed_word(value[j].x, word) + mixed_word(value[j].y, word + 1);
    }
  }
  for (; i < pair_count; i += stride) {
    const ulonglong2 value = __ldcs(pairs + i);
    mine += mixed_word(value.x, 2 * i) + mixed_word(value.y, 2 * i + 1);
  }
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    for (std::size_t at = pair_count * 16; at < bytes; at += 8) {
      std::uint64_t word = 0;
      for (std::size_t k = 0; k < 8 && at + k < bytes; ++k)
        word |= static_cast<std::uint64_t>(data[at + k]) << (8 * k);
      mine += mixed_word(word, at / 8);
    }
  }
  for (int lanes = 16; lanes > 0; lanes /= 2) mine += __shfl_down_sync(0xffffffffu, mine, lanes);
  if (threadIdx.x % 32 == 0 && mine != 0) atomicAdd(sum, static_cast<unsigned long long>(mine));
}

}  // namespace

Result<void> queue_device_hash(const void* data, std::size_t bytes, std::uint64_t* sum,
                               CUstream_st* stream) {
  CR_CHECK(check(cudaMemsetAsync(sum, 0, sizeof *sum, stream), "clear a hash"));
  constexpr std::size_t blocks_max = 132 * 8;
  const std::size_t blocks =
      std::clamp<std::size_t>(bytes / (std::size_t{16} * threads * loads), 1, blocks_max);
  position_hash_kernel<<<static_cast<unsigned>(blocks), threads, 0, stream>>>(
      static_cast<const unsigned char*>(data), bytes, reinterpret_cast<unsigned long long*>(sum));
  return check(cudaGetLastError(), "queue a hash");
}

Result<std::uint64_t> device_hash(const void* data, std::size_t bytes, CUstream_st* stream) {
  CR_TRY(const cuda::DeviceBuffer sum, cuda::DeviceBuffer::allocate(sizeof(std::uint64_t)));
  CR_CHECK(queue_device_hash(data, bytes, static_cast<std::uint64_t*>(sum.data()), stream));
  CR_CHECK(check(cudaStreamSynchronize(stream), "wait for a hash"));
  std::uint64_t value = 0;
  CR_CHECK(sum.download(&value));
  return finished_hash(value, bytes);
}

}  // namespace checkride::kernels

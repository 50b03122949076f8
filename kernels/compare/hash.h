// The hash of a tensor's bytes: the sum over all 4-byte words, modulo 2^64, of the word times a key
// of its place, in any order. A key is the product of two odd numbers, one of the place within a
// batch (batch.h) and one of the batch and lane, so that a word that changes always changes the
// hash, and so do two that change places. It does not resist an adversary.
#pragma once

#include <cstdint>

#include "kernels/compare/grid.h"
#include "kernels/math/random.h"

namespace checkride::kernels::compare {

// Of word `word` of group `group` of a batch; odd.
CR_HOST_DEVICE constexpr std::uint32_t word_key(int group, int word) {
  std::uint32_t z = static_cast<std::uint32_t>(group * 4 + word + 1) * 0x9e3779b9u;
  z = (z ^ z >> 16) * 0x85ebca6bu;
  z = (z ^ z >> 13) * 0xc2b2ae35u;
  return (z ^ z >> 16) | 1u;
}

// Of a lane's batch, the lane's number among all lanes of all batches before and its own: odd, and
// another for each within 2^31 of them. From one batch of a lane to the next it grows by
// next_batch_key.
inline constexpr std::uint32_t batch_key_step = 2u * 0x9e3779b1u;
inline constexpr std::uint32_t next_batch_key = batch_key_step * chunk_lanes;
CR_HOST_DEVICE std::uint32_t batch_key(std::uint64_t lane_of_batch) {
  return static_cast<std::uint32_t>(lane_of_batch) * batch_key_step +
         static_cast<std::uint32_t>(lane_of_batch >> 31) * (2u * 0x85ebca6bu) + 1u;
}

CR_HOST_DEVICE std::uint64_t finished_hash(std::uint64_t sum, std::uint64_t bytes) {
  return mix_bits(sum + bytes * 0x9e3779b97f4a7c15u);
}

// What `elements` from `first` on, which starts a 16-byte unit, add to the sum; what is over in the
// last word counts as zero.
template <class T>
CR_HOST_DEVICE std::uint64_t hash_elements(const typename T::Bits* data, std::uint64_t first,
                                           int elements) {
  constexpr int width = static_cast<int>(sizeof(typename T::Bits));
  constexpr int in_unit = 16 / width;
  std::uint64_t hash = 0;
#ifdef __CUDA_ARCH__
#pragma unroll 1
#endif
  for (int start = 0; start < elements; start += in_unit) {
    std::uint64_t halves[2] = {0, 0};
    for (int i = 0; i < in_unit && start + i < elements; ++i)
      halves[i * width / 8] |=
          static_cast<std::uint64_t>(data[first + static_cast<std::uint64_t>(start + i)])
          << i * width % 8 * 8;
    const std::uint64_t unit = (first + static_cast<std::uint64_t>(start)) / in_unit;
    const std::uint64_t row = unit / chunk_lanes;
    const int group = static_cast<int>(row % batch_groups);
    const std::uint64_t sum =
        (halves[0] & 0xffffffffu) * word_key(group, 0) + (halves[0] >> 32) * word_key(group, 1) +
        (halves[1] & 0xffffffffu) * word_key(group, 2) + (halves[1] >> 32) * word_key(group, 3);
    hash += sum * batch_key(row / batch_groups * chunk_lanes + unit % chunk_lanes);
  }
  return hash;
}

}  // namespace checkride::kernels::compare

// The hash of a tensor's bytes: the sum over all 4-byte words, modulo 2^64, of the word times a key
// of its place, in any order. A key is the product of two odd numbers, one of the place within a
// batch (batch.h) and one of the batch and lane, so that a word that changes always changes the
// hash. It does not resist an adversary.
#pragma once

#include <cstdint>

#include "kernels/compare/grid.h"
#include "kernels/math/random.h"

namespace checkride::kernels::compare {

// Of word `word` of group `group` of a batch.
CR_HOST_DEVICE constexpr std::uint32_t word_key(int group, int word) {
  constexpr std::uint32_t keys[] = {0x9e3779b1u, 0x85ebca77u, 0xc2b2ae3du, 0x27d4eb2fu,
                                    0x165667b1u, 0xd6e8feb9u, 0xcc9e2d51u, 0x1b873593u,
                                    0xe6546b65u, 0x7feb352du, 0x846ca68bu, 0x2c1b3c6du,
                                    0x297a2d39u, 0xa54ff53bu, 0x510e527fu, 0x9b05688du};
  static_assert(batch_groups * 4 <= sizeof keys / sizeof *keys);
  return keys[group * 4 + word];
}

// Where a lane's batch stands, from the lane's number among all lanes of all batches before and its
// own, and what the batch is multiplied with. From one batch of a lane to the next the place grows
// by next_place.
inline constexpr std::uint32_t place_step = 0x9e3779b1u;
inline constexpr std::uint32_t next_place = place_step * chunk_lanes;
CR_HOST_DEVICE std::uint32_t place_of(std::uint64_t lane_of_batch) {
  return static_cast<std::uint32_t>(lane_of_batch) * place_step +
         static_cast<std::uint32_t>(lane_of_batch >> 32) * 0x85ebca6bu;
}
CR_HOST_DEVICE std::uint32_t key_of(std::uint32_t place) {
  return (place ^ place >> 15) * 0x2c1b3c6du | 1u;
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
    std::uint64_t low = 0, high = 0;
    for (int i = 0; i < in_unit && start + i < elements; ++i) {
      const std::uint64_t bits = data[first + static_cast<std::uint64_t>(start + i)];
      const int at = i * width * 8;
      if (at < 64)
        low |= bits << at;
      else
        high |= bits << (at - 64);
    }
    const std::uint64_t unit = (first + static_cast<std::uint64_t>(start)) / in_unit;
    const std::uint64_t row = unit / chunk_lanes;
    const auto group = static_cast<int>(row % batch_groups);
    const std::uint64_t sum =
        (low & 0xffffffffu) * word_key(group, 0) + (low >> 32) * word_key(group, 1) +
        (high & 0xffffffffu) * word_key(group, 2) + (high >> 32) * word_key(group, 3);
    hash += sum * key_of(place_of(row / batch_groups * chunk_lanes + unit % chunk_lanes));
  }
  return hash;
}

}  // namespace checkride::kernels::compare

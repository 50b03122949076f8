// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): four random
// words from a counter and a key, without state, so that a draw is the same wherever and in
// whatever order it is made.
#pragma once

#include <cstdint>

#include "kernels/math/host_device.h"

namespace checkride::kernels::math {

struct Philox4 {
  std::uint32_t word[4];
};

CR_HOST_DEVICE Philox4 philox(Philox4 counter, std::uint64_t key) {
  auto key0 = static_cast<std::uint32_t>(key);
  auto key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xd2511f53u} * counter.word[0];
    const std::uint64_t product1 = std::uint64_t{0xcd9e8d57u} * counter.word[2];
    counter = {{static_cast<std::uint32_t>(product1 >> 32) ^ counter.word[1] ^ key0,
                static_cast<std::uint32_t>(product1),
                static_cast<std::uint32_t>(product0 >> 32) ^ counter.word[3] ^ key1,
                static_cast<std::uint32_t>(product0)}};
    key0 += 0x9e3779b9u;
    key1 += 0xbb67ae85u;
  }
  return counter;
}

// A whole number below `bound` from one word, by the high half of the product: values differ in
// probability by less than bound / 2^32.
CR_HOST_DEVICE std::uint32_t below(std::uint32_t word, std::uint32_t bound) {
  return static_cast<std::uint32_t>((std::uint64_t{word} * bound) >> 32);
}

}  // namespace checkride::kernels::math

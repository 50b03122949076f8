// The position-mixed hash: the sum over all 8-byte words of mix(word, position), and the length
// mixed in at the end. A sum has no order, so threads on the device and on the host may add in any
// order and end in the same bits. mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
// Swapped, shifted or repeated words change it; it does not resist an adversary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/math/host_device.h"

namespace checkride::kernels {

CR_HOST_DEVICE std::uint64_t mixed_word(std::uint64_t word, std::uint64_t position) {
  std::uint64_t x = word ^ ((position + 1) * 0x9e3779b97f4a7c15u);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// From the sum over all words, the last one filled up with zero bytes.
CR_HOST_DEVICE std::uint64_t finished_hash(std::uint64_t sum, std::uint64_t bytes) {
  return mixed_word(sum, bytes);
}

// On the host; several threads above a megabyte.
std::uint64_t position_hash(std::span<const std::byte> bytes);

}  // namespace checkride::kernels

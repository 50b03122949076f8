// Seeded random numbers, the same everywhere for the same seed: splitmix64 (Steele, Lea, Flood
// 2014) as generator, Box-Muller for the normal distribution. Test data only. Not shared between
// threads.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "kernels/math/host_device.h"

namespace checkride::kernels {

// The finishing permutation of splitmix64: every bit of the result hangs on every bit of z.
CR_HOST_DEVICE std::uint64_t mix_bits(std::uint64_t z) {
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

class RandomStream {
 public:
  explicit RandomStream(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() { return mix_bits(state_ += 0x9e3779b97f4a7c15u); }
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }  // in [0, 1)
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

}  // namespace checkride::kernels

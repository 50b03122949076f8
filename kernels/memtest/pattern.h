// What each test pattern puts at an address: one source for device, host and simulation. A pattern
// is a family and two numbers; a word's value depends on them and on its own address only, so that
// any error can be judged from its address.
#pragma once

#include <cstdint>

#include "kernels/math/host_device.h"

namespace checkride::kernels::memtest {

enum class Family : std::uint8_t {
  constant,    // a
  address,     // the word's own address, xor a
  walking_32,  // one bit of each 32-bit half, one further with each half, from bit a; xor b
  hash,        // a mixture of address and a, no two addresses alike; xor b
  modulo_20,   // a at every twentieth word from b, else the complement of a
};

struct Pattern {
  Family family = Family::constant;
  std::uint64_t a = 0;
  std::uint64_t b = 0;
};

// One to one in `word` for every key: a multiplication by an odd number and a shift.
CR_HOST_DEVICE std::uint64_t mixed(std::uint64_t word, std::uint64_t key) {
  const std::uint64_t x = (word + key) * 0x9e3779b97f4a7c15ULL;
  return x ^ (x >> 29);
}

template <Family family>
CR_HOST_DEVICE std::uint64_t value_of(std::uint64_t a, std::uint64_t b, std::uint64_t address) {
  if (family == Family::address) return address ^ a;
  if (family == Family::walking_32) {
    const std::uint32_t low =
        static_cast<std::uint32_t>(address >> 2) + static_cast<std::uint32_t>(a);
    const std::uint64_t first = 1ULL << (low & 31);
    const std::uint64_t second = 1ULL << ((low + 1) & 31);
    return (first | second << 32) ^ b;
  }
  if (family == Family::hash) return mixed(address >> 3, a) ^ b;
  if (family == Family::modulo_20) return (address >> 3) % 20 == b ? a : ~a;
  return a;
}

// f(family as a constant) for the pattern's family.
template <class Function>
auto with_family(Family family, Function&& f) {
  switch (family) {
    case Family::address: return f.template operator()<Family::address>();
    case Family::walking_32: return f.template operator()<Family::walking_32>();
    case Family::hash: return f.template operator()<Family::hash>();
    case Family::modulo_20: return f.template operator()<Family::modulo_20>();
    case Family::constant: break;
  }
  return f.template operator()<Family::constant>();
}

inline std::uint64_t value_of(const Pattern& pattern, std::uint64_t address) {
  return with_family(pattern.family, [&]<Family family>() {
    return value_of<family>(pattern.a, pattern.b, address);
  });
}

}  // namespace checkride::kernels::memtest

// Pairs of tensors made up by a rule of the element's place, so that the device can fill its own
// memory at speed and the host can make the same ones. For measuring comparisons on themselves.
#pragma once

#include <cstdint>

#include "engine/base/result.h"
#include "kernels/compare/pair.h"
#include "kernels/math/random.h"
#include "kernels/tensor/tensor.h"

namespace checkride::kernels::compare {

// near: actual is expected moved by 0 to 2 units in the last place, three in four by 0. unrelated:
// both are independent. equal: they are the same.
enum class Relation : std::uint8_t { near, unrelated, equal };

// About normal with variance 1 (the sum of four uniform numbers), the same bits everywhere.
template <class T>
CR_HOST_DEVICE typename T::Bits sample_bits(std::uint64_t random) {
  const auto sum = static_cast<int>((random & 0xffffu) + (random >> 16 & 0xffffu) +
                                    (random >> 32 & 0xffffu) + (random >> 48));
  const double value = static_cast<double>(sum - 131070) * 0x1.bb67aep-16;  // sqrt(3) / 65536
  return T::round(value);
}

template <class T>
CR_HOST_DEVICE typename T::Bits sample_expected(std::uint64_t seed, std::uint64_t index) {
  return sample_bits<T>(mix_bits(seed + index * 0x9e3779b97f4a7c15u));
}

template <class T>
CR_HOST_DEVICE typename T::Bits sample_actual(std::uint64_t seed, std::uint64_t index,
                                              Relation relation) {
  if (relation == Relation::unrelated) return sample_expected<T>(seed ^ 0x5851f42d4c957f2du, index);
  const auto expected = sample_expected<T>(seed, index);
  if (relation == Relation::equal) return expected;
  const std::uint64_t draw = mix_bits(seed + index * 0xd1342543de82ef95u) >> 60;
  const int move = draw < 12 ? 0 : draw == 12 ? 1 : draw == 13 ? -1 : draw == 14 ? 2 : -2;
  using Bits = typename T::Bits;
  constexpr Bits magnitude = static_cast<Bits>(Bits(~Bits{0}) >> 1);
  const Bits size = static_cast<Bits>(expected & magnitude);
  if (size < 4) return expected;
  return static_cast<Bits>(expected + static_cast<Bits>(move));
}

// Fills n elements of each in device memory. Errors: unavailable, and those of launches.
Result<void> fill_samples(ElementType type, void* actual, void* expected, std::uint64_t n,
                          std::uint64_t seed, Relation relation);

}  // namespace checkride::kernels::compare

#include "kernels/math/half.h"

#include <catch2/catch.hpp>
#include <limits>

using namespace checkride::kernels;

TEST_CASE("every 16-bit value survives the way to float and back") {
  int changed = 0, nan_lost = 0;
  for (const Dtype dtype : {Dtype::f16, Dtype::bf16})
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
      const float value = float_from_bits(dtype, static_cast<std::uint16_t>(bits));
      const std::uint16_t back = bits_from_float(dtype, value);
      if (std::isnan(value))
        nan_lost += !std::isnan(float_from_bits(dtype, back));
      else
        changed += back != bits;
    }
  CHECK(changed == 0);
  CHECK(nan_lost == 0);
}

TEST_CASE("rounding is to the nearest value, ties to even") {
  // Between two neighbours a < b: below the middle gives a, above it b, the middle the even one.
  int wrong = 0;
  for (const Dtype dtype : {Dtype::f16, Dtype::bf16})
    for (std::uint32_t bits = 0; bits < 0x7c00; ++bits) {
      const auto low = static_cast<std::uint16_t>(bits),
                 high = static_cast<std::uint16_t>(bits + 1);
      const float a = float_from_bits(dtype, low), b = float_from_bits(dtype, high);
      if (!std::isfinite(b)) continue;
      const float middle = a + (b - a) / 2;
      wrong += bits_from_float(dtype, std::nextafter(middle, a)) != low;
      wrong += bits_from_float(dtype, std::nextafter(middle, b)) != high;
      wrong += bits_from_float(dtype, middle) != (low % 2 == 0 ? low : high);
    }
  CHECK(wrong == 0);
}

TEST_CASE("the ends of the ranges") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  CHECK(f16_from_float(65504.0f) == 0x7bff);
  CHECK(f16_from_float(65519.9f) == 0x7bff);
  CHECK(f16_from_float(65520.0f) == 0x7c00);
  CHECK(f16_from_float(-infinity) == 0xfc00);
  CHECK(f16_from_float(-0.0f) == 0x8000);
  CHECK(bf16_from_float(infinity) == 0x7f80);
  CHECK(bf16_from_float(std::numeric_limits<float>::max()) == 0x7f80);
  CHECK(round_to(Dtype::f16, 2049.0f) == 2048.0f);
  CHECK(round_to(Dtype::bf16, 257.0f) == 256.0f);
}

// FP8 E4M3 as 8 raw bits (OCP 8-bit floating point specification: bias 7, no infinities, 0x7f and
// 0xff are NaN, largest 448, smallest subnormal 2^-9), rounded to nearest even and saturated to the
// largest finite value as NVIDIA's conversions with SATFINITE do. Host and device, bit for bit.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/math/host_device.h"

namespace checkride::kernels {

inline constexpr float e4m3_max = 448.0f;

// NaN becomes 0x7f whatever its sign; infinities and all above 448 saturate.
CR_HOST_DEVICE std::uint8_t e4m3_from_float(float value) {
  const auto bits = __builtin_bit_cast(std::uint32_t, value);
  const std::uint32_t sign = bits >> 24 & 0x80u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return 0x7fu;
  if (magnitude >= 0x43e00000u) return static_cast<std::uint8_t>(sign | 0x7eu);  // 448
  if (magnitude < 0x3c800000u) {  // below 2^-6, the smallest normal value
    // Counts units of 2^-9; adding 2^14 leaves the count, rounded, in the low bits.
    const float sum = __builtin_bit_cast(float, magnitude) + 16384.0f;
    return static_cast<std::uint8_t>(sign | (__builtin_bit_cast(std::uint32_t, sum) -
                                             __builtin_bit_cast(std::uint32_t, 16384.0f)));
  }
  const std::uint32_t rebased = magnitude - (120u << 23);
  return static_cast<std::uint8_t>(sign | ((rebased + 0x7ffffu + (rebased >> 20 & 1u)) >> 20));
}

CR_HOST_DEVICE float float_from_e4m3(std::uint8_t code) {
  const std::uint32_t sign = static_cast<std::uint32_t>(code & 0x80u) << 24;
  const std::uint32_t rest = code & 0x7fu;
  if (rest == 0x7fu) return __builtin_bit_cast(float, sign | 0x7fc00000u);
  if (rest < 8u) {
    const float magnitude = static_cast<float>(rest) * 0.001953125f;  // 2^-9
    return sign != 0 ? -magnitude : magnitude;
  }
  return __builtin_bit_cast(float, sign | (rest + (120u << 3)) << 20);
}

}  // namespace checkride::kernels

// IEEE binary16 and bfloat16 as 16 raw bits, converted without a GPU library: what reference code,
// tests and shared arithmetic use to round as the device does (to nearest, ties to even).
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/math/host_device.h"

namespace checkride::kernels {

enum class Dtype { f16, bf16 };

inline const char* to_string(Dtype dtype) {
  return dtype == Dtype::f16 ? "f16" : "bf16";
}

// bfloat16 is the upper half of a float; NaN stays NaN and keeps its sign.
CR_HOST_DEVICE std::uint16_t bf16_from_float(float value) {
  const auto bits = __builtin_bit_cast(std::uint32_t, value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

CR_HOST_DEVICE float float_from_bf16(std::uint16_t bits) {
  return __builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16);
}

// binary16: overflow becomes infinity, below 2^-14 the result is subnormal, NaN becomes a quiet
// NaN.
CR_HOST_DEVICE std::uint16_t f16_from_float(float value) {
  const auto bits = __builtin_bit_cast(std::uint32_t, value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7e00u);
  if (magnitude >= 65520.0f) return static_cast<std::uint16_t>(sign | 0x7c00u);
  if (magnitude < 6.103515625e-05f) {
    // A subnormal counts units of 2^-24; adding 0.5 leaves the count, rounded, in the low bits.
    const auto sum = __builtin_bit_cast(std::uint32_t, magnitude + 0.5f);
    return static_cast<std::uint16_t>(sign | (sum - __builtin_bit_cast(std::uint32_t, 0.5f)));
  }
  const std::uint32_t rebased = (bits & 0x7fffffffu) - (112u << 23);
  return static_cast<std::uint16_t>(sign | ((rebased + 0xfffu + (rebased >> 13 & 1u)) >> 13));
}

CR_HOST_DEVICE float float_from_f16(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t exponent = bits >> 10 & 0x1fu;
  const std::uint32_t fraction = bits & 0x3ffu;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 5.9604644775390625e-08f;  // 2^-24
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t rebased = exponent == 31 ? 255u : exponent + 112u;
  return __builtin_bit_cast(float, sign | rebased << 23 | fraction << 13);
}

CR_HOST_DEVICE std::uint16_t bits_from_float(Dtype dtype, float value) {
  return dtype == Dtype::f16 ? f16_from_float(value) : bf16_from_float(value);
}

CR_HOST_DEVICE float float_from_bits(Dtype dtype, std::uint16_t bits) {
  return dtype == Dtype::f16 ? float_from_f16(bits) : float_from_bf16(bits);
}

// The value after one rounding to the type.
CR_HOST_DEVICE float round_to(Dtype dtype, float value) {
  return float_from_bits(dtype, bits_from_float(dtype, value));
}

// The float next to `value` whose last bit says that something was cut off: what a second rounding,
// to a type of fewer bits, needs to give the result of one rounding from the double.
CR_HOST_DEVICE float float_to_odd(double value) {
  const auto near = static_cast<float>(value);
  const auto bits = __builtin_bit_cast(std::uint32_t, near);
  const double widened = static_cast<double>(near);
  if (!(widened != value) || (bits & 0x7f800000u) == 0x7f800000u || (bits & 1u) != 0) return near;
  const bool above = (widened < 0 ? -widened : widened) > (value < 0 ? -value : value);
  return __builtin_bit_cast(float, above ? bits - 1u : bits + 1u);
}

}  // namespace checkride::kernels

// One value to an 8-bit code and back, and the scale of a group. Two codes: e4m3, and linear_u8,
// which older work calls FP8: a whole number of steps around 128, of one size for all values. Host
// and device, bit for bit; the device's e4m3 conversions are its own instructions.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/math/e4m3.h"
#include "kernels/math/host_device.h"

namespace checkride::kernels::quant {

enum class Code : std::uint8_t { e4m3, linear_u8 };

// The largest value a code holds at scale 1.
CR_HOST_DEVICE float code_max(Code code) {
  return code == Code::e4m3 ? e4m3_max : 127.0f;
}

// What codes are multiplied by to get values. amax is the largest magnitude of the group, NaN
// aside. A group of zeros, or one with an infinity, has 1; no scale is below the smallest normal
// float. `margin` leaves that many powers of two above amax.
CR_HOST_DEVICE float scale_of(float amax, Code code, int margin) {
  if (!(amax > 0.0f) || !(amax < INFINITY)) return 1.0f;
  const float room = __builtin_bit_cast(float, static_cast<std::uint32_t>(127 + margin) << 23);
  const float scale = amax / code_max(code) * room;
  if (!(scale < INFINITY)) return 0x1.fffffep+127f;
  return scale < 0x1p-126f ? 0x1p-126f : scale;
}

// What values are multiplied by before they are encoded; a scale near the largest float has an
// inverse below the normal ones, which is exact enough: it is the same everywhere.
CR_HOST_DEVICE float inverse_of(float scale) {
  return 1.0f / scale;
}

// `value` is already divided by the scale. NaN becomes 0x7f in e4m3 and 0 in linear_u8, which
// nothing else is; infinities and what is too large become the largest.
CR_HOST_DEVICE std::uint8_t encode(float value, Code code) {
  if (code == Code::e4m3) {
#ifdef __CUDA_ARCH__
    std::uint16_t two;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(two) : "f"(0.0f), "f"(value));
    return static_cast<std::uint8_t>(two);
#else
    return e4m3_from_float(value);
#endif
  }
  if (!(value == value)) return 0;
  const float step = value > 127.0f ? 127.0f : value < -127.0f ? -127.0f : std::rint(value);
  return static_cast<std::uint8_t>(static_cast<int>(step) + 128);
}

CR_HOST_DEVICE float decode(std::uint8_t bits, Code code) {
#ifdef __CUDA_ARCH__
  if (code == Code::e4m3) {
    float value;
    asm("{.reg .b32 two; .reg .b16 l, h; cvt.rn.f16x2.e4m3x2 two, %1; mov.b32 {l, h}, two; "
        "cvt.f32.f16 %0, l;}"
        : "=f"(value)
        : "h"(static_cast<std::uint16_t>(bits)));
    return value;
  }
#endif
  return code == Code::e4m3 ? float_from_e4m3(bits) : static_cast<float>(bits) - 128.0f;
}

// What is counted of values and codes.
struct Counts {
  std::uint32_t nan = 0;
  std::uint32_t infinite = 0;
  std::uint32_t saturated = 0;  // finite, but beyond what the code holds
  std::uint32_t underflow = 0;  // not zero, but the code is
};

// Eight values in a row, encoded; errors and squares are in units of the scale, which keeps them in
// the range of float, and leave out what is not finite.
struct Eight {
  std::uint64_t codes = 0;  // the first in the lowest byte
  float error2 = 0.0f;
  float value2 = 0.0f;
};
CR_HOST_DEVICE Eight encode_eight(const float (&values)[8], int count, float inverse, Code code,
                                  Counts& counts) {
  Eight eight;
  CR_UNROLL
  for (int i = 0; i < 8; ++i) {
    if (i >= count) continue;
    const float x = values[i];
    const float y = x * inverse;
    const std::uint8_t bits = encode(y, code);
    eight.codes |= static_cast<std::uint64_t>(bits) << 8 * i;
    const float size = std::fabs(x);
    if (size < INFINITY) {
      const float back = decode(bits, code);
      const float error = y - back;
      eight.error2 = std::fmaf(error, error, eight.error2);
      eight.value2 = std::fmaf(y, y, eight.value2);
      if (std::fabs(y) > code_max(code)) ++counts.saturated;
      if (back == 0.0f && size > 0.0f) ++counts.underflow;
    } else if (size == INFINITY) {
      ++counts.infinite;
    } else {
      ++counts.nan;
    }
  }
  return eight;
}

}  // namespace checkride::kernels::quant

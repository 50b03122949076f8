// One pair of elements, actual and expected: the types elements can have, how far two of them are
// apart, in value and in units in the last place, and what a pair is worth in the list of the
// worst. One source for host and device; every operation is a single IEEE operation or an integer
// one, so that both give the same bits.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/math/e4m3.h"
#include "kernels/math/half.h"
#include "kernels/math/host_device.h"

namespace checkride::kernels::compare {

CR_HOST_DEVICE std::uint64_t bits_of(double value) {
  return __builtin_bit_cast(std::uint64_t, value);
}
CR_HOST_DEVICE double double_of(std::uint64_t bits) {
  return __builtin_bit_cast(double, bits);
}

inline constexpr std::uint64_t infinite_key = 0x7ff0000000000000u;

// Element types. Real holds every value exactly; round() is one rounding from a double.
struct F64 {
  using Bits = std::uint64_t;
  using Real = double;
  static CR_HOST_DEVICE Real real(Bits bits) { return double_of(bits); }
  static CR_HOST_DEVICE Bits round(double value) { return bits_of(value); }
};
struct F32 {
  using Bits = std::uint32_t;
  using Real = float;
  static CR_HOST_DEVICE Real real(Bits bits) { return __builtin_bit_cast(float, bits); }
  static CR_HOST_DEVICE Bits round(double value) {
    return __builtin_bit_cast(std::uint32_t, static_cast<float>(value));
  }
};
struct F16 {
  using Bits = std::uint16_t;
  using Real = float;
  static CR_HOST_DEVICE Real real(Bits bits) { return float_from_f16(bits); }
  static CR_HOST_DEVICE Bits round(double value) { return f16_from_float(float_to_odd(value)); }
};
struct Bf16 {
  using Bits = std::uint16_t;
  using Real = float;
  static CR_HOST_DEVICE Real real(Bits bits) { return float_from_bf16(bits); }
  static CR_HOST_DEVICE Bits round(double value) { return bf16_from_float(float_to_odd(value)); }
};
struct E4m3 {
  using Bits = std::uint8_t;
  using Real = float;
  static CR_HOST_DEVICE Real real(Bits bits) { return float_from_e4m3(bits); }
  static CR_HOST_DEVICE Bits round(double value) { return e4m3_from_float(float_to_odd(value)); }
};

CR_HOST_DEVICE bool is_nan(double value) {
  return (bits_of(value) & 0x7fffffffffffffffu) > infinite_key;
}
CR_HOST_DEVICE bool is_infinite(double value) {
  return (bits_of(value) & 0x7fffffffffffffffu) == infinite_key;
}
CR_HOST_DEVICE bool is_finite(double value) {
  return (bits_of(value) & 0x7fffffffffffffffu) < infinite_key;
}

// What makes two elements a match: |a - b| <= atol + rtol |b|, b the expected one. Infinities match
// their like, NaN matches NaN where equal_nan says so.
struct Limits {
  double rtol = 0.0;
  double atol = 0.0;
  double rel_floor = 0x1p-100;  // max_rel looks at |b| of at least this, which is never less
  float rtol32 = 0.0f;          // the same as floats, for types whose Real is float
  float atol32 = 0.0f;
  bool equal_nan = false;
};

// |a - b|, rounded once, in float where both are at most 32 bits wide and the result is finite.
CR_HOST_DEVICE double distance(double a, double b) {
  return std::fabs(a - b);
}
CR_HOST_DEVICE double distance(float a, float b) {
  const float d = std::fabs(a - b);
  return d < INFINITY ? static_cast<double>(d)
                      : std::fabs(static_cast<double>(a) - static_cast<double>(b));
}
CR_HOST_DEVICE double distance(float a, double b) {
  return distance(static_cast<double>(a), b);
}

CR_HOST_DEVICE double allowed(double b, const Limits& limits) {
  return std::fma(limits.rtol, std::fabs(b), limits.atol);
}
CR_HOST_DEVICE double allowed(float b, const Limits& limits) {
  return static_cast<double>(std::fmaf(limits.rtol32, std::fabs(b), limits.atol32));
}

// |a - b| / |b| in the same precision as the distance.
CR_HOST_DEVICE double quotient(double distance, double b) {
  return distance / std::fabs(b);
}
CR_HOST_DEVICE double quotient(double distance, float b) {
  return static_cast<double>(static_cast<float>(distance) / std::fabs(b));
}

// A number that grows with the value, by one from each value of the type to the next; both zeros
// have one.
template <class T>
CR_HOST_DEVICE std::int64_t ordinal(typename T::Bits bits) {
  constexpr int shift = static_cast<int>(sizeof(typename T::Bits)) * 8 - 1;
  const auto wide = static_cast<std::uint64_t>(bits);
  const auto magnitude = static_cast<std::int64_t>(wide & ((std::uint64_t{1} << shift) - 1));
  return (wide >> shift & 1u) != 0 ? -magnitude : magnitude;
}

// Bins of distances in units in the last place: 0, 1, 2 to 3, 4 to 7, ..., 2^32 and above.
inline constexpr int ulp_bins = 34;
CR_HOST_DEVICE int ulp_bin(std::uint64_t ulps) {
#ifdef __CUDA_ARCH__
  const int bin = 64 - __clzll(static_cast<long long>(ulps));
#else
  const int bin = 64 - __builtin_clzll(ulps | 1) - (ulps == 0 ? 1 : 0);  // no branch to foretell
#endif
  return bin < ulp_bins ? bin : ulp_bins - 1;
}

// Whether two elements match, and how bad the pair is: the bits of its distance, which order as the
// distances do, infinite where NaN or infinity makes a mismatch, and 0 for no difference.
struct Verdict {
  bool match = true;
  std::uint64_t key = 0;
  bool finite = true;  // both elements are
};
template <class RealA, class RealB>
CR_HOST_DEVICE Verdict judge(RealA a, RealB b, const Limits& limits) {
  const auto wide_a = static_cast<double>(a);
  const auto wide_b = static_cast<double>(b);
  if (is_finite(wide_a) && is_finite(wide_b)) {
    const double d = distance(a, b);
    return {d <= allowed(b, limits), bits_of(d), true};
  }
  const bool match = is_nan(wide_a) ? is_nan(wide_b) && limits.equal_nan : wide_a == wide_b;
  return {match, match ? 0 : infinite_key, false};
}

}  // namespace checkride::kernels::compare

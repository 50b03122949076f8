// Groups of pairs, 16 bytes of the narrower tensor at a time: what a lane adds up while it walks
// over them. Two ways through a group: elements one by one in double precision, which is right for
// anything, and a quick way for 16- and 32-bit types whose sums are in range, which leaves no
// statistic out. Which way is taken hangs on the data alone, so host and device agree.
//
// Sums are of squared and absolute differences and of both squares; cosine follows from
// 2 a.b = |a|^2 + |b|^2 - |a-b|^2. Sums of a group are added to the lane's as one number each.
#pragma once

#include <cstddef>
#include <type_traits>

#include "kernels/compare/pair.h"

namespace checkride::kernels::compare {

// Rare counts.
enum Rare : int {
  nan_actual,
  nan_expected,
  inf_actual,
  inf_expected,
  nan_position,
  unwritten,
  rare_counts
};

struct Sums {
  double d2 = 0.0;  // sum of (a - b)^2 over pairs of finite elements
  double d1 = 0.0;  // of |a - b|
  double a2 = 0.0;
  double b2 = 0.0;
};
CR_HOST_DEVICE Sums operator+(const Sums& x, const Sums& y) {
  return {x.d2 + y.d2, x.d1 + y.d1, x.a2 + y.a2, x.b2 + y.b2};
}

// What a lane knows of one chunk: its sums, and the largest keys, of all pairs and of finite ones.
struct ChunkLane {
  Sums sums;
  float quick_distance = 0.0f;
  std::uint64_t key = 0;
  std::uint64_t finite_key = 0;
};

// What a lane knows of everything it saw; order does not matter to any of it.
struct Seen {
  std::uint64_t hash_actual = 0;
  std::uint64_t hash_expected = 0;
  std::uint64_t ulp_max = 0;
  std::uint64_t ratio_key = 0;      // largest |a - b| / |b|
  std::uint64_t reference_key = 0;  // largest |b|
  std::uint32_t mismatch = 0;       // emptied into a wider count after each chunk on the host
  std::uint32_t quick_ulps = 0;     // two 16-bit maxima, or one of 32 bits
  float quick_reference = 0.0f;
  float quick_ratio = 0.0f;        // largest ratio found the quick way
  float quick_ratio_below = 0.0f;  // a little less: what a ratio must beat to be looked at
};

template <class A, class B>
inline constexpr std::size_t group_elements = 16 /
                                              (sizeof(typename A::Bits) < sizeof(typename B::Bits)
                                                   ? sizeof(typename A::Bits)
                                                   : sizeof(typename B::Bits));

// `Sink` takes bin(int) and rare(Rare), which hosts and devices count in their own ways.
template <class A, class B, class Sink>
CR_HOST_DEVICE void add_pairs(const typename A::Bits* a, const typename B::Bits* b,
                              std::uint64_t first, int count, const Limits& limits,
                              ChunkLane& chunk, Seen& seen, Sink& sink) {
  Sums sums;
#ifdef __CUDA_ARCH__
#pragma unroll 1
#endif
  for (int i = 0; i < count; ++i) {
    const typename A::Bits bits_a = a[first + static_cast<std::uint64_t>(i)];
    const typename B::Bits bits_b = b[first + static_cast<std::uint64_t>(i)];
    const auto real_a = A::real(bits_a);
    const auto real_b = B::real(bits_b);
    const auto wide_a = static_cast<double>(real_a);
    const auto wide_b = static_cast<double>(real_b);
    const Verdict verdict = judge(real_a, real_b, limits);
    if (!verdict.match) ++seen.mismatch;
    if (verdict.key > chunk.key) chunk.key = verdict.key;
    if (is_finite(wide_b)) {
      const std::uint64_t key = bits_of(std::fabs(wide_b));
      if (key > seen.reference_key) seen.reference_key = key;
    }
    if (verdict.finite) {
      const double d = wide_a - wide_b;
      sums.d2 = std::fma(d, d, sums.d2);
      sums.d1 += std::fabs(d);
      sums.a2 = std::fma(wide_a, wide_a, sums.a2);
      sums.b2 = std::fma(wide_b, wide_b, sums.b2);
      if (verdict.key > chunk.finite_key) chunk.finite_key = verdict.key;
      if (std::fabs(wide_b) >= limits.rel_floor) {
        const std::uint64_t key = bits_of(quotient(double_of(verdict.key), real_b));
        if (key > seen.ratio_key && key < infinite_key) seen.ratio_key = key;
      }
      typename A::Bits near_b;
      if constexpr (std::is_same_v<A, B>)
        near_b = bits_b;
      else
        near_b = A::round(wide_b);
      const std::int64_t x = ordinal<A>(bits_a);
      const std::int64_t y = ordinal<A>(near_b);
      const auto ulps = x > y ? static_cast<std::uint64_t>(x) - static_cast<std::uint64_t>(y)
                              : static_cast<std::uint64_t>(y) - static_cast<std::uint64_t>(x);
      if (ulps > seen.ulp_max) seen.ulp_max = ulps;
      sink.bin(ulp_bin(ulps));
      continue;
    }
    if (is_nan(wide_a)) sink.rare(nan_actual);
    if (is_nan(wide_b)) sink.rare(nan_expected);
    if (is_infinite(wide_a)) sink.rare(inf_actual);
    if (is_infinite(wide_b)) sink.rare(inf_expected);
    if (is_nan(wide_a) != is_nan(wide_b)) sink.rare(nan_position);
    if (bits_a == static_cast<typename A::Bits>(~typename A::Bits{0})) sink.rare(unwritten);
  }
  chunk.sums = chunk.sums + sums;
}

// The hash of `elements` from `first` on, which starts a 16-byte unit; what is over in the last
// unit counts as zero.
template <class T>
CR_HOST_DEVICE std::uint64_t hash_elements(const typename T::Bits* data, std::uint64_t first,
                                           int elements) {
  constexpr int in_unit = static_cast<int>(16 / sizeof(typename T::Bits));
  std::uint64_t hash = 0;
#ifdef __CUDA_ARCH__
#pragma unroll 1
#endif
  for (int start = 0; start < elements; start += in_unit) {
    std::uint64_t low = 0, high = 0;
    for (int i = 0; i < in_unit && start + i < elements; ++i) {
      const auto bits =
          static_cast<std::uint64_t>(data[first + static_cast<std::uint64_t>(start + i)]);
      const int at = i * static_cast<int>(sizeof(typename T::Bits)) * 8;
      if (at < 64)
        low |= bits << at;
      else
        high |= bits << (at - 64);
    }
    hash += hash_unit(place_of(first / in_unit + static_cast<std::uint64_t>(start / in_unit)),
                      static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(low >> 32),
                      static_cast<std::uint32_t>(high), static_cast<std::uint32_t>(high >> 32));
  }
  return hash;
}

// ---- the quick way, for equal types of 16 or 32 bits ----

template <class A, class B>
inline constexpr bool has_quick_way = std::is_same_v<A, B> &&
                                      (std::is_same_v<A, F16> || std::is_same_v<A, Bf16> ||
                                       std::is_same_v<A, F32>);

struct Words {
  std::uint32_t w[4];
};

// The halves of a word as unsigned numbers in the order of the values, +0 and -0 the same one.
CR_HOST_DEVICE std::uint32_t ordinals16(std::uint32_t word) {
  std::uint32_t negative = 0;  // all ones in the halves whose sign is set
#ifdef __CUDA_ARCH__
  asm("prmt.b32 %0, %1, 0, 0xbb99;" : "=r"(negative) : "r"(word));
#else
  negative = (word & 0x80000000u ? 0xffff0000u : 0u) | (word & 0x8000u ? 0xffffu : 0u);
#endif
  return (word ^ (negative | 0x80008000u)) - (~negative & 0x00010001u);
}
CR_HOST_DEVICE std::uint32_t max16(std::uint32_t x, std::uint32_t y) {
#ifdef __CUDA_ARCH__
  return __vmaxu2(x, y);
#else
  const std::uint32_t high = (x >> 16) > (y >> 16) ? x : y;
  const std::uint32_t low = (x & 0xffffu) > (y & 0xffffu) ? x : y;
  return (high & 0xffff0000u) | (low & 0xffffu);
#endif
}
CR_HOST_DEVICE std::uint32_t min16(std::uint32_t x, std::uint32_t y) {
#ifdef __CUDA_ARCH__
  return __vminu2(x, y);
#else
  const std::uint32_t high = (x >> 16) < (y >> 16) ? x : y;
  const std::uint32_t low = (x & 0xffffu) < (y & 0xffffu) ? x : y;
  return (high & 0xffff0000u) | (low & 0xffffu);
#endif
}
CR_HOST_DEVICE std::uint32_t ordinal32(std::uint32_t bits) {
  const std::uint32_t negative = 0u - (bits >> 31);
  return (bits ^ (negative | 0x80000000u)) - (~negative & 1u);
}
// All ones where x > y.
CR_HOST_DEVICE std::uint32_t mask_greater(float x, float y) {
#ifdef __CUDA_ARCH__
  std::uint32_t mask;
  asm("set.gt.u32.f32 %0, %1, %2;" : "=r"(mask) : "f"(x), "f"(y));
  return mask;
#else
  return x > y ? ~0u : 0u;
#endif
}

// Values `2 i` and `2 i + 1` of a group of a 16-bit type; value i of F32.
template <class T>
CR_HOST_DEVICE float value_of(const Words& words, int i) {
  if constexpr (std::is_same_v<T, F32>) {
    return __builtin_bit_cast(float, words.w[i]);
  } else if constexpr (std::is_same_v<T, Bf16>) {
    const std::uint32_t word = words.w[i / 2];
    return __builtin_bit_cast(float, i % 2 == 0 ? word << 16 : word & 0xffff0000u);
  } else {
    const std::uint32_t word = words.w[i / 2];
#ifdef __CUDA_ARCH__
    float value;
    if (i % 2 == 0)
      asm("{.reg .b16 l, h; mov.b32 {l, h}, %1; cvt.f32.f16 %0, l;}" : "=f"(value) : "r"(word));
    else
      asm("{.reg .b16 l, h; mov.b32 {l, h}, %1; cvt.f32.f16 %0, h;}" : "=f"(value) : "r"(word));
    return value;
#else
    return float_from_f16(static_cast<std::uint16_t>(i % 2 == 0 ? word : word >> 16));
#endif
  }
}

CR_HOST_DEVICE float larger(float x, float y) {
#ifdef __CUDA_ARCH__
  return fmaxf(x, y);
#else
  return x > y ? x : y;
#endif
}
CR_HOST_DEVICE float smaller(float x, float y) {
#ifdef __CUDA_ARCH__
  return fminf(x, y);
#else
  return x < y ? x : y;
#endif
}

// Whether the quick way's sums of a group say all: every element finite, and the sums of floats
// within a range where neither overflow nor underflow has touched them. F16 cannot leave the range
// but by infinity and NaN; squares of F32 are taken in double.
template <class T, class Real>
CR_HOST_DEVICE bool is_ordinary(Real d2, Real a2, Real b2, float distance, const Words& a,
                                const Words& b) {
  if constexpr (std::is_same_v<T, F16>) return d2 < 0x1p+100f;
  if constexpr (std::is_same_v<T, F32>) return d2 < 0x1p+1000 && distance < INFINITY;
  const Real squares = a2 + b2;
  if (!(d2 < 0x1p+100f && squares < 0x1p+100f)) return false;
  if (squares >= 0x1p-90f) return true;
  return ((a.w[0] | a.w[1] | a.w[2] | a.w[3] | b.w[0] | b.w[1] | b.w[2] | b.w[3]) & 0x7fff7fffu) ==
         0;
}

// The largest ratio of the pairs of an ordinary group, or `ratio` where that is larger.
template <class T>
CR_HOST_DEVICE float ratio_of_group(const Words& a, const Words& b, const Limits& limits,
                                    float ratio) {
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
  for (int i = 0; i < static_cast<int>(group_elements<T, T>); ++i) {
    const float y = value_of<T>(b, i);
    const float size = std::fabs(y);
    const float quotient = std::fabs(value_of<T>(a, i) - y) / size;
    if (static_cast<double>(size) >= limits.rel_floor && quotient < INFINITY)
      ratio = larger(ratio, quotient);
  }
  return ratio;
}

// One whole group of T, standing at `place`. True: look_again must see it too, since the group is
// not ordinary and only its hash is taken, or since it may hold a ratio above the largest so far.
// Besides what add_pairs needs, `Sink` takes bin32(distance).
template <class T, class Sink>
CR_HOST_DEVICE bool add_group(const Words& a, const Words& b, std::uint32_t place,
                              const Limits& limits, ChunkLane& chunk, Seen& seen, Sink& sink) {
  constexpr int count = static_cast<int>(group_elements<T, T>);
  using Sum = std::conditional_t<std::is_same_v<T, F32>, double, float>;
  seen.hash_actual += hash_unit(place, a.w[0], a.w[1], a.w[2], a.w[3]);
  seen.hash_expected += hash_unit(place, b.w[0], b.w[1], b.w[2], b.w[3]);
  Sum d2 = 0, d1 = 0, a2 = 0, b2 = 0;
  std::uint32_t mismatch = 0;
  float distance = 0.0f, reference = 0.0f, excess = -1.0f;
  CR_UNROLL
  for (int i = 0; i < count; ++i) {
    const float x = value_of<T>(a, i);
    const float y = value_of<T>(b, i);
    const float d = std::fabs(x - y);
    const float size = std::fabs(y);
    const Sum wide_x = x, wide_y = y;
    const Sum wide_d = wide_x - wide_y;
    d2 = std::fma(wide_d, wide_d, d2);
    d1 += std::fabs(wide_d);
    a2 = std::fma(wide_x, wide_x, a2);
    b2 = std::fma(wide_y, wide_y, b2);
    mismatch -= mask_greater(d, std::fmaf(limits.rtol32, size, limits.atol32));
    distance = larger(distance, d);
    reference = larger(reference, size);
    // Above 0 where the ratio is above the largest so far: floors are far above where this rounds
    // to 0.
    excess =
        larger(excess, std::fmaf(-seen.quick_ratio_below, larger(size, limits.rel_floor32), d));
  }
  if (!is_ordinary<T>(d2, a2, b2, distance, a, b)) return true;
  const Sums sums{static_cast<double>(d2), static_cast<double>(d1), static_cast<double>(a2),
                  static_cast<double>(b2)};
  chunk.sums = chunk.sums + sums;
  chunk.quick_distance = larger(chunk.quick_distance, distance);
  seen.quick_reference = larger(seen.quick_reference, reference);
  seen.mismatch += mismatch;
  if constexpr (std::is_same_v<T, F32>) {
    CR_UNROLL
    for (int i = 0; i < 4; ++i) {
      const std::uint32_t x = ordinal32(a.w[i]);
      const std::uint32_t y = ordinal32(b.w[i]);
      const std::uint32_t ulps = x > y ? x - y : y - x;
      if (ulps > seen.quick_ulps) seen.quick_ulps = ulps;
      sink.bin32(ulps);
    }
  } else {
    // Where all signs agree, magnitudes differ as the words do.
    std::uint32_t signs = 0;
    CR_UNROLL
    for (int i = 0; i < 4; ++i) signs |= a.w[i] ^ b.w[i];
    const bool same = (signs & 0x80008000u) == 0;
    std::uint32_t x[4], y[4];
    CR_UNROLL
    for (int i = 0; i < 4; ++i) {
      x[i] = a.w[i];
      y[i] = b.w[i];
    }
    if (!same) {
      CR_UNROLL
      for (int i = 0; i < 4; ++i) {
        x[i] = ordinals16(x[i]);
        y[i] = ordinals16(y[i]);
      }
    }
    CR_UNROLL
    for (int i = 0; i < 4; ++i) {
      const std::uint32_t ulps = max16(x[i], y[i]) - min16(x[i], y[i]);
      seen.quick_ulps = max16(seen.quick_ulps, ulps);
      sink.bin32(ulps & 0xffffu);
      sink.bin32(ulps >> 16);
    }
  }
  return excess > 0.0f;
}

// The rest of what add_group leaves of a group. quick_ratio grows; quick_ratio_below follows it
// when the caller says so, by raise_ratio().
template <class T, class Sink>
CR_HOST_DEVICE void look_again(const Words& a, const Words& b, const typename T::Bits* all_a,
                               const typename T::Bits* all_b, std::uint64_t group,
                               const Limits& limits, ChunkLane& chunk, Seen& seen, Sink& sink) {
  constexpr int count = static_cast<int>(group_elements<T, T>);
  using Sum = std::conditional_t<std::is_same_v<T, F32>, double, float>;
  Sum d2 = 0, a2 = 0, b2 = 0;
  float distance = 0.0f;
  CR_UNROLL
  for (int i = 0; i < count; ++i) {
    const Sum x = value_of<T>(a, i), y = value_of<T>(b, i);
    d2 = std::fma(x - y, x - y, d2);
    a2 = std::fma(x, x, a2);
    b2 = std::fma(y, y, b2);
    distance = larger(distance, std::fabs(value_of<T>(a, i) - value_of<T>(b, i)));
  }
  if (is_ordinary<T>(d2, a2, b2, distance, a, b))
    seen.quick_ratio = ratio_of_group<T>(a, b, limits, seen.quick_ratio);
  else
    add_pairs<T, T>(all_a, all_b, group * count, count, limits, chunk, seen, sink);
}
CR_HOST_DEVICE void raise_ratio(Seen& seen, float ratio) {
  seen.quick_ratio = ratio;
  seen.quick_ratio_below = ratio * 0.999999f;
}

// Moves what the quick way kept aside to where add_pairs keeps it.
template <class T>
CR_HOST_DEVICE void settle(ChunkLane& chunk) {
  const std::uint64_t key = bits_of(static_cast<double>(chunk.quick_distance));
  if (key > chunk.key) chunk.key = key;
  if (key > chunk.finite_key) chunk.finite_key = key;
}
template <class T>
CR_HOST_DEVICE void settle(Seen& seen) {
  const std::uint64_t ratio = bits_of(static_cast<double>(seen.quick_ratio));
  if (ratio > seen.ratio_key) seen.ratio_key = ratio;
  const std::uint64_t reference = bits_of(static_cast<double>(seen.quick_reference));
  if (reference > seen.reference_key) seen.reference_key = reference;
  std::uint32_t ulps = seen.quick_ulps;
  if constexpr (!std::is_same_v<T, F32>)
    ulps = (ulps >> 16) > (ulps & 0xffffu) ? ulps >> 16 : ulps & 0xffffu;
  if (ulps > seen.ulp_max) seen.ulp_max = ulps;
}

}  // namespace checkride::kernels::compare

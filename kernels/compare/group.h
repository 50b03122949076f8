// Groups of pairs, 16 bytes of the narrower tensor at a time: what a lane adds up while it walks
// over them, and the way through a group that is right for anything, its elements one by one in
// double precision. batch.h has the quick way.
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
  std::uint32_t quick_distance = 0;  // bits of the largest distance found the quick way
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
  // What the quick way found: of 16-bit types, ulps and reference are two maxima, one in each half.
  std::uint32_t quick_ulps = 0;
  std::uint32_t quick_reference = 0;  // bits of the largest |b|
  float quick_ratio = 0.0f;
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
      // Only a pair above the largest ratio so far is worth a division: ratio |b| - |a - b| is
      // below 0 there, and the sign of a fused multiply-add is never wrong.
      const double size = std::fabs(wide_b);
      const double above = std::fma(double_of(seen.ratio_key), size, -double_of(verdict.key));
      if (size >= limits.rel_floor && bits_of(above) >> 63 != 0) {
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
      const std::uint64_t above_y = static_cast<std::uint64_t>(x) - static_cast<std::uint64_t>(y);
      const std::uint64_t ulps = x > y ? above_y : 0 - above_y;
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

}  // namespace checkride::kernels::compare

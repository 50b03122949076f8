// The quick way for equal types of 16 or 32 bits: a lane takes a batch of groups at once and leaves
// no statistic out. What it adds up in floats holds where all elements are finite and the sums are
// in a range where neither overflow nor underflow has touched them: the batch is ordinary. Any
// other goes element by element (group.h). Which way is taken hangs on the data alone, so host and
// device agree.
//
// The sign of b is taken off both a and b at once, which changes neither distance nor squares, so
// that b is its own magnitude. Two 16-bit elements share a word through all integer work.
#pragma once

#include <bit>

#include "kernels/compare/group.h"
#include "kernels/compare/hash.h"

namespace checkride::kernels::compare {

template <class A, class B>
inline constexpr bool has_quick_way = std::is_same_v<A, B> &&
                                      (std::is_same_v<A, F16> || std::is_same_v<A, Bf16> ||
                                       std::is_same_v<A, F32>);

// A group of one tensor.
struct Words {
  std::uint32_t w[4];
};

template <class T>
inline constexpr std::uint32_t sign_bits = sizeof(typename T::Bits) == 2 ? 0x80008000u
                                                                         : 0x80000000u;

CR_HOST_DEVICE std::uint32_t largest(std::uint32_t x, std::uint32_t y, std::uint32_t z) {
#ifdef __CUDA_ARCH__
  return __vimax3_u32(x, y, z);
#else
  const std::uint32_t larger = x > y ? x : y;
  return larger > z ? larger : z;
#endif
}

// Halves of words, as unsigned numbers.
CR_HOST_DEVICE std::uint32_t max16(std::uint32_t x, std::uint32_t y) {
#ifdef __CUDA_ARCH__
  return __vmaxu2(x, y);
#else
  const std::uint32_t high = (x >> 16) > (y >> 16) ? x : y;
  const std::uint32_t low = (x & 0xffffu) > (y & 0xffffu) ? x : y;
  return (high & 0xffff0000u) | (low & 0xffffu);
#endif
}
CR_HOST_DEVICE std::uint32_t max16(std::uint32_t x, std::uint32_t y, std::uint32_t z) {
#ifdef __CUDA_ARCH__
  return __vimax3_u16x2(x, y, z);
#else
  return max16(max16(x, y), z);
#endif
}
CR_HOST_DEVICE std::uint32_t min16(std::uint32_t x, std::uint32_t y) {
#ifdef __CUDA_ARCH__
  return __vminu2(x, y);
#else
  return x ^ y ^ max16(x, y);
#endif
}
// All ones in the halves whose top bit is set.
CR_HOST_DEVICE std::uint32_t top_bits_spread16(std::uint32_t x) {
#ifdef __CUDA_ARCH__
  std::uint32_t spread;
  asm("prmt.b32 %0, %1, 0, 0xbb99;" : "=r"(spread) : "r"(x));
  return spread;
#else
  return (x & 0x80000000u ? 0xffff0000u : 0u) | (x & 0x8000u ? 0xffffu : 0u);
#endif
}

// Of 16-bit types, values 2 i and 2 i + 1 of word i.
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

CR_HOST_DEVICE void count_if_greater(std::uint32_t& count, float x, float y) {
#ifdef __CUDA_ARCH__
  asm("{.reg .pred p; setp.gt.f32 p, %1, %2; @p add.u32 %0, %0, 1;}"
      : "+r"(count)
      : "f"(x), "f"(y));
#else
  count += x > y ? 1 : 0;
#endif
}

// A group with the sign of b taken off both.
struct Unsigned {
  Words a;
  Words b;
};
template <class T>
CR_HOST_DEVICE Unsigned without_sign(const Words& a, const Words& b) {
  Unsigned group;
  CR_UNROLL
  for (int i = 0; i < 4; ++i) {
    group.a.w[i] = a.w[i] ^ (b.w[i] & sign_bits<T>);
    group.b.w[i] = b.w[i] & ~sign_bits<T>;
  }
  return group;
}

// Distances in units in the last place, those of 16-bit types two to a word.
template <class T>
CR_HOST_DEVICE Words ulps_of(const Unsigned& group) {
  Words ulps;
  if constexpr (std::is_same_v<T, F32>) {
    CR_UNROLL
    for (int i = 0; i < 4; ++i) {
      const std::uint32_t x = group.a.w[i] & ~sign_bits<T>;
      const std::uint32_t y = group.b.w[i];
      const std::uint32_t apart = x > y ? x - y : y - x;
      ulps.w[i] = (group.a.w[i] & sign_bits<T>) == 0 ? apart : x + y;
    }
  } else {
    // Where all signs agree the words count up with the values. Else they are made to; between the
    // zeros lies one that is none.
    Words x = group.a, y = group.b, none{};
    if (((x.w[0] | x.w[1] | x.w[2] | x.w[3]) & sign_bits<T>) != 0) {
      CR_UNROLL
      for (int i = 0; i < 4; ++i) {
        none.w[i] = top_bits_spread16(x.w[i]);
        x.w[i] ^= none.w[i] | sign_bits<T>;
        y.w[i] |= sign_bits<T>;
        none.w[i] &= 0x00010001u;
      }
    }
    CR_UNROLL
    for (int i = 0; i < 4; ++i)
      ulps.w[i] = max16(x.w[i], y.w[i]) - min16(x.w[i], y.w[i]) - none.w[i];
  }
  return ulps;
}

// What a lane knows of a batch before it knows that it is ordinary.
struct Batch {
  float d2 = 0.0f, d1 = 0.0f, a2 = 0.0f, b2 = 0.0f;
  std::uint32_t distance = 0;   // bits of the largest
  std::uint32_t reference = 0;  // bits of the largest |b|, one for each half of 16-bit types
  std::uint32_t mismatch = 0;
  std::uint32_t ulps = 0;   // the largest, one for each half of 16-bit types
  std::uint32_t steep = 0;  // top bit: a ratio |a - b| / |b| is above the largest so far
};

template <class T>
CR_HOST_DEVICE std::uint32_t largest_of_words(std::uint32_t largest_so_far, const Words& words) {
  CR_UNROLL
  for (int i = 0; i < 4; i += 2) {
    if constexpr (std::is_same_v<T, F32>)
      largest_so_far = largest(largest_so_far, words.w[i], words.w[i + 1]);
    else
      largest_so_far = max16(largest_so_far, words.w[i], words.w[i + 1]);
  }
  return largest_so_far;
}

template <class T>
CR_HOST_DEVICE bool is_ordinary(const Batch& batch) {
  if (!(batch.d2 < 0x1p+100f)) return false;
  if constexpr (std::is_same_v<T, F16>) return true;  // only NaN and infinity leave its range
  const float squares = batch.a2 + batch.b2;
  // Differences of F32 can be 2^24 times smaller than the elements.
  constexpr float least = std::is_same_v<T, F32> ? 0x1p-60f : 0x1p-90f;
  return squares < 0x1p+100f && (squares >= least || (batch.distance | batch.reference) == 0);
}

// Adds one group to its batch. A ratio is above `ratio` where ratio * |b| - |a - b| is below 0: the
// sign of a fused multiply-add is never wrong.
template <class T>
CR_HOST_DEVICE void add_values(const Unsigned& group, const Limits& limits, float ratio,
                               Batch& batch) {
  constexpr int count = static_cast<int>(group_elements<T, T>);
  CR_UNROLL
  for (int i = 0; i < count; i += 2) {
    std::uint32_t distance[2];
    CR_UNROLL
    for (int j = 0; j < 2; ++j) {
      const float x = value_of<T>(group.a, i + j);
      const float y = value_of<T>(group.b, i + j);
      const float d = std::fabs(x - y);
      batch.d2 = std::fma(d, d, batch.d2);
      batch.d1 += d;
      batch.a2 = std::fma(x, x, batch.a2);
      batch.b2 = std::fma(y, y, batch.b2);
      count_if_greater(batch.mismatch, d, std::fma(limits.rtol32, y, limits.atol32));
      batch.steep |= __builtin_bit_cast(std::uint32_t, std::fma(ratio, y, -d));
      distance[j] = __builtin_bit_cast(std::uint32_t, d);
    }
    batch.distance = largest(batch.distance, distance[0], distance[1]);
  }
  batch.reference = largest_of_words<T>(batch.reference, group.b);
}

// What a lane must look at again after a chunk: a bit for each of its batches, the first batch's
// the highest.
struct Again {
  std::uint32_t steep = 0;
  std::uint32_t odd = 0;  // batches that are not ordinary
};
inline constexpr int chunk_batches = lane_groups / batch_groups;
static_assert(chunk_batches == 32 || chunk_batches == 16);
inline constexpr std::uint32_t first_batch = 1u << (chunk_batches - 1);

// One batch of a lane, whose groups read(group, tensor) gives. Of a batch that is not ordinary only
// the hash stays, and the distances in units in the last place until take_back. Besides what
// add_pairs needs, `Sink` takes count(Words) of a group's.
template <class T, class Read, class Sink>
CR_HOST_DEVICE void add_batch(const Read& read, std::uint32_t place, const Limits& limits,
                              ChunkLane& chunk, Seen& seen, Again& again, Sink& sink) {
  std::uint64_t hash_a = 0, hash_b = 0;
  Batch batch;
  CR_UNROLL
  for (int g = 0; g < batch_groups; ++g) {
    const Words a = read(g, 0), b = read(g, 1);
    CR_UNROLL
    for (int i = 0; i < 4; ++i) {
      hash_a += static_cast<std::uint64_t>(a.w[i]) * word_key(g, i);
      hash_b += static_cast<std::uint64_t>(b.w[i]) * word_key(g, i);
    }
    const Unsigned group = without_sign<T>(a, b);
    add_values<T>(group, limits, seen.quick_ratio, batch);
    const Words ulps = ulps_of<T>(group);
    batch.ulps = largest_of_words<T>(batch.ulps, ulps);
    sink.template count<T>(ulps);
  }
  const std::uint32_t key = key_of(place);
  seen.hash_actual += hash_a * key;
  seen.hash_expected += hash_b * key;
  const bool ordinary = is_ordinary<T>(batch);
  again.steep = again.steep << 1 | batch.steep >> 31;
  again.odd = again.odd << 1 | (ordinary ? 0 : 1);
  if (!ordinary) return;
  chunk.sums = chunk.sums + Sums{batch.d2, batch.d1, batch.a2, batch.b2};
  chunk.quick_distance = largest(chunk.quick_distance, batch.distance, 0);
  seen.mismatch += batch.mismatch;
  if constexpr (std::is_same_v<T, F32>) {
    seen.quick_reference = largest(seen.quick_reference, batch.reference, 0);
    seen.quick_ulps = largest(seen.quick_ulps, batch.ulps, 0);
  } else {
    seen.quick_reference = max16(seen.quick_reference, batch.reference);
    seen.quick_ulps = max16(seen.quick_ulps, batch.ulps);
  }
}

// Takes back what add_batch counted of a group of a batch that is not ordinary, before add_pairs
// sees it.
template <class T, class Sink>
CR_HOST_DEVICE void take_back(const Words& a, const Words& b, Sink& sink) {
  sink.template uncount<T>(ulps_of<T>(without_sign<T>(a, b)));
}

// The largest ratio of the pairs of a group of finite elements, or `ratio` where that is larger.
template <class T>
CR_HOST_DEVICE float ratio_of_group(const Words& a, const Words& b, const Limits& limits,
                                    float ratio) {
  const Unsigned group = without_sign<T>(a, b);
  CR_UNROLL
  for (int i = 0; i < static_cast<int>(group_elements<T, T>); ++i) {
    const float y = value_of<T>(group.b, i);
    const float d = std::fabs(value_of<T>(group.a, i) - y);
    const bool steep = __builtin_bit_cast(std::uint32_t, std::fma(ratio, y, -d)) >> 31 != 0;
    if (steep && static_cast<double>(y) >= limits.rel_floor) {
      const float quotient = d / y;
      if (quotient > ratio && quotient < INFINITY) ratio = quotient;
    }
  }
  return ratio;
}

// Moves what the quick way kept aside to where add_pairs keeps it.
CR_HOST_DEVICE void settle(ChunkLane& chunk) {
  const std::uint64_t key =
      bits_of(static_cast<double>(__builtin_bit_cast(float, chunk.quick_distance)));
  if (key > chunk.key) chunk.key = key;
  if (key > chunk.finite_key) chunk.finite_key = key;
}
template <class T>
CR_HOST_DEVICE void settle(Seen& seen) {
  const auto larger_half = [](std::uint32_t x) {
    return x >> 16 > (x & 0xffffu) ? x >> 16 : x & 0xffffu;
  };
  const std::uint64_t ratio = bits_of(static_cast<double>(seen.quick_ratio));
  if (ratio > seen.ratio_key) seen.ratio_key = ratio;
  std::uint32_t reference = seen.quick_reference, ulps = seen.quick_ulps;
  if constexpr (!std::is_same_v<T, F32>) {
    reference = larger_half(reference);
    ulps = larger_half(ulps);
  }
  const std::uint64_t reference_key =
      bits_of(static_cast<double>(T::real(static_cast<typename T::Bits>(reference))));
  if (reference_key > seen.reference_key) seen.reference_key = reference_key;
  if (ulps > seen.ulp_max) seen.ulp_max = ulps;
}

}  // namespace checkride::kernels::compare

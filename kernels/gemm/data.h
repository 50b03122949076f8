// The matrices' elements as functions of seed and place, the same bits on the device and the host:
// what fills the buffers, and what checks regenerate instead of reading the buffers back, so that a
// damaged input is found too.
#pragma once

#include <cstdint>

#include "kernels/gemm/problem.h"
#include "kernels/hash/position_hash.h"
#include "kernels/math/host_device.h"
#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#else
#include <bit>

#include "kernels/math/e4m3.h"
#include "kernels/math/half.h"
#endif

namespace checkride::kernels::gemm {

enum class Matrix : std::uint8_t { a, b };

// e4m3's sums keep only some 14 bits: partial sums stay within 2^12, since in each group of
// ceil(k / 4096) neighbours along k only one element of A may be other than zero.
constexpr std::int64_t e4m3_terms_max = 4096;

struct Generator {
  std::uint64_t seed = 1;
  std::int64_t k = 0;
  Element element = Element::bf16;
  bool integers = false;
};
inline Generator generator_of(const Problem& problem) {
  return {problem.seed, problem.k, problem.element, problem.integers};
}

CR_HOST_DEVICE std::uint64_t draw(const Generator& g, Matrix matrix, std::int64_t row,
                                  std::int64_t col) {
  return mixed_word(g.seed * 2 + (matrix == Matrix::b ? 1 : 0),
                    static_cast<std::uint64_t>(row * g.k + col));
}

// -1, 0 or 1. `row` is a row of A or a column of B, `col` the place along k.
CR_HOST_DEVICE int integer_value(const Generator& g, Matrix matrix, std::int64_t row,
                                 std::int64_t col) {
  if (g.element == Element::e4m3 && g.k > e4m3_terms_max && matrix == Matrix::a) {
    const std::int64_t group = (g.k + e4m3_terms_max - 1) / e4m3_terms_max;
    const auto chosen = static_cast<std::int64_t>(
        mixed_word(g.seed, static_cast<std::uint64_t>(row * g.k + col / group)) %
        static_cast<std::uint64_t>(group));
    if (col % group != chosen) return 0;
  }
  return static_cast<int>(draw(g, matrix, row, col) % 3) - 1;
}

// Near N(0, 1): the sum of eight uniform numbers, within 4.9. Not yet rounded to the type.
CR_HOST_DEVICE float normal_value(const Generator& g, Matrix matrix, std::int64_t row,
                                  std::int64_t col) {
  const std::uint64_t one = draw(g, matrix, row, col);
  const std::uint64_t two = mixed_word(one, 1);
  int sum = -4 * 65535;
  for (int i = 0; i < 4; ++i)
    sum += static_cast<int>(one >> (16 * i) & 0xffff) + static_cast<int>(two >> (16 * i) & 0xffff);
  return static_cast<float>(sum) * 1.8688e-5f;  // 1 / (65536 sqrt(8 / 12))
}

// The bits of a value in the type, rounded to nearest, ties to even: in the low bytes of a word.
#ifdef __CUDACC__
__device__ __forceinline__ std::uint32_t bits_in(Element element, float value) {
  switch (element) {
    case Element::bf16: return __bfloat16_as_ushort(__float2bfloat16_rn(value));
    case Element::fp16: return __half_as_ushort(__float2half_rn(value));
    case Element::e4m3: return __nv_cvt_float_to_fp8(value, __NV_SATFINITE, __NV_E4M3);
    case Element::tf32: break;
  }
  const std::uint32_t bits = __float_as_uint(value);
  return (bits + 0xfffu + (bits >> 13 & 1u)) & ~0x1fffu;
}
__device__ __forceinline__ float rounded_to(Element element, float value) {
  const std::uint32_t bits = bits_in(element, value);
  switch (element) {
    case Element::bf16: return __uint_as_float(bits << 16);
    case Element::fp16: return __half2float(__ushort_as_half(static_cast<unsigned short>(bits)));
    case Element::e4m3:
      return __half2float(
          __half(__nv_cvt_fp8_to_halfraw(static_cast<__nv_fp8_storage_t>(bits), __NV_E4M3)));
    case Element::tf32: break;
  }
  return __uint_as_float(bits);
}
__device__ __forceinline__ float value_at(const Generator& g, Matrix matrix, std::int64_t row,
                                          std::int64_t col) {
  if (g.integers) return static_cast<float>(integer_value(g, matrix, row, col));
  return rounded_to(g.element, normal_value(g, matrix, row, col));
}
#else
inline float rounded_to(Element element, float value) {
  switch (element) {
    case Element::bf16: return round_to(Dtype::bf16, value);
    case Element::fp16: return round_to(Dtype::f16, value);
    case Element::e4m3: return float_from_e4m3(e4m3_from_float(value));
    case Element::tf32: break;
  }
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0xfffu + (bits >> 13 & 1u)) & ~0x1fffu);
}
inline float value_at(const Generator& g, Matrix matrix, std::int64_t row, std::int64_t col) {
  if (g.integers) return static_cast<float>(integer_value(g, matrix, row, col));
  return rounded_to(g.element, normal_value(g, matrix, row, col));
}
#endif

// +1 or -1: Freivalds' vector.
CR_HOST_DEVICE int sign_at(std::uint64_t seed, std::int64_t index) {
  return (mixed_word(seed ^ 0x5ca1ab1e, static_cast<std::uint64_t>(index)) & 1) != 0 ? 1 : -1;
}

// Whether an element of an exact C is a whole number at all, and which.
CR_HOST_DEVICE bool whole_number(float value, std::int64_t& whole) {
  // False for NaN; 2^24 bounds what fp32 counts exactly.
  if (!(value >= -16777216.0f && value <= 16777216.0f)) return false;
  whole = static_cast<std::int64_t>(value);
  return static_cast<float>(whole) == value;
}

}  // namespace checkride::kernels::gemm

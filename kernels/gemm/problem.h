// A matrix product C[m,n] = A[m,k] B[k,n] on tensor cores. In memory A is [m,k] and B is [n,k],
// both with k innermost (the only layout that fp8 takes), C is [m,n]; all row major.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/result.h"

namespace checkride::kernels::gemm {

enum class Element : std::uint8_t { bf16, fp16, e4m3, tf32 };
std::string_view to_string(Element element);
Result<Element> element_named(std::string_view name);

inline std::size_t bytes_of(Element element) {
  return element == Element::e4m3 ? 1 : element == Element::tf32 ? 4 : 2;
}

struct Problem {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  Element element = Element::bf16;
  std::uint64_t seed = 1;
  // Small whole numbers, so that C is exact; or numbers as a normal distribution gives them.
  bool integers = false;
  // C in fp32, which checks need; else as in use: bf16, fp16, bf16 for e4m3, fp32 for tf32.
  bool wide_output = false;

  double operations() const {
    return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  }
  std::size_t a_bytes() const { return static_cast<std::size_t>(m * k) * bytes_of(element); }
  std::size_t b_bytes() const { return static_cast<std::size_t>(n * k) * bytes_of(element); }
  std::size_t c_element_bytes() const { return wide_output || element == Element::tf32 ? 4 : 2; }
  std::size_t c_bytes() const { return static_cast<std::size_t>(m * n) * c_element_bytes(); }
};

// Dense peak of an H100 or H200 with 132 multiprocessors, TFLOP/s; none for other devices.
std::optional<double> peak_tflops(Element element, int sm, int multiprocessors);
// What its tensor cores could do at this clock: a device at its power limit runs below the peak's.
std::optional<double> peak_tflops_at(Element element, int sm, int multiprocessors,
                                     double clock_mhz);

// Largest relative error Freivalds' check lets pass; see freivalds.h. Some six times what correct
// products on an H200 leave, growing with k as they do.
double freivalds_limit(const Problem& problem);

}  // namespace checkride::kernels::gemm

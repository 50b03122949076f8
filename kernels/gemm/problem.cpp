#include "kernels/gemm/problem.h"

#include <algorithm>
#include <array>
#include <utility>

namespace checkride::kernels::gemm {

namespace {

constexpr std::array<std::pair<Element, std::string_view>, 4> names{{{Element::bf16, "bf16"},
                                                                     {Element::fp16, "fp16"},
                                                                     {Element::e4m3, "e4m3"},
                                                                     {Element::tf32, "tf32"}}};

}  // namespace

std::string_view to_string(Element element) {
  for (const auto& [each, name] : names)
    if (each == element) return name;
  return "bf16";
}

Result<Element> element_named(std::string_view name) {
  for (const auto& [element, each] : names)
    if (each == name) return element;
  return fail(ErrorCode::invalid_argument,
              "dtype is '" + std::string(name) + "'; give one of bf16, fp16, e4m3, tf32");
}

std::optional<double> peak_tflops(Element element, int sm, int multiprocessors) {
  if (sm != 90 || multiprocessors != 132) return std::nullopt;
  if (element == Element::e4m3) return 1979.0;
  return element == Element::tf32 ? 494.5 : 989.0;
}

std::optional<double> peak_tflops_at(Element element, int sm, int multiprocessors,
                                     double clock_mhz) {
  if (sm != 90) return std::nullopt;
  const double operations_a_cycle = element == Element::e4m3   ? 8192.0
                                    : element == Element::tf32 ? 2048.0
                                                               : 4096.0;
  return operations_a_cycle * multiprocessors * clock_mhz * 1e-6;
}

double freivalds_limit(const Problem& problem) {
  const double growth = std::max(1.0, static_cast<double>(problem.k) / 8192.0);
  // e4m3 products are summed with some 14 bits within a tensor core on Hopper.
  const double limit = problem.element == Element::e4m3   ? 3e-3
                       : problem.element == Element::tf32 ? 5e-4
                                                          : 2e-4;
  return limit * growth;
}

}  // namespace checkride::kernels::gemm

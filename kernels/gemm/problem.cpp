#include "kernels/gemm/problem.h"

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

double freivalds_limit(Element element) {
  // e4m3 products are summed with some 14 bits within a tensor core on Hopper.
  return element == Element::e4m3 ? 2e-2 : 1e-3;
}

}  // namespace checkride::kernels::gemm

// Pairs of tensors for tests of the comparison: every pair of types, near and far, with NaN,
// infinities, zeros and subnormal numbers strewn in; and a comparison as text, to compare bits.
#pragma once

#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "kernels/compare/compare.h"
#include "kernels/tensor/generate.h"

namespace checkride::kernels::compare_cases {

struct Case {
  Tensor actual;
  Tensor expected;
  compare::Limits limits;
  std::string name = {};
};

inline compare::Comparison on_host(const Case& c, int threads) {
  return *compare::compare_on_host({c.actual.type, c.actual.data.data()},
                                   {c.expected.type, c.expected.data.data()}, c.actual.elements(),
                                   c.limits, threads);
}

inline std::uint64_t count_not_finite(const Case& c) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < c.actual.elements(); ++i)
    if (!std::isfinite(value_at(c.actual, i)) || !std::isfinite(value_at(c.expected, i))) ++count;
  return count;
}

inline std::vector<Case> all_cases(std::int64_t n) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double strange[] = {std::nan(""), infinity, -infinity, 0.0, -0.0, 0x1p-24, -0x1p-130, 3e4};
  std::vector<Case> cases;
  RandomStream random(17);
  for (const auto* actual : {"f64", "f32", "f16", "bf16", "e4m3"})
    for (const auto* expected : {"f64", "f32", "f16", "bf16", "e4m3"})
      for (const auto* kind : {"near", "unrelated", "strange"}) {
        const ElementType a = *element_type_from(actual), b = *element_type_from(expected);
        if (!compare::check_types(a, b)) continue;
        Case c{generate(a, {n}, Distribution::normal, random), zeros(b, {n}),
               compare::limits_of(1e-2, 1e-3, 1e-3, false),
               std::string(actual) + " " + expected + " " + kind};
        for (std::size_t i = 0; i < c.actual.elements(); ++i)
          set_value(c.expected, i,
                    std::string_view(kind) == "unrelated"
                        ? random.normal()
                        : value_at(c.actual, i) * (1.0 + 0.004 * random.normal()));
        if (std::string_view(kind) == "strange")
          for (Tensor* tensor : {&c.actual, &c.expected})
            for (int i = 0; i < 200; ++i)
              set_value(*tensor, random.bits() % tensor->elements(), strange[random.bits() % 8]);
        cases.push_back(std::move(c));
      }
  return cases;
}

inline std::string text_of(const compare::Comparison& c) {
  std::string text;
  const auto add = [&](const char* name, auto value) {
    char line[80];
    if constexpr (std::is_floating_point_v<decltype(value)>)
      std::snprintf(line, sizeof line, "%s %a\n", name, value);
    else
      std::snprintf(line, sizeof line, "%s %llu\n", name, static_cast<unsigned long long>(value));
    text += line;
  };
  add("n", c.n);
  add("mismatch", c.mismatch);
  add("nan_actual", c.nan_actual);
  add("nan_expected", c.nan_expected);
  add("inf_actual", c.inf_actual);
  add("inf_expected", c.inf_expected);
  add("nan_position_mismatch", c.nan_position_mismatch);
  add("unwritten", c.unwritten);
  for (const std::uint64_t bin : c.ulp_hist) add("bin", bin);
  add("ulp_max", c.ulp_max);
  add("hash_actual", c.hash_actual);
  add("hash_expected", c.hash_expected);
  add("sum_d2", c.sum_d2);
  add("sum_d1", c.sum_d1);
  add("sum_a2", c.sum_a2);
  add("sum_b2", c.sum_b2);
  add("ref_max_abs", c.ref_max_abs);
  add("max_rel", c.max_rel);
  add("max_abs", c.max_abs.key);
  add("max_abs_index", c.max_abs.index);
  for (const compare::Worst& pair : c.worst) {
    add("worst", pair.key);
    add("at", pair.index);
  }
  return text;
}

}  // namespace checkride::kernels::compare_cases

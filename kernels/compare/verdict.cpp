#include "kernels/compare/verdict.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <cmath>

#include "kernels/job/inputs.h"

namespace checkride::kernels::compare {

namespace {

json::value count(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

// Distances of f64 can be wider than JSON's whole numbers here; the largest of those stands in.
json::value ulps(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX));
}

std::string hex(std::uint64_t value) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 0; i < 16; ++i) text[i] = digits[value >> (60 - 4 * i) & 15u];
  return text;
}

std::optional<double> cosine(const Comparison& c) {
  const double norms = std::sqrt(c.sum_a2) * std::sqrt(c.sum_b2);
  if (!(norms > 0.0) || !std::isfinite(norms)) return std::nullopt;
  return std::clamp(0.5 * (c.sum_a2 + c.sum_b2 - c.sum_d2) / norms, -1.0, 1.0);
}

json::value or_null(const std::optional<double>& value) {
  return value ? finite(*value) : json::value(nullptr);
}

}  // namespace

std::string_view to_string(Policy policy) {
  constexpr std::array<std::string_view, 4> names = {"tolerance", "torch", "dtype", "budget"};
  return names[static_cast<std::size_t>(policy)];
}

Tolerance torch_tolerance(ElementType type) {
  switch (type) {
    case ElementType::f64: return {1e-7, 1e-7};
    case ElementType::f32: return {1.3e-6, 1e-5};
    case ElementType::f16: return {1e-3, 1e-5};
    case ElementType::bf16: return {1.6e-2, 1e-5};
    case ElementType::e4m3: return {0.125, 0x1p-9};
    default: return {};
  }
}

double rel_fro_limit(ElementType type) {
  switch (type) {
    case ElementType::f64: return 1e-12;
    case ElementType::f32: return 1e-5;
    case ElementType::f16: return 1e-3;
    case ElementType::bf16: return 6e-3;
    case ElementType::e4m3: return 8e-2;
    default: return 0.0;
  }
}

std::optional<double> rel_fro(const Comparison& c) {
  if (c.finite_pairs() == 0) return std::nullopt;
  if (c.sum_d2 == 0.0) return 0.0;
  const double ratio = std::sqrt(c.sum_d2) / std::sqrt(c.sum_b2);
  if (!std::isfinite(ratio) || !std::isfinite(c.sum_b2)) return std::nullopt;
  return ratio;
}

void put_fields(json::object& fields, const Comparison& c, const std::vector<PairValues>& worst) {
  const auto pairs = static_cast<double>(c.finite_pairs());
  const bool any = c.finite_pairs() != 0;
  const json::value none(nullptr);
  fields["n"] = count(c.n);
  fields["mismatch"] = count(c.mismatch);
  fields["mismatch_pct"] =
      c.n == 0 ? none
               : json::value(100.0 * static_cast<double>(c.mismatch) / static_cast<double>(c.n));
  fields["max_abs"] = any ? finite(c.max_abs_value()) : none;
  fields["max_abs_index"] = c.max_abs.key != 0 ? count(c.max_abs.index) : none;
  fields["max_rel"] = any ? finite(c.max_rel) : none;
  fields["rel_fro"] = or_null(rel_fro(c));
  fields["cosine"] = or_null(cosine(c));
  fields["ref_rms"] = any ? finite(std::sqrt(c.sum_b2 / pairs)) : none;
  fields["ref_max_abs"] = any ? finite(c.ref_max_abs) : none;
  fields["mean_abs"] = any ? finite(c.sum_d1 / pairs) : none;
  fields["nan_actual"] = count(c.nan_actual);
  fields["nan_expected"] = count(c.nan_expected);
  fields["inf_actual"] = count(c.inf_actual);
  fields["inf_expected"] = count(c.inf_expected);
  fields["nan_position_mismatch"] = count(c.nan_position_mismatch);
  fields["unwritten"] = count(c.unwritten);
  fields["ulp_p50"] = any ? ulps(*c.ulp_quantile(0.5)) : none;
  fields["ulp_p99"] = any ? ulps(*c.ulp_quantile(0.99)) : none;
  fields["ulp_max"] = any ? ulps(c.ulp_max) : none;
  json::array bins;
  for (const std::uint64_t bin : c.ulp_hist) bins.push_back(count(bin));
  fields["ulp_hist"] = std::move(bins);
  json::array list;
  for (std::size_t i = 0; i < c.worst.size() && i < worst.size(); ++i)
    list.push_back(json::object{
        {"index", count(c.worst[i].index)}, {"a", finite(worst[i].a)}, {"b", finite(worst[i].b)}});
  fields["worst"] = std::move(list);
  fields["hash_actual"] = hex(c.hash_actual);
  fields["hash_expected"] = hex(c.hash_expected);
}

void judge(JobReport& report, const Comparison& c, Policy policy, ElementType type,
           const std::optional<Budget>& budget) {
  report.status = Status::pass;
  const auto number = [](double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3g", value);
    return std::string(text.data());
  };
  const auto against = [&](const std::string& reason, const std::string& words) {
    report.fail_with(reason);
    report.message += (report.message.empty() ? "" : "; ") + words;
  };
  const std::optional<double> error = rel_fro(c);
  if (c.n == 0) against("empty", "the tensors have no elements");
  if (c.unwritten != 0)
    against("unwritten", std::to_string(c.unwritten) + " elements were never written");
  switch (policy) {
    case Policy::tolerance:
    case Policy::torch:
      if (c.mismatch != 0)
        against("mismatch", std::to_string(c.mismatch) + " of " + std::to_string(c.n) +
                                " elements are beyond the tolerance");
      return;
    case Policy::dtype:
      if (!error || *error > rel_fro_limit(type))
        against("rel_fro_above_limit", "rel_fro is " + (error ? number(*error) : "undefined") +
                                           ", at most " + number(rel_fro_limit(type)) +
                                           " is allowed for " + std::string(to_string(type)));
      break;
    case Policy::budget:
      if (!budget || !(budget->err_max <= budget->err_budget))
        against("error_above_budget",
                "the largest error is " + number(budget ? budget->err_max : 0.0) + ", " +
                    number(budget ? budget->err_budget : 0.0) + " is allowed");
      break;
  }
  // Such pairs have no part in rel_fro, nor in the errors of a budget.
  const bool infinite = !c.worst.empty() && c.worst.front().key == infinite_key;
  if (c.inf_actual != c.inf_expected || (infinite && c.nan_actual + c.nan_expected == 0))
    against("infinite",
            "infinities do not stand where they are expected: " + std::to_string(c.inf_actual) +
                ", of " + std::to_string(c.inf_expected) + " expected");
  if (c.nan_expected != 0)
    against("nan_in_expected",
            std::to_string(c.nan_expected) + " expected elements are NaN, which judges nothing");
  if (c.nan_actual != 0)
    against("nan_in_actual", std::to_string(c.nan_actual) + " elements are NaN");
}

}  // namespace checkride::kernels::compare

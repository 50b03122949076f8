#include "kernels/attention/sdpa_judge.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/assert.h"
#include "kernels/attention/host_rows.h"
#include "kernels/compare/verdict.h"
#include "kernels/job/host_threads.h"
#include "kernels/job/inputs.h"
#include "kernels/math/random.h"

namespace checkride::kernels::attention {
namespace {

// Multiplications up to which every row is compared, and the rows compared above.
constexpr double full_work_max = 0x1p28;
constexpr std::size_t sampled_rows = 256;

Rows chosen_rows(const HostShape& shape, std::uint64_t seed) {
  const double work = static_cast<double>(shape.rows) * static_cast<double>(shape.keys) *
                      static_cast<double>(shape.dim);
  if (work <= full_work_max || shape.rows <= sampled_rows) return {};
  RandomStream random(~seed);
  Rows rows = {0, shape.rows - 1};
  while (rows.size() < sampled_rows) rows.push_back(random.bits() % shape.rows);
  return rows;
}

std::vector<std::uint16_t> picked(const std::vector<std::uint16_t>& out, const Rows& rows,
                                  std::size_t dim) {
  if (rows.empty()) return out;
  std::vector<std::uint16_t> some;
  for (const std::size_t row : rows)
    some.insert(some.end(), out.begin() + static_cast<std::ptrdiff_t>(row * dim),
                out.begin() + static_cast<std::ptrdiff_t>((row + 1) * dim));
  return some;
}

// What tensor.compare finds between an output and the fp64 reference.
compare::Comparison compared(const std::vector<double>& reference, Dtype dtype,
                             const std::vector<std::uint16_t>& actual) {
  const ElementType type = dtype == Dtype::f16 ? ElementType::f16 : ElementType::bf16;
  const auto found = compare::compare_on_host(
      {type, actual.data()}, {ElementType::f64, reference.data()}, reference.size(),
      compare::limits_of(1e-3, 2e-3, 1e-3, false), host_threads());
  CR_ASSERT(found.has_value());
  return *found;
}

// Infinite where it has no value.
double rel_fro_of(const compare::Comparison& comparison) {
  return compare::rel_fro(comparison).value_or(std::numeric_limits<double>::infinity());
}

// Its fields, with the places of elements in the whole output. With an element that is not finite
// the differences have no value: they are null, beside the counters, so that no guard takes the
// error of the other elements for that of the output.
void put_comparison(json::object& fields, compare::Comparison found, const Rows& rows,
                    std::size_t dim, const std::vector<double>& reference, Dtype dtype,
                    const std::vector<std::uint16_t>& actual) {
  std::vector<compare::PairValues> worst;
  const auto in_output = [&](std::uint64_t at) {
    return rows.empty() ? at : rows[at / dim] * dim + at % dim;
  };
  for (compare::Worst& pair : found.worst) {
    worst.push_back(
        {static_cast<double>(float_from_bits(dtype, actual[pair.index])), reference[pair.index]});
    pair.index = in_output(pair.index);
  }
  if (found.max_abs.key != 0) found.max_abs.index = in_output(found.max_abs.index);
  compare::put_fields(fields, found, worst);
  if (found.finite_pairs() == found.n) return;
  for (const char* name : {"max_abs", "max_abs_index", "max_rel", "rel_fro", "cosine", "mean_abs",
                           "ulp_p50", "ulp_p99", "ulp_max"})
    fields[name] = nullptr;
}

// Over the whole output.
struct NotNumbers {
  std::int64_t nan = 0, inf = 0, unwritten = 0;
};
NotNumbers not_numbers(Dtype dtype, const std::vector<std::uint16_t>& out) {
  NotNumbers count;
  for (const std::uint16_t bits : out) {
    const float value = float_from_bits(dtype, bits);
    if (bits == poison)
      ++count.unwritten;
    else if (std::isnan(value))
      ++count.nan;
    else if (std::isinf(value))
      ++count.inf;
  }
  return count;
}

json::value largest_difference(const std::vector<double>& reference,
                               const std::vector<float>& actual) {
  double largest = 0.0;
  for (std::size_t i = 0; i < reference.size(); ++i)
    largest = std::max(largest, std::fabs(static_cast<double>(actual[i]) - reference[i]));
  return finite(largest);
}

}  // namespace

Judgement judge_output(const SdpaCase& sdpa, const std::vector<std::uint16_t>& out,
                       std::uint64_t seed) {
  const ForwardProblem& problem = sdpa.problem;
  const HostShape shape(problem);
  const Rows rows = chosen_rows(shape, seed);
  const Reference reference = forward_reference(problem, sdpa.tensors, host_threads(), rows);
  std::vector<float> lse;
  const auto model = compute_on_host(sdpa, sdpa.tensors, {}, rows, &lse);
  std::vector<float> rounded;
  if (sdpa.e4m3)
    rounded = widen(problem.dtype, model);
  else
    rounded = forward_rounded(problem, sdpa.tensors, host_threads(), rows);
  const auto actual = picked(out, rows, shape.dim);
  const ErrorBudget budget = error_budget(problem, reference.out, rounded, actual);
  const compare::Comparison found = compared(reference.out, problem.dtype, actual);
  const double error = rel_fro_of(found);
  const double model_error = rel_fro_of(compared(reference.out, problem.dtype, model));
  // A model without error leaves the rounding of the output as the unit.
  const double over_model = error / std::max(model_error, 0x1p-12);
  const NotNumbers wrong = not_numbers(problem.dtype, out);
  const auto known = [&](double figure) {
    return found.finite_pairs() == found.n ? finite(figure) : json::value(nullptr);
  };

  Judgement judged;
  judged.err_budget = budget.err_budget;
  json::object& f = judged.fields;
  f["oracle"] = rows.empty() ? "fp64" : "fp64_rows";
  f["oracle_rows"] = static_cast<std::int64_t>(rows.empty() ? shape.rows : rows.size());
  put_comparison(f, found, rows, shape.dim, reference.out, problem.dtype, actual);
  f["nan_actual"] = wrong.nan;
  f["inf_actual"] = wrong.inf;
  f["unwritten"] = wrong.unwritten;
  f["err_max"] = known(budget.err_max);
  f["err_budget"] = finite(budget.err_budget);
  f["rel_fro_model"] = finite(model_error);
  f["err_over_model"] = known(over_model);
  // The device's kernels keep no logarithms of sums.
  f["lse_max_abs"] =
      sdpa.backend == Backend::cpu ? largest_difference(reference.lse, lse) : json::value(nullptr);

  if (wrong.nan + wrong.inf > 0) judged.reasons.emplace_back("not_finite");
  if (found.nan_expected + found.inf_expected > 0)
    judged.reasons.emplace_back("reference_not_finite");
  if (wrong.unwritten > 0) judged.reasons.emplace_back("unwritten");
  if (!(budget.err_max <= budget.err_budget)) judged.reasons.emplace_back("over_error_budget");
  if (sdpa.e4m3 && !(over_model <= e4m3_over_model_max))
    judged.reasons.emplace_back("over_error_model");
  if (sdpa.e4m3 && sdpa.normal && !(error <= e4m3_rel_fro_max))
    judged.reasons.emplace_back("over_relative_error");
  return judged;
}

}  // namespace checkride::kernels::attention

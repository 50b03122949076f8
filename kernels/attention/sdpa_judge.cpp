#include "kernels/attention/sdpa_judge.h"

#include <algorithm>
#include <cmath>

#include "kernels/attention/host_rows.h"
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

// What tensor.compare says of two tensors, for an fp64 reference. With an element that is not
// finite the differences have no value: the job says null, beside the counters, so that no guard
// takes the error of the other elements for that of the output.
struct Differences {
  std::size_t mismatch = 0, max_abs_index = 0, not_finite = 0, reference_not_finite = 0;
  double max_abs = 0.0, max_rel = 0.0, sum_abs = 0.0, ref_max_abs = 0.0;
  double difference = 0.0, norm = 0.0, actual_norm = 0.0, product = 0.0;

  // Ratios are taken where the reference is at least this much.
  static constexpr double rel_floor = 1e-3;

  void add(std::size_t index, double reference, double actual) {
    if (!std::isfinite(reference)) {
      ++mismatch;
      ++not_finite;
      ++reference_not_finite;
      return;
    }
    ref_max_abs = std::max(ref_max_abs, std::fabs(reference));
    norm += reference * reference;
    if (!std::isfinite(actual)) {
      ++mismatch;
      ++not_finite;
      return;
    }
    const double error = std::fabs(actual - reference);
    if (error > 2e-3 + 1e-3 * std::fabs(reference)) ++mismatch;
    if (error > max_abs) {
      max_abs = error;
      max_abs_index = index;
    }
    if (std::fabs(reference) >= rel_floor)
      max_rel = std::max(max_rel, error / std::fabs(reference));
    sum_abs += error;
    difference += error * error;
    actual_norm += actual * actual;
    product += actual * reference;
  }
  double rel_fro() const { return norm > 0.0 ? std::sqrt(difference / norm) : 0.0; }
};

Differences differences(const std::vector<double>& reference, Dtype dtype,
                        const std::vector<std::uint16_t>& actual) {
  Differences all;
  for (std::size_t i = 0; i < reference.size(); ++i)
    all.add(i, reference[i], static_cast<double>(float_from_bits(dtype, actual[i])));
  return all;
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
  const Differences d = differences(reference.out, problem.dtype, actual);
  const double model_error = differences(reference.out, problem.dtype, model).rel_fro();
  // A model without error leaves the rounding of the output as the unit.
  const double over_model = d.rel_fro() / std::max(model_error, 0x1p-12);
  const NotNumbers wrong = not_numbers(problem.dtype, out);
  const auto count = static_cast<double>(reference.out.size());
  const auto known = [&](double figure) {
    return d.not_finite == 0 ? finite(figure) : json::value(nullptr);
  };

  Judgement judged;
  judged.err_budget = budget.err_budget;
  json::object& f = judged.fields;
  f["oracle"] = rows.empty() ? "fp64" : "fp64_rows";
  f["oracle_rows"] = static_cast<std::int64_t>(rows.empty() ? shape.rows : rows.size());
  f["n"] = static_cast<std::int64_t>(reference.out.size());
  f["mismatch"] = static_cast<std::int64_t>(d.mismatch);
  f["mismatch_pct"] = 100.0 * static_cast<double>(d.mismatch) / count;
  f["max_abs"] = known(d.max_abs);
  f["max_abs_index"] =
      static_cast<std::int64_t>((rows.empty() ? 0 : rows[d.max_abs_index / shape.dim] * shape.dim) +
                                (rows.empty() ? d.max_abs_index : d.max_abs_index % shape.dim));
  f["max_rel"] = known(d.max_rel);
  f["mean_abs"] = known(d.sum_abs / count);
  f["rel_fro"] = known(d.rel_fro());
  f["cosine"] = known(d.product / std::sqrt(d.norm * d.actual_norm));
  f["ref_rms"] = finite(std::sqrt(d.norm / count));
  f["ref_max_abs"] = finite(d.ref_max_abs);
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
  if (d.reference_not_finite > 0) judged.reasons.emplace_back("reference_not_finite");
  if (wrong.unwritten > 0) judged.reasons.emplace_back("unwritten");
  if (!(budget.err_max <= budget.err_budget)) judged.reasons.emplace_back("over_error_budget");
  if (sdpa.e4m3 && !(over_model <= e4m3_over_model_max))
    judged.reasons.emplace_back("over_error_model");
  if (sdpa.e4m3 && sdpa.normal && !(d.rel_fro() <= e4m3_rel_fro_max))
    judged.reasons.emplace_back("over_relative_error");
  return judged;
}

}  // namespace checkride::kernels::attention

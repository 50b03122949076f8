#include "kernels/attention/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/attention/host_rows.h"
#include "kernels/math/random.h"

namespace checkride::kernels::attention {
namespace {

std::size_t positive(int value) {
  return static_cast<std::size_t>(value);
}

// softmax(scale * q . k) v of the chosen rows, summed in Real; `round` is applied to each score and
// each probability. `lse` is filled where it is wanted.
template <class Real, class Round>
std::vector<Real> forward_naive(const ForwardProblem& problem, const HostTensors& tensors,
                                int threads, const Rows& rows, Round round,
                                std::vector<double>* lse) {
  const auto q = widen(problem.dtype, tensors.q);
  const auto k = widen(problem.dtype, tensors.k);
  const auto v = widen(problem.dtype, tensors.v);
  const HostShape shape(problem);
  const std::size_t width = shape.dim;
  const std::size_t count = rows.empty() ? shape.rows : rows.size();
  std::vector<Real> out(count * width);
  if (lse != nullptr) lse->resize(count);
  for_rows(count, threads, [&](std::size_t at) {
    const std::size_t row = rows.empty() ? at : rows[at];
    const float* head_k = k.data() + shape.first_key(row) * width;
    const float* head_v = v.data() + shape.first_key(row) * width;
    const float* query = q.data() + row * width;
    const std::size_t seen = shape.visible(row);
    std::vector<Real> score(seen);
    Real top = -std::numeric_limits<Real>::infinity();
    for (std::size_t key = 0; key < seen; ++key) {
      Real dot = 0;
      for (std::size_t d = 0; d < width; ++d)
        dot += static_cast<Real>(query[d]) * static_cast<Real>(head_k[key * width + d]);
      score[key] = round(dot * static_cast<Real>(problem.scale));
      top = std::max(top, score[key]);
    }
    Real sum = 0;
    for (Real& s : score) sum += s = std::exp(s - top);
    if (lse != nullptr) (*lse)[at] = static_cast<double>(top + std::log(sum));
    Real* result = out.data() + at * width;
    for (std::size_t key = 0; key < seen; ++key) {
      const Real p = round(score[key] / sum);
      for (std::size_t d = 0; d < width; ++d)
        result[d] += p * static_cast<Real>(head_v[key * width + d]);
    }
  });
  return out;
}

}  // namespace

std::size_t element_count(const ForwardProblem& problem) {
  return positive(problem.batch) * positive(problem.heads) * positive(problem.seq) *
         positive(problem.dim);
}

std::size_t key_element_count(const ForwardProblem& problem) {
  return positive(problem.batch) * positive(problem.key_heads()) * positive(problem.keys()) *
         positive(problem.dim);
}

HostTensors random_tensors(const ForwardProblem& problem, std::uint64_t seed) {
  RandomStream random(seed);
  HostTensors tensors;
  for (auto* values : {&tensors.q, &tensors.k, &tensors.v}) {
    values->resize(values == &tensors.q ? element_count(problem) : key_element_count(problem));
    for (std::uint16_t& bits : *values)
      bits = bits_from_float(problem.dtype, static_cast<float>(random.normal()));
  }
  return tensors;
}

Reference forward_reference(const ForwardProblem& problem, const HostTensors& tensors, int threads,
                            const Rows& rows) {
  Reference reference;
  reference.out = forward_naive<double>(
      problem, tensors, threads, rows, [](double x) { return x; }, &reference.lse);
  return reference;
}

std::vector<float> forward_rounded(const ForwardProblem& problem, const HostTensors& tensors,
                                   int threads, const Rows& rows) {
  auto out = forward_naive<float>(
      problem, tensors, threads, rows, [&](float x) { return round_to(problem.dtype, x); },
      nullptr);
  for (float& x : out) x = round_to(problem.dtype, x);
  return out;
}

ErrorBudget error_budget(const ForwardProblem& problem, std::span<const double> reference,
                         std::span<const float> rounded, std::span<const std::uint16_t> actual) {
  ErrorBudget budget;
  double rounded_max = 0.0, rounding_max = 0.0, difference = 0.0, norm = 0.0;
  if (rounded.size() != reference.size() || actual.size() != reference.size()) {
    budget.unwritten = reference.size();
    return budget;
  }
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double r = reference[i];
    const float r16 = round_to(problem.dtype, static_cast<float>(r));
    const float there_and_back =
        round_to(problem.dtype, round_to(problem.dtype, r16 + 0.3f) - 0.3f);
    rounding_max = std::max(rounding_max, static_cast<double>(std::fabs(there_and_back - r16)));
    rounded_max = std::max(rounded_max, std::fabs(static_cast<double>(rounded[i]) - r));
    norm += r * r;
    if (actual[i] == poison) {
      ++budget.unwritten;
      continue;
    }
    const double a = static_cast<double>(float_from_bits(problem.dtype, actual[i]));
    if (!std::isfinite(a)) {
      ++budget.nan;
      continue;
    }
    const double error = std::fabs(a - r);
    budget.err_max = std::max(budget.err_max, error);
    if (error > 2e-3 + 1e-3 * std::fabs(r)) ++budget.mismatch_1e3_2e3;
    difference += error * error;
  }
  budget.err_budget = 2.0 * rounded_max + 2.0 * rounding_max;
  budget.rel_fro = norm > 0.0 ? std::sqrt(difference / norm) : 0.0;
  return budget;
}

}  // namespace checkride::kernels::attention

#include "kernels/attention/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/attention/parallel_rows.h"
#include "kernels/attention/tile_math.h"
#include "kernels/math/random.h"

namespace checkride::kernels::attention {
namespace {

constexpr auto width = static_cast<std::size_t>(head_dim);

// softmax(scale * q . k) v of every row; `round` is applied to each score and each probability.
template <class Real, class Round>
std::vector<Real> forward_naive(const ForwardProblem& problem, const HostTensors& tensors,
                                int threads, Round round) {
  const auto q = widen<Real>(problem.dtype, tensors.q);
  const auto k = widen<Real>(problem.dtype, tensors.k);
  const auto v = widen<Real>(problem.dtype, tensors.v);
  const auto seq = static_cast<std::size_t>(problem.seq);
  std::vector<Real> out(element_count(problem));
  for_rows(out.size() / width, threads, [&](std::size_t row) {
    const Real* head_k = k.data() + row / seq * seq * width;
    const Real* head_v = v.data() + row / seq * seq * width;
    const Real* query = q.data() + row * width;
    const auto seen = static_cast<std::size_t>(
        visible_keys(problem.causal, static_cast<int>(row % seq), problem.seq));
    std::vector<Real> score(seen);
    Real top = -std::numeric_limits<Real>::infinity();
    for (std::size_t key = 0; key < seen; ++key) {
      Real dot = 0;
      for (std::size_t d = 0; d < width; ++d) dot += query[d] * head_k[key * width + d];
      score[key] = round(dot * static_cast<Real>(problem.scale));
      top = std::max(top, score[key]);
    }
    Real sum = 0;
    for (Real& s : score) sum += s = std::exp(s - top);
    Real* result = out.data() + row * width;
    for (std::size_t key = 0; key < seen; ++key) {
      const Real p = round(score[key] / sum);
      for (std::size_t d = 0; d < width; ++d) result[d] += p * head_v[key * width + d];
    }
  });
  return out;
}

}  // namespace

std::size_t element_count(const ForwardProblem& problem) {
  return static_cast<std::size_t>(problem.batch) * static_cast<std::size_t>(problem.heads) *
         static_cast<std::size_t>(problem.seq) * width;
}

HostTensors random_tensors(const ForwardProblem& problem, std::uint64_t seed) {
  RandomStream random(seed);
  HostTensors tensors;
  for (auto* values : {&tensors.q, &tensors.k, &tensors.v}) {
    values->resize(element_count(problem));
    for (std::uint16_t& bits : *values)
      bits = bits_from_float(problem.dtype, static_cast<float>(random.normal()));
  }
  return tensors;
}

std::vector<double> forward_reference(const ForwardProblem& problem, const HostTensors& tensors,
                                      int threads) {
  return forward_naive<double>(problem, tensors, threads, [](double x) { return x; });
}

std::vector<float> forward_rounded(const ForwardProblem& problem, const HostTensors& tensors,
                                   int threads) {
  auto out = forward_naive<float>(problem, tensors, threads,
                                  [&](float x) { return round_to(problem.dtype, x); });
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

#include "kernels/statistics/estimate.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "kernels/statistics/quiet.h"

namespace checkride::kernels::statistics {

namespace {

using Student = boost::math::students_t_distribution<double, Quiet>;

// Differences that rounding alone can make between two estimates of theta.
constexpr double rounding = 1e-12;

std::vector<double> finite_of(std::span<const double> values) {
  std::vector<double> kept;
  std::ranges::copy_if(values, std::back_inserter(kept), [](double v) { return std::isfinite(v); });
  return kept;
}

double walsh_median(std::span<const double> values) {
  std::vector<double> means;
  means.reserve(values.size() * (values.size() + 1) / 2);
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = i; j < values.size(); ++j) means.push_back((values[i] + values[j]) / 2.0);
  return median(means);
}

// P(theta <= bound) by t; a sample without any spread decides by its one value.
double tail(const Estimate& e, double bound) {
  if (e.k < 2) return 1.0;
  const double error = e.sd / std::sqrt(static_cast<double>(e.k));
  if (error <= rounding) return e.mean > bound + rounding ? 0.0 : 1.0;
  return boost::math::cdf(
      boost::math::complement(Student(static_cast<double>(e.k - 1)), (e.mean - bound) / error));
}

}  // namespace

double median(std::span<const double> values) {
  std::vector<double> kept = finite_of(values);
  if (kept.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = kept.begin() + static_cast<std::ptrdiff_t>(kept.size() / 2);
  std::nth_element(kept.begin(), middle, kept.end());
  if (kept.size() % 2 == 1) return *middle;
  return (*std::max_element(kept.begin(), middle) + *middle) / 2.0;
}

double theta(Direction direction, double base_median, double cand_median) {
  const bool usable = std::isfinite(base_median) && std::isfinite(cand_median) &&
                      base_median > 0.0 && cand_median > 0.0;
  if (!usable) return std::numeric_limits<double>::quiet_NaN();
  const double change = std::log(cand_median / base_median);
  return direction == Direction::lower_is_better ? change : -change;
}

Estimate estimate(std::span<const double> thetas, double bound, double confidence) {
  Estimate e;
  e.k = static_cast<int>(thetas.size());
  if (thetas.empty()) {
    e.low = -std::numeric_limits<double>::infinity();
    e.high = std::numeric_limits<double>::infinity();
    return e;
  }
  e.mean = std::accumulate(thetas.begin(), thetas.end(), 0.0) / e.k;
  e.hodges_lehmann = walsh_median(thetas);
  double half = std::numeric_limits<double>::infinity();
  if (e.k >= 2) {
    double squares = 0.0;
    for (const double value : thetas) squares += (value - e.mean) * (value - e.mean);
    e.sd = std::sqrt(squares / (e.k - 1));
    const double t = boost::math::quantile(
        boost::math::complement(Student(static_cast<double>(e.k - 1)), (1.0 - confidence) / 2.0));
    half = t * e.sd / std::sqrt(static_cast<double>(e.k));
  }
  e.low = e.mean - half;
  e.high = e.mean + half;
  e.p = tail(e, bound);
  e.estimators_disagree = std::abs(e.hodges_lehmann - e.mean) > half + rounding;
  return e;
}

double cliffs_delta(Direction direction, std::span<const double> base,
                    std::span<const double> cand) {
  std::vector<double> sorted = finite_of(base);
  const std::vector<double> others = finite_of(cand);
  if (sorted.empty() || others.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::ranges::sort(sorted);
  double wins = 0.0;
  for (const double value : others) {
    const auto [below, above] = std::equal_range(sorted.begin(), sorted.end(), value);
    wins += static_cast<double>(below - sorted.begin()) - static_cast<double>(sorted.end() - above);
  }
  const double delta =
      wins / (static_cast<double>(sorted.size()) * static_cast<double>(others.size()));
  return direction == Direction::lower_is_better ? delta : -delta;
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p[i]; });
  std::vector<double> adjusted(p.size());
  double least = 0.0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const double factor = static_cast<double>(p.size() - rank);
    least = std::max(least, std::min(1.0, factor * p[order[rank]]));
    adjusted[order[rank]] = least;
  }
  return adjusted;
}

}  // namespace checkride::kernels::statistics

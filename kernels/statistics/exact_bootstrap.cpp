#include "kernels/statistics/exact_bootstrap.h"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>

#include "kernels/statistics/quiet.h"

namespace checkride::kernels::statistics {

namespace {

// Ranks that come up less often than this in all the world's runs are left out.
constexpr double negligible = 1e-15;

struct Point {
  double value = 0.0;
  double weight = 0.0;
};

std::vector<Point> points_of(std::span<const double> samples, double quantile) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::ranges::sort(sorted);
  const std::vector<double> weights = quantile_probabilities(sorted.size(), quantile);
  std::vector<Point> points;
  for (std::size_t j = 0; j < sorted.size(); ++j) {
    if (weights[j] < negligible) continue;
    if (!points.empty() && points.back().value == sorted[j])
      points.back().weight += weights[j];
    else
      points.push_back({sorted[j], weights[j]});
  }
  return points;
}

}  // namespace

std::size_t quantile_rank(double quantile, std::size_t n) {
  const double exact = std::ceil(quantile * static_cast<double>(n) - 1e-9);
  return static_cast<std::size_t>(std::clamp(exact, 1.0, static_cast<double>(n)));
}

std::vector<double> quantile_probabilities(std::size_t n, double quantile) {
  const auto rank = static_cast<double>(quantile_rank(quantile, n));
  std::vector<double> probabilities(n);
  double before = 0.0;
  for (std::size_t j = 1; j <= n; ++j) {
    // P(Binomial(n, j / n) >= rank), by the incomplete beta function.
    const double share = static_cast<double>(j) / static_cast<double>(n);
    const double upto =
        j == n ? 1.0
               : boost::math::ibeta(rank, static_cast<double>(n) - rank + 1.0, share, Quiet());
    probabilities[j - 1] = std::max(0.0, upto - before);
    before = upto;
  }
  return probabilities;
}

RatioQuantiles quantiles_of(std::vector<WeightedRatio>& grid, double margin, double confidence) {
  std::ranges::sort(grid, {}, &WeightedRatio::ratio);
  double total = 0.0;
  double below = 0.0;
  for (const WeightedRatio& one : grid) {
    total += one.weight;
    if (one.ratio <= 1.0 + margin) below += one.weight;
  }
  const auto at = [&](double fraction) {
    double sum = 0.0;
    for (const WeightedRatio& one : grid) {
      sum += one.weight;
      if (sum >= fraction * total) return one.ratio;
    }
    return grid.back().ratio;
  };
  const double outside = (1.0 - confidence) / 2.0;
  return {at(outside), at(0.5), at(1.0 - outside), below / total};
}

RatioQuantiles exact_bootstrap(Direction direction, std::span<const double> base,
                               std::span<const double> cand, double quantile, double margin,
                               double confidence) {
  const std::vector<Point> base_points = points_of(base, quantile);
  const std::vector<Point> cand_points = points_of(cand, quantile);
  std::vector<WeightedRatio> grid;
  grid.reserve(base_points.size() * cand_points.size());
  for (const Point& b : base_points)
    for (const Point& c : cand_points) {
      const double weight = b.weight * c.weight;
      if (weight < negligible) continue;
      const bool lower = direction == Direction::lower_is_better;
      grid.push_back({lower ? c.value / b.value : b.value / c.value, weight});
    }
  return quantiles_of(grid, margin, confidence);
}

}  // namespace checkride::kernels::statistics

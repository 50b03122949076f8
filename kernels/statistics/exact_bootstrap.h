// The bootstrap of a ratio of quantiles without any random number: the smallest x that at least r
// of n draws do not exceed is the j-th of the sorted samples with a probability that the binomial
// distribution gives, so the ratio's distribution is a weighted grid. It judges quick comparisons,
// and it is the oracle of the sampled bootstrap (bootstrap.h), which reads its quantiles from the
// same kind of grid.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/statistics/samples.h"

namespace checkride::kernels::statistics {

// Rank, from 1, of a quantile of n samples: ceil(quantile * n); the lower middle for the median.
std::size_t quantile_rank(double quantile, std::size_t n);

// probability[j]: that the quantile of n draws with replacement is the j-th smallest sample.
std::vector<double> quantile_probabilities(std::size_t n, double quantile);

struct WeightedRatio {
  double ratio = 0.0;  // oriented like theta: above 1 is worse
  double weight = 0.0;
};
// The ratio at `fraction` of the total weight: the smallest with that much at or below it. Sorts.
struct RatioQuantiles {
  double low = 0.0;
  double middle = 0.0;
  double high = 0.0;
  double p = 1.0;  // weight at or below 1 + margin
};
RatioQuantiles quantiles_of(std::vector<WeightedRatio>& grid, double margin, double confidence);

inline constexpr std::size_t exact_samples_max = 20'000;

// Samples finite and above 0, at most exact_samples_max a side. Quantile in (0, 1).
RatioQuantiles exact_bootstrap(Direction direction, std::span<const double> base,
                               std::span<const double> cand, double quantile, double margin,
                               double confidence = 0.99);

}  // namespace checkride::kernels::statistics

// What k paired blocks say about one metric: block i gives theta_i = s ln(median_cand /
// median_base), s = +1 where lower is better and -1 where higher is, so that theta > 0 always means
// worse, and a ratio exp(theta) of 1.05 always means five percent worse. Intervals are Student's t
// over blocks: the samples inside a block share their process, and pooling them would make noise
// look like news.
#pragma once

#include <optional>
#include <span>

#include "kernels/statistics/samples.h"

namespace checkride::kernels::statistics {

// The usual median, the mean of the middle two for an even number. Values that are not finite are
// left out; NaN where none is left.
double median(std::span<const double> values);

// s ln(cand / base); NaN unless both are above 0 and finite.
double theta(Direction direction, double base_median, double cand_median);

struct Estimate {
  int k = 0;
  double mean = 0.0;  // of theta
  double sd = 0.0;    // of theta, over blocks
  double low = 0.0;   // confidence interval of theta, 99 % unless said otherwise; infinite
  double high = 0.0;  // where k < 2
  double p = 1.0;     // one-sided, of theta <= bound
  double hodges_lehmann = 0.0;       // median of the means of all pairs
  bool estimators_disagree = false;  // it and the mean differ by more than half the interval
};
// `thetas` finite; `bound` is what p tests against, ln(1 + margin).
Estimate estimate(std::span<const double> thetas, double bound, double confidence = 0.99);

// P(cand > base) - P(cand < base) over all pairs, with the sign of theta: 1 is "every candidate
// sample is worse". NaN where a side is empty.
double cliffs_delta(Direction direction, std::span<const double> base,
                    std::span<const double> cand);

// Holm's adjusted p values, in the order given.
std::vector<double> holm(std::span<const double> p);

}  // namespace checkride::kernels::statistics

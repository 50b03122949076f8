#include "kernels/latency/sampling.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace checkride::kernels::latency {

namespace {

constexpr double clock_share_min = 0.95;
constexpr double sample_us_min = 200.0;
constexpr int nodes_max = 4096;

double quantile(std::vector<double> values, double fraction) {
  const auto at = static_cast<std::ptrdiff_t>(fraction * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

// The median of a growing set, its lower one, in logarithmic time.
class RunningMedian {
 public:
  void add(double value) {
    if (lower_.empty() || value <= *lower_.rbegin()) {
      lower_.insert(value);
    } else {
      upper_.insert(value);
    }
    if (lower_.size() > upper_.size() + 1) {
      upper_.insert(*lower_.rbegin());
      lower_.erase(std::prev(lower_.end()));
    } else if (upper_.size() > lower_.size()) {
      lower_.insert(*upper_.begin());
      upper_.erase(upper_.begin());
    }
  }
  bool above(double value, double share) const {
    return !lower_.empty() && value < share * *lower_.rbegin();
  }

 private:
  std::multiset<double> lower_, upper_;
};

}  // namespace

Result<Sampled> take_samples(const NextSample& next, Criterion& criterion, const SamplingPlan& plan,
                             const Elapsed& elapsed) {
  std::vector<TimedSample> all;
  RunningMedian clock;
  std::int64_t accepted = 0;
  Sampled sampled;
  for (;;) {
    if (accepted >= plan.min_samples && criterion.met()) {
      sampled.converged = true;
      sampled.stop_reason = "criterion";
      break;
    }
    if (elapsed() >= plan.timeout || static_cast<std::int64_t>(all.size()) >= samples_max) {
      sampled.stop_reason = elapsed() >= plan.timeout ? "timeout" : "samples_max";
      break;
    }
    CR_TRY(const TimedSample sample, next());
    if (!std::isfinite(sample.us) || sample.us <= 0.0)
      return fail(ErrorCode::internal, "a sample took " + std::to_string(sample.us) +
                                           " us; a clock or an event is broken");
    all.push_back(sample);
    if (sample.sm_clock_mhz) clock.add(*sample.sm_clock_mhz);
    if (sample.sm_clock_mhz && clock.above(*sample.sm_clock_mhz, clock_share_min)) continue;
    criterion.add(sample.us);
    ++accepted;
  }
  for (const TimedSample& sample : all) {
    if (sample.sm_clock_mhz && clock.above(*sample.sm_clock_mhz, clock_share_min)) {
      ++sampled.throttled_discarded;
    } else {
      sampled.samples.push_back(sample);
    }
  }
  if (sampled.samples.empty())
    return fail(ErrorCode::timeout, "no sample was accepted within timeout_s; give a longer one");
  // What the whole run's median took away may leave too few.
  if (sampled.converged && static_cast<std::int64_t>(sampled.samples.size()) < plan.min_samples) {
    sampled.converged = false;
    sampled.stop_reason = "throttled";
  }
  return sampled;
}

Summary summary_of(const std::vector<TimedSample>& samples) {
  std::vector<double> us, off, mhz;
  for (const TimedSample& sample : samples) {
    us.push_back(sample.us);
    if (sample.sm_clock_mhz) mhz.push_back(*sample.sm_clock_mhz);
  }
  Summary summary;
  summary.median_us = quantile(us, 0.5);
  summary.p05_us = quantile(us, 0.05);
  summary.p95_us = quantile(us, 0.95);
  for (const double value : us) off.push_back(std::fabs(value - summary.median_us));
  summary.mad_pct = 100.0 * quantile(off, 0.5) / summary.median_us;
  if (!mhz.empty()) summary.sm_clock_mhz_median = quantile(mhz, 0.5);
  return summary;
}

int nodes_for(double us_per_launch, int sets) {
  const double wanted = std::ceil(sample_us_min / std::max(us_per_launch, 1e-3));
  const int nodes = static_cast<int>(std::clamp(wanted, 1.0, static_cast<double>(nodes_max)));
  return (nodes + sets - 1) / sets * sets;
}

}  // namespace checkride::kernels::latency

// The loop around a source of samples: until the criterion is met, the time is over, or the bound
// on samples is reached; and what is said of the samples in the end. Nothing here knows what is
// measured: sources are devices, hosts and recorded streams. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "kernels/latency/criterion.h"

namespace checkride::kernels::latency {

struct TimedSample {
  double us = 0.0;  // of one launch
  std::optional<double> sm_clock_mhz{};
};

using NextSample = std::function<Result<TimedSample>()>;
using Elapsed = std::function<std::chrono::duration<double>()>;  // since the measurement began

struct SamplingPlan {
  std::int64_t min_samples = 50;
  std::chrono::duration<double> timeout{15.0};
};
inline constexpr std::int64_t samples_max = 1'000'000;

struct Sampled {
  std::vector<TimedSample> samples;  // accepted, in order
  std::int64_t throttled_discarded = 0;
  bool converged = false;
  std::string_view stop_reason;  // criterion, timeout, samples_max or throttled
};

// A sample whose SM clock is below 95 % of the run's median clock was throttled and does not count:
// while it runs against the median so far, in the end against that of all.
// Errors: the source's; internal, where it gives a time that is not above 0; timeout
// where none was accepted.
Result<Sampled> take_samples(const NextSample& next, Criterion& criterion, const SamplingPlan& plan,
                             const Elapsed& elapsed);

struct Summary {
  double median_us = 0.0;
  double p05_us = 0.0;
  double p95_us = 0.0;
  double mad_pct = 0.0;  // median absolute deviation, of the median
  std::optional<double> sm_clock_mhz_median{};
};
// Of at least one sample. Quantiles are values of the sorted samples, the lower of two.
Summary summary_of(const std::vector<TimedSample>& samples);

// Launches in one sample so that it takes 200 us or more, at most 4096; a multiple of `sets`.
int nodes_for(double us_per_launch, int sets);

}  // namespace checkride::kernels::latency

// When enough samples have been taken: pure rules over a stream of samples, fed one at a time, so
// that recorded streams decide as live ones do. `entropy` and `stdrel` follow NVIDIA's nvbench.
//
// entropy: after each sample, the Shannon entropy of all values so far (exact values, base 2); a
//   line through its last 299 values; enough where the line's angle is at most 0.048 degrees and
//   its r2 at least 0.36, asked at even counts. New values have stopped telling anything new.
// stdrel: the relative standard deviation of all samples is at most 0.5 %, or has itself settled:
//   over its last 512 values, more than 64, it varies by less than 5 % of itself.
// count: `min_samples` samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string_view>

#include "engine/base/result.h"

namespace checkride::kernels::latency {

class Criterion {
 public:
  virtual ~Criterion() = default;
  // The value of the next sample, above 0 and finite.
  virtual void add(double sample) = 0;
  // Whether the samples so far are enough, the least number aside.
  virtual bool met() const = 0;
};

class Entropy final : public Criterion {
 public:
  void add(double sample) override;
  bool met() const override;
  double entropy() const;  // of all samples so far, in bits

 private:
  std::map<double, std::int64_t> counts_;
  double count_log_sum_ = 0.0;  // of count * log2(count) over the values
  std::int64_t samples_ = 0;
  std::deque<double> entropies_;
};

class RelativeDeviation final : public Criterion {
 public:
  void add(double sample) override;
  bool met() const override;
  double relative_deviation() const;

 private:
  std::int64_t samples_ = 0;
  double mean_ = 0.0;
  double squares_ = 0.0;  // sum of squared deviations (Welford)
  std::deque<double> deviations_;
};

class Count final : public Criterion {
 public:
  void add(double) override {}
  bool met() const override { return true; }
};

// "entropy", "stdrel" or "count". invalid_argument: another name.
Result<std::unique_ptr<Criterion>> criterion_named(std::string_view name);

// A straight line through (0, y[0]), (1, y[1]), ...; of a level series r2 is 1.
struct Line {
  double slope = 0.0;
  double r2 = 1.0;
};
Line line_through(const std::deque<double>& values);

}  // namespace checkride::kernels::latency

#include "kernels/latency/criterion.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace checkride::kernels::latency {

namespace {

constexpr std::size_t entropies_kept = 299;
constexpr double angle_max_degrees = 0.048;
constexpr double r2_min = 0.36;

constexpr std::size_t deviations_kept = 512;
constexpr std::size_t deviations_settled_min = 64;
constexpr double deviation_max = 0.005;
constexpr double settled_max = 0.05;
constexpr std::int64_t deviation_samples_min = 5;

void keep(std::deque<double>& values, double value, std::size_t most) {
  values.push_back(value);
  if (values.size() > most) values.pop_front();
}

double count_log(std::int64_t count) {
  const auto value = static_cast<double>(count);
  return count == 0 ? 0.0 : value * std::log2(value);
}

}  // namespace

Line line_through(const std::deque<double>& values) {
  const auto n = static_cast<double>(values.size());
  double mean_y = 0.0;
  for (const double y : values) mean_y += y / n;
  const double mean_x = (n - 1.0) / 2.0;
  double xy = 0.0, xx = 0.0, yy = 0.0, x = 0.0;
  for (const double y : values) {
    xy += (x - mean_x) * (y - mean_y);
    xx += (x - mean_x) * (x - mean_x);
    yy += (y - mean_y) * (y - mean_y);
    x += 1.0;
  }
  Line line;
  if (xx > 0.0) line.slope = xy / xx;
  // Differences of rounding alone count as level.
  const double level = 1e-12 * std::max(1.0, std::fabs(mean_y));
  if (xx > 0.0 && yy > n * level * level) line.r2 = xy * xy / (xx * yy);
  return line;
}

void Entropy::add(double sample) {
  std::int64_t& count = counts_[sample];
  count_log_sum_ += count_log(count + 1) - count_log(count);
  ++count;
  ++samples_;
  keep(entropies_, entropy(), entropies_kept);
}

double Entropy::entropy() const {
  if (counts_.size() < 2) return 0.0;
  const auto n = static_cast<double>(samples_);
  return std::max(0.0, std::log2(n) - count_log_sum_ / n);
}

bool Entropy::met() const {
  if (entropies_.size() < 2 || samples_ % 2 != 0) return false;
  const Line line = line_through(entropies_);
  const double degrees = std::atan2(line.slope, 1.0) * 180.0 / std::numbers::pi;
  return degrees <= angle_max_degrees && line.r2 >= r2_min;
}

void RelativeDeviation::add(double sample) {
  ++samples_;
  const double off = sample - mean_;
  mean_ += off / static_cast<double>(samples_);
  squares_ += off * (sample - mean_);
  if (samples_ >= deviation_samples_min) keep(deviations_, relative_deviation(), deviations_kept);
}

double RelativeDeviation::relative_deviation() const {
  if (samples_ < 2 || mean_ <= 0.0) return 0.0;
  return std::sqrt(squares_ / static_cast<double>(samples_ - 1)) / mean_;
}

bool RelativeDeviation::met() const {
  if (deviations_.empty()) return false;
  if (deviations_.back() <= deviation_max) return true;
  if (deviations_.size() <= deviations_settled_min) return false;
  const auto n = static_cast<double>(deviations_.size());
  double mean = 0.0, squares = 0.0;
  for (const double value : deviations_) mean += value / n;
  for (const double value : deviations_) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (n - 1.0)) / deviations_.back() < settled_max;
}

Result<std::unique_ptr<Criterion>> criterion_named(std::string_view name) {
  if (name == "entropy") return std::make_unique<Entropy>();
  if (name == "stdrel") return std::make_unique<RelativeDeviation>();
  if (name == "count") return std::make_unique<Count>();
  return fail(ErrorCode::invalid_argument,
              "criterion is '" + std::string(name) + "'; give one of entropy, stdrel, count");
}

}  // namespace checkride::kernels::latency

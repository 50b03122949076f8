#include "kernels/nvml/sampler.h"

#include <algorithm>
#include <numeric>

namespace checkride::kernels::nvml {

Sampler::Sampler(const Device& device, std::chrono::milliseconds period, std::size_t samples_max)
    : device_(device), period_(period), samples_max_(std::max<std::size_t>(samples_max, 1)) {
  take();
  thread_ = std::thread([this] { run(); });
}

Sampler::~Sampler() {
  stop();
}

void Sampler::take() {
  const Sample sample = device_.sample();
  const std::lock_guard lock(mutex_);
  if (samples_.size() < samples_max_)
    samples_.push_back(sample);
  else
    samples_.back() = sample;
}

void Sampler::run() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, period_, [this] { return stopping_; })) return;
    }
    take();
  }
}

std::vector<Sample> Sampler::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return samples_;
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  take();
  return samples_;
}

namespace {

// The values of one field that were told.
template <class T>
std::vector<T> told(const std::vector<Sample>& samples, std::optional<T> Sample::*field) {
  std::vector<T> values;
  for (const Sample& sample : samples)
    if (sample.*field) values.push_back(*(sample.*field));
  return values;
}

std::optional<int> median(std::vector<int> values) {
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Summary summary_of(const std::vector<Sample>& samples) {
  Summary summary;
  if (const auto power = told(samples, &Sample::power_w); !power.empty()) {
    summary.power_w_mean =
        std::accumulate(power.begin(), power.end(), 0.0) / static_cast<double>(power.size());
    summary.power_w_max = *std::ranges::max_element(power);
  }
  if (const auto temp = told(samples, &Sample::temp_c); !temp.empty())
    summary.temp_c_max = *std::ranges::max_element(temp);
  if (const auto clock = told(samples, &Sample::sm_clock_mhz); !clock.empty()) {
    summary.sm_clock_mhz_median = median(clock);
    summary.sm_clock_mhz_min = *std::ranges::min_element(clock);
  }
  summary.mem_clock_mhz_median = median(told(samples, &Sample::mem_clock_mhz));
  for (const std::uint64_t reasons : told(samples, &Sample::throttle_reasons))
    summary.throttle_reasons |= reasons;
  summary.throttled = (summary.throttle_reasons & unhealthy_throttle) != 0;
  return summary;
}

}  // namespace checkride::kernels::nvml

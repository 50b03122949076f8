// Samples of a device while something else works: a thread that asks the driver at a fixed period
// and keeps what it was told. For jobs that report power, clocks and throttling beside a figure.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/nvml/nvml.h"

namespace checkride::kernels::nvml {

class Sampler {
 public:
  // The device outlives the sampler. One sample is taken at once, one at stop(), and one every
  // period between, at most samples_max in all (the latest take the last one's place).
  explicit Sampler(const Device& device,
                   std::chrono::milliseconds period = std::chrono::milliseconds(100),
                   std::size_t samples_max = 100000);
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;
  ~Sampler();

  // Ends the thread; the samples in order of time, at least one.
  std::vector<Sample> stop();

 private:
  void take();
  void run();

  const Device& device_;
  const std::chrono::milliseconds period_;
  const std::size_t samples_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::vector<Sample> samples_;  // guarded by mutex_
  std::thread thread_;
};

struct Summary {
  std::optional<double> power_w_mean, power_w_max;
  std::optional<int> temp_c_max;
  std::optional<int> sm_clock_mhz_median, sm_clock_mhz_min;
  std::optional<int> mem_clock_mhz_median;
  std::uint64_t throttle_reasons = 0;  // every bit seen
  // Whether the device held back for a reason that makes figures of speed meaningless.
  bool throttled = false;
};
Summary summary_of(const std::vector<Sample>& samples);

}  // namespace checkride::kernels::nvml

// Time of a launch on the device, one sample at a time. Units are microseconds in the field names.
// A sample is `nodes` launches between two events, queued behind as many others so that the device
// never waits for the host; around it every multiprocessor reads its clock counter and the device's
// nanosecond timer, which gives the SM clock while the sample ran. No setting of the device
// changes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "engine/base/result.h"
#include "kernels/measure/launch.h"

namespace checkride::kernels::measure {

struct GraphTiming {
  double us_per_launch = 0.0;  // median over the samples
  double p05_us = 0.0;
  double p95_us = 0.0;
  int nodes = 0;
  int samples = 0;
};

enum class Replay : std::uint8_t {
  one_graph,      // one graph of all launches, in series
  single_graphs,  // a graph of one launch, replayed once for each: each graph's start is inside
  eager,          // no graph: queued by the host, whose time shows where it is longer
};

struct Sample {
  double us = 0.0;                       // of one launch
  std::optional<double> sm_clock_mhz{};  // none where no multiprocessor could be read twice
};

// Captures the launches, or queues them, and times them again and again. Errors: unavailable and
// internal with CUDA's words.
class LaunchTimer {
 public:
  static Result<LaunchTimer> prepare(Launch launch, int nodes, Replay replay);
  LaunchTimer(LaunchTimer&&) noexcept;
  LaunchTimer& operator=(LaunchTimer&&) noexcept;
  ~LaunchTimer();

  Result<Sample> sample();
  // Whether a captured launch starts before the one ahead of it has ended (programmatic dependent
  // launch): then a graph's time a launch is not the time a launch takes.
  bool programmatic_launch() const;

 private:
  struct Session;
  explicit LaunchTimer(std::unique_ptr<Session> session);
  std::unique_ptr<Session> session_;
};

// `samples` samples of a graph of `nodes` launches after a warm-up. Runs that rotate over input
// sets (cold caches) choose the set by the node's number.
Result<GraphTiming> time_graph(const Launch& launch, int nodes, int samples);

}  // namespace checkride::kernels::measure

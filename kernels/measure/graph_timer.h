// Time of a launch on the device, one sample at a time. Units are microseconds in the field names.
// A sample is three stretches of launches in series with an event behind each: `nodes` that are not
// timed, so that the device never waits for the host, `nodes`, and twice `nodes`. The time of a
// launch is the difference of the last two over `nodes`: what two events and the start of a stretch
// cost (2 us on an H200, whatever the launch) is in both and cancels, so that graphs of 20 and of
// 100 launches agree. Around a sample every multiprocessor reads its clock counter and the device's
// nanosecond timer, which gives the SM clock while it ran. No setting of the device changes.
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
  one_graph,      // one graph of all launches, the events among its nodes
  single_graphs,  // a graph of one launch, replayed once for each: each graph's start is inside
  eager,          // no graph: queued by the host, whose time shows where it is longer
};

struct Sample {
  double us = 0.0;                       // of one launch
  std::optional<double> sm_clock_mhz{};  // none where no multiprocessor could be read twice
};

// Captures the launches, or queues them, and times them again and again. Errors: unavailable and
// internal with CUDA's words; unavailable where something else keeps disturbing the device.
class LaunchTimer {
 public:
  static Result<LaunchTimer> prepare(Launch launch, int nodes, Replay replay);
  LaunchTimer(LaunchTimer&&) noexcept;
  LaunchTimer& operator=(LaunchTimer&&) noexcept;
  ~LaunchTimer();

  Result<Sample> sample();
  // Whether a launch starts before the one ahead of it has ended (programmatic dependent launch):
  // then the time a launch takes is not what is measured.
  bool programmatic_launch() const;

 private:
  struct Session;
  explicit LaunchTimer(std::unique_ptr<Session> session);
  std::unique_ptr<Session> session_;
};

// `samples` samples of a graph after a warm-up. Runs that rotate over input sets (cold caches)
// choose the set by the node's number, from 0 to 4 * nodes - 1.
Result<GraphTiming> time_graph(const Launch& launch, int nodes, int samples);

}  // namespace checkride::kernels::measure

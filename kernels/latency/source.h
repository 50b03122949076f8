// What samples are taken from: a subject on the device in one of the timing modes, or on the host.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "kernels/job/subject.h"
#include "kernels/latency/sampling.h"

namespace checkride::kernels::latency {

enum class TimingMode : std::uint8_t { graph_hot, graph_cold, single_graph, eager, cupti, host };
std::string_view to_string(TimingMode mode);
// invalid_argument: another word. `host` cannot be asked for: it is what a CPU subject is timed by.
Result<TimingMode> timing_mode_named(std::string_view name);

class Source {
 public:
  virtual ~Source() = default;
  virtual Result<TimedSample> sample() = 0;
  // See LaunchTimer::programmatic_launch.
  virtual bool programmatic_launch() const { return false; }
};

// Launches of the subject, `nodes` in a sample. Errors: unavailable where the mode is cupti and the
// library is not here or the driver refuses; else CUDA's.
Result<std::unique_ptr<Source>> subject_source(Subject& subject, TimingMode mode, int nodes);

// The same of the subject's kernels, emptied (`../measure/floor.h`), or of an empty call on the
// host.
struct Floor {
  std::unique_ptr<Source> source;
  bool whole = false;  // a launch is kernels and nothing else; false on the host
};
Result<Floor> floor_of(Subject& subject, TimingMode mode, int nodes);

}  // namespace checkride::kernels::latency

#include "kernels/latency/source.h"

#include <array>
#include <utility>

#ifdef CR_CUDA
#include "kernels/latency/kernel_times.h"
#include "kernels/measure/floor.h"
#include "kernels/measure/graph_timer.h"
#endif

namespace checkride::kernels::latency {

namespace {

constexpr std::array<std::pair<TimingMode, std::string_view>, 6> names{
    {{TimingMode::graph_hot, "graph_hot"},
     {TimingMode::graph_cold, "graph_cold"},
     {TimingMode::single_graph, "single_graph"},
     {TimingMode::eager, "eager"},
     {TimingMode::cupti, "cupti"},
     {TimingMode::host, "host"}}};

using Launch = std::function<Result<void>(CUstream_st* stream, int node)>;

class HostSource final : public Source {
 public:
  HostSource(Launch launch, int nodes) : launch_(std::move(launch)), nodes_(nodes) {}
  Result<TimedSample> sample() override {
    const auto begin = std::chrono::steady_clock::now();
    for (int node = 0; node < nodes_; ++node) CR_CHECK(launch_(nullptr, node));
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    return TimedSample{took.count() / nodes_, std::nullopt};
  }

 private:
  Launch launch_;
  int nodes_;
};

#ifdef CR_CUDA
class DeviceSource final : public Source {
 public:
  explicit DeviceSource(measure::LaunchTimer timer) : timer_(std::move(timer)) {}
  Result<TimedSample> sample() override {
    CR_TRY(const measure::Sample sample, timer_.sample());
    return TimedSample{sample.us, sample.sm_clock_mhz};
  }
  bool programmatic_launch() const override { return timer_.programmatic_launch(); }

 private:
  measure::LaunchTimer timer_;
};

class KernelTimeSource final : public Source {
 public:
  KernelTimeSource(std::unique_ptr<KernelTimes> times, Launch launch, int nodes)
      : times_(std::move(times)), launch_(std::move(launch)), nodes_(nodes) {}
  Result<TimedSample> sample() override {
    CR_TRY(const double us, times_->of(launch_, nodes_));
    return TimedSample{us / nodes_, std::nullopt};
  }

 private:
  std::unique_ptr<KernelTimes> times_;
  Launch launch_;
  int nodes_;
};
#endif

Result<std::unique_ptr<Source>> source_of(Launch launch, TimingMode mode, int nodes) {
  if (mode == TimingMode::host) return std::make_unique<HostSource>(std::move(launch), nodes);
#ifdef CR_CUDA
  if (mode == TimingMode::cupti) {
    CR_TRY(std::unique_ptr<KernelTimes> times, KernelTimes::open());
    return std::make_unique<KernelTimeSource>(std::move(times), std::move(launch), nodes);
  }
  const measure::Replay replay = mode == TimingMode::single_graph ? measure::Replay::single_graphs
                                 : mode == TimingMode::eager      ? measure::Replay::eager
                                                                  : measure::Replay::one_graph;
  CR_TRY(measure::LaunchTimer timer,
         measure::LaunchTimer::prepare(std::move(launch), nodes, replay));
  return std::make_unique<DeviceSource>(std::move(timer));
#else
  return fail(ErrorCode::unavailable, "this program was built without CUDA");
#endif
}

Launch launch_of(Subject& subject, TimingMode mode) {
  const int sets = mode == TimingMode::graph_cold ? subject.input_sets() : 1;
  return [&subject, sets](CUstream_st* stream, int node) {
    return subject.launch(stream, node % sets);
  };
}

}  // namespace

std::string_view to_string(TimingMode mode) {
  for (const auto& [each, name] : names)
    if (each == mode) return name;
  return "host";
}

Result<TimingMode> timing_mode_named(std::string_view name) {
  for (const auto& [mode, each] : names)
    if (each == name && mode != TimingMode::host) return mode;
  return fail(ErrorCode::invalid_argument,
              "timing_mode is '" + std::string(name) +
                  "'; give one of graph_hot, graph_cold, single_graph, eager, cupti");
}

Result<std::unique_ptr<Source>> subject_source(Subject& subject, TimingMode mode, int nodes) {
  return source_of(launch_of(subject, mode), mode, nodes);
}

Result<Floor> floor_of(Subject& subject, TimingMode mode, int nodes) {
  Floor floor;
#ifdef CR_CUDA
  if (mode != TimingMode::host) {
    CR_TRY(measure::LaunchNodes queued, measure::nodes_of(launch_of(subject, mode)));
    floor.whole = queued.others == 0;
    CR_TRY(floor.source, source_of(measure::empty_launch(std::move(queued.kernels)), mode, nodes));
    return floor;
  }
#endif
  static_cast<void>(subject);
  CR_TRY(floor.source, source_of([](CUstream_st*, int) { return Result<void>(); }, mode, nodes));
  return floor;
}

}  // namespace checkride::kernels::latency

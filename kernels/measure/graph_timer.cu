#include "kernels/measure/graph_timer.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <vector>

#include "kernels/cuda/check.h"
#include "kernels/measure/clock_stamps.h"
#include "kernels/measure/stream.h"

namespace checkride::kernels::measure {
namespace {

using cuda::check;

// The parts of a sample, in launches of one `nodes`: a lead that is not timed, so that the device
// never waits for the host, then two that are.
constexpr int lead = 1, once = 1, twice = 2;

}  // namespace

// Stream, graph and events of one measurement; released together.
struct LaunchTimer::Session {
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  std::array<cudaEvent_t, 3> events{};
  ClockStamps clocks;
  Launch launch;
  int nodes = 0;
  Replay replay = Replay::one_graph;
  bool programmatic = false;

  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    for (cudaEvent_t event : events)
      if (event != nullptr) cudaEventDestroy(event);
    if (executable != nullptr) cudaGraphExecDestroy(executable);
    if (graph != nullptr) cudaGraphDestroy(graph);
    if (stream != nullptr && replay != Replay::one_graph) cudaStreamDestroy(stream);
  }

  // Outside graphs kernels are queued on a stream of the measurement's own: see stream.h.
  Result<void> take_stream() {
    if (replay == Replay::one_graph) {
      CR_TRY(stream, timing_stream());
      return {};
    }
    return check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "create a stream");
  }

  // A whole sample: launches in series, the three events between and behind them, and the clock's
  // two readings around. In a graph all of these are nodes: nothing is queued beside it.
  template <class Record>
  Result<void> queue_all(const Launch& one, const Record& record) {
    int node = 0;
    const auto part = [&](int times) -> Result<void> {
      for (const int end = node + times * nodes; node < end; ++node) CR_CHECK(one(stream, node));
      return {};
    };
    CR_CHECK(clocks.begin(stream));
    CR_CHECK(part(lead));
    CR_CHECK(record(events[0]));
    CR_CHECK(part(once));
    CR_CHECK(record(events[1]));
    CR_CHECK(part(twice));
    CR_CHECK(record(events[2]));
    return clocks.end(stream);
  }

  Result<void> queue_captured() {
    if (replay == Replay::one_graph)
      return queue_all(launch, [&](cudaEvent_t event) {
        return check(cudaEventRecordWithFlags(event, stream, cudaEventRecordExternal),
                     "record an event in a graph");
      });
    CR_CHECK(launch(stream, 0));
    // Not replayed, so that a second one does no harm: it shows whether it waits for the first.
    return replay == Replay::eager ? launch(stream, 1) : Result<void>{};
  }

  Result<void> capture() {
    CR_CHECK(
        check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin a capture"));
    const Result<void> queued = queue_captured();
    const Result<void> ended = check(cudaStreamEndCapture(stream, &graph), "end a capture");
    if (!queued) return queued;
    CR_CHECK(ended);
    CR_CHECK(check(cudaGraphInstantiate(&executable, graph, 0), "instantiate a graph"));
    std::size_t edges = 0;
    CR_CHECK(check(cudaGraphGetEdges(graph, nullptr, nullptr, nullptr, &edges), "read a graph"));
    std::vector<cudaGraphNode_t> from(edges), to(edges);
    std::vector<cudaGraphEdgeData> data(edges);
    if (edges > 0)
      CR_CHECK(check(cudaGraphGetEdges(graph, from.data(), to.data(), data.data(), &edges),
                     "read a graph"));
    for (const cudaGraphEdgeData& edge : data)
      programmatic = programmatic || edge.type == cudaGraphDependencyTypeProgrammatic;
    return {};
  }

  Result<void> queue_sample() {
    const auto replayed = [&](CUstream_st* on, int) {
      return check(cudaGraphLaunch(executable, on), "replay a graph");
    };
    if (replay == Replay::one_graph) return replayed(stream, 0);
    return queue_all(replay == Replay::eager ? launch : Launch(replayed), [&](cudaEvent_t event) {
      return check(cudaEventRecord(event, stream), "record an event");
    });
  }

  Result<double> us_between(std::size_t begin, std::size_t end) const {
    float milliseconds = 0.0f;
    CR_CHECK(
        check(cudaEventElapsedTime(&milliseconds, events[begin], events[end]), "read a time"));
    return static_cast<double>(milliseconds) * 1000.0;
  }
};

LaunchTimer::LaunchTimer(std::unique_ptr<Session> session) : session_(std::move(session)) {}
LaunchTimer::LaunchTimer(LaunchTimer&&) noexcept = default;
LaunchTimer& LaunchTimer::operator=(LaunchTimer&&) noexcept = default;
LaunchTimer::~LaunchTimer() = default;

bool LaunchTimer::programmatic_launch() const {
  return session_->programmatic;
}

Result<LaunchTimer> LaunchTimer::prepare(Launch launch, int nodes, Replay replay) {
  if (nodes < 1)
    return fail(ErrorCode::invalid_argument, "a launch is timed with at least one node");
  auto session = std::make_unique<Session>();
  session->launch = std::move(launch);
  session->nodes = nodes;
  session->replay = replay;
  CR_CHECK(session->take_stream());
  for (cudaEvent_t& event : session->events)
    CR_CHECK(check(cudaEventCreate(&event), "create an event"));
  CR_TRY(session->clocks, ClockStamps::prepare());
  // Captured whatever the replay: it tells programmatic launches. Graphs of one launch have none
  // between them.
  CR_CHECK(session->capture());
  return LaunchTimer(std::move(session));
}

Result<Sample> LaunchTimer::sample() {
  Session& session = *session_;
  // A disturbance in the first part can make the second look shorter than it: such a sample has no
  // time.
  constexpr int tries = 10;
  for (int i = 0; i < tries; ++i) {
    CR_CHECK(session.queue_sample());
    CR_CHECK(check(cudaStreamSynchronize(session.stream), "wait for a sample"));
    CR_TRY(const double first, session.us_between(0, 1));
    CR_TRY(const double second, session.us_between(1, 2));
    if (second <= first) continue;
    Sample sample;
    sample.us = (second - first) / session.nodes;
    CR_TRY(sample.sm_clock_mhz, session.clocks.sm_clock_mhz());
    return sample;
  }
  return fail(ErrorCode::unavailable,
              "twice as many launches took no longer than once as many, ten times; the device is "
              "busy with something else");
}

Result<GraphTiming> time_graph(const Launch& launch, int nodes, int samples) {
  if (samples < 1)
    return fail(ErrorCode::invalid_argument, "a graph is timed with at least one sample");
  CR_TRY(LaunchTimer timer, LaunchTimer::prepare(launch, nodes, Replay::one_graph));
  constexpr int warm_up = 20;
  std::vector<double> us;
  for (int i = 0; i < warm_up + samples; ++i) {
    CR_TRY(const Sample sample, timer.sample());
    if (i >= warm_up) us.push_back(sample.us);
  }
  std::sort(us.begin(), us.end());
  const auto at = [&](double fraction) {
    return us[static_cast<std::size_t>(fraction * static_cast<double>(us.size() - 1))];
  };
  return GraphTiming{at(0.5), at(0.05), at(0.95), nodes, samples};
}

}  // namespace checkride::kernels::measure

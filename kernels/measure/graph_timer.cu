#include "kernels/measure/graph_timer.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <vector>

#include "kernels/cuda/check.h"
#include "kernels/measure/clock_stamps.h"

namespace checkride::kernels::measure {
namespace {

using cuda::check;

}  // namespace

// Stream, graph and events of one measurement; released together.
struct LaunchTimer::Session {
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  ClockStamps clocks;
  Launch launch;
  int nodes = 0;
  Replay replay = Replay::one_graph;
  bool programmatic = false;

  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (begin != nullptr) cudaEventDestroy(begin);
    if (end != nullptr) cudaEventDestroy(end);
    if (executable != nullptr) cudaGraphExecDestroy(executable);
    if (graph != nullptr) cudaGraphDestroy(graph);
    if (stream != nullptr) cudaStreamDestroy(stream);
  }

  Result<void> capture() {
    CR_CHECK(
        check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin a capture"));
    const int captured = replay == Replay::one_graph ? nodes : 1;
    Result<void> queued;
    for (int node = 0; node < captured && queued; ++node) queued = launch(stream, node);
    const int ended = cudaStreamEndCapture(stream, &graph);
    if (!queued) return queued;
    CR_CHECK(check(ended, "end a capture"));
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

  Result<void> queue_once() {
    if (replay == Replay::one_graph)
      return check(cudaGraphLaunch(executable, stream), "replay a graph");
    for (int node = 0; node < nodes; ++node) {
      if (replay == Replay::eager) {
        CR_CHECK(launch(stream, node));
      } else {
        CR_CHECK(check(cudaGraphLaunch(executable, stream), "replay a graph"));
      }
    }
    return {};
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
  CR_CHECK(
      check(cudaStreamCreateWithFlags(&session->stream, cudaStreamNonBlocking), "create a stream"));
  CR_CHECK(check(cudaEventCreate(&session->begin), "create an event"));
  CR_CHECK(check(cudaEventCreate(&session->end), "create an event"));
  CR_TRY(session->clocks, ClockStamps::prepare());
  // Captured whatever the replay: it tells programmatic launches.
  CR_CHECK(session->capture());
  return LaunchTimer(std::move(session));
}

Result<Sample> LaunchTimer::sample() {
  Session& session = *session_;
  CR_CHECK(session.clocks.begin(session.stream));
  CR_CHECK(session.queue_once());
  CR_CHECK(check(cudaEventRecord(session.begin, session.stream), "record an event"));
  CR_CHECK(session.queue_once());
  CR_CHECK(check(cudaEventRecord(session.end, session.stream), "record an event"));
  CR_CHECK(session.clocks.end(session.stream));
  CR_CHECK(check(cudaStreamSynchronize(session.stream), "wait for a sample"));
  float milliseconds = 0.0f;
  CR_CHECK(check(cudaEventElapsedTime(&milliseconds, session.begin, session.end), "read a time"));
  Sample sample;
  sample.us = static_cast<double>(milliseconds) * 1000.0 / session.nodes;
  CR_TRY(sample.sm_clock_mhz, session.clocks.sm_clock_mhz());
  return sample;
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

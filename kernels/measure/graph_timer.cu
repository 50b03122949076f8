#include "kernels/measure/graph_timer.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <vector>

#include "kernels/cuda/check.h"

namespace checkride::kernels::measure {
namespace {

using cuda::check;

__global__ void empty_kernel() {}

// Stream, graph and events of one measurement; released together.
struct Session {
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;

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
};

Result<void> capture(Session& session, const Launch& launch, int nodes) {
  CR_CHECK(
      check(cudaStreamCreateWithFlags(&session.stream, cudaStreamNonBlocking), "create a stream"));
  CR_CHECK(check(cudaEventCreate(&session.begin), "create an event"));
  CR_CHECK(check(cudaEventCreate(&session.end), "create an event"));
  CR_CHECK(check(cudaStreamBeginCapture(session.stream, cudaStreamCaptureModeThreadLocal),
                 "begin a capture"));
  Result<void> queued;
  for (int node = 0; node < nodes && queued; ++node) queued = launch(session.stream, node);
  const int ended = cudaStreamEndCapture(session.stream, &session.graph);
  if (!queued) return queued;
  CR_CHECK(check(ended, "end a capture"));
  return check(cudaGraphInstantiate(&session.executable, session.graph, 0), "instantiate a graph");
}

Result<double> one_replay(const Session& session) {
  CR_CHECK(check(cudaGraphLaunch(session.executable, session.stream), "replay a graph"));
  CR_CHECK(check(cudaEventRecord(session.begin, session.stream), "record an event"));
  CR_CHECK(check(cudaGraphLaunch(session.executable, session.stream), "replay a graph"));
  CR_CHECK(check(cudaEventRecord(session.end, session.stream), "record an event"));
  CR_CHECK(check(cudaEventSynchronize(session.end), "wait for a graph"));
  float milliseconds = 0.0f;
  CR_CHECK(check(cudaEventElapsedTime(&milliseconds, session.begin, session.end), "read a time"));
  return static_cast<double>(milliseconds) * 1000.0;
}

}  // namespace

Result<GraphTiming> time_graph(const Launch& launch, int nodes, int samples) {
  if (nodes < 1 || samples < 1)
    return fail(ErrorCode::invalid_argument,
                "a graph is timed with at least one node and one sample");
  Session session;
  CR_CHECK(capture(session, launch, nodes));
  constexpr int warm_up = 20;
  std::vector<double> us;
  for (int i = 0; i < warm_up + samples; ++i) {
    CR_TRY(const double sample, one_replay(session));
    if (i >= warm_up) us.push_back(sample / nodes);
  }
  std::sort(us.begin(), us.end());
  const auto at = [&](double fraction) {
    return us[static_cast<std::size_t>(fraction * static_cast<double>(us.size() - 1))];
  };
  return GraphTiming{at(0.5), at(0.05), at(0.95), nodes, samples};
}

Result<void> launch_empty(const LaunchShape& shape, CUstream_st* stream) {
  CR_CHECK(check(cudaFuncSetAttribute(empty_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                      static_cast<int>(shape.shared_bytes)),
                 "shared memory of the empty kernel"));
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim = {static_cast<unsigned>(shape.cluster), 1, 1};
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(shape.grid_x), static_cast<unsigned>(shape.grid_y));
  config.blockDim = dim3(static_cast<unsigned>(shape.threads));
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = shape.cluster > 1 ? 1 : 0;
  return check(cudaLaunchKernelEx(&config, empty_kernel), "queue the empty kernel");
}

}  // namespace checkride::kernels::measure

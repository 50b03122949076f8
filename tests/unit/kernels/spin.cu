#include <cuda_runtime.h>

#include "tests/unit/kernels/spin.h"

namespace checkride::kernels {
namespace {

__global__ void spin(long long cycles) {
  const long long start = clock64();
  while (clock64() - start < cycles) {
  }
}

__global__ void write_at(int* address) {
  *address = 1;
}

}  // namespace

Result<void> write_nowhere() {
  write_at<<<1, 1>>>(reinterpret_cast<int*>(16));
  CR_CHECK(cuda::check(cudaGetLastError(), "queue a write"));
  return cuda::synchronize();
}

Result<void> launch_spin(long long cycles, CUstream_st* stream) {
  spin<<<1, 32, 0, stream>>>(cycles);
  return cuda::check(cudaGetLastError(), "queue the spin kernel");
}

Result<void> launch_overlapping(CUstream_st* stream) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(1);
  config.blockDim = dim3(32);
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = 1;
  return cuda::check(cudaLaunchKernelEx(&config, spin, 1000LL), "queue an overlapping kernel");
}

Result<std::vector<double>> spin_block(long long cycles, int nodes, int samples) {
  using cuda::check;
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  std::vector<cudaEvent_t> events(static_cast<std::size_t>(samples) + 1);
  CR_CHECK(check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "create a stream"));
  for (cudaEvent_t& event : events) CR_CHECK(check(cudaEventCreate(&event), "create an event"));
  CR_CHECK(check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture"));
  for (int node = 0; node < nodes; ++node) CR_CHECK(launch_spin(cycles, stream));
  CR_CHECK(check(cudaStreamEndCapture(stream, &graph), "end a capture"));
  CR_CHECK(check(cudaGraphInstantiate(&executable, graph, 0), "instantiate a graph"));
  for (int i = 0; i < 5; ++i) CR_CHECK(check(cudaGraphLaunch(executable, stream), "warm up"));
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (i > 0) CR_CHECK(check(cudaGraphLaunch(executable, stream), "replay a graph"));
    CR_CHECK(check(cudaEventRecord(events[i], stream), "record an event"));
  }
  CR_CHECK(check(cudaStreamSynchronize(stream), "wait for the spin kernel"));
  std::vector<double> us;
  for (std::size_t i = 1; i < events.size(); ++i) {
    float milliseconds = 0.0f;
    CR_CHECK(check(cudaEventElapsedTime(&milliseconds, events[i - 1], events[i]), "read a time"));
    us.push_back(1000.0 * static_cast<double>(milliseconds) / nodes);
  }
  for (const cudaEvent_t event : events) cudaEventDestroy(event);
  cudaGraphExecDestroy(executable);
  cudaGraphDestroy(graph);
  cudaStreamDestroy(stream);
  return us;
}

}  // namespace checkride::kernels

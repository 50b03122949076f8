// Time per launch by replaying a CUDA graph of N serial launches: the launch itself is inside, the
// host's queueing is not. Units are microseconds in the field names. A sample is one replay between
// two events, queued behind another replay so that the device never waits for the host.
#pragma once

#include <cstdint>
#include <functional>

#include "engine/base/result.h"
#include "kernels/measure/launch_shape.h"

struct CUstream_st;

namespace checkride::kernels::measure {

struct GraphTiming {
  double us_per_launch = 0.0;  // median over the samples
  double p05_us = 0.0;
  double p95_us = 0.0;
  int nodes = 0;
  int samples = 0;
};

// Queues launch number `node` of the graph and returns its cudaError_t. Called on the capturing
// thread.
using Launch = std::function<Result<void>(CUstream_st* stream, int node)>;

// Captures `nodes` launches and replays them `samples` times after a warm-up. Runs that rotate over
// input sets (cold caches) choose the set by the node's number. Errors: unavailable with CUDA's
// words.
Result<GraphTiming> time_graph(const Launch& launch, int nodes, int samples);

// What an empty kernel of this shape costs: the floor under a kernel launched with it.
Result<void> launch_empty(const LaunchShape& shape, CUstream_st* stream);

}  // namespace checkride::kernels::measure

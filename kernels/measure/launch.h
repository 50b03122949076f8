// What is timed: something that queues kernels on a stream; and the shape of one kernel's launch.
#pragma once

#include <cstdint>
#include <functional>

#include "engine/base/result.h"

struct CUstream_st;

namespace checkride::kernels::measure {

// Queues launch number `node`. Called on the measuring thread.
using Launch = std::function<Result<void>(CUstream_st* stream, int node)>;

// Grid, cluster, threads of a block and shared memory.
struct LaunchShape {
  int grid_x = 1;
  int grid_y = 1;
  int cluster = 1;  // blocks of a cluster along x
  int threads = 128;
  std::uint32_t shared_bytes = 0;
  int grid_z = 1;
  int cluster_y = 1;
  int cluster_z = 1;

  friend bool operator==(const LaunchShape&, const LaunchShape&) = default;
};

}  // namespace checkride::kernels::measure

// Grid, cluster, threads and dynamic shared memory of a launch.
#pragma once

#include <cstdint>

namespace checkride::kernels::measure {

struct LaunchShape {
  int grid_x = 1;
  int grid_y = 1;
  int cluster = 1;
  int threads = 128;
  std::uint32_t shared_bytes = 0;
};

}  // namespace checkride::kernels::measure

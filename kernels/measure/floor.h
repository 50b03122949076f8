// The floor under a launch: the same kernels, emptied. What a launch queues is read off a graph it
// is captured into, so it holds for any launch, a library's too. The driver is asked (its functions
// are looked up at run time), for the runtime does not know kernels that a library loaded itself.
#pragma once

#include <vector>

#include "kernels/measure/launch.h"

namespace checkride::kernels::measure {

struct LaunchNodes {
  std::vector<LaunchShape> kernels;  // shared memory: the kernel's own and what the launch adds
  int others = 0;                    // what clears or copies memory, or calls the host
};
// What launch number 0 queues. Errors: the launch's own; CUDA's, as unavailable or internal.
Result<LaunchNodes> nodes_of(const Launch& launch);

// Queues an empty kernel of this shape.
Result<void> launch_empty(const LaunchShape& shape, CUstream_st* stream);
// Queues an empty kernel for each of these, in series.
Launch empty_launch(std::vector<LaunchShape> kernels);

}  // namespace checkride::kernels::measure

// Work beside the work: copies that take part of the device's multiprocessors, its memory bandwidth
// and its L2 cache (on the host, of a thread's), so that blocks run in another order and caches
// hold something else. What depends on either shows.
#pragma once

#include <memory>

#include "engine/base/result.h"
#include "kernels/job/job.h"

namespace checkride::kernels::determinism {

class Load {
 public:
  virtual ~Load() = default;
  virtual Result<void> start() = 0;
  virtual Result<void> finish() = 0;  // waits for it to end
};

// Errors: no_space, CUDA's.
Result<std::unique_ptr<Load>> load_on(Backend backend);
Result<std::unique_ptr<Load>> load_on_device();

}  // namespace checkride::kernels::determinism

// How many threads a job's work on the host is spread over: one for each hardware thread, at
// least 1. No job's answer depends on it.
#pragma once

#include <algorithm>
#include <thread>

namespace checkride::kernels {

inline int host_threads() {
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace checkride::kernels

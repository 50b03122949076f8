// Times of kernels as the device's own activity records give them (CUPTI): without launches, gaps
// and events. The library is loaded at run time: libcupti.so, or the file the environment's
// CHECKRIDE_CUPTI names. One in a process at a time.
#pragma once

#include <functional>
#include <memory>

#include "engine/base/result.h"

struct CUstream_st;

namespace checkride::kernels::latency {

class KernelTimes {
 public:
  // Errors: unavailable: no library, built without its headers, or the driver refuses.
  static Result<std::unique_ptr<KernelTimes>> open();
  virtual ~KernelTimes() = default;
  // Queues `nodes` launches, waits, and gives the time in all their kernels together, microseconds.
  // unavailable: fewer kernels than launches were recorded.
  virtual Result<double> of(
      const std::function<Result<void>(CUstream_st* stream, int node)>& launch, int nodes) = 0;
};

}  // namespace checkride::kernels::latency

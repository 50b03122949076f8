// The SM clock over an interval of device time: every multiprocessor's cycle counter and the
// device's nanosecond timer, read by a small kernel at both ends. Reads only; nothing is set.
#pragma once

#include <optional>
#include <vector>

#include "engine/base/result.h"
#include "kernels/cuda/check.h"

struct CUstream_st;

namespace checkride::kernels::measure {

class ClockStamps {
 public:
  static Result<ClockStamps> prepare();
  // Queue the two readings, in this order, around the work.
  Result<void> begin(CUstream_st* stream) { return queue(stream, 0); }
  Result<void> end(CUstream_st* stream) { return queue(stream, 1); }
  // After both have run: the median over the multiprocessors that were read twice; none where no
  // one was, or where less than 20 us lie between (the timer's steps are 1 us on some devices).
  Result<std::optional<double>> sm_clock_mhz();

 private:
  Result<void> queue(CUstream_st* stream, int which);
  cuda::DeviceBuffer stamps_;  // [2][multiprocessors]{cycles, ns}; 0: not read
  int multiprocessors_ = 0;
};

}  // namespace checkride::kernels::measure

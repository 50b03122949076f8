// How long a launch of a case takes on the device, and what no launch of it could beat.
#pragma once

#include <string>

#include "kernels/attention/sdpa_case.h"

namespace checkride::kernels::attention {

// The work of one pass: pairs of a query and a key it sees, over all heads, and what they cost.
struct Work {
  double pairs = 0.0;
  double flop = 0.0;   // of the two matrix products
  double bytes = 0.0;  // q, k, v read and o written once
};
Work work_of(const SdpaCase& sdpa);

// The longest of three times on an H200, each at its peak: matrix products (989 TFLOP/s on 16 bits,
// 1979 on 8), exponentials (132 multiprocessors, 16 a cycle, 1980 MHz) and memory (4.8 TB/s).
struct Bound {
  double us = 0.0;
  std::string by;  // matrix, exponentials, memory
};
Bound bound_of(const SdpaCase& sdpa);

// latency_us_per_launch (hot), latency_cold_us_per_launch (input sets of more than twice the L2
// cache in turn; null where that is one launch anyway), floor_us (an empty kernel of the same
// shape), body_us, TFLOPs, bound_us, bound_by, attained_of_bound_pct, nodes. All null without
// timing. Error: of CUDA.
Result<json::object> timing_fields(const SdpaCase& sdpa, bool timed);

// The sets that DeviceForward needs for cold timing on a device with this much L2 cache.
int cold_sets(const SdpaCase& sdpa, std::size_t l2_bytes);

}  // namespace checkride::kernels::attention

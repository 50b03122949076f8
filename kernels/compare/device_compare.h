// The comparison of compare.h on the device, for tensors already there: one kernel reads both
// tensors once and keeps every statistic, two small ones join what its blocks found and look up the
// worst pairs. Results are the host's bit for bit. Bound: bytes of both tensors over the bandwidth
// of device memory.
#pragma once

#include <memory>

#include "kernels/compare/compare.h"
#include "kernels/cuda/check.h"

struct CUstream_st;

namespace checkride::kernels::compare {

// Memory and plan of one comparison, repeatable. Views are of device memory, 16-byte aligned, and
// outlive it.
class DeviceComparison {
 public:
  // Errors: of check_types, unavailable, no_space.
  static Result<DeviceComparison> plan(View actual, View expected, std::uint64_t n,
                                       const Limits& limits);
  // Queues the whole comparison; may be captured into a graph.
  Result<void> launch(CUstream_st* stream) const;
  // Waits, then reads what the last launch found.
  Result<Comparison> result() const;
  // Every byte of what a launch writes becomes 0xff.
  Result<void> poison();

 private:
  View actual_, expected_;
  std::uint64_t n_ = 0;
  Limits limits_;
  int blocks_ = 1;
  cuda::DeviceBuffer rows_;    // Row for each warp of each chunk
  cuda::DeviceBuffer found_;   // Found, emptied by each launch
  cuda::DeviceBuffer joined_;  // Joined, written by each launch
};

}  // namespace checkride::kernels::compare

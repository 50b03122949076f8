// Work that can be repeated: what determinism hashes and latency.measure times. On a device a
// launch is queued on a stream and may be captured into a graph; on the host it is done when
// launch() returns. Used by one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/job/job.h"

struct CUstream_st;

namespace checkride::kernels {

class Subject {
 public:
  virtual ~Subject() = default;
  virtual Backend backend() const = 0;
  // Does the work once on input set `set` (0 to input_sets() - 1); always into the same output.
  virtual Result<void> launch(CUstream_st* stream, int set) = 0;
  // Sets of equal inputs at different addresses, together above twice the L2 cache, for cold
  // timing; 1 where the subject has only one.
  virtual int input_sets() const { return 1; }
  virtual std::size_t output_bytes() const = 0;
  virtual std::size_t element_bytes() const = 0;  // of the output: 1, 2, 4 or 8
  // Every byte of the output becomes 0xff, a NaN in all floating types.
  virtual Result<void> poison() = 0;
  // Waits for the device, then copies the output.
  virtual Result<std::vector<std::byte>> output() = 0;
  // Where the output lies, on the device or the host; null where it is in no one place.
  virtual const void* output_address() const { return nullptr; }
};

}  // namespace checkride::kernels

// Subjects that need no job: `empty`, `copy` and `flaky`, each on the device and on the host.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "kernels/job/job.h"
#include "kernels/job/subject.h"
#include "kernels/measure/launch.h"

namespace checkride::kernels {

// Jobs without run(): a name, inputs and a subject.
std::span<const Job> builtin_subjects();

// Which launches of `flaky` are wrong, and where: one element in a share `rate` of the launches,
// drawn from the seed; the first is always right. Elements are 4 bytes.
class FlakyFaults {
 public:
  FlakyFaults(std::uint64_t seed, double rate, std::size_t elements)
      : seed_(seed), rate_(rate), elements_(elements) {}
  // Of the next launch: the element whose lowest bit is flipped, or -1.
  std::int64_t next();

 private:
  std::uint64_t seed_;
  double rate_;
  std::size_t elements_;
  std::uint64_t launches_ = 0;
};

// On the device; checked inputs. Errors: CUDA's.
Result<std::unique_ptr<Subject>> empty_on_device(const measure::LaunchShape& shape);
Result<std::unique_ptr<Subject>> copy_on_device(std::size_t bytes, std::uint64_t seed);
Result<std::unique_ptr<Subject>> flaky_on_device(std::size_t bytes, std::uint64_t seed,
                                                 double rate);

// Queues a copy of `bytes` (a multiple of 16) by `blocks` blocks; for subjects and for the load
// that determinism runs beside one.
Result<void> queue_copy(const void* from, void* to, std::size_t bytes, int blocks,
                        CUstream_st* stream);

}  // namespace checkride::kernels

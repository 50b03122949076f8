// Memory under test: words of 64 bits in chunks, each word with an address, and the passes a test
// makes over all of them. Implemented on a device, on the host's RAM, and by simulations of broken
// memory. Used by one thread. Errors: internal (the device faulted).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/result.h"
#include "kernels/math/host_device.h"
#include "kernels/memtest/pattern.h"

namespace checkride::kernels::memtest {

struct Mismatch {
  std::uint64_t address = 0;
  std::uint64_t expected = 0;
  std::uint64_t actual = 0;
};

struct Findings {
  std::uint64_t errors = 0;                  // words that differ
  std::vector<Mismatch> first;               // at most mismatches_kept, by address
  std::array<std::uint64_t, 64> bit_hist{};  // of the mismatches kept: which bits differ
};

// Where there are more, which ones are kept is chance.
inline constexpr std::size_t mismatches_kept = 4096;

// Findings of mismatches in any order.
Findings findings_of(std::uint64_t errors, std::vector<Mismatch> kept);

class Memory {
 public:
  virtual ~Memory() = default;
  virtual std::uint64_t words() const = 0;
  virtual bool contains(std::uint64_t address) const = 0;  // of a whole word
  virtual Result<void> fill(const Pattern& pattern) = 0;
  // Writes the words of a modulo_20 pattern that hold a (`members`), or the others.
  virtual Result<void> fill_some(const Pattern& pattern, bool members) = 0;
  virtual Result<Findings> verify(const Pattern& pattern) = 0;
  // Verifies, writing `next` (of the same family) to each word as soon as it is read and found
  // right; a word that differs is left as it is.
  virtual Result<Findings> verify_and_fill(const Pattern& pattern, const Pattern& next) = 0;
  // Within each chunk of n words, half = n / 2: word i of the first half goes to half + (i + turn)
  // mod half, or, `back`, comes from there.
  virtual Result<void> move_halves(std::uint64_t turn, bool back) = 0;
  // As verify(), after a move: the first halves hold `pattern`, the second what was moved there.
  virtual Result<Findings> verify_moved(const Pattern& pattern, std::uint64_t turn) = 0;
  // One word, past every cache of the device.
  virtual Result<std::uint64_t> read(std::uint64_t address) = 0;
  virtual Result<void> write(std::uint64_t address, std::uint64_t value) = 0;
};

// The turn as it is done in halves shorter than it.
CR_HOST_DEVICE std::uint64_t turn_within(std::uint64_t turn, std::uint64_t half) {
  return half > 0 ? turn % half : 0;
}
// Where word i of a half goes by a turn below half, and where it came from.
CR_HOST_DEVICE std::uint64_t moved_to(std::uint64_t i, std::uint64_t turn, std::uint64_t half) {
  const std::uint64_t to = i + turn;
  return to < half ? to : to - half;
}
CR_HOST_DEVICE std::uint64_t moved_from(std::uint64_t i, std::uint64_t turn, std::uint64_t half) {
  return i >= turn ? i - turn : i + half - turn;
}

// The host's RAM, `bytes` of it, by `threads` threads. Error: no_space.
Result<std::unique_ptr<Memory>> host_memory(std::uint64_t bytes, int threads);

struct DeviceSpace {
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};
#ifdef CR_CUDA
Result<DeviceSpace> device_space();
// As much of `bytes` as can be had, in plain allocations of at most 1 GiB. Error: no_space where
// not even 64 MiB are to be had, unavailable.
Result<std::unique_ptr<Memory>> device_memory(std::uint64_t bytes);
#endif

}  // namespace checkride::kernels::memtest

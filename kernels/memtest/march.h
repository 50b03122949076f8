// The test itself: which passes each named pattern makes over a Memory, and what is done about a
// word that differs. Pure procedure: time and memory come from outside, so that simulated faults
// test it. The families are the classic ones of memory testing; the code is our own.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/memtest/memory.h"

namespace checkride::kernels::memtest {

// In the order they run by default; bit_fade only runs when named.
inline constexpr std::string_view pattern_names[] = {
    "zeros",         "ones",   "aa",         "55",        "address", "inversions_8",
    "inversions_32", "random", "block_move", "modulo_20", "hash",    "bit_fade"};

// Worst last; address beats persistent because it explains it.
enum class Fault : std::uint8_t { none, transient_read, write_path, persistent, address };
std::string_view to_string(Fault fault);

struct FirstError {
  std::string pattern;
  Mismatch mismatch;
  std::uint64_t reread[2] = {};  // what the address held when read again, twice
  Fault fault = Fault::none;
};

struct Plan {
  std::vector<std::string> patterns;  // of pattern_names
  int passes = 1;                     // over all patterns, with other random values
  bool stop_on_error = false;         // ends after the pattern that found one
  std::chrono::milliseconds fade{0};  // how long bit_fade waits
  std::uint64_t seed = 1;
  // Called after every full write, before it is verified; tests put faults in here.
  std::function<Result<void>(Memory&)> after_fill;
  // Waits; by default the thread sleeps.
  std::function<void(std::chrono::milliseconds)> wait;
};

struct Outcome {
  std::uint64_t errors = 0;
  std::vector<FirstError> first;             // at most errors_told
  std::array<std::uint64_t, 64> bit_hist{};  // over at most mismatches_kept words of each pass
  Fault fault = Fault::none;                 // the worst of first
  std::vector<std::string> patterns_run;
  double write_GBps = 0.0;  // over the passes that only write, and only read; 0: none
  double read_GBps = 0.0;
};
inline constexpr std::size_t errors_told = 16;

// Errors: invalid_argument (no such pattern), and the memory's.
Result<Outcome> march(Memory& memory, const Plan& plan);

}  // namespace checkride::kernels::memtest

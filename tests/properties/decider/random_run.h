// Random documents and random commands, the same for the same seed everywhere.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/support/given.h"

namespace checkride::test {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T>
  const T& of(const std::vector<T>& all) {
    return all[below(all.size())];
  }

 private:
  std::mt19937_64 engine_;  // its numbers are fixed by the standard; distributions' are not
};

// The body of a document with jobs, gates, children, regions, retries, budgets, timers and actions
// that may fail. Lint refuses a few of them.
std::string random_document(Dice& dice);

// The next thing that happens to the run: mostly what it waits for, sometimes nonsense.
CommandBody random_command(Dice& dice, const RunState& state, const Definition& definition);
// Units that are free: two GPUs and a port, less what the run holds.
LeaseOffer free_units(const RunState& state);
// An offer as a shell that drives the run may make one.
std::optional<LeaseOffer> random_offer(Dice& dice, const RunState& state);
// What brings a run to its end: everything passes, every incident is given up.
CommandBody ending_command(const RunState& state, const Definition& definition);

}  // namespace checkride::test

// The stopping rule and the verdicts of perf.compare: look after 8 blocks, then 16, then 32, and at
// no other number, for every look is a chance to be fooled. Many metrics are judged together, by
// Holm's method, so that a run of forty metrics raises no more false alarms than a run of one.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/statistics/estimate.h"

namespace checkride::kernels::statistics {

// In order of how much they ask for attention.
enum class Verdict : std::uint8_t {
  regressed,          // the whole interval lies above 1 + margins.bad
  incomparable,       // the two sides were not measured alike
  noisy_environment,  // blocks differ from each other too much for any answer
  inconclusive,       // a longer run or a person decides
  suspect,            // quick mode: worth measuring properly
  not_suspect,        // quick mode: nothing to see within this run
  not_regressed,      // the whole interval lies below 1 + margins.ok
  improved,           // the whole interval lies below 1 - margins.bad
};
std::string_view to_string(Verdict verdict);

struct Margins {
  double bad = 0.01;
  double ok = 0.03;
};

inline constexpr std::array<int, 3> looks = {8, 16, 32};
inline constexpr double noisy_sd = 0.02;      // of theta, over blocks
inline constexpr double family_alpha = 0.01;  // of all cells of a run together

struct Paired {
  std::vector<double> thetas;  // finite, one per pair of blocks, in the order they were measured
  Margins margins;
};

struct Judgement {
  Verdict verdict = Verdict::inconclusive;
  Estimate estimate;  // of the blocks looked at, the first 8, 16 or 32, or all of fewer than 8
  double holm_p = 1.0;
  int blocks_wanted = 0;      // the next number to look at; 0 where more blocks are no answer
  bool held_by_holm = false;  // regressed by its interval, but not among so many metrics
};
// One judgement per cell. A cell too noisy at a look is not decided there; noisy_environment where
// it is noisy at the last one.
std::vector<Judgement> judge(std::span<const Paired> cells);

}  // namespace checkride::kernels::statistics

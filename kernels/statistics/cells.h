// From sample files to cells: one cell is one metric of one thing measured, both sides of it, its
// blocks paired. Two sides that were not measured alike make a cell that says what differs and has
// no thetas.
#pragma once

#include <string>
#include <vector>

#include "kernels/statistics/samples.h"

namespace checkride::kernels::statistics {

struct NamedSamples {
  std::string path;
  SampleFile file;
};

struct Side {
  std::vector<std::string> paths;
  SampleFile file;  // all blocks of all its files, in order
};

struct Cell {
  Side base;
  Side cand;
  // What forbids a comparison, sorted: "unit", "conditions.driver", "correctness", "perf_valid",
  // "blocks" (their numbers differ), "samples_lost" (more than half of a block), "not_positive",
  // "no_base", "no_candidate", "mixed_base" and "mixed_candidate" (files of one side differ).
  std::vector<std::string> differs;
  std::vector<double> thetas;  // one for each pair of blocks
  // In cycles instead of time, and ln(clock of the candidate / clock of the base); empty where the
  // metric is neither a time nor a rate, or a clock is missing.
  std::vector<double> cycle_thetas;
  std::vector<double> clock_changes;

  const SampleFile& any() const { return base.paths.empty() ? cand.file : base.file; }
};

// Files whose metric and cell are equal belong together. Sorted by metric, then by cell.
std::vector<Cell> cells_of(std::vector<NamedSamples> base, std::vector<NamedSamples> cand);

// Finite samples of the first `blocks` blocks.
std::vector<double> pooled(const SampleFile& file, std::size_t blocks);

}  // namespace checkride::kernels::statistics

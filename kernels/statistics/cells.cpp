#include "kernels/statistics/cells.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "kernels/statistics/estimate.h"

namespace checkride::kernels::statistics {

namespace {

std::set<std::string> differences(const SampleFile& a, const SampleFile& b) {
  std::set<std::string> found;
  if (a.unit != b.unit) found.insert("unit");
  if (a.direction != b.direction) found.insert("direction");
  if (a.correctness != b.correctness || a.correctness == "fail") found.insert("correctness");
  if (a.perf_valid != b.perf_valid) found.insert("perf_valid");
  for (const auto* one : {&a, &b})
    for (const auto& [key, value] : one->conditions) {
      const SampleFile& other = one == &a ? b : a;
      const auto there = other.conditions.find(key);
      if (there == other.conditions.end() || there->second != value)
        found.insert("conditions." + key);
    }
  return found;
}

// Adds a file to its side; false where it was not measured like those before it.
bool add(Side& side, NamedSamples samples) {
  side.paths.push_back(std::move(samples.path));
  if (side.paths.size() == 1) {
    side.file = std::move(samples.file);
    return true;
  }
  std::set<std::string> found = differences(side.file, samples.file);
  found.erase("correctness");
  std::ranges::move(samples.file.blocks, std::back_inserter(side.file.blocks));
  return found.empty() && side.file.correctness == samples.file.correctness;
}

bool is_time(const std::string& unit) {
  return unit == "s" || unit == "ms" || unit == "us" || unit == "ns";
}

// Median of a block in cycles per unit of work; NaN where there is no clock beside the samples.
double median_cycles(const SampleBlock& block, Direction direction) {
  if (block.clock_mhz.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> cycles;
  for (std::size_t i = 0; i < block.samples.size(); ++i) {
    const double clock = block.clock_mhz.size() == 1 ? block.clock_mhz[0] : block.clock_mhz[i];
    if (!(clock > 0.0)) continue;
    cycles.push_back(direction == Direction::lower_is_better ? block.samples[i] * clock
                                                             : block.samples[i] / clock);
  }
  return median(cycles);
}

bool half_lost(const SampleBlock& block) {
  const auto kept = static_cast<std::size_t>(
      std::ranges::count_if(block.samples, [](double v) { return std::isfinite(v); }));
  return kept == 0 || 2 * kept < block.samples.size();
}

void pair_blocks(Cell& cell, std::set<std::string>& differs) {
  const Direction direction = cell.base.file.direction;
  const bool in_cycles = direction == Direction::higher_is_better || is_time(cell.base.file.unit);
  for (std::size_t i = 0; i < cell.base.file.blocks.size(); ++i) {
    const SampleBlock& base = cell.base.file.blocks[i];
    const SampleBlock& cand = cell.cand.file.blocks[i];
    if (half_lost(base) || half_lost(cand)) {
      differs.insert("samples_lost");
      continue;
    }
    const double change = theta(direction, median(base.samples), median(cand.samples));
    if (!std::isfinite(change)) differs.insert("not_positive");
    cell.thetas.push_back(change);
    const double cycles =
        theta(direction, median_cycles(base, direction), median_cycles(cand, direction));
    const double clock =
        theta(Direction::lower_is_better, median(base.clock_mhz), median(cand.clock_mhz));
    if (in_cycles && std::isfinite(cycles) && std::isfinite(clock)) {
      cell.cycle_thetas.push_back(cycles);
      cell.clock_changes.push_back(clock);
    }
  }
  if (cell.cycle_thetas.size() != cell.thetas.size()) {
    cell.cycle_thetas.clear();
    cell.clock_changes.clear();
  }
}

void finish(Cell& cell, std::set<std::string> differs) {
  if (cell.base.paths.empty()) differs.insert("no_base");
  if (cell.cand.paths.empty()) differs.insert("no_candidate");
  if (!cell.base.paths.empty() && !cell.cand.paths.empty()) {
    differs.merge(differences(cell.base.file, cell.cand.file));
    if (cell.base.file.blocks.size() != cell.cand.file.blocks.size()) differs.insert("blocks");
    if (differs.empty()) pair_blocks(cell, differs);
  }
  if (!differs.empty()) {
    cell.thetas.clear();
    cell.cycle_thetas.clear();
    cell.clock_changes.clear();
  }
  cell.differs.assign(differs.begin(), differs.end());
}

}  // namespace

std::vector<Cell> cells_of(std::vector<NamedSamples> base, std::vector<NamedSamples> cand) {
  struct Open {
    Cell cell;
    std::set<std::string> differs;
  };
  std::map<std::pair<std::string, std::string>, Open> open;
  for (NamedSamples& samples : base) {
    Open& one = open[{samples.file.metric, samples.file.cell}];
    if (!add(one.cell.base, std::move(samples))) one.differs.insert("mixed_base");
  }
  for (NamedSamples& samples : cand) {
    Open& one = open[{samples.file.metric, samples.file.cell}];
    if (!add(one.cell.cand, std::move(samples))) one.differs.insert("mixed_candidate");
  }
  std::vector<Cell> cells;
  for (auto& [key, one] : open) {
    finish(one.cell, std::move(one.differs));
    cells.push_back(std::move(one.cell));
  }
  return cells;
}

std::vector<double> pooled(const SampleFile& file, std::size_t blocks) {
  std::vector<double> all;
  for (std::size_t i = 0; i < std::min(blocks, file.blocks.size()); ++i)
    std::ranges::copy_if(file.blocks[i].samples, std::back_inserter(all),
                         [](double v) { return std::isfinite(v); });
  return all;
}

}  // namespace checkride::kernels::statistics

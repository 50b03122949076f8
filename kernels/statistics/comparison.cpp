#include "kernels/statistics/comparison.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace checkride::kernels::statistics {

namespace {

// With fewer, resampling cannot see beyond the samples it has.
constexpr std::size_t quick_samples_min = 20;

std::optional<double> if_finite(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<Interval> ratios(double low, double high) {
  if (!std::isfinite(low) || !std::isfinite(high)) return std::nullopt;
  return Interval{std::exp(low), std::exp(high)};
}

double median_of_blocks(const SampleFile& file, std::size_t blocks) {
  std::vector<double> medians;
  for (std::size_t i = 0; i < blocks; ++i) medians.push_back(median(file.blocks[i].samples));
  return median(medians);
}

Comparison described(const Cell& cell, const CompareOptions& options) {
  const SampleFile& file = cell.any();
  Comparison c;
  c.metric = file.metric;
  c.unit = file.unit;
  c.cell = file.cell;
  c.timing_mode = file.conditions.at("timing_mode");
  c.shape = file.conditions.at("shape");
  c.direction = file.direction;
  c.within_run = options.quick;
  const auto margins = options.margins.find(c.metric);
  if (margins != options.margins.end()) c.margins = margins->second;
  c.perf_valid = cell.base.file.perf_valid && cell.cand.file.perf_valid;
  c.blocks_given =
      static_cast<int>(std::min(cell.base.file.blocks.size(), cell.cand.file.blocks.size()));
  c.base_artifacts = cell.base.paths;
  c.cand_artifacts = cell.cand.paths;
  c.differs = cell.differs;
  if (!cell.differs.empty()) {
    c.verdict = Verdict::incomparable;
    c.reasons = {"incomparable"};
  }
  return c;
}

// What is said of the first n_blocks blocks, whatever the verdict.
void describe_blocks(Comparison& c, const Cell& cell) {
  const auto blocks = static_cast<std::size_t>(c.n_blocks);
  const std::vector<double> base = pooled(cell.base.file, blocks);
  const std::vector<double> cand = pooled(cell.cand.file, blocks);
  c.base_median = if_finite(median_of_blocks(cell.base.file, blocks));
  c.cand_median = if_finite(median_of_blocks(cell.cand.file, blocks));
  c.cliffs_delta = if_finite(cliffs_delta(c.direction, base, cand));
  std::size_t fewest = block_samples_max;
  for (const SampleFile* file : {&cell.base.file, &cell.cand.file})
    for (std::size_t i = 0; i < blocks; ++i) {
      const SampleBlock& block = file->blocks[i];
      const auto kept = static_cast<std::size_t>(
          std::ranges::count_if(block.samples, [](double v) { return std::isfinite(v); }));
      fewest = std::min(fewest, kept);
      c.discarded += block.discarded + static_cast<std::int64_t>(block.samples.size() - kept);
    }
  c.samples_per_block = blocks == 0 ? 0 : static_cast<int>(fewest);
  if (cell.clock_changes.size() >= blocks && blocks > 0)
    c.clock_ratio = std::exp(
        std::accumulate(cell.clock_changes.begin(), cell.clock_changes.begin() + c.n_blocks, 0.0) /
        c.n_blocks);
}

void confirm_in_cycles(Comparison& c, const Cell& cell) {
  const auto blocks = static_cast<std::size_t>(c.n_blocks);
  if (blocks == 0 || cell.cycle_thetas.size() < blocks) return;
  const Estimate e = estimate({cell.cycle_thetas.data(), blocks}, std::log1p(c.margins.bad));
  c.cycles_ratio = if_finite(std::exp(e.mean));
  c.cycles_ratio_ci99 = ratios(e.low, e.high);
  if (c.verdict == Verdict::regressed) c.confirmed_in_cycles = e.low > std::log1p(c.margins.bad);
}

void take(Comparison& c, const Judgement& judgement) {
  const Estimate& e = judgement.estimate;
  c.verdict = judgement.verdict;
  c.n_blocks = e.k;
  c.blocks_wanted = judgement.blocks_wanted;
  if (e.k > 0) {
    c.ratio = if_finite(std::exp(e.mean));
    c.hl_ratio = if_finite(std::exp(e.hodges_lehmann));
  }
  if (e.k > 1) {
    c.ratio_ci99 = ratios(e.low, e.high);
    c.theta_sd_pct = if_finite(100.0 * e.sd);
    c.p_one_sided = if_finite(e.p);
    c.holm_p = if_finite(judgement.holm_p);
  }
  c.estimators_disagree = e.estimators_disagree;
  const bool good = c.verdict == Verdict::not_regressed || c.verdict == Verdict::improved;
  if (!good) c.reasons.emplace_back(to_string(c.verdict));
  if (c.blocks_wanted > 0) c.reasons.emplace_back("more_blocks");
  if (judgement.held_by_holm) c.reasons.emplace_back("holm");
}

Result<void> take_quick(Comparison& c, const Cell& cell, double quantile) {
  const std::vector<double> base = pooled(cell.base.file, 1);
  const std::vector<double> cand = pooled(cell.cand.file, 1);
  if (cell.thetas.size() != 1)
    return fail(ErrorCode::invalid_argument,
                "quick mode compares one block with one; '" + c.metric + "' has " +
                    std::to_string(cell.thetas.size()) + ": leave mode out to judge them all");
  if (std::max(base.size(), cand.size()) > exact_samples_max)
    return fail(
        ErrorCode::invalid_argument,
        "quick mode takes at most " + std::to_string(exact_samples_max) + " samples a block");
  const bool positive = std::ranges::min(base) > 0.0 && std::ranges::min(cand) > 0.0;
  if (!positive) {
    c.verdict = Verdict::incomparable;
    c.differs = {"not_positive"};
    c.reasons = {"incomparable"};
    return {};
  }
  const RatioQuantiles found = exact_bootstrap(c.direction, base, cand, quantile, c.margins.bad);
  c.n_blocks = 1;
  c.ratio = found.middle;
  c.ratio_ci99 = Interval{found.low, found.high};
  c.p_one_sided = found.p;
  c.holm_p = found.p;
  c.verdict = found.low > 1.0 + c.margins.bad   ? Verdict::suspect
              : found.high < 1.0 + c.margins.ok ? Verdict::not_suspect
                                                : Verdict::inconclusive;
  const bool few = std::min(base.size(), cand.size()) < quick_samples_min;
  if (few) c.verdict = Verdict::inconclusive;
  if (c.verdict != Verdict::not_suspect) c.reasons.emplace_back(to_string(c.verdict));
  if (few) c.reasons.emplace_back("few_samples");
  return {};
}

Result<void> resample(Comparison& c, const Cell& cell, const CompareOptions& options) {
  Blocks sides[2];
  for (int which = 0; which < 2; ++which) {
    const SampleFile& file = which == 0 ? cell.base.file : cell.cand.file;
    for (int i = 0; i < c.n_blocks; ++i) {
      SampleFile one;
      one.blocks = {file.blocks[static_cast<std::size_t>(i)]};
      sides[which].push_back(pooled(one, 1));
      if (std::ranges::min(sides[which].back()) <= 0.0) return {};
    }
  }
  Result<BootstrapInput> input =
      bootstrap_input(sides[0], sides[1], options.quantile, options.seed);
  if (!input) return fail(input.error(), c.metric + " " + c.cell);
  CR_TRY(const std::vector<std::uint32_t> picks, options.bootstrap(*input));
  const RatioQuantiles found = bootstrap_quantiles(*input, c.direction, picks, c.margins.bad);
  c.bootstrap_ratio = found.middle;
  c.bootstrap_ci99 = Interval{found.low, found.high};
  return {};
}

}  // namespace

Result<std::vector<Comparison>> compare(const std::vector<Cell>& cells,
                                        const CompareOptions& options) {
  std::vector<Comparison> all;
  std::vector<Paired> paired;
  for (const Cell& cell : cells) {
    all.push_back(described(cell, options));
    if (cell.differs.empty()) paired.push_back({cell.thetas, all.back().margins});
  }
  const std::vector<Judgement> judgements =
      options.quick ? std::vector<Judgement>{} : judge(paired);
  std::size_t judged = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    Comparison& c = all[i];
    if (c.verdict == Verdict::incomparable) continue;
    if (options.quick)
      CR_CHECK(take_quick(c, cells[i], options.quantile));
    else
      take(c, judgements[judged++]);
    if (c.verdict == Verdict::incomparable) continue;
    describe_blocks(c, cells[i]);
    if (!options.quick) confirm_in_cycles(c, cells[i]);
    if (c.confirmed_in_cycles == false) c.reasons.emplace_back("clock");
    if (options.bootstrap && c.n_blocks > 0) CR_CHECK(resample(c, cells[i], options));
  }
  return all;
}

}  // namespace checkride::kernels::statistics

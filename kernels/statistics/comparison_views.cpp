#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstdio>

#include "kernels/statistics/comparison.h"

namespace checkride::kernels::statistics {

namespace json = boost::json;

namespace {

json::value number(const std::optional<double>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::array interval(const std::optional<Interval>& value) {
  return value ? json::array{value->low, value->high} : json::array{};
}

// The first of them: with a file for each of 32 blocks there are 32.
constexpr std::size_t listed_max = 64;

json::array list(const std::vector<std::string>& texts) {
  json::array all;
  for (const std::string& one : texts)
    if (all.size() < listed_max) all.emplace_back(one);
  return all;
}

std::string printed(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string shown(const char* format, const std::optional<double>& value) {
  return value ? printed(format, *value) : "?";
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& one : texts) all += (all.empty() ? "" : ", ") + one;
  return all;
}

std::string verdict_words(const Comparison& c) {
  const std::string margin = " (margin " + printed("%.3g", 100.0 * c.margins.bad) + " %)";
  switch (c.verdict) {
    case Verdict::regressed:
      if (c.confirmed_in_cycles == false)
        return "REGRESSED" + margin + " in time but not in cycles: check the clock and thermals";
      return "REGRESSED" + margin + (c.confirmed_in_cycles ? ", in cycles too" : "");
    case Verdict::improved: return "improved" + margin;
    case Verdict::not_regressed:
      return "not regressed (margin " + printed("%.3g", 100.0 * c.margins.ok) + " %)";
    case Verdict::noisy_environment:
      return "NO VERDICT, blocks differ by " + shown("%.2g", c.theta_sd_pct) +
             " % from each other (limit 2 %): measure on a quieter machine";
    case Verdict::suspect: return "SUSPECT within this run: measure 8 blocks a side";
    case Verdict::not_suspect: return "nothing to see within this run";
    case Verdict::incomparable: return "INCOMPARABLE";
    case Verdict::inconclusive: break;
  }
  if (c.blocks_wanted > 0)
    return "not decided yet: measure up to " + std::to_string(c.blocks_wanted) + " blocks a side";
  return "INCONCLUSIVE: a longer run or a person decides";
}

}  // namespace

const std::string_view comparison_fields =
    "metric: string, unit: string, direction: string, timing_mode: string, cell: string, "
    "shape: string, n_blocks: int, blocks_given: int, blocks_wanted: int, "
    "samples_per_block: int, base_median?: double, cand_median?: double, ratio?: double, "
    "ratio_ci99: list<double>, theta_sd_pct?: double, p_one_sided?: double, holm_p?: double, "
    "hl_ratio?: double, estimators_disagree: bool, cliffs_delta?: double, cycles_ratio?: double, "
    "cycles_ratio_ci99: list<double>, confirmed_in_cycles?: bool, clock_ratio?: double, "
    "bootstrap_ratio?: double, bootstrap_ci99: list<double>, verdict: string, "
    "verdict_reasons: list<string>, differs: list<string>, scope: string, "
    "margins: {bad_pct: double, ok_pct: double}, discarded: int, samples_perf_valid: bool, "
    "base_artifacts: list<string>, cand_artifacts: list<string>, text: string";

json::object to_json(const Comparison& c) {
  json::object object;
  object["metric"] = c.metric;
  object["unit"] = c.unit;
  object["direction"] =
      c.direction == Direction::lower_is_better ? "lower_is_better" : "higher_is_better";
  object["timing_mode"] = c.timing_mode;
  object["cell"] = c.cell;
  object["shape"] = c.shape;
  object["n_blocks"] = c.n_blocks;
  object["blocks_given"] = c.blocks_given;
  object["blocks_wanted"] = c.blocks_wanted;
  object["samples_per_block"] = c.samples_per_block;
  object["base_median"] = number(c.base_median);
  object["cand_median"] = number(c.cand_median);
  object["ratio"] = number(c.ratio);
  object["ratio_ci99"] = interval(c.ratio_ci99);
  object["theta_sd_pct"] = number(c.theta_sd_pct);
  object["p_one_sided"] = number(c.p_one_sided);
  object["holm_p"] = number(c.holm_p);
  object["hl_ratio"] = number(c.hl_ratio);
  object["estimators_disagree"] = c.estimators_disagree;
  object["cliffs_delta"] = number(c.cliffs_delta);
  object["cycles_ratio"] = number(c.cycles_ratio);
  object["cycles_ratio_ci99"] = interval(c.cycles_ratio_ci99);
  object["confirmed_in_cycles"] =
      c.confirmed_in_cycles ? json::value(*c.confirmed_in_cycles) : json::value(nullptr);
  object["clock_ratio"] = number(c.clock_ratio);
  object["bootstrap_ratio"] = number(c.bootstrap_ratio);
  object["bootstrap_ci99"] = interval(c.bootstrap_ci99);
  object["verdict"] = std::string(to_string(c.verdict));
  object["verdict_reasons"] = list(c.reasons);
  object["differs"] = list(c.differs);
  object["scope"] = c.within_run ? "within_run" : "between_runs";
  object["margins"] =
      json::object{{"bad_pct", 100.0 * c.margins.bad}, {"ok_pct", 100.0 * c.margins.ok}};
  object["discarded"] = c.discarded;
  object["samples_perf_valid"] = c.perf_valid;
  object["base_artifacts"] = list(c.base_artifacts);
  object["cand_artifacts"] = list(c.cand_artifacts);
  object["text"] = to_text(c);
  return object;
}

std::string to_text(const Comparison& c) {
  const std::string head = c.metric + (c.cell.empty() ? "" : " " + c.cell) + ": ";
  if (c.verdict == Verdict::incomparable)
    return head + verdict_words(c) + ", the sides differ in " + joined(c.differs);
  std::string text = head + shown("%.4g", c.base_median) + " → " + shown("%.4g", c.cand_median) +
                     ", ratio " + shown("%.3f", c.ratio);
  if (c.ratio_ci99)
    text += ", 99 % CI [" + printed("%.3f", c.ratio_ci99->low) + ", " +
            printed("%.3f", c.ratio_ci99->high) + "]";
  text += ", " + std::to_string(c.n_blocks) + (c.n_blocks == 1 ? " block" : " blocks");
  if (c.p_one_sided)
    text += ", p=" + shown("%.1g", c.p_one_sided) + " (Holm " + shown("%.1g", c.holm_p) + ")";
  return text + ": " + verdict_words(c);
}

}  // namespace checkride::kernels::statistics

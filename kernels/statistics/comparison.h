// The answer about each cell: the verdict of verdict.h and all that a person or a guard needs
// beside it, as numbers, as one object and as one sentence (effect first, then its interval, then
// p).
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernels/statistics/bootstrap.h"
#include "kernels/statistics/cells.h"
#include "kernels/statistics/verdict.h"

namespace checkride::kernels::statistics {

struct Interval {
  double low = 0.0;
  double high = 0.0;
};

struct Comparison {
  std::string metric, unit, cell, timing_mode, shape;
  Direction direction = Direction::lower_is_better;
  Verdict verdict = Verdict::inconclusive;
  std::vector<std::string> reasons;  // the verdict, unless it is a good one, and what adds to it
  std::vector<std::string> differs;  // of an incomparable cell
  bool within_run = false;           // one process a side: nothing is known of other processes
  Margins margins;
  int n_blocks = 0;  // looked at
  int blocks_given = 0;
  int blocks_wanted = 0;       // measure up to this many and ask again; 0: that would not help
  int samples_per_block = 0;   // the fewest finite ones
  std::int64_t discarded = 0;  // by the measurements, and samples that were lost
  bool perf_valid = false;
  bool estimators_disagree = false;
  // A ratio is how many times worse the candidate is, whichever way is better.
  std::optional<double> base_median, cand_median, ratio, theta_sd_pct, p_one_sided, holm_p,
      hl_ratio, cliffs_delta, cycles_ratio, clock_ratio, bootstrap_ratio;
  std::optional<Interval> ratio_ci99, cycles_ratio_ci99, bootstrap_ci99;
  std::optional<bool> confirmed_in_cycles;  // of a regression
  std::vector<std::string> base_artifacts, cand_artifacts;
};

using Picks = std::function<Result<std::vector<std::uint32_t>>(const BootstrapInput&)>;

struct CompareOptions {
  bool quick = false;                      // one block a side, exact bootstrap: suspect or not
  std::map<std::string, Margins> margins;  // by metric; others have the default
  double quantile = 0.5;                   // of the bootstrap
  Picks bootstrap;                         // empty: none is wanted
  std::uint64_t seed = 1;
};
// One for each cell, in its order. Errors: invalid_argument where a bootstrap or quick mode asks
// for more than they can; those of options.bootstrap.
Result<std::vector<Comparison>> compare(const std::vector<Cell>& cells,
                                        const CompareOptions& options);

boost::json::object to_json(const Comparison& comparison);
std::string to_text(const Comparison& comparison);

// The fields of to_json() as a record of the definition language, without braces.
extern const std::string_view comparison_fields;

}  // namespace checkride::kernels::statistics

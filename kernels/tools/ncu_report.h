// What Nsight Compute printed with --csv, read into figures in fixed units. A pure function of the
// text: long format (one row a metric, `--page details` or --metrics) and wide (`--page raw`, with
// a row of units), lines of its own and of the target's in between, thousands separators, scaled
// units, `n/a`, and texts that were cut short.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/tools/ncu_metrics.h"

namespace checkride::kernels::tools {

struct NcuKernel {
  std::string id;  // ncu's number of the launch, with its process
  std::string name;
  std::vector<std::int64_t> grid, block;  // x, y, z; empty where not said
  std::array<std::optional<double>, ncu_fields> values;
  std::optional<double> value(NcuField field) const {
    return values[static_cast<std::size_t>(field)];
  }
};

struct NcuReport {
  std::vector<NcuKernel> kernels;
  std::vector<std::string> missing_metrics;  // names no value was found for, in some kernel
  std::vector<std::string> warnings;
  bool csv_seen = false;
  bool truncated = false;        // the text ends inside a record
  bool counters_denied = false;  // ERR_NVGPUCTRPERM
  bool profiler_failed = false;  // it could not start on this machine (LibraryNotLoaded)
  bool nothing_profiled = false;
  std::optional<int> target_exit;  // where ncu said that the target failed
  std::string error_line;          // the first ==ERROR== line
};
NcuReport read_ncu_report(std::string_view text);

}  // namespace checkride::kernels::tools

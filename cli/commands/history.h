// `checkride history RUN`: the events of a run, one a line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/context.h"

namespace checkride::cli {

struct HistoryOptions {
  std::string run;
  std::vector<std::string> types;  // event names; empty: all
  std::uint64_t from = 1;          // first sequence shown
  std::uint64_t limit = 0;         // at most so many events (with --json: records); 0: no limit
};
int cmd_history(const Context& context, const HistoryOptions& options);

}  // namespace checkride::cli

// What a record brings, as lines for somebody who follows the run: one per thing that happened,
// most events none. `quiet` lines say what the live tree shows anyway.
#pragma once

#include <string>
#include <vector>

#include "cli/render/text.h"
#include "cli/render/view.h"
#include "engine/ports/event_log.h"

namespace checkride::cli {

struct LiveLine {
  std::string mark;
  std::string text;
  bool quiet = false;
};

// `state` is the run's after the record.
std::vector<LiveLine> live_lines(const View& view, const RunState& state, const Record& record,
                                 const Style& style);

}  // namespace checkride::cli

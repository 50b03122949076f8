// What a record brings, as lines for somebody who follows the run: one per thing that happened,
// most events none. `quiet` lines say what the live tree shows anyway.
#pragma once

#include <string>
#include <vector>

#include "cli/render/json.h"
#include "cli/render/text.h"
#include "cli/render/view.h"
#include "engine/ports/event_log.h"

namespace checkride::cli {

struct LiveLine {
  std::string mark;
  std::string text;
  bool quiet = false;
  // What the line is about, for programs: the event's name, its state, and how that ended.
  std::string_view type = {};
  std::string state = {};
  std::string_view verdict = {};
  std::string_view outcome = {};
};

// `state` is the run's after the record.
std::vector<LiveLine> live_lines(const View& view, const RunState& state, const Record& record,
                                 const Style& style);
json::object as_json(const Record& record, const LiveLine& line);

}  // namespace checkride::cli

// A run while it moves, as lines that fit a terminal: title, sections with their states, children
// of `each`, running jobs with their time and last output line, and at the end what waits for a
// person with the command to type. Where there are too few rows, what is over and what is to come
// is told in fewer lines first, then the middle is left out. Pure: state in, lines out (cli/live.h
// draws).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/render/frame.h"
#include "cli/render/tree.h"

namespace checkride::cli {

struct LiveMoment {
  Timestamp now;
  TerminalSize size;
  std::map<Token, std::string> output;  // last line of running jobs, where known
  // The last drawing: not bound to the terminal's rows, and without what waits for a person, which
  // is said in full after it.
  bool last = false;
};

// Lines are not clipped; Frame does that.
std::vector<std::string> live_tree(const RunTree& tree, const LiveMoment& moment,
                                   const Style& style);

}  // namespace checkride::cli

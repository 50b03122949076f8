// A run while it is followed. On a terminal: its tree, drawn again in place about ten times a
// second at most, with what the tree cannot show scrolling above it. Elsewhere, and with --json,
// one line per thing that happened. It reads the log; it is told which runs moved. One object lives
// as long as the following, whichever process drives the run meanwhile.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "cli/context.h"
#include "cli/render/frame.h"
#include "cli/render/live_line.h"
#include "cli/render/tree.h"

namespace checkride::cli {

class LiveView {
 public:
  LiveView(const Context& context, RunId root);

  // What is in the log so far was seen before. Only before anything was shown.
  void skip_to_end(const LogReader& log);
  void begin(const LogReader& log);
  void moved(const LogReader& log, const RunId& run);
  // Whether tick() wants to be called, every 100 ms or so: time passes in a tree, not in lines.
  bool ticks() const { return draws_; }
  void tick();
  // The last words: how it ended, or what it waits for and what to type.
  void finish(const LogReader& log);

 private:
  RunTree* find(const RunId& run);
  // The run's place in the tree, made where there is none yet; null while the log lacks it.
  RunTree* place(const LogReader& log, const RunId& run);
  void evolve_with(RunTree& run, const Record& record);
  void mask_again();
  void line(const RunTree& run, const Record& record, const LiveLine& shown);
  void draw(bool last);
  std::map<Token, std::string> outputs();

  const Context& context_;
  RunId root_;
  const bool draws_;
  const Style style_;
  std::optional<RunTree> tree_;
  Frame frame_;
  std::string above_;  // lines that wait for the next drawing
  bool changed_ = false;
  std::chrono::steady_clock::time_point drawn_{};
};

}  // namespace checkride::cli

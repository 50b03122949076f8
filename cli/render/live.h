// The live view of a run while it is followed: one line per thing that happened, with colours on a
// terminal. With --json each line is one JSON object. It reads the log; it is told which runs moved.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "cli/context.h"

namespace checkride::cli {

class LiveView {
 public:
  LiveView(const Context& context, RunId root);

  // What is in the log so far was seen before.
  void skip_to_end(const LogReader& log);
  void begin(const LogReader& log);
  void moved(const LogReader& log, const RunId& run);
  // The last words: how it ended, or what it waits for and what to type.
  void finish(const LogReader& log);

 private:
  struct Seen {
    RunState state;
    std::shared_ptr<const Definition> definition;
  };
  Seen* seen(const LogReader& log, const RunId& run);
  void show(const Seen& seen, const Record& record);
  void line(const Seen& seen, Timestamp time, std::string_view mark, const std::string& text);

  const Context& context_;
  RunId root_;
  std::map<RunId, std::unique_ptr<Seen>> runs_;
};

}  // namespace checkride::cli

// Runs a command and watches it: what it prints, how long it takes, how much memory it and its
// descendants hold, how it ends. The command shares the caller's process group, so that whoever
// ends the caller's group ends it too; what it started and left behind is ended with it. One at a
// time in a process, which is taken to have no other children.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace checkride::kernels::process {

struct ChildOptions {
  std::vector<std::string> argv;           // the program is looked for in PATH
  std::map<std::string, std::string> env;  // added to the caller's
  std::filesystem::path folder;            // to run in; empty: the caller's
  std::chrono::milliseconds timeout{3'600'000};
  std::chrono::milliseconds grace{2000};  // between SIGTERM and SIGKILL
  // Standard output and standard error as they come, seconds since the start.
  std::function<void(std::string_view, double)> on_output;
  // Called about every 100 ms with the processes of the command.
  std::function<void(const std::set<int>&)> on_tick;
};

struct ChildEnd {
  int exit_code = 0;  // 128 + signal for one that was killed
  int signal = 0;     // 0: it ended by itself
  bool timed_out = false;
  double wall_s = 0.0;
  double cpu_s = 0.0;                // user and system, of it and the children it waited for
  std::uint64_t peak_rss_bytes = 0;  // the most at one moment, of it and its descendants together
};

// Errors: invalid_argument (no argv), unavailable (no such program, or one that cannot be run), io.
Result<ChildEnd> run_child(const ChildOptions& options);

}  // namespace checkride::kernels::process

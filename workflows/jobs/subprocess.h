// Runs a program to its end and collects what it prints. For kinds that need a program's answer
// inside their own process (git, tar, python); it blocks and enforces no time limit: the attempt's
// supervisor does, and ends the whole process group.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/result.h"

namespace checkride::jobs {

struct ProcessRequest {
  std::vector<std::string> argv;                         // argv[0] is looked up in PATH
  std::vector<std::pair<std::string, std::string>> env;  // set over the inherited environment
  std::vector<std::string> env_removed;                  // names taken out of it
  std::filesystem::path folder;                          // empty: the current one
  std::string input;
  std::optional<std::filesystem::path> output_file;  // standard output goes there, unbounded
  std::size_t output_bytes_max = 64ULL << 20;        // kept per stream; the rest is dropped
};

struct ProcessReply {
  int exit_code = -1;  // -1 when a signal ended it
  int signal = 0;
  std::string out;
  std::string err;
  bool truncated = false;  // more was printed than was kept
};

// Errors: unavailable when the program is not installed, io when it cannot be started.
Result<ProcessReply> run_process(const ProcessRequest& request);

}  // namespace checkride::jobs

// Runs a program of others and waits for its end: what it printed, bounded, and how it ended. The
// program and all it started are in a process group of their own, which ends with this call, at the
// time limit, and when this process is killed: nothing is left behind.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "kernels/job/job.h"

namespace checkride::kernels::tools {

struct ChildCommand {
  std::vector<std::string> words;  // the program (a path, or a name on PATH) and its arguments
  std::chrono::milliseconds timeout{120000};
  std::size_t output_bytes_max = 16u << 20;
};

struct ChildEnd {
  std::string output;  // standard output and error together, the first bytes of it
  bool truncated = false;
  bool timed_out = false;
  int exit_code = 0;  // where signal is 0
  int signal = 0;
};
// Errors: not_found where there is no such program, io.
Result<ChildEnd> run_child(const ChildCommand& command);

// A tool of the CUDA toolkit: on PATH, or in /usr/local/cuda/bin. Error: unavailable.
Result<std::filesystem::path> find_tool(std::string_view name);

// The input `command` of a job. Its first word `checkride` is this program, wherever it lies, so
// that a job's own kernels can be looked at. invalid_argument: it is empty.
Result<std::vector<std::string>> target_of(const json::object& inputs);

}  // namespace checkride::kernels::tools

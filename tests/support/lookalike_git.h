// Programs as the look-alike starts them: a fixed environment in which no configuration of the
// machine or the user reaches git, one author, one date, UTC. Standard output and error together.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace checkride::lookalike {

struct ProgramEnd {
  int exit_code = -1;  // 128 + signal when killed by one
  std::string output;  // standard output and standard error as they came
};

// Runs `argv` in `folder` with `input` as its standard input; an error only where it could not be
// started. Blocks until the program ends.
Result<ProgramEnd> run_program(const std::filesystem::path& folder,
                               const std::vector<std::string>& argv, std::string_view input = {});

// git with arguments; an error names the command and its output where git exits other than 0.
// Returns the output without its last newline.
Result<std::string> git(const std::filesystem::path& folder, std::vector<std::string> arguments,
                        std::string_view input = {});

}  // namespace checkride::lookalike

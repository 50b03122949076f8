// Asks an installed program a short question ("git --version") and gives up after a while: a driver
// tool that hangs must not hang the question whether the machine is fit.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace checkride::cli {

struct ProgramReply {
  int exit_code = -1;  // -1: ended by a signal
  std::string output;  // standard output, the first 4 KiB
};
// argv[0] is looked up in PATH; standard error is thrown away. unavailable: not installed; timeout:
// no answer in time, and it was killed.
Result<ProgramReply> ask_program(const std::vector<std::string>& argv,
                                 std::chrono::milliseconds patience);

}  // namespace checkride::cli

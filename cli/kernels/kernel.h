// `checkride kernel list` and `checkride kernel run NAME`: the GPU jobs by hand.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"

namespace checkride::cli {

struct KernelListOptions {
  std::string name;  // empty: all of them, a line each
};
// What jobs there are, or what one of them takes and gives.
int cmd_kernel_list(const Context& context, const KernelListOptions& options);

struct KernelRunOptions {
  std::string name;
  std::vector<std::string> params;  // "m=4096"
  std::string inputs;               // a file with a JSON object, or - for standard input
  std::string folder = ".";         // for artifacts; made where it is missing
  std::optional<long> timeout_s;    // 0: none; left out: the job's own
  bool report_is_all = false;       // exit code 0 whatever the report says
  bool in_process = false;          // no process of its own, and no timeout
};
// Exit code 0 for pass alone; 1 for every other status, 2 for inputs that do not fit
// or make no sense.
int cmd_kernel_run(const Context& context, const KernelRunOptions& options);

}  // namespace checkride::cli

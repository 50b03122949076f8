// `checkride lint NAME-or-FILE...`: what is wrong with a definition, with line and column.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"

namespace checkride::cli {

struct LintOptions {
  std::vector<std::string> sources;  // shipped names or paths
};
// exit_usage when a definition has an error; warnings alone are fine.
int cmd_lint(const Context& context, const LintOptions& options);

}  // namespace checkride::cli

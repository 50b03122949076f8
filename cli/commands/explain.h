// `checkride explain NAME-or-FILE`: the procedure in prose, as Markdown.
#pragma once

#include <string>

#include "cli/context.h"

namespace checkride::cli {

struct ExplainOptions {
  std::string source;  // shipped name or path
};
int cmd_explain(const Context& context, const ExplainOptions& options);

}  // namespace checkride::cli

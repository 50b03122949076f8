// `checkride graph NAME-or-FILE`: the definition as a Mermaid diagram.
#pragma once

#include <string>

#include "cli/context.h"

namespace checkride::cli {

struct GraphOptions {
  std::string source;  // shipped name or path
};
int cmd_graph(const Context& context, const GraphOptions& options);

}  // namespace checkride::cli

// `checkride graph NAME-or-FILE`: the definition as a picture.
#pragma once

#include <string>

#include "cli/context.h"

namespace checkride::cli {

struct GraphOptions {
  std::string source;              // shipped name or path
  std::string format = "mermaid";  // mermaid, dot or svg
  // DOT and SVG: this machine of the document alone; the workflow's own name: without its machines.
  std::string machine{};
  std::string dot = "dot";  // the program that makes SVG of DOT
};
// SVG needs Graphviz: exit_failed, with a sentence, where it is not installed.
int cmd_graph(const Context& context, const GraphOptions& options);

}  // namespace checkride::cli

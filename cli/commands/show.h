// `checkride show RUN[@N]`: the full state of a run after any event.
#pragma once

#include <string>

#include "cli/context.h"

namespace checkride::cli {

struct ShowOptions {
  std::string target;  // "RUN" or "RUN@57"
};
int cmd_show(const Context& context, const ShowOptions& options);

}  // namespace checkride::cli

// --detach: a process of its own session that owns the store and drives the run until nothing can move.
#pragma once

#include "cli/context.h"

namespace checkride::cli {

int continue_in_background(const Context& context, const RunId& run);

}  // namespace checkride::cli

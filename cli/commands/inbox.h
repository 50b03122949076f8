// `checkride inbox`: every open gate and incident of every run, with the commands that answer them.
#pragma once

#include "cli/context.h"

namespace checkride::cli {

struct InboxOptions {};
// exit_waiting when something is open, so that scripts can ask.
int cmd_inbox(const Context& context, const InboxOptions& options);

}  // namespace checkride::cli

// `checkride ls`: all runs, what each is doing and what it waits for.
#pragma once

#include "cli/context.h"
#include "cli/render/status.h"

namespace checkride::cli {

struct LsOptions {
  bool all = false;  // child runs too
  Driven driven;     // main's knowledge of the store's owner; may be empty
};
int cmd_ls(const Context& context, const LsOptions& options);

}  // namespace checkride::cli

// `checkride status [RUN]`: where a run stands: its checklist, what is active, what it asks.
// Without a run: a short overview of all.
#pragma once

#include <optional>
#include <string>

#include "cli/context.h"
#include "cli/render/status.h"

namespace checkride::cli {

struct StatusOptions {
  std::optional<std::string> run;
  Driven driven;  // main's knowledge of the store's owner; may be empty
};
int cmd_status(const Context& context, const StatusOptions& options);

}  // namespace checkride::cli

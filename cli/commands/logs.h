// `checkride logs RUN [STATE]`: what the attempts of a run and its children printed.
#pragma once

#include <cstdint>
#include <string>

#include "cli/commands/logs_follow.h"
#include "cli/render/status.h"

namespace checkride::cli {

struct LogsOptions {
  std::string run;
  std::string state;             // empty: every state
  std::uint64_t tail_bytes = 0;  // of each stream; 0: whole (with --json: the last 64 KiB)
  bool last = false;             // the last attempt of each state only
  bool follow = false;           // only what runs now and begins after, until the run ends or waits
  // For `follow`; `hooks.find` is made here.
  FollowHooks hooks = {};
  Driven driven = {};
};
int cmd_logs(const Context& context, const LogsOptions& options);

}  // namespace checkride::cli

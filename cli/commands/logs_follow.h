// `checkride logs -f`: what running attempts print, as they print it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/render/view.h"
#include "engine/ports/job_runner.h"

namespace checkride::cli {

struct FollowedAttempt {
  Token token;
  RunId run;
  std::string state;
  std::string heading;  // one line
  std::filesystem::path folder;
  Mask mask;
};

struct FollowHooks {
  // What became of an attempt; looked at before each read, so that nothing printed is missed.
  std::function<AttemptTrace(const Token&)> look;
  std::function<bool()> interrupted;
};

// Prints each attempt's streams, from their last `tail_bytes` (0: from their beginning), until all
// have ended: exit_ok, or exit_interrupted. With --json one object per piece of output. Output
// beyond a stream's bound (`output_max`) is not followed. Needs no store, so none is kept open.
int follow_output(const Context& context, std::vector<FollowedAttempt> attempts,
                  std::uint64_t tail_bytes, const FollowHooks& hooks);

}  // namespace checkride::cli

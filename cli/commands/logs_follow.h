// `checkride logs -f`: what running attempts print, as they print it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/render/view.h"
#include "engine/base/result.h"
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

struct ToFollow {
  std::vector<FollowedAttempt> attempts;  // that run now
  bool more = false;                      // whether others may begin without a person
};

struct FollowHooks {
  // What became of an attempt; looked at before each read, so that nothing printed is missed.
  std::function<AttemptTrace(const Token&)> look;
  std::function<bool()> interrupted;
  // What runs by now, asked again and again; an attempt named twice is followed once.
  std::function<Result<ToFollow>()> find;
};

// Prints each attempt's streams, the first ones' from their last `tail_bytes` (0: from their
// beginning), until all have ended and no more may begin: exit_ok, or exit_interrupted. With --json
// one object per piece of output. Output beyond a stream's bound (`output_max`) is not followed.
// Keeps no store open. Errors: those of `find`.
Result<int> follow_output(const Context& context, ToFollow now, std::uint64_t tail_bytes,
                          const FollowHooks& hooks);

}  // namespace checkride::cli

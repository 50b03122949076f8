// `checkride verify [RUN] [--head HASH]`: chain, checksums, sequences, snapshots and artifacts,
// with figures; and whether a chain hash that somebody wrote down is in the run's chain.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/context.h"

namespace checkride::cli {

struct VerifyOptions {
  std::optional<std::string> run;   // its children too; absent: the whole store
  std::optional<std::string> head;  // 64 hexadecimal digits, or the first 8 and more; needs `run`
  // The store's own check, from main.
  std::function<Result<VerifyReport>(std::optional<RunId>)> verify;
};
// exit_engine with any problem.
int cmd_verify(const Context& context, const VerifyOptions& options);

}  // namespace checkride::cli

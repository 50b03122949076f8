// What the acting verbs share: take the store if it is free, else send the command to its owner; then
// follow the run until nothing can move without a person. An owner that leaves or dies is replaced by
// one of its followers; the command keeps its id, so it is never carried out twice.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/context.h"
#include "cli/definitions.h"
#include "engine/decider/command.h"

namespace checkride::cli {

struct Act {
  RunId root;                               // the tree to follow afterwards
  RunId target;                             // the run the command is for; a child's id, maybe
  std::optional<CommandBody> body;          // absent: only follow (resume)
  std::string claimed;                      // --as NAME
  std::shared_ptr<const Definition> definition;  // stored first, for StartRun
  bool follow = true;
  // Called once, before following, with the store open for writing and this process its owner.
  std::function<void(LogReader&, JobRunner&)> before_following;
};
int act(const Context& context, const Act& act);

// The exit code of a run as it stands: 0, 1, or 3 where it waits for a person.
int exit_code_of(const LogReader& log, const RunId& root);

// The head of a run, by its id or a unique beginning of it; not_found with a hint.
Result<RunHead> find_head(const LogReader& log, const std::string& run);

}  // namespace checkride::cli

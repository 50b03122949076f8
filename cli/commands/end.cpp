// cancel and rollback: the two ways a person ends a run.
#include <unistd.h>

#include <iostream>

#include "cli/acting.h"
#include "cli/commands/acting.h"

namespace checkride::cli {

namespace {

int end_run(const Context& context, const EndOptions& options, CommandBody body) {
  Act todo;
  {
    const auto log = context.open_reader();
    if (!log) return report_error(context, log.error());
    const auto head = find_head(**log, options.run);
    if (!head) return report_error(context, head.error());
    todo.root = head->summary.root;
    todo.target = head->run;
  }
  todo.body = std::move(body);
  todo.claimed = options.claimed;
  return act(context, todo);
}

}  // namespace

int cmd_cancel(const Context& context, const EndOptions& options) {
  return end_run(context, options, CancelRun{options.why});
}

int cmd_rollback(const Context& context, const EndOptions& options) {
  if (!options.yes) {
    if (::isatty(STDIN_FILENO) == 0)
      return report_error(context,
                          Error{ErrorCode::invalid_argument,
                                "rolling back undoes what the run did; add --yes to confirm", {}});
    context.out << "Roll back " << options.run
                << "? Its worktree and branch are removed, the failed work is kept. [y/N] "
                << std::flush;
    std::string answer;
    if (!std::getline(std::cin, answer) || (answer != "y" && answer != "yes")) {
      context.out << "nothing was changed\n";
      return exit_failed;
    }
  }
  return end_run(context, options, RollbackRun{options.why});
}

}  // namespace checkride::cli

// signal: tells a run something from outside.
#include "cli/acting.h"
#include "cli/commands/acting.h"
#include "cli/parameters.h"

namespace checkride::cli {

namespace {

// JSON has no durations and one sort of number; the declared type says what is meant.
Result<cel::Value> data_of(const Context& context, const LogReader& log, const RunHead& head,
                           const SignalOptions& options) {
  if (options.data.empty()) return cel::Value();
  auto parsed = cel::from_json(options.data);
  if (!parsed) return fail(parsed.error(), "--data is no JSON");
  const auto definition = context.definition(log, head.summary.definition);
  if (!definition) return tl::unexpected(definition.error());
  const MessageSpec* spec = (*definition)->message(options.name);
  if (spec == nullptr) return parsed;  // the run says which there are
  return fit(*parsed, spec->type);
}

}  // namespace

int cmd_signal(const Context& context, const SignalOptions& options) {
  Act todo;
  SignalRun signal;
  signal.name = options.name;
  signal.reason = options.why;
  {
    const auto log = context.open_reader();
    if (!log) return report_error(context, log.error());
    const auto head = find_head(**log, options.run);
    if (!head) return report_error(context, head.error());
    todo.root = head->summary.root;
    todo.target = head->run;
    auto data = data_of(context, **log, *head, options);
    if (!data) return report_error(context, data.error());
    signal.data = *std::move(data);
  }
  todo.body = std::move(signal);
  todo.claimed = options.claimed;
  return act(context, todo);
}

int cmd_pause(const Context& context, const EndOptions& options) {
  Act todo;
  {
    const auto log = context.open_reader();
    if (!log) return report_error(context, log.error());
    const auto head = find_head(**log, options.run);
    if (!head) return report_error(context, head.error());
    todo.root = head->summary.root;
    todo.target = head->run;
  }
  todo.body = PauseRun{options.why, false};
  todo.claimed = options.claimed;
  todo.follow = false;  // running jobs go on by themselves
  return act(context, todo);
}

}  // namespace checkride::cli

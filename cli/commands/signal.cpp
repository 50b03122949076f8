// signal: tells a run something from outside.
#include <map>

#include "cli/acting.h"
#include "cli/commands/acting.h"
#include "cli/parameters.h"

namespace checkride::cli {

namespace {

// The run that the message is for: the one named where its workflow declares it, else the one live
// run below it whose workflow does (a verb on a run means its tree). Where none declares it the run
// named answers, which says what there is.
Result<RunHead> receiver(const Context& context, const LogReader& log, const RunHead& named,
                         const std::string& message) {
  const auto declares = [&](const RunHead& head) -> Result<bool> {
    CR_TRY(const auto definition, context.definition(log, head.summary.definition));
    return definition->message(message) != nullptr;
  };
  CR_TRY(const bool own, declares(named));
  if (own) return named;
  CR_TRY(const std::vector<RunHead> heads, log.heads());
  std::map<RunId, const RunHead*> tree;
  for (const RunHead& head : heads)
    if (head.summary.root == named.summary.root) tree[head.run] = &head;
  const auto below_named = [&](const RunHead& head) {
    const RunHead* at = &head;
    for (std::size_t steps = 0; steps < tree.size() && at->summary.parent; ++steps) {
      if (at->summary.parent->run == named.run) return true;
      const auto parent = tree.find(at->summary.parent->run);
      if (parent == tree.end()) return false;
      at = parent->second;
    }
    return false;
  };
  std::vector<const RunHead*> able;
  for (const auto& [run, head] : tree) {
    if (head->summary.mode == RunMode::finished || !below_named(*head)) continue;
    CR_TRY(const bool listens, declares(*head));
    if (listens) able.push_back(head);
  }
  if (able.empty()) return named;
  if (able.size() == 1) return *able.front();
  std::string all;
  constexpr std::size_t shown_max = 6;
  for (std::size_t i = 0; i < able.size() && i < shown_max; ++i)
    all += (all.empty() ? "" : ", ") + able[i]->run.value + " (" +
           able[i]->summary.definition_name + ")";
  if (able.size() > shown_max) all += " and " + std::to_string(able.size() - shown_max) + " more";
  return fail(ErrorCode::invalid_argument, "several runs below '" + named.run.value +
                                               "' take the message '" + message +
                                               "'; name the one it is for: " + all);
}

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
    const auto named = find_head(**log, options.run);
    if (!named) return report_error(context, named.error());
    const auto head = receiver(context, **log, *named, options.name);
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

#include <map>

#include "cli/acting.h"
#include "cli/commands/acting.h"

namespace checkride::cli {

namespace {

struct OpenGate {
  RunId run;
  Token token;
  GateRecord gate;
  std::string state;
};

// Those of the run and of its children.
Result<std::vector<OpenGate>> open_gates(const Context& context, const LogReader& log,
                                         const RunHead& asked) {
  CR_TRY(const std::vector<RunHead> heads, log.heads());
  std::vector<OpenGate> gates;
  for (const RunHead& head : heads) {
    const bool below = asked.summary.parent ? head.run == asked.run ||
                                                  head.run.value.starts_with(asked.run.value + ".")
                                            : head.summary.root == asked.run;
    if (!below || head.summary.gates == 0) continue;
    CR_TRY(const RunState state, load_state(log, head.run));
    CR_TRY(const auto definition, context.definition(log, head.summary.definition));
    for (const auto& [token, gate] : state.gates)
      gates.push_back(OpenGate{head.run, token, gate, definition->chart.state(gate.state).id});
  }
  return gates;
}

Result<OpenGate> choose(const std::vector<OpenGate>& gates, const AnswerOptions& options) {
  std::vector<OpenGate> meant;
  std::map<std::string, std::size_t> named;
  for (const OpenGate& gate : gates) {
    ++named[gate.state];
    if (options.gate.empty() || options.gate == gate.state || options.gate == gate.token.value)
      meant.push_back(gate);
  }
  if (meant.size() == 1) return meant.front();
  if (gates.empty())
    return fail(ErrorCode::not_found, "no gate of run '" + options.run + "' is open");
  // Gates of one name in several children are told apart by their tokens, as `inbox` does.
  std::string names;
  for (const OpenGate& gate : meant.empty() ? gates : meant)
    names += (names.empty() ? "" : ", ") +
             (named[gate.state] > 1 ? gate.token.value + " (" + gate.state + ")" : gate.state);
  return fail(ErrorCode::not_found,
              meant.empty() ? "no gate '" + options.gate + "' is open; there is " + names
                            : "several gates are open; name one of " + names);
}

}  // namespace

int cmd_answer(const Context& context, const AnswerOptions& options) {
  Act todo;
  {
    const auto log = context.open_reader();
    if (!log) return report_error(context, log.error());
    const auto head = find_head(**log, options.run);
    if (!head) return report_error(context, head.error());
    const auto gates = open_gates(context, **log, *head);
    if (!gates) return report_error(context, gates.error());
    const auto chosen = choose(*gates, options);
    if (!chosen) return report_error(context, chosen.error());
    AnswerGate answer;
    answer.gate = chosen->token;
    answer.seen = chosen->gate.opened_at;
    answer.decision = options.decision;
    answer.reason = options.why;
    todo.root = head->summary.root;
    todo.target = chosen->run;
    todo.body = std::move(answer);
  }
  todo.claimed = options.claimed;
  return act(context, todo);
}

}  // namespace checkride::cli

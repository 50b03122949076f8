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

Result<std::vector<OpenGate>> open_gates(const Context& context, const LogReader& log,
                                         const RunId& root) {
  CR_TRY(const std::vector<RunHead> heads, log.heads());
  std::vector<OpenGate> gates;
  for (const RunHead& head : heads) {
    if (head.summary.root != root || head.summary.gates == 0) continue;
    CR_TRY(const RunState state, load_state(log, head.run));
    CR_TRY(const auto definition, context.definition(log, head.summary.definition));
    for (const auto& [token, gate] : state.gates)
      gates.push_back(OpenGate{head.run, token, gate, definition->chart.state(gate.state).id});
  }
  return gates;
}

}  // namespace

int cmd_answer(const Context& context, const AnswerOptions& options) {
  Act todo;
  {
    const auto log = context.open_reader();
    if (!log) return report_error(context, log.error());
    const auto head = find_head(**log, options.run);
    if (!head) return report_error(context, head.error());
    const auto gates = open_gates(context, **log, head->summary.root);
    if (!gates) return report_error(context, gates.error());
    const OpenGate* chosen = nullptr;
    std::string names;
    for (const OpenGate& gate : *gates) {
      names += (names.empty() ? "" : ", ") + gate.state;
      if (options.gate.empty() ? gates->size() == 1
                               : options.gate == gate.state || options.gate == gate.token.value)
        chosen = &gate;
    }
    if (chosen == nullptr)
      return report_error(
          context,
          Error{ErrorCode::not_found,
                gates->empty()         ? "no gate of run '" + options.run + "' is open"
                : options.gate.empty() ? "several gates are open; name one of " + names
                                       : "no gate '" + options.gate + "' is open; there is " + names,
                {}});
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

#include <ostream>

#include "cli/acting.h"
#include "cli/commands/acting.h"
#include "cli/render/json.h"
#include "cli/render/text.h"
#include "cli/render/view.h"

namespace checkride::cli {

namespace {

std::string plan_of(const JobRecord& job, AttemptTrace trace) {
  if (job.phase == JobPhase::cancelling) return "stop it: its state was left";
  switch (trace) {
    case AttemptTrace::running: return "adopt it: it is still running";
    case AttemptTrace::finished: return "keep its result: it finished meanwhile";
    case AttemptTrace::absent:
    case AttemptTrace::voided: return "start it: it never began";
    case AttemptTrace::lost:
      return "it is gone without a result: its kind's rule decides (rerun, probe or ask)";
    case AttemptTrace::unknown: return "ask: whether it still runs cannot be told";
  }
  return "ask";
}

// What resuming will do, job by job, before it does it.
void print_plan(const Context& context, const LogReader& log, const JobRunner& runner,
                const RunId& root) {
  const auto heads = log.heads();
  if (!heads) return;
  std::size_t kept = 0;
  std::vector<std::string> lines;
  for (const RunHead& head : *heads) {
    if (head.summary.root != root) continue;
    const auto state = load_state(log, head.run);
    if (!state) continue;
    kept += state->results.size();
    if (state->finished()) continue;
    for (const auto& [token, job] : state->jobs) {
      if (job.intent->performer == JobSignature::Performer::machine) continue;
      lines.push_back(job.intent->spec.state + " (" + job.intent->spec.kind + ", " + token.value +
                      "): " + plan_of(job, runner.look(token)));
    }
    for (const auto& [id, incident] : state->incidents)
      lines.push_back("incident " + id.value + " stays open: " + clean(incident.message));
    for (const auto& [token, gate] : state->gates)
      lines.push_back("gate stays open: " + clean(gate.question));
  }
  if (context.json) {
    context.out << document(json::object{{"run", root.value},
                                         {"type", "plan"},
                                         {"kept", kept},
                                         {"plan", json::array(lines.begin(), lines.end())}});
    return;
  }
  context.out << "Resuming " << root.value << ": " << counted(kept, "result") << " kept\n";
  for (const std::string& line : lines) context.out << wrapped(line, "  - ", "    ");
}

}  // namespace

int cmd_resume(const Context& context, const ResumeOptions& options) {
  RunId root;
  std::optional<RunId> paused;
  {
    const auto log = context.open_reader();
    if (!log) return report_error(context, log.error());
    const auto head = find_head(**log, options.run);
    if (!head) return report_error(context, head.error());
    root = head->summary.root;
    const auto top = (*log)->head(root);
    if (head->summary.paused)
      paused = head->run;
    else if (top && *top && (*top)->summary.paused)
      paused = root;
    if (top && *top && (*top)->summary.mode == RunMode::finished) {
      if (context.json)
        context.out << document(json::object{
            {"run", root.value}, {"outcome", to_string((*top)->summary.outcome)}, {"ended", true}});
      else
        context.out << root.value << " has ended " << to_string((*top)->summary.outcome) << "\n";
      return exit_code_of(**log, root);
    }
  }
  Act todo;
  todo.root = root;
  todo.target = paused.value_or(root);
  if (paused) todo.body = ResumeRun{options.why, false};
  todo.claimed = options.claimed;
  todo.before_following = [&](LogReader& log, JobRunner& runner) {
    print_plan(context, log, runner, root);
  };
  return act(context, todo);
}

}  // namespace checkride::cli

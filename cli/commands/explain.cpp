#include "cli/commands/explain.h"

#include <ostream>

#include "cli/commands/documents.h"
#include "cli/render/json.h"
#include "workflows/views/explain.h"

namespace checkride::cli {
namespace {

json::object step_json(const ExplainedStep& step) {
  json::array outcomes;
  for (const ExplainedOutcome& outcome : step.outcomes) {
    json::object object{{"when", outcome.when}};
    if (!outcome.guard.empty()) object["guard"] = outcome.guard;
    object["then"] = outcome.then;
    object["targets"] = as_json(outcome.targets);
    if (!outcome.verdict.empty()) object["verdict"] = outcome.verdict;
    if (!outcome.note.empty()) object["note"] = outcome.note;
    outcomes.push_back(std::move(object));
  }
  json::object object{{"number", step.number}};
  if (!step.id.empty()) object["state"] = step.id;
  if (!step.title.empty()) object["title"] = step.title;
  if (!step.section.empty()) object["section"] = step.section;
  object["text"] = as_json(step.sentences);
  if (!step.question.empty()) object["question"] = step.question;
  if (!step.script.empty()) object["script"] = step.script;
  object["outcomes"] = std::move(outcomes);
  return object;
}

}  // namespace

int cmd_explain(const Context& context, const ExplainOptions& options) {
  const auto definition = load_document(context, options.source);
  if (!definition) return definition.error();
  const Explanation explanation = explain(**definition);
  if (!context.json) {
    context.out << to_markdown(explanation);
    return exit_ok;
  }
  json::array machines;
  for (const ExplainedMachine& machine : explanation.machines) {
    json::array steps;
    for (const ExplainedStep& step : machine.steps) steps.push_back(step_json(step));
    machines.push_back(json::object{{"name", machine.name},
                                    {"title", machine.title},
                                    {"params", as_json(machine.params)},
                                    {"steps", std::move(steps)},
                                    {"endings", as_json(machine.endings)}});
  }
  context.out << document(json::object{{"workflow", (*definition)->name},
                                       {"omits", as_json(explanation.omits)},
                                       {"machines", std::move(machines)}});
  return exit_ok;
}

}  // namespace checkride::cli

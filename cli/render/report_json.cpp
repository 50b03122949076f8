// The report for programs: the same facts as the Markdown form, one object per run.
#include "cli/render/json_events.h"
#include "cli/render/report.h"

namespace checkride::cli {

namespace {

json::object attempt_json(const View& view, const AttemptEvidence& attempt) {
  json::object object{{"token", attempt.token.value},
                      {"kind", attempt.kind},
                      {"purpose", to_string(attempt.purpose)},
                      {"attempt", attempt.attempt},
                      {"intended_at", attempt.intended_at.value}};
  if (!attempt.outcome) return object;
  object["ended_at"] = attempt.ended_at.value;
  object["status"] = to_string(attempt.outcome->status);
  object["failure"] = to_string(attempt.outcome->failure);
  object["completed"] = attempt.outcome->completed;
  object["stale"] = attempt.stale;
  object["message"] = view.text(attempt.outcome->message);
  if (!attempt.outcome->never_started)
    object["seconds"] = seconds(attempt.outcome->ended - attempt.outcome->started);
  if (attempt.outcome->exit_code) object["exit_code"] = *attempt.outcome->exit_code;
  json::array artifacts;
  for (const Artifact& artifact : attempt.outcome->artifacts)
    artifacts.push_back(json::object{
        {"name", artifact.name}, {"digest", as_json(artifact.digest)}, {"bytes", artifact.bytes}});
  object["artifacts"] = std::move(artifacts);
  return object;
}

json::object answer_json(const View& view, const AnswerEvidence& answer) {
  json::object object{{"gate", answer.gate.value},
                      {"question", view.text(answer.question)},
                      {"opened_at", answer.opened_at.value},
                      {"decision", answer.decision}};
  if (answer.answered_at.value == 0) return object;
  object["answered_at"] = answer.answered_at.value;
  object["actor"] = as_json(answer.actor);
  object["time"] = as_json(answer.time);
  object["reason"] = view.text(answer.reason);
  return object;
}

json::object run_json(const RunTree& run, const TreeEvidence& all) {
  static const RunEvidence none;
  const auto found = all.find(run.state.run);
  const RunEvidence& evidence = found == all.end() ? none : found->second;
  const RunState& state = run.state;
  json::object object{{"run", state.run.value},
                      {"title", run_title(run.view, state)},
                      {"workflow", state.start.definition_name},
                      {"definition", as_json(state.start.definition)},
                      {"verdict", verdict_line(run)},
                      {"mode", to_string(state.mode)},
                      {"outcome", to_string(state.outcome)},
                      {"outcome_reason", run.view.text(state.outcome_reason)},
                      {"author", as_json(state.author)},
                      {"started", as_json(state.started)},
                      {"updated", as_json(state.updated)},
                      {"params", as_json(cel::Value(run.view.params(state.params)))},
                      {"output", as_json(run.view, state.output)},
                      {"last", run.head.last.value},
                      {"chain", as_json(run.head.chain)}};
  if (state.finished()) object["ended"] = as_json(run.ended);
  if (run.intent != nullptr) {
    object["parent"] = run.intent->spec.run.value;
    object["parent_state"] = run.intent->spec.state;
    object["item"] = run.intent->item;
    object["label"] = run.label;
  }
  json::array sections;
  for (const ChecklistSection& section : checklist(run)) {
    json::array lines;
    for (const ChecklistLine& line : section.lines) {
      json::object item = as_json(run.view, line);
      json::array attempts;
      if (const auto known = evidence.attempts.find(line.state); known != evidence.attempts.end())
        for (const AttemptEvidence& attempt : known->second)
          attempts.push_back(attempt_json(run.view, attempt));
      item["attempts"] = std::move(attempts);
      json::array answers;
      if (const auto known = evidence.answers.find(line.state); known != evidence.answers.end())
        for (const AnswerEvidence& answer : known->second)
          answers.push_back(answer_json(run.view, answer));
      item["answers"] = std::move(answers);
      lines.push_back(std::move(item));
    }
    sections.push_back(json::object{{"section", section.heading}, {"lines", std::move(lines)}});
  }
  object["checklist"] = std::move(sections);
  json::array incidents;
  for (const IncidentEvidence& incident : evidence.incidents) {
    json::object item{{"incident", incident.id.value},
                      {"kind", to_string(incident.kind)},
                      {"message", run.view.text(incident.message)},
                      {"state", run.view.state(incident.state)},
                      {"raised_at", incident.raised_at.value}};
    if (incident.resolved_at.value != 0) {
      item["resolved_at"] = incident.resolved_at.value;
      item["how"] = incident.how;
      item["reason"] = run.view.text(incident.reason);
      item["actor"] = as_json(incident.actor);
    }
    incidents.push_back(std::move(item));
  }
  object["incidents"] = std::move(incidents);
  json::array rejections;
  for (const RejectionEvidence& rejection : evidence.rejections)
    rejections.push_back(json::object{{"at", rejection.at.value},
                                      {"command", rejection.command},
                                      {"reason", run.view.text(rejection.reason)},
                                      {"actor", as_json(rejection.actor)}});
  object["rejections"] = std::move(rejections);
  json::array unsatisfied;
  for (const auto index : state.unsatisfied)
    unsatisfied.push_back(json::string(run.view.state(index)));
  object["unsatisfied"] = std::move(unsatisfied);
  object["figures"] = json::object{{"records", evidence.records},
                                   {"events", evidence.events},
                                   {"retries", evidence.retries},
                                   {"stale_results", evidence.stale}};
  if (run.view.definition() != nullptr && !run.view.definition()->omits.empty()) {
    json::array omits;
    for (const std::string& part : run.view.definition()->omits) omits.emplace_back(part);
    object["omits"] = std::move(omits);
  }
  json::array children;
  for (const RunTree& child : run.children) children.push_back(run_json(child, all));
  object["children"] = std::move(children);
  return object;
}

}  // namespace

json::object report_json(const RunTree& tree, const TreeEvidence& evidence) {
  return run_json(tree, evidence);
}

}  // namespace checkride::cli

#include "workflows/rehearsal/expect.h"

#include <algorithm>

namespace checkride::rehearsal {

namespace {

// Texts named in order, with others between them; the first that is missing, or none.
std::optional<std::string> first_missing(const std::vector<std::string>& wanted,
                                         const std::vector<std::string>& there) {
  auto from = there.begin();
  for (const std::string& one : wanted) {
    from = std::find(from, there.end(), one);
    if (from == there.end()) return one;
    ++from;
  }
  return std::nullopt;
}

std::string joined(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& one : all) text += (text.empty() ? "" : ", ") + one;
  return text.empty() ? "none" : text;
}

std::string outcome_of(const RehearsedRun& run) {
  return run.state.finished() ? std::string(to_string(run.state.outcome)) : "waiting";
}

void compare(const Expectation& expect, const RehearsedRun& run, const std::string& prefix,
             std::vector<std::string>& all) {
  const auto differs = [&](std::string text) { all.push_back(prefix + std::move(text)); };
  const Definition& definition = *run.definition;
  std::vector<std::string> entered;
  for (const statechart::StateIndex index : run.entered)
    entered.push_back(definition.chart.state(index).id);
  if (const auto missing = first_missing(expect.visits, entered))
    differs(std::find(entered.begin(), entered.end(), *missing) == entered.end()
                ? "state '" + *missing + "' was to be visited and was not"
                : "state '" + *missing + "' was visited, but not in the order expected (" +
                      joined(expect.visits) + ")");
  for (const std::string& state : expect.avoids)
    if (std::find(entered.begin(), entered.end(), state) != entered.end())
      differs("state '" + state + "' was to be avoided and was visited");
  for (const auto& [state, verdict] : expect.verdicts) {
    const auto given = run.state.verdicts.find(*definition.chart.find(state));
    const Verdict got = given == run.state.verdicts.end() ? Verdict::none : given->second.verdict;
    if (got != verdict)
      differs("the verdict of '" + state + "' was to be " + std::string(to_string(verdict)) +
              " and is " + std::string(to_string(got)) +
              (got != Verdict::none && !given->second.note.empty() ? " (" + given->second.note + ")"
                                                                   : ""));
  }
  for (const auto& [name, value] : expect.data) {
    const cel::Value* got = run.state.data.find(name);
    if (got == nullptr || !(*got == value))
      differs("data." + name.as_string() + " was to be " + cel::to_cel(value) + " and is " +
              (got == nullptr ? "absent" : cel::to_cel(*got)));
  }
  std::vector<std::string> incidents;
  for (const IncidentKind kind : run.incidents) incidents.emplace_back(to_string(kind));
  if (first_missing(expect.incidents, incidents))
    differs("the incidents were to be " + joined(expect.incidents) + " and are " +
            joined(incidents));
}

// The last child started for an element of a state.
const RehearsedRun* child_of(const Rehearsed& rehearsed, const RehearsedRun& parent,
                             const std::string& state, const std::string& key) {
  const RehearsedRun* found = nullptr;
  for (const RehearsedRun& run : rehearsed.runs)
    if (run.parent == parent.state.run && run.parent_state == state &&
        (run.element == key || key == "#" + std::to_string(run.position + 1)))
      found = &run;
  return found;
}

void compare_tree(const Expectation& expect, const RehearsedRun& run, const Rehearsed& rehearsed,
                  const std::string& prefix, std::vector<std::string>& all) {
  compare(expect, run, prefix, all);
  for (const auto& [where, expected] : expect.children) {
    const auto& [state, key] = where;
    const std::string below = prefix + state + "/" + key + ": ";
    const RehearsedRun* child = child_of(rehearsed, run, state, key);
    if (child == nullptr) {
      all.push_back(below + "no child was started");
      continue;
    }
    if (!expected.outcome.empty() && expected.outcome != outcome_of(*child))
      all.push_back(
          below + "expected " + expected.outcome + ", it ended " + outcome_of(*child) +
          (child->state.outcome_reason.empty() ? "" : ": " + child->state.outcome_reason));
    compare_tree(expected, *child, rehearsed, below, all);
  }
}

}  // namespace

std::vector<std::string> differences(const Case& one, const Rehearsed& rehearsed,
                                     const std::string& report) {
  std::vector<std::string> all;
  if (!rehearsed.problem.empty()) all.push_back(rehearsed.problem);
  if (rehearsed.runs.empty()) return all;
  const Expectation& expect = one.expect;
  const std::string outcome = rehearsed.outcome();
  const bool stopped = !rehearsed.problem.empty();
  if (!stopped && !expect.outcome.empty() && expect.outcome != outcome) {
    std::string why = rehearsed.top().state.outcome_reason;
    if (outcome == "waiting") why = "for " + rehearsed.waits_for;
    all.push_back("expected " + expect.outcome + ", it ended " + outcome +
                  (why.empty() ? "" : (outcome == "waiting" ? " " : ": ") + why));
  }
  if (!stopped && expect.exit_code && *expect.exit_code != rehearsed.exit_code())
    all.push_back("expected exit code " + std::to_string(*expect.exit_code) + ", it was " +
                  std::to_string(rehearsed.exit_code()));
  compare_tree(expect, rehearsed.top(), rehearsed, "", all);
  if (!stopped)
    for (const std::string& text : expect.report)
      if (report.find(text) == std::string::npos)
        all.push_back("no line of the report holds: " + text);
  if (one.cancel && !rehearsed.used.contains(&*one.cancel))
    all.push_back("`cancel` never came to pass: state '" + one.cancel->in + "' was not active");
  if (one.rollback && !rehearsed.used.contains(&*one.rollback))
    all.push_back("`rollback` never came to pass");
  for (const PlannedPause& pause : one.pauses)
    if (!rehearsed.used.contains(&pause))
      all.push_back("`pause` never came to pass" +
                    (pause.in.empty() ? "" : ": in state '" + pause.in + "'"));
  return all;
}

}  // namespace checkride::rehearsal

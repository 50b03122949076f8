// What a transition says about the state it leaves: the lines of the report.
#include "engine/decider/draft.h"

namespace checkride {

using statechart::StateIndex;

namespace {

checkride::Verdict verdict_of(JobStatus status) {
  switch (status) {
    case JobStatus::pass: return Verdict::passed;
    case JobStatus::fail:
    case JobStatus::error: return Verdict::failed;
    case JobStatus::unavailable: return Verdict::unavailable;
    case JobStatus::skipped: return Verdict::skipped;
  }
  return Verdict::failed;
}

checkride::Verdict verdict_of_answer(std::string_view decision) {
  if (decision == "reject") return Verdict::failed;
  if (decision == "waive") return Verdict::waived;
  return Verdict::passed;
}

}  // namespace

void Draft::give_verdicts(const statechart::Microstep& step) {
  for (const auto index : step.transitions) {
    const StateIndex source = definition.chart.transition(index).source;
    const StateSpec& spec = definition.states[source.value];
    if (!spec.reports()) continue;
    const TransitionSpec& transition = definition.transitions[index.value];
    checkride::Verdict verdict = checkride::Verdict::none;
    const std::string& id = definition.chart.state(source).id;
    const auto invocation = state.invocations.find(source);
    if (spec.invoke && invocation != state.invocations.end() && invocation->second.ended) {
      const JobStatus status = invocation->second.status;
      if (trigger_ == "done.invoke." + id || trigger_ == "error.invoke." + id)
        verdict = verdict_of(status);
      else if (trigger_.starts_with("answer.") && trigger_.ends_with("." + id))
        verdict = verdict_of_answer(
            std::string_view(trigger_).substr(7, trigger_.size() - 8 - id.size()));
      const bool withheld = status == JobStatus::skipped || status == JobStatus::unavailable;
      if (transition.verdict && !(withheld && *transition.verdict == checkride::Verdict::passed))
        verdict = *transition.verdict;
    } else if (transition.verdict) {
      verdict = *transition.verdict;
    }
    if (verdict != checkride::Verdict::none) give_verdict(source, verdict, transition.note);
  }
}

void Draft::give_verdict(StateIndex of, checkride::Verdict verdict,
                         const std::optional<cel::Template>& note) {
  VerdictGiven given{of, verdict, {}};
  if (note) {
    const cel::EvalResult text = note->evaluate(activation(event_));
    if (!text) {
      host_failed("the note of state '" + definition.chart.state(of).id +
                      "' failed: " + text.error().message,
                  of);
      return;
    }
    given.note = text->kind() == cel::Kind::string ? text->as_string() : cel::to_cel(*text);
  }
  emit(std::move(given));
}

}  // namespace checkride

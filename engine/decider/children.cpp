// Child runs: how many at once, when their join is decided, and what a child tells its parent.
#include <algorithm>

#include "engine/base/assert.h"
#include "engine/decider/draft.h"

namespace checkride {

using statechart::StateIndex;

JobStatus worse(JobStatus a, JobStatus b) {
  constexpr auto rank = [](JobStatus s) {
    switch (s) {
      case JobStatus::pass: return 0;
      case JobStatus::skipped: return 1;
      case JobStatus::unavailable: return 2;
      case JobStatus::fail: return 3;
      case JobStatus::error: return 4;
    }
    return 4;
  };
  return rank(a) >= rank(b) ? a : b;
}

void Draft::children_progress(StateIndex index, const InvokeSpec& invoke) {
  const InvocationRecord& record = state.invocations.at(index);
  const auto passed_count = [&] {
    return static_cast<std::size_t>(std::count_if(
        record.outcomes.begin(), record.outcomes.end(),
        [](const auto& o) { return o.second.completed && o.second.status == JobStatus::pass; }));
  };
  const std::size_t wanted = invoke.join == Join::any ? 1
                             : invoke.join == Join::n ? invoke.join_count
                                                      : record.items.size();
  const bool some_failed = passed_count() < record.outcomes.size();
  const bool enough = invoke.join == Join::first_failure ? some_failed
                      : invoke.join == Join::all         ? false
                                                         : passed_count() >= wanted;
  // The joins that end early cancel the rest and wait for their end.
  if (enough)
    for (const auto& [token, job] : std::map<Token, JobRecord>(state.jobs))
      if (job.intent->state == index && job.phase != JobPhase::cancelling)
        emit(JobCancelRequested{token, "the join is decided"});
  std::uint32_t live = 0;
  for (const auto& [token, job] : state.jobs)
    if (job.intent->state == index) ++live;
  // A sequence of one at a time stops at its first child without a result: later ones build on it.
  const bool broken = invoke.concurrency == 1 && invoke.join == Join::all &&
                      !record.outcomes.empty() && !record.outcomes.rbegin()->second.completed;
  const auto more = [&] { return !enough && !broken && record.next_item < record.items.size(); };
  while (more() && live < invoke.concurrency && !state.parked()) {
    if (!intend(index, invoke, JobPurpose::invoke, record.next_item, 1)) return;
    ++live;
  }
  if (live > 0 || more()) return;  // a parked run starts the rest when it goes on

  cel::List children;
  std::int64_t passed = 0;
  JobStatus worst = JobStatus::pass;
  for (const auto& [item, outcome] : record.outcomes) {
    cel::Map child;
    if (outcome.result.kind() == cel::Kind::map) {
      child = outcome.result.as_map();
    } else {
      child.set("run", cel::Value(""));
      child.set("outcome", cel::Value(outcome.cancelled ? "cancelled" : "failed"));
      child.set("status", cel::Value(to_string(outcome.status)));
      child.set("reason", cel::Value(outcome.message));
    }
    child.set("item", record.items[item]);
    children.push_back(cel::Value(std::move(child)));
    if (outcome.completed && outcome.status == JobStatus::pass)
      ++passed;
    else if (!outcome.cancelled || invoke.join == Join::all)
      worst = worse(worst, outcome.status);
  }
  const auto total = static_cast<std::int64_t>(record.outcomes.size());
  const bool all_ran = record.outcomes.size() == record.items.size();
  const bool all_completed = std::all_of(record.outcomes.begin(), record.outcomes.end(),
                                         [](const auto& o) { return o.second.completed; });
  bool done = false;
  switch (invoke.join) {
    case Join::all: done = all_ran && all_completed; break;
    case Join::any:
    case Join::n:
      done = static_cast<std::size_t>(passed) >= wanted;
      if (done) worst = JobStatus::pass;
      break;
    case Join::first_failure: done = all_ran && !some_failed; break;
  }
  cel::Map result;
  result.set("children", cel::Value(children));
  result.set("passed", cel::Value(passed));
  result.set("failed", cel::Value(total - passed));
  if (done) {
    finish_invocation(index, true, worst, cel::Value(std::move(result)), true);
    return;
  }
  JobOutcome outcome;
  outcome.status = worst == JobStatus::pass ? JobStatus::fail : worst;
  outcome.failure = FailureClass::code;
  outcome.message =
      std::to_string(passed) + " of " + std::to_string(record.items.size()) + " children passed";
  for (const auto& [item, child] : record.outcomes)
    if (!child.completed && !child.message.empty()) outcome.message += "; " + child.message;
  cel::Map error = error_value(outcome, 1, token_of(command.run, record.started_at)).as_map();
  error.set("children", cel::Value(std::move(children)));
  finish_invocation(index, false, outcome.status, cel::Value(std::move(error)), false);
}

FinishJob finish_of_child(const RunState& child, const Definition& definition, Digest chain) {
  FinishJob finish;
  CR_ASSERT(child.start.parent.has_value() && child.finished());
  finish.token = child.start.parent->token;
  finish.child_sequence = child.last;
  finish.child_chain = chain;
  JobOutcome& outcome = finish.outcome;
  outcome.started = child.started;
  outcome.ended = child.updated;
  switch (child.outcome) {
    case RunOutcome::succeeded:
      outcome.status = JobStatus::pass;
      outcome.completed = true;
      break;
    case RunOutcome::incomplete:
      outcome.completed = true;
      outcome.status = JobStatus::skipped;
      for (const StateIndex index : child.unsatisfied) {
        const auto verdict = child.verdicts.find(index);
        if (verdict == child.verdicts.end()) continue;
        if (verdict->second.verdict == Verdict::failed)
          outcome.status = worse(outcome.status, JobStatus::fail);
        if (verdict->second.verdict == Verdict::unavailable)
          outcome.status = worse(outcome.status, JobStatus::unavailable);
      }
      break;
    case RunOutcome::cancelled:
      outcome.status = JobStatus::error;
      outcome.failure = FailureClass::code;
      outcome.cancelled = true;
      break;
    case RunOutcome::failed:
    case RunOutcome::rolled_back:
    case RunOutcome::none:
      outcome.status = JobStatus::fail;
      outcome.failure = FailureClass::code;
      break;
  }
  cel::Map result;
  result.set("run", cel::Value(child.run.value));
  result.set("outcome", cel::Value(to_string(child.outcome)));
  result.set("status", cel::Value(to_string(outcome.status)));
  result.set("reason", cel::Value(child.outcome_reason));
  result.set("item", cel::Value());
  if (child.output.kind() == cel::Kind::map) result.set("output", child.output);
  outcome.result = cel::Value(std::move(result));
  outcome.message = outcome.completed
                        ? std::string()
                        : "run '" + child.run.value + "' ended " +
                              std::string(to_string(child.outcome)) +
                              (child.outcome_reason.empty() ? "" : ": " + child.outcome_reason);
  static_cast<void>(definition);
  return finish;
}

}  // namespace checkride

// How runs end: by their chart, by cancel, by rollback; and the check that one that does not end
// can still be woken.
#include <algorithm>

#include "engine/decider/draft.h"

namespace checkride {

using statechart::StateIndex;

namespace {

// An undo that never started, or was lost and is safe to repeat, is tried this often.
constexpr std::uint32_t lost_undos_max = 3;

// What a rollback has to undo, newest first: the states at work when the run was ended, whose
// attempts may have done a part or all of it, and those that were done.
std::vector<StateIndex> to_undo(const RunState& state) {
  std::vector<std::pair<Sequence, StateIndex>> cut_short;
  for (const auto& [index, invocation] : state.invocations)
    if (!invocation.ended && !invocation.attempts.empty())
      cut_short.emplace_back(invocation.started_at, index);
  std::sort(cut_short.rbegin(), cut_short.rend());
  std::vector<StateIndex> all;
  for (const auto& [begun, index] : cut_short) all.push_back(index);
  all.insert(all.end(), state.completed.rbegin(), state.completed.rend());
  return all;
}

}  // namespace

void Draft::stop_everything(const std::string& why) {
  for (const auto& [token, job] : std::map<Token, JobRecord>(state.jobs))
    if (!job.stale) emit(JobCancelRequested{token, why});
  for (const auto& [token, gate] : std::map<Token, GateRecord>(state.gates))
    emit(GateClosed{token, "withdrawn"});
  for (const auto& [id, timer] : std::map<TimerId, TimerRecord>(state.timers))
    emit(TimerCancelled{id});
  for (const MessageRecord& message : std::vector<MessageRecord>(state.messages))
    emit(MessageExpired{message.message, "the run ended"});
}

void Draft::continue_rollback() {
  if (state.compensating || state.parked()) return;
  for (const StateIndex index : to_undo(state)) {
    const auto& undo = definition.states[index.value].undo;
    const bool undone = std::find(state.compensated.begin(), state.compensated.end(), index) !=
                        state.compensated.end();
    if (!undo || undone) continue;
    emit(CompensationStarted{index});
    intend(index, *undo, JobPurpose::undo, 0, 1);
    return;
  }
  RunFinished finished;
  finished.outcome = RunOutcome::rolled_back;
  finished.reason = state.end_reason;
  emit(std::move(finished));
}

void Draft::compensation_ended(const JobIntended& intent, const JobOutcome& outcome) {
  const auto& undo = definition.states[intent.state.value].undo;
  if (outcome.completed) {
    emit(CompensationFinished{intent.state, true, outcome.message});
  } else if (outcome.never_started && outcome.failure == FailureClass::none) {
    intend_again(intent, intent.attempt);  // voided by a recovering engine: not counted
  } else if (intent.attempt < lost_undos_max &&
             (outcome.never_started ||
              (outcome.failure == FailureClass::lost && undo && undo->repeat == Repeat::safe))) {
    intend_again(intent, intent.attempt + 1);
  } else {
    compensation_failed(intent.state, outcome.message);
  }
}

void Draft::compensation_failed(StateIndex index, const std::string& message) {
  emit(CompensationFinished{index, false, message});
  raise_incident(IncidentKind::undo_failed,
                 "undoing state '" + definition.chart.state(index).id + "' failed: " + message,
                 index);
}

void Draft::settle() {
  if (state.finished() || state.mode == RunMode::absent) return;
  if (state.mode == RunMode::running) {
    const std::optional<StateIndex> end = top_final(state, definition);
    if (end) {
      const StateSpec& spec = definition.states[end->value];
      stop_everything("the run is ending");
      if (spec.outcome == RunOutcome::rolled_back) {
        emit(RollbackRequested{
            RollbackRun{"the procedure reached '" + definition.chart.state(*end).id + "'"}});
      } else {
        if (!state.jobs.empty()) return;  // a run is finished only when no attempt of it lives
        RunFinished finished;
        finished.outcome = spec.outcome == RunOutcome::none ? RunOutcome::succeeded : spec.outcome;
        if (finished.outcome == RunOutcome::succeeded) {
          for (std::uint32_t i = 0; i < definition.states.size(); ++i) {
            const StateSpec& reporting = definition.states[i];
            if (!reporting.reports() || !reporting.required) continue;
            const auto verdict = state.verdicts.find(StateIndex(i));
            if (verdict == state.verdicts.end() || !satisfies(verdict->second.verdict))
              finished.unsatisfied.push_back(StateIndex(i));
          }
          if (!finished.unsatisfied.empty()) {
            finished.outcome = RunOutcome::incomplete;
            finished.reason = "not satisfied:";
            for (const StateIndex index : finished.unsatisfied) {
              const auto verdict = state.verdicts.find(index);
              finished.reason += " " + definition.chart.state(index).id + " (" +
                                 (verdict == state.verdicts.end()
                                      ? "never reached"
                                      : std::string(to_string(verdict->second.verdict))) +
                                 ")";
            }
          }
        } else {
          finished.reason = "reached '" + definition.chart.state(*end).id + "'";
        }
        if (spec.output) {
          const cel::EvalResult output = checkride::evaluate(*spec.output, activation(nullptr));
          if (output)
            finished.output = *output;
          else
            finished.reason += (finished.reason.empty() ? "" : "; ") +
                               std::string("its output failed: ") + output.error().message;
        }
        emit(std::move(finished));
        return;
      }
    }
  }
  if (state.mode == RunMode::cancelling) {
    if (!state.jobs.empty()) return;
    RunFinished finished;
    finished.outcome = RunOutcome::cancelled;
    finished.reason = state.end_reason;
    emit(std::move(finished));
    return;
  }
  if (state.mode == RunMode::rolling_back) {
    if (state.jobs.empty()) continue_rollback();
    return;
  }
  // The invariant of every macrostep: something can still wake this run.
  const bool timed = std::any_of(state.timers.begin(), state.timers.end(), [](const auto& timer) {
    return timer.second.purpose != TimerPurpose::message_expiry;
  });
  if (state.jobs.empty() && !timed && state.gates.empty() && !state.parked() && !listens())
    raise_incident(IncidentKind::stuck,
                   "no job, timer, gate, message or child is left that could move this run on",
                   statechart::root_state);
}

}  // namespace checkride

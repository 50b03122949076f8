// What waits for a person or for a time: gates and timers.
#include <algorithm>

#include "engine/decider/draft.h"

namespace checkride {

using statechart::StateIndex;

void Draft::open_gate(StateIndex index, const InvokeSpec& invoke, cel::Map inputs) {
  GateOpened gate;
  gate.gate = token_of(command.run, next_sequence());
  gate.state = index;
  if (const cel::Value* question = inputs.find("question");
      question != nullptr && question->kind() == cel::Kind::string)
    gate.question = question->as_string();
  gate.options = {"approve", "reject", "waive"};
  gate.options.insert(gate.options.end(), invoke.gate.options.begin(), invoke.gate.options.end());
  gate.who = invoke.gate.who;
  gate.inputs = std::move(inputs);
  const Token token = gate.gate;
  emit(std::move(gate));
  const auto timer = [&](TimerPurpose purpose, const char* prefix, Duration after) {
    TimerSet set;
    set.timer = TimerId(prefix + token.value);
    set.purpose = purpose;
    set.due = command.time + after;
    set.state = index;
    set.event = token.value;
    emit(std::move(set));
  };
  if (invoke.gate.reminder) timer(TimerPurpose::gate_reminder, "reminder.", *invoke.gate.reminder);
  if (invoke.gate.expiry) timer(TimerPurpose::gate_expiry, "expiry.", *invoke.gate.expiry);
}

void Draft::answer_gate(Token gate, const std::string& decision, const std::string& reason,
                        const std::string& actor, bool expired) {
  const StateIndex index = state.gates.at(gate).state;
  emit(GateClosed{gate, expired ? "expired: " + decision : decision});
  for (const char* prefix : {"reminder.", "expiry."})
    if (const TimerId timer(prefix + gate.value); state.timers.contains(timer))
      emit(TimerCancelled{timer});
  cel::Map result;
  result.set("decision", cel::Value(decision));
  result.set("reason", cel::Value(reason));
  result.set("actor", cel::Value(actor));
  const cel::Value value(std::move(result));
  emit(InvocationFinished{index, true, JobStatus::pass, value});
  deliver(QueuedEvent{"answer." + decision + "." + definition.chart.state(index).id, value});
}

void Draft::fire_timer(const FireTimer& fire, const TimerRecord& timer) {
  emit(TimerFired{fire});
  switch (timer.purpose) {
    case TimerPurpose::send: deliver(QueuedEvent{timer.event, timer.data}); return;
    case TimerPurpose::retry: {
      const auto& invoke = definition.states[timer.state.value].invoke;
      if (!invoke || !state.invocations.contains(timer.state)) return;
      intend(timer.state, *invoke, JobPurpose::invoke, timer.item,
             last_attempt(timer.state, timer.item) + 1);
      return;
    }
    case TimerPurpose::gate_reminder: {
      const auto& invoke = definition.states[timer.state.value].invoke;
      if (!invoke || !invoke->gate.reminder || !state.gates.contains(Token(timer.event))) return;
      TimerSet again;
      again.timer = fire.timer;
      again.purpose = TimerPurpose::gate_reminder;
      again.due = command.time + *invoke->gate.reminder;
      again.state = timer.state;
      again.event = timer.event;
      emit(std::move(again));
      return;
    }
    case TimerPurpose::gate_expiry: {
      const auto& invoke = definition.states[timer.state.value].invoke;
      const Token gate(timer.event);
      if (!invoke || !state.gates.contains(gate)) return;
      answer_gate(gate, invoke->gate.expiry_answer, "nobody answered in time", "engine", true);
      return;
    }
    case TimerPurpose::queue_limit: {
      const auto job = state.jobs.find(Token(timer.event));
      if (job == state.jobs.end() || !state.awaits_lease(job->second)) return;
      // Without a lease nobody has asked for its start, so this is its end.
      FinishJob finish;
      finish.token = job->first;
      finish.outcome.failure = FailureClass::timeout;
      finish.outcome.limit = TimeLimit::queue;
      finish.outcome.message =
          "it waited longer than its queue timeout of " +
          to_human(job->second.intent->spec.limits.queue_timeout.value_or(Duration(0)));
      finish.outcome.started = finish.outcome.ended = command.time;
      finish_job(finish);
      return;
    }
    case TimerPurpose::message_expiry: {
      const auto waits = [&](const MessageRecord& m) { return m.message == timer.event; };
      if (std::any_of(state.messages.begin(), state.messages.end(), waits))
        expire_message(timer.event, "its time is over");
      return;
    }
  }
}

}  // namespace checkride

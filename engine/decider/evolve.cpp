// Folding events into a state. Everything here applies outcomes; nothing is evaluated, no
// definition is read, and no event can fail to apply: what an old log says stays what it said.
#include <algorithm>

#include "engine/decider/decide.h"

namespace checkride {

namespace {

using statechart::StateIndex;

struct Folder {
  RunState& state;
  const EventContext& context;

  // Nobody needs to say any more what became of an attempt whose end is known.
  void end_job(const Token& token) {
    state.jobs.erase(token);
    std::erase_if(state.incidents, [&](const auto& incident) {
      return incident.second.kind == IncidentKind::job_unknown && incident.second.job == token;
    });
  }
  // An ending needs no answer to what held the run up, but for attempts that may still run.
  void drop_moot_incidents() {
    state.paused.reset();
    std::erase_if(state.incidents, [&](const auto& incident) {
      return !incident.second.job || !state.jobs.contains(*incident.second.job);
    });
    state.queue.clear();
  }

  void operator()(const RunStarted& e) {
    state.run = context.run;
    state.mode = RunMode::running;
    state.start = e.command;
    state.params = e.command.params;
    state.started = context.time;
    state.author = context.actor;
    state.started_at = context.sequence;
    state.chart.running = true;
  }

  void operator()(const JobFinished& e) {
    const auto job = state.jobs.find(e.command.token);
    if (job == state.jobs.end()) return;
    const JobIntended& intent = *job->second.intent;
    const JobOutcome& outcome = e.command.outcome;
    if (intent.purpose == JobPurpose::invoke) {
      const auto invocation = state.invocations.find(intent.state);
      if (invocation != state.invocations.end() && invocation->second.each)
        invocation->second.outcomes[intent.item] = outcome;
      else if (outcome.completed)
        state.results[intent.state] = ResultRecord{outcome.result, context.sequence};
    }
    end_job(e.command.token);
  }
  void operator()(const StaleResultRejected& e) { end_job(e.command.token); }

  void operator()(const JobStarted& e) {
    const auto job = state.jobs.find(e.command.token);
    if (job != state.jobs.end() && job->second.phase == JobPhase::intended)
      job->second.phase = JobPhase::started;
  }
  void operator()(const JobAdopted& e) {
    const auto job = state.jobs.find(e.command.token);
    if (job != state.jobs.end() && job->second.phase != JobPhase::cancelling)
      job->second.phase = JobPhase::started;
  }
  void operator()(const JobUnknown& e) {
    const auto job = state.jobs.find(e.command.token);
    if (job != state.jobs.end()) job->second.phase = JobPhase::unknown;
  }

  void operator()(const TimerFired& e) { state.timers.erase(e.command.timer); }
  void operator()(const GateAnswered& e) { static_cast<void>(e); }

  void operator()(const IncidentResolved& e) {
    auto incident = state.incidents.find(e.command.incident);
    if (e.command.incident.empty() && state.incidents.size() == 1)
      incident = state.incidents.begin();
    if (incident == state.incidents.end()) return;
    // The person's word ends an attempt whose end could not be proved, or says that it runs.
    if (incident->second.job) {
      const auto job = state.jobs.find(*incident->second.job);
      if (job != state.jobs.end() && e.command.how == ResolveIncident::How::started)
        job->second.phase = job->second.stale ? JobPhase::cancelling : JobPhase::started;
      else if (job != state.jobs.end())
        state.jobs.erase(job);
    }
    state.incidents.erase(incident);
  }
  void operator()(const RunCancelRequested& e) {
    if (!state.finished()) state.mode = RunMode::cancelling;
    state.end_reason = e.command.reason;
    drop_moot_incidents();
  }
  void operator()(const RollbackRequested& e) {
    state.mode = RunMode::rolling_back;  // a finished run can still be rolled back
    state.end_reason = e.command.reason;
    drop_moot_incidents();
  }
  void operator()(const CommandRejected& e) { static_cast<void>(e); }

  void operator()(const TransitionTaken& e) {
    auto& active = state.chart.configuration;
    for (const auto& [history, states] : e.history) state.chart.history[history] = states;
    for (const StateIndex left : e.exited) {
      const auto place = std::lower_bound(active.begin(), active.end(), left);
      if (place != active.end() && *place == left) active.erase(place);
      state.entered_at.erase(left);
      state.invocations.erase(left);
    }
    for (const StateIndex entered : e.entered) {
      const auto place = std::lower_bound(active.begin(), active.end(), entered);
      if (place == active.end() || *place != entered) active.insert(place, entered);
      state.entered_at[entered] = context.sequence;
    }
    for (const auto& [index, count] : e.entries) state.entries[index] = count;
  }
  void operator()(const GuardEvaluated& e) { static_cast<void>(e); }
  void operator()(const DataAssigned& e) {
    state.data.set(std::string_view(e.name), e.value);
    state.assigned_at[e.name] = context.sequence;
  }
  void operator()(const VerdictGiven& e) {
    state.verdicts[e.state] =
        VerdictRecord{e.verdict, e.note, context.sequence, context.time, context.actor};
  }
  void operator()(const EventQueued& e) { state.queue.push_back(QueuedEvent{e.name, e.data}); }
  void operator()(const EventTaken&) {
    if (!state.queue.empty()) state.queue.pop_front();
  }

  void operator()(const InvocationStarted& e) {
    InvocationRecord record;
    record.started_at = context.sequence;
    record.each = e.each;
    record.items = e.items;
    state.invocations[e.state] = std::move(record);
  }
  void operator()(const InvocationFinished& e) {
    const auto invocation = state.invocations.find(e.state);
    if (invocation != state.invocations.end()) {
      invocation->second.ended = true;
      invocation->second.done = e.done;
      invocation->second.status = e.status;
    }
    if (e.result) state.results[e.state] = ResultRecord{*e.result, context.sequence};
    if (e.done) {
      const auto old = std::find(state.completed.begin(), state.completed.end(), e.state);
      if (old != state.completed.end()) state.completed.erase(old);
      state.completed.push_back(e.state);
    }
  }
  void operator()(const JobIntended& e) {
    state.jobs[e.spec.token] = JobRecord{std::make_shared<const JobIntended>(e), context.sequence,
                                         context.time, JobPhase::intended, false};
    const auto invocation = state.invocations.find(e.state);
    if (e.purpose == JobPurpose::invoke && invocation != state.invocations.end()) {
      invocation->second.attempts[e.item] = e.attempt;
      if (e.item >= invocation->second.next_item) invocation->second.next_item = e.item + 1;
    }
  }
  void operator()(const RetryScheduled& e) { static_cast<void>(e); }
  void operator()(const JobCancelRequested& e) {
    const auto job = state.jobs.find(e.token);
    if (job == state.jobs.end()) return;
    job->second.phase = JobPhase::cancelling;
    job->second.stale = true;
  }

  void operator()(const TimerSet& e) {
    state.timers[e.timer] = TimerRecord{e.purpose, e.due, e.state, e.item, e.event, e.data};
  }
  void operator()(const TimerCancelled& e) { state.timers.erase(e.timer); }

  void operator()(const GateOpened& e) {
    state.gates[e.gate] =
        GateRecord{e.state, context.sequence, context.time, e.question, e.options, e.who, e.inputs};
  }
  void operator()(const GateClosed& e) { state.gates.erase(e.gate); }

  void operator()(const IncidentRaised& e) {
    state.incidents[e.incident] =
        IncidentRecord{e.kind, e.message, e.state, e.job, context.time, e.start_unfinished};
    state.queue.insert(state.queue.begin(), e.unprocessed.begin(), e.unprocessed.end());
  }
  void operator()(const BudgetExtended& e) { state.entries[e.state] = e.entries; }

  void operator()(const CompensationStarted& e) {
    state.compensating = e.state;
    state.compensated.push_back(e.state);
  }
  void operator()(const CompensationFinished& e) {
    if (state.compensating == e.state) state.compensating.reset();
    // One that failed is owed again, once a person has resolved its incident.
    if (!e.ok && !state.compensated.empty() && state.compensated.back() == e.state)
      state.compensated.pop_back();
  }
  void operator()(const RunFinished& e) {
    state.mode = RunMode::finished;
    state.outcome = e.outcome;
    state.outcome_reason = e.reason;
    state.output = e.output;
    state.unsatisfied = e.unsatisfied;
    state.chart.running = false;
    state.incidents.clear();
    state.queue.clear();
    state.compensating.reset();
    state.messages.clear();
    state.paused.reset();
  }
  void operator()(const StoreOpened& e) { static_cast<void>(e); }

  void operator()(const MessageReceived& e) {
    state.messages.push_back(MessageRecord{e.message, e.command.name, e.command.data,
                                           context.sequence, context.time, e.expires});
  }
  void drop_message(const std::string& message) {
    std::erase_if(state.messages, [&](const MessageRecord& m) { return m.message == message; });
  }
  void operator()(const MessageConsumed& e) { drop_message(e.message); }
  void operator()(const MessageExpired& e) { drop_message(e.message); }

  void operator()(const LeaseGranted& e) {
    const GrantLease& grant = e.command;
    state.leases[grant.token] =
        LeaseRecord{grant.units, grant.exclusive, grant.boot_id, context.sequence, context.time};
  }
  void operator()(const LeaseReleased& e) { state.leases.erase(e.command.token); }

  void operator()(const RunPaused& e) {
    state.paused = PauseRecord{context.time, e.command.reason, e.command.by_parent, context.actor};
  }
  void operator()(const RunResumed& e) {
    state.paused.reset();
    for (const auto& [id, due] : e.due)
      if (const auto timer = state.timers.find(id); timer != state.timers.end())
        timer->second.due = due;
  }
};

// Commands that people send and may send again.
bool remembered(const Event& event) {
  return std::holds_alternative<GateAnswered>(event) ||
         std::holds_alternative<IncidentResolved>(event) ||
         std::holds_alternative<RunCancelRequested>(event) ||
         std::holds_alternative<RollbackRequested>(event) ||
         std::holds_alternative<RunStarted>(event) ||
         std::holds_alternative<MessageReceived>(event) ||
         std::holds_alternative<RunPaused>(event) || std::holds_alternative<RunResumed>(event) ||
         std::holds_alternative<CommandRejected>(event);
}

void remember(RunState& state, const Event& event, const EventContext& context) {
  if (!remembered(event) || state.answered.contains(context.command)) return;
  AnsweredCommand answer{context.sequence, true, {}};
  if (const auto* rejected = std::get_if<CommandRejected>(&event)) {
    answer.accepted = false;
    answer.reason = rejected->reason;
  }
  state.answered[context.command] = std::move(answer);
  state.answered_order.push_back(context.command);
  if (state.answered_order.size() > answered_commands_max) {
    state.answered.erase(state.answered_order.front());
    state.answered_order.pop_front();
  }
}

}  // namespace

void evolve(RunState& state, const Event& event, const EventContext& context) {
  std::visit(Folder{state, context}, event);
  remember(state, event, context);
  state.last = context.sequence;
  state.updated = context.time;
}

void evolve(RunState& state, const Record& record) {
  for (std::size_t i = 0; i < record.events.size(); ++i)
    evolve(state, record.events[i],
           EventContext{record.run, Sequence(record.first.value + i), record.time, record.actor,
                        record.command});
}

RunSummary summarize(const RunState& state) {
  RunSummary summary;
  summary.definition_name = state.start.definition_name;
  summary.definition = state.start.definition;
  summary.parent = state.start.parent;
  summary.root = state.start.root;
  summary.mode = state.mode;
  summary.outcome = state.outcome;
  summary.started = state.started;
  summary.updated = state.updated;
  for (const auto& [id, timer] : state.timers)
    if (!summary.next_due || timer.due < *summary.next_due) summary.next_due = timer.due;
  summary.owes_work = !state.jobs.empty();
  summary.gates = static_cast<std::uint32_t>(state.gates.size());
  summary.incidents = static_cast<std::uint32_t>(state.incidents.size());
  summary.jobs = static_cast<std::uint32_t>(state.jobs.size());
  summary.leases = static_cast<std::uint32_t>(state.leases.size());
  summary.paused = state.paused.has_value();
  return summary;
}

std::vector<Obligation> outstanding(const RunState& state) {
  std::vector<Obligation> all;
  // An attempt keeps the worktree until its end is known; those that follow it wait.
  const bool ending = std::any_of(state.jobs.begin(), state.jobs.end(), [](const auto& job) {
    return job.second.phase == JobPhase::cancelling;
  });
  for (const auto& [token, job] : state.jobs) {
    if (job.phase == JobPhase::unknown) continue;  // a person decides
    if (job.phase == JobPhase::cancelling)
      all.push_back(StopJob{job.intent});
    else if (ending && job.phase == JobPhase::intended)
      continue;
    else if (job.intent->performer == JobSignature::Performer::machine)
      all.push_back(StartChild{job.intent});
    else if (state.awaits_lease(job))
      all.push_back(AwaitLease{job.intent});
    else
      all.push_back(RunJob{job.intent});
  }
  // What a timer brings could not be taken while the run is parked; it fires when that ends.
  if (!state.parked())
    for (const auto& [id, timer] : state.timers) all.push_back(AwaitTimer{id, timer.due});
  return all;
}

bool waits_for_person(const RunState& state) {
  if (state.mode == RunMode::absent || state.finished()) return false;
  for (const auto& [token, job] : state.jobs)
    if (job.phase != JobPhase::unknown) return false;
  if (state.parked()) return true;
  // What is left to wait for is a gate or a message: a run that nothing can wake is stuck.
  return std::none_of(state.timers.begin(), state.timers.end(),
                      [](const auto& timer) { return moves_run(timer.second.purpose); });
}

}  // namespace checkride

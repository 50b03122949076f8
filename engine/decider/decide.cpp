// decide(): checks a command against the state, rejects it or writes what it causes.
#include "engine/decider/decide.h"

#include <algorithm>

#include "engine/base/assert.h"
#include "engine/cel/text.h"
#include "engine/decider/draft.h"

namespace checkride {

using statechart::StateIndex;

namespace {

struct Refusal {
  RejectionCode code;
  std::string reason;
};

// Handles one kind of command over a draft; a Refusal means nothing was emitted.
struct Handler {
  Draft& draft;
  const RunState& before;

  using Answer = std::optional<Refusal>;

  Answer not_live() const {
    if (before.mode == RunMode::absent)
      return Refusal{RejectionCode::run_unknown,
                     "there is no run '" + draft.command.run.value + "'"};
    if (before.finished())
      return Refusal{RejectionCode::run_finished, "run '" + before.run.value + "' has ended " +
                                                      std::string(to_string(before.outcome)) +
                                                      "; nothing more can happen to it"};
    return std::nullopt;
  }

  Answer operator()(const StartRun& start) const {
    if (before.mode != RunMode::absent)
      return Refusal{RejectionCode::run_already_started,
                     "run '" + before.run.value + "' was started before"};
    if (start.definition != draft.definition.hash)
      return Refusal{RejectionCode::definition_mismatch,
                     "the definition at hand is not the one the command names"};
    if (auto params = draft.definition.complete_params(start.params); !params)
      return Refusal{RejectionCode::bad_params, params.error().message};
    draft.emit(RunStarted{start});
    for (const FieldSpec& field : draft.definition.data)
      if (field.initial) draft.emit(DataAssigned{field.name, *field.initial});
    draft.start_chart();
    return std::nullopt;
  }

  Answer operator()(const FinishJob& finish) const {
    if (before.mode == RunMode::absent) return not_live();
    draft.finish_job(finish);
    return std::nullopt;
  }
  Answer operator()(const MarkJobStarted& started) const {
    if (before.mode == RunMode::absent) return not_live();
    draft.emit(JobStarted{started});
    return std::nullopt;
  }
  Answer operator()(const AdoptJob& adopt) const {
    if (before.mode == RunMode::absent) return not_live();
    draft.emit(JobAdopted{adopt});
    return std::nullopt;
  }
  Answer operator()(const ReportJobUnknown& report) const {
    if (const Answer refusal = not_live()) return refusal;
    if (!before.jobs.contains(report.token))
      return Refusal{RejectionCode::resolution_not_applicable,
                     "no attempt '" + report.token.value + "' is live"};
    draft.job_unknown(report);
    return std::nullopt;
  }
  Answer operator()(const FireTimer& fire) const {
    if (const Answer refusal = not_live()) return refusal;
    if (before.paused)
      return Refusal{RejectionCode::timer_not_set,
                     "the clocks of run '" + before.run.value + "' stand still: it is paused"};
    const auto timer = before.timers.find(fire.timer);
    if (timer == before.timers.end() || timer->second.due != fire.due)
      return Refusal{RejectionCode::timer_not_set,
                     "no timer '" + fire.timer.value + "' is set for " + to_iso8601(fire.due)};
    draft.fire_timer(fire, timer->second);
    return std::nullopt;
  }

  Answer operator()(const AnswerGate& answer) const {
    if (const Answer refusal = not_live()) return refusal;
    const auto gate = before.gates.find(answer.gate);
    if (gate == before.gates.end())
      return Refusal{RejectionCode::gate_not_open,
                     "no gate '" + answer.gate.value + "' is open; `checkride inbox` lists them"};
    const GateRecord& open = gate->second;
    if (answer.seen != open.opened_at)
      return Refusal{RejectionCode::gate_seen_stale,
                     "the answer is about the gate as it stood at " + to_string(answer.seen) +
                         ", but it was opened at " + to_string(open.opened_at) +
                         "; look again with `checkride inbox`"};
    const auto listed = [](const std::vector<std::string>& list, const std::string& name) {
      return std::find(list.begin(), list.end(), name) != list.end();
    };
    if (!listed(open.options, answer.decision)) {
      std::string all;
      for (const std::string& option : open.options) all += (all.empty() ? "" : ", ") + option;
      return Refusal{RejectionCode::option_unknown,
                     "'" + answer.decision + "' is no answer to this gate; it takes " + all};
    }
    if (!open.who.empty() && !listed(open.who, draft.command.actor.name)) {
      std::string all;
      for (const std::string& name : open.who) all += (all.empty() ? "" : ", ") + name;
      return Refusal{RejectionCode::answer_not_allowed,
                     draft.command.actor.name + " may not answer this gate; it is for " + all};
    }
    if (answer.decision != "approve" && answer.reason.empty())
      return Refusal{RejectionCode::reason_missing,
                     "the answer '" + answer.decision + "' needs a reason; add --why"};
    draft.emit(GateAnswered{answer});
    draft.answer_gate(answer.gate, answer.decision, answer.reason, draft.command.actor.name, false);
    return std::nullopt;
  }

  Answer operator()(const ResolveIncident& resolve) const {
    if (const Answer refusal = not_live()) return refusal;
    auto found = before.incidents.find(resolve.incident);
    if (resolve.incident.empty()) {
      if (before.incidents.size() > 1) {
        std::string all;
        for (const auto& [id, record] : before.incidents)
          all += (all.empty() ? "" : ", ") + id.value;
        return Refusal{RejectionCode::incident_ambiguous,
                       "several incidents are open; name one of " + all};
      }
      found = before.incidents.begin();
    }
    if (found == before.incidents.end())
      return Refusal{RejectionCode::incident_not_open,
                     resolve.incident.empty()
                         ? "no incident is open on this run"
                         : "no incident '" + resolve.incident.value + "' is open on this run"};
    if (resolve.reason.empty())
      return Refusal{RejectionCode::reason_missing, "resolving needs a reason; add --why"};
    const IncidentRecord incident = found->second;
    std::optional<JobRecord> attempt;
    if (incident.job)
      if (const auto job = before.jobs.find(*incident.job); job != before.jobs.end())
        attempt = job->second;
    if (Answer refusal = applicable(resolve, incident, attempt)) return refusal;
    ResolveIncident named = resolve;
    named.incident = found->first;
    draft.emit(IncidentResolved{named});
    act(named, incident, attempt);
    return std::nullopt;
  }

  Answer applicable(const ResolveIncident& resolve, const IncidentRecord& incident,
                    const std::optional<JobRecord>& attempt) const {
    using How = ResolveIncident::How;
    const bool about_job =
        incident.kind == IncidentKind::job_lost || incident.kind == IncidentKind::job_unknown;
    const auto no = [&](std::string reason) {
      return Refusal{RejectionCode::resolution_not_applicable, std::move(reason)};
    };
    switch (resolve.how) {
      case How::retry:
      case How::give_up: return std::nullopt;
      case How::started:
        if (incident.kind != IncidentKind::job_unknown)
          return no("only a job whose end is unknown can be said to run");
        return std::nullopt;
      case How::lost:
        if (!about_job) return no("this incident is about no job");
        return std::nullopt;
      case How::finished: {
        if (!about_job) return no("this incident is about no job");
        if (!resolve.outcome) return no("say how the job ended with --result FILE");
        const auto& invoke = draft.definition.states[incident.state.value].invoke;
        const bool undo = attempt && attempt->intent->purpose == JobPurpose::undo;
        if (resolve.outcome->completed && invoke && !undo)
          if (auto fits = cel::conforms(resolve.outcome->result, invoke->signature.result); !fits)
            return no("the result does not fit " + invoke->signature.name + ": " +
                      fits.error().message);
        return std::nullopt;
      }
      case How::jump: {
        const auto target = draft.definition.chart.find(resolve.state);
        if (!target || *target == statechart::root_state)
          return Refusal{RejectionCode::state_unknown,
                         "the definition has no state '" + resolve.state + "'"};
        if (before.mode != RunMode::running || top_final(before, draft.definition))
          return no("the run is ending and goes to no other state");
        if (auto fits = draft.definition.chart.check_targets({{*target}}); !fits)
          return no("'" + resolve.state + "' cannot be entered by itself: " + fits.error().message);
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  void act(const ResolveIncident& resolve, const IncidentRecord& incident,
           const std::optional<JobRecord>& attempt) const {
    using How = ResolveIncident::How;
    if (resolve.how == How::jump) {
      draft.jump_to(*draft.definition.chart.find(resolve.state));
      return;
    }
    const bool about_job =
        incident.kind == IncidentKind::job_lost || incident.kind == IncidentKind::job_unknown;
    if (about_job) {
      draft.resolve_job(resolve, incident, attempt);
      return;
    }
    if (resolve.how == How::give_up) {
      if (incident.kind == IncidentKind::undo_failed) {
        // The person takes care of what could not be undone; the rollback goes on without it.
        draft.emit(CompensationStarted{incident.state});
        draft.emit(CompensationFinished{incident.state, true, "given up: " + resolve.reason});
        return;
      }
      draft.emit(RunCancelRequested{CancelRun{"given up: " + resolve.reason}});
      draft.stop_everything("given up");
      return;
    }
    if (incident.kind == IncidentKind::budget_exhausted) {
      const auto count = draft.state.entries.find(incident.state);
      if (count != draft.state.entries.end() && count->second > 0)
        draft.emit(BudgetExtended{incident.state, count->second - 1});
    }
    if (incident.start_unfinished) draft.start_chart();
  }

  Answer operator()(const SignalRun& signal) const {
    if (const Answer refusal = not_live()) return refusal;
    const MessageSpec* spec = draft.definition.message(signal.name);
    if (spec == nullptr) {
      std::vector<std::string> known;
      for (const MessageSpec& message : draft.definition.messages) known.push_back(message.name);
      const std::string hint = cel::did_you_mean(signal.name, known);
      std::string all;
      for (const std::string& name : known) all += (all.empty() ? "" : ", ") + name;
      return Refusal{RejectionCode::message_unknown,
                     "workflow '" + draft.definition.name + "' declares no message '" +
                         signal.name + "'; it has " + (all.empty() ? "none" : all) +
                         (hint.empty() ? "" : "; " + hint)};
    }
    if (before.mode != RunMode::running || top_final(before, draft.definition))
      return Refusal{RejectionCode::run_finished,
                     "run '" + before.run.value + "' is ending and takes no message any more"};
    if (signal.reason.empty())
      return Refusal{RejectionCode::reason_missing, "a message needs a reason; add --why"};
    if (const auto fits = cel::conforms(signal.data, spec->type); !fits)
      return Refusal{RejectionCode::message_invalid, "the data of message '" + signal.name +
                                                         "' must be " + cel::to_string(spec->type) +
                                                         ": " + fits.error().message};
    if (cel::size_bytes(signal.data) > result_bytes_max)
      return Refusal{RejectionCode::message_invalid,
                     "the data of message '" + signal.name + "' is larger than " +
                         std::to_string(result_bytes_max) + " bytes"};
    if (before.messages.size() >= messages_max)
      return Refusal{
          RejectionCode::queue_full,
          std::to_string(messages_max) + " messages wait in this run already; nothing wants them"};
    draft.receive_message(signal, *spec);
    return std::nullopt;
  }

  Answer operator()(const GrantLease& grant) const {
    if (const Answer refusal = not_live()) return refusal;
    const auto job = before.jobs.find(grant.token);
    if (job == before.jobs.end() || !before.awaits_lease(job->second) || before.paused)
      return Refusal{RejectionCode::lease_not_awaited,
                     "no attempt '" + grant.token.value + "' waits for a lease"};
    std::map<std::string, std::uint32_t> given;
    for (const LeasedUnit& unit : grant.units) ++given[unit.resource];
    if (given != job->second.intent->spec.needs.units)
      return Refusal{RejectionCode::lease_not_awaited,
                     "what is granted to '" + grant.token.value + "' is not what it needs"};
    for (const auto& [token, lease] : before.leases)
      for (const LeasedUnit& unit : lease.units)
        if (std::find(grant.units.begin(), grant.units.end(), unit) != grant.units.end())
          return Refusal{RejectionCode::lease_not_awaited,
                         unit.resource + " " + unit.name + " is held by '" + token.value + "'"};
    draft.emit(LeaseGranted{grant});
    return std::nullopt;
  }
  Answer operator()(const ReleaseLease& release) const {
    if (const Answer refusal = not_live()) return refusal;
    if (!before.leases.contains(release.token))
      return Refusal{RejectionCode::lease_not_awaited,
                     "attempt '" + release.token.value + "' holds no lease"};
    draft.emit(LeaseReleased{release});
    return std::nullopt;
  }

  Answer operator()(const PauseRun& pause) const {
    if (const Answer refusal = not_live()) return refusal;
    if (before.paused)
      return Refusal{RejectionCode::already_paused,
                     "run '" + before.run.value + "' is paused already"};
    if (before.mode != RunMode::running || top_final(before, draft.definition))
      return Refusal{RejectionCode::resolution_not_applicable,
                     "run '" + before.run.value + "' is ending and cannot be paused"};
    draft.emit(RunPaused{pause});
    return std::nullopt;
  }
  Answer operator()(const ResumeRun& resume) const {
    if (const Answer refusal = not_live()) return refusal;
    if (!before.paused)
      return Refusal{RejectionCode::not_paused, "run '" + before.run.value + "' is not paused"};
    draft.resume_clocks(resume);
    return std::nullopt;
  }

  Answer operator()(const CancelRun& cancel) const {
    if (const Answer refusal = not_live()) return refusal;
    if (before.mode == RunMode::rolling_back)
      return Refusal{RejectionCode::resolution_not_applicable,
                     "run '" + before.run.value +
                         "' is being rolled back; where that is stuck, resolve its incident"};
    draft.emit(RunCancelRequested{cancel});
    draft.stop_everything("the run was cancelled");
    return std::nullopt;
  }
  Answer operator()(const RollbackRun& rollback) const {
    if (before.mode == RunMode::absent) return not_live();
    if (before.start.parent)
      return Refusal{RejectionCode::resolution_not_applicable,
                     "run '" + before.run.value + "' is part of '" + before.start.root.value +
                         "'; roll that back"};
    if (before.outcome == RunOutcome::rolled_back || before.mode == RunMode::rolling_back)
      return Refusal{RejectionCode::run_finished,
                     "run '" + before.run.value + "' is already rolled back or being so"};
    draft.emit(RollbackRequested{rollback});
    draft.stop_everything("the run is rolled back");
    return std::nullopt;
  }
};

}  // namespace

Decision decide(const RunState& state, const Definition& definition, const Command& command) {
  Decision decision;
  if (const auto answered = state.answered.find(command.id); answered != state.answered.end()) {
    decision.repeated = true;
    decision.accepted = answered->second.accepted;
    decision.reason = answered->second.reason;
    decision.sequence = answered->second.sequence;
    decision.next = state;
    return decision;
  }
  Draft draft(state, definition, command);
  if (std::optional<Refusal> refusal = std::visit(Handler{draft, state}, command.body)) {
    CR_ASSERT(draft.events.empty());
    decision.accepted = false;
    decision.reason = refusal->reason;
    draft.emit(CommandRejected{command.body, refusal->code, std::move(refusal->reason)});
  } else {
    draft.drain_queue();
    draft.resume_invocations();
    draft.take_messages();
    draft.release_leases();
    draft.settle();
  }
  decision.sequence = state.last.next();
  decision.events = std::move(draft.events);
  decision.next = std::move(draft.state);
  return decision;
}

Record to_record(const Decision& decision, const Command& command, std::string build) {
  Record record;
  record.run = command.run;
  record.first = decision.sequence;
  record.build = std::move(build);
  record.command = command.id;
  record.actor = command.actor;
  record.time = command.time;
  record.monotonic = command.monotonic;
  record.events = decision.events;
  return record;
}

}  // namespace checkride

// Names of the alternatives and enumerations, as logs, `history` and JSON show them.
#include <array>

#include "engine/decider/decide.h"

namespace checkride {

namespace {

template <class Enum, std::size_t N>
Result<Enum> parse_enum(const std::array<std::string_view, N>& names, std::string_view text,
                        std::string_view what) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == text) return static_cast<Enum>(i);
  std::string all;
  for (const std::string_view name : names) all += (all.empty() ? "" : ", ") + std::string(name);
  return fail(ErrorCode::invalid_argument,
              "'" + std::string(text) + "' is no " + std::string(what) + "; it is one of " + all);
}

constexpr std::array<std::string_view, 9> verdict_names = {"none",   "passed",  "warned",
                                                           "failed", "skipped", "unavailable",
                                                           "waived", "claimed", "interrupted"};
constexpr std::array<std::string_view, 6> outcome_names = {
    "none", "succeeded", "failed", "cancelled", "rolled-back", "incomplete"};
constexpr std::array<std::string_view, 5> mode_names = {"absent", "running", "cancelling",
                                                        "rolling-back", "finished"};
constexpr std::array<std::string_view, 6> how_names = {"retry", "started", "finished",
                                                       "lost",  "goto",    "give-up"};
constexpr std::array<std::string_view, 21> rejection_names = {
    "run_already_started", "run_unknown",       "run_finished",        "bad_params",
    "gate_not_open",       "gate_seen_stale",   "answer_not_allowed",  "option_unknown",
    "reason_missing",      "incident_not_open", "incident_ambiguous",  "resolution_not_applicable",
    "state_unknown",       "timer_not_set",     "definition_mismatch", "message_unknown",
    "message_invalid",     "queue_full",        "lease_not_awaited",   "already_paused",
    "not_paused"};
constexpr std::array<std::string_view, 8> incident_names = {
    "execution_error",  "job_lost", "job_unknown", "stuck",
    "budget_exhausted", "limit",    "undo_failed", "kind_missing"};

// In the order of the variants.
constexpr std::array<std::string_view, 15> command_names = {
    "StartRun",  "FinishJob",  "MarkJobStarted",  "AdoptJob",  "ReportJobUnknown",
    "FireTimer", "AnswerGate", "ResolveIncident", "CancelRun", "RollbackRun",
    "SignalRun", "GrantLease", "ReleaseLease",    "PauseRun",  "ResumeRun"};
static_assert(command_names.size() == std::variant_size_v<CommandBody>);

constexpr std::array<std::string_view, 40> event_names = {"RunStarted",
                                                          "JobFinished",
                                                          "StaleResultRejected",
                                                          "JobStarted",
                                                          "JobAdopted",
                                                          "JobUnknown",
                                                          "TimerFired",
                                                          "GateAnswered",
                                                          "IncidentResolved",
                                                          "RunCancelRequested",
                                                          "RollbackRequested",
                                                          "CommandRejected",
                                                          "TransitionTaken",
                                                          "GuardEvaluated",
                                                          "DataAssigned",
                                                          "VerdictGiven",
                                                          "EventQueued",
                                                          "EventTaken",
                                                          "InvocationStarted",
                                                          "InvocationFinished",
                                                          "JobIntended",
                                                          "RetryScheduled",
                                                          "JobCancelRequested",
                                                          "TimerSet",
                                                          "TimerCancelled",
                                                          "GateOpened",
                                                          "GateClosed",
                                                          "IncidentRaised",
                                                          "BudgetExtended",
                                                          "CompensationStarted",
                                                          "CompensationFinished",
                                                          "RunFinished",
                                                          "StoreOpened",
                                                          "MessageReceived",
                                                          "MessageConsumed",
                                                          "MessageExpired",
                                                          "LeaseGranted",
                                                          "LeaseReleased",
                                                          "RunPaused",
                                                          "RunResumed"};
static_assert(event_names.size() == std::variant_size_v<Event>);

}  // namespace

std::string_view to_string(Verdict verdict) {
  return verdict_names[static_cast<std::size_t>(verdict)];
}
Result<Verdict> parse_verdict(std::string_view text) {
  return parse_enum<Verdict>(verdict_names, text, "verdict");
}
bool satisfies(Verdict verdict) {
  return verdict == Verdict::passed || verdict == Verdict::warned || verdict == Verdict::waived;
}
std::string_view to_string(RunOutcome outcome) {
  return outcome_names[static_cast<std::size_t>(outcome)];
}
Result<RunOutcome> parse_run_outcome(std::string_view text) {
  return parse_enum<RunOutcome>(outcome_names, text, "outcome");
}
std::string_view to_string(RunMode mode) {
  return mode_names[static_cast<std::size_t>(mode)];
}
std::string_view to_string(ResolveIncident::How how) {
  return how_names[static_cast<std::size_t>(how)];
}
std::string_view to_string(RejectionCode code) {
  return rejection_names[static_cast<std::size_t>(code)];
}
std::string_view to_string(IncidentKind kind) {
  return incident_names[static_cast<std::size_t>(kind)];
}
std::string_view to_string(JobPurpose purpose) {
  switch (purpose) {
    case JobPurpose::invoke: return "invoke";
    case JobPurpose::probe: return "probe";
    case JobPurpose::undo: return "undo";
  }
  return "invoke";
}
bool moves_run(TimerPurpose purpose) {
  switch (purpose) {
    case TimerPurpose::send:
    case TimerPurpose::retry: return true;
    case TimerPurpose::gate_reminder:
    case TimerPurpose::gate_expiry:
    case TimerPurpose::queue_limit:
    case TimerPurpose::message_expiry: return false;
  }
  return false;
}
std::string_view to_string(JobPhase phase) {
  switch (phase) {
    case JobPhase::intended: return "intended";
    case JobPhase::started: return "started";
    case JobPhase::cancelling: return "cancelling";
    case JobPhase::unknown: return "unknown";
  }
  return "unknown";
}
std::string_view command_name(const CommandBody& body) {
  return command_names[body.index()];
}
std::string_view event_name(const Event& event) {
  return event_names[event.index()];
}

std::string to_string(const Actor& actor) {
  switch (actor.kind) {
    case Actor::Kind::engine: return actor.name;
    case Actor::Kind::local: return actor.name + " (local)";
    case Actor::Kind::claimed: return actor.name + " (claimed)";
  }
  return actor.name;
}

std::optional<Command> command_of(const Record& record) {
  if (record.events.empty()) return std::nullopt;
  Command command;
  command.id = record.command;
  command.run = record.run;
  command.actor = record.actor;
  command.time = record.time;
  command.monotonic = record.monotonic;
  const bool found = std::visit(
      [&](const auto& event) {
        using E = std::decay_t<decltype(event)>;
        if constexpr (requires { event.command; }) {
          command.body = event.command;
          return true;
        } else {
          static_cast<void>(sizeof(E));
          return false;
        }
      },
      record.events.front());
  if (!found) return std::nullopt;
  // An offer of just what was taken is as good as the one that was made.
  for (std::size_t i = 1; i < record.events.size(); ++i) {
    const auto* granted = std::get_if<LeaseGranted>(&record.events[i]);
    if (granted == nullptr) continue;
    if (!command.offer) command.offer.emplace();
    const GrantLease& grant = granted->command;
    command.offer->boot_id = grant.boot_id;
    command.offer->free.insert(grant.units.begin(), grant.units.end());
    if (grant.exclusive)
      for (const LeasedUnit& unit : grant.units) command.offer->whole.insert(unit.resource);
  }
  return command;
}

}  // namespace checkride

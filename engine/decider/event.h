// Events: facts in a run's log. They carry outcomes (states exited and entered, values assigned,
// jobs intended), so that evolve() evaluates nothing. The first event of a record is the input with
// its whole command; the rest are its consequences. On disk each alternative is described in
// store/schema/event.capnp; alternatives and fields are only ever appended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/cel/program.h"
#include "engine/decider/command.h"
#include "engine/decider/definition.h"
#include "engine/statechart/interpreter.h"

namespace checkride {

// --- inputs -------------------------------------------------------------------------------------
struct RunStarted {
  StartRun command;
  bool operator==(const RunStarted&) const = default;
};
struct JobFinished {
  FinishJob command;
  bool operator==(const JobFinished&) const = default;
};
// A result that nobody waits for any more: the attempt was cancelled or already ended.
struct StaleResultRejected {
  FinishJob command;
  std::string reason;
  bool operator==(const StaleResultRejected&) const = default;
};
struct JobStarted {
  MarkJobStarted command;
  bool operator==(const JobStarted&) const = default;
};
struct JobAdopted {
  AdoptJob command;
  bool operator==(const JobAdopted&) const = default;
};
struct JobUnknown {
  ReportJobUnknown command;
  bool operator==(const JobUnknown&) const = default;
};
struct TimerFired {
  FireTimer command;
  bool operator==(const TimerFired&) const = default;
};
struct GateAnswered {
  AnswerGate command;
  bool operator==(const GateAnswered&) const = default;
};
struct IncidentResolved {
  ResolveIncident command;
  bool operator==(const IncidentResolved&) const = default;
};
struct RunCancelRequested {
  CancelRun command;
  bool operator==(const RunCancelRequested&) const = default;
};
struct RollbackRequested {
  RollbackRun command;
  bool operator==(const RollbackRequested&) const = default;
};
enum class RejectionCode : std::uint8_t {
  run_already_started,
  run_unknown,
  run_finished,
  bad_params,
  gate_not_open,
  gate_seen_stale,
  answer_not_allowed,
  option_unknown,
  reason_missing,
  incident_not_open,
  incident_ambiguous,
  resolution_not_applicable,
  state_unknown,
  timer_not_set,
  definition_mismatch,
  message_unknown,
  message_invalid,
  queue_full,
  lease_not_awaited,
  already_paused,
  not_paused,
};
std::string_view to_string(RejectionCode code);
// A message waits in the run until a transition takes it, its time is over, or the run ends.
struct MessageReceived {
  SignalRun command;
  std::string message;               // "m" and the sequence of this event
  std::optional<Timestamp> expires;  // by the `ttl` of its declaration
  bool operator==(const MessageReceived&) const = default;
};
// The first event of a record that the allocator caused, or a consequence of JobIntended where the
// units were free at once.
struct LeaseGranted {
  GrantLease command;
  bool operator==(const LeaseGranted&) const = default;
};
// As an input: the boot id changed. Else a consequence: the attempt's end is proved.
struct LeaseReleased {
  ReleaseLease command;
  bool operator==(const LeaseReleased&) const = default;
};
struct RunPaused {
  PauseRun command;
  bool operator==(const RunPaused&) const = default;
};
// Clocks that stood still go on: every timer with its new due time.
struct RunResumed {
  ResumeRun command;
  std::vector<std::pair<TimerId, Timestamp>> due;
  bool operator==(const RunResumed&) const = default;
};
struct CommandRejected {
  CommandBody command;
  RejectionCode code = RejectionCode::run_unknown;
  std::string reason;  // one sentence for the person who sent it
  bool operator==(const CommandRejected&) const = default;
};

// --- chart --------------------------------------------------------------------------------------
struct TransitionTaken {
  std::vector<statechart::TransitionIndex> transitions;  // empty: initial entry or a jump
  std::string trigger;                                   // event name; empty: eventless
  std::vector<statechart::StateIndex> exited;            // in exit order
  std::vector<statechart::StateIndex> entered;           // in entry order
  std::vector<std::pair<statechart::StateIndex, std::vector<statechart::StateIndex>>> history;
  // New entry counts of the states that have a budget.
  std::vector<std::pair<statechart::StateIndex, std::uint32_t>> entries;
  bool operator==(const TransitionTaken&) const = default;
};
// A fact as recorded: its value when it is small, else its digest and where it stands.
struct RecordedFact {
  std::string path;
  std::optional<cel::Value> value;  // scalars up to 64 bytes
  Digest digest;                    // of to_cel(value) otherwise
  Sequence stands_at;               // the event that brought it, otherwise
  bool operator==(const RecordedFact&) const = default;
};
struct GuardCandidate {
  statechart::TransitionIndex transition;
  bool holds = false;
  std::string error;  // the guard failed: why
  std::vector<RecordedFact> facts;
  bool operator==(const GuardCandidate&) const = default;
};
// The guards tried for one event, in the order they were tried.
struct GuardEvaluated {
  std::string trigger;
  std::vector<GuardCandidate> candidates;
  bool operator==(const GuardEvaluated&) const = default;
};
struct DataAssigned {
  std::string name;
  cel::Value value;
  bool operator==(const DataAssigned&) const = default;
};
struct VerdictGiven {
  statechart::StateIndex state;
  Verdict verdict = Verdict::none;
  std::string note;
  bool operator==(const VerdictGiven&) const = default;
};
// While a run is parked, what arrives waits in its queue; taken in order later.
struct EventQueued {
  std::string name;
  cel::Value data;
  bool operator==(const EventQueued&) const = default;
};
struct EventTaken {  // from the front of the queue
  bool operator==(const EventTaken&) const = default;
};

// --- jobs ---------------------------------------------------------------------------------------
enum class JobPurpose : std::uint8_t { invoke, probe, undo };
std::string_view to_string(JobPurpose purpose);
// An invocation begins: `items` are the elements for `each`, else empty.
struct InvocationStarted {
  statechart::StateIndex state;
  bool each = false;
  cel::List items;
  bool operator==(const InvocationStarted&) const = default;
};
// It ended: the state sees done or error. `result` only where no JobFinished carries it (machines).
struct InvocationFinished {
  statechart::StateIndex state;
  bool done = false;
  JobStatus status = JobStatus::pass;
  std::optional<cel::Value> result;
  bool operator==(const InvocationFinished&) const = default;
};
struct JobIntended {
  JobSpec spec;
  Digest digest;  // spec_digest(spec)
  statechart::StateIndex state;
  JobPurpose purpose = JobPurpose::invoke;
  JobSignature::Performer performer = JobSignature::Performer::runner;
  std::uint32_t item = 0;  // position in `each`
  std::uint32_t attempt = 1;
  std::optional<Token> about;  // for a probe: the attempt it looks into
  Digest machine;              // for a child run: its definition
  bool operator==(const JobIntended&) const = default;
};
struct RetryScheduled {
  statechart::StateIndex state;
  std::uint32_t item = 0;
  std::uint32_t attempt = 2;  // the attempt to come
  FailureClass failure = FailureClass::none;
  Timestamp due;
  bool operator==(const RetryScheduled&) const = default;
};
struct JobCancelRequested {
  Token token;
  std::string reason;
  bool operator==(const JobCancelRequested&) const = default;
};

// --- time, people, trouble ----------------------------------------------------------------------
enum class TimerPurpose : std::uint8_t {
  send,
  retry,
  gate_reminder,
  gate_expiry,
  queue_limit,     // `event` is the token of the attempt that waits
  message_expiry,  // `event` is the message
};
// Whether it moves the run on by itself; the others are about something that is waited for.
bool moves_run(TimerPurpose purpose);
struct TimerSet {
  TimerId timer;
  TimerPurpose purpose = TimerPurpose::send;
  Timestamp due;
  statechart::StateIndex state;  // that owns it; root for sends
  std::uint32_t item = 0;        // for retries
  std::string event;             // for sends
  cel::Value data;
  bool operator==(const TimerSet&) const = default;
};
struct TimerCancelled {
  TimerId timer;
  bool operator==(const TimerCancelled&) const = default;
};
// A transition took the message: its TransitionTaken follows.
struct MessageConsumed {
  std::string message;
  bool operator==(const MessageConsumed&) const = default;
};
struct MessageExpired {
  std::string message;
  std::string reason;
  bool operator==(const MessageExpired&) const = default;
};
struct GateOpened {
  Token gate;  // run id and the sequence of this event
  statechart::StateIndex state;
  std::string question;
  std::vector<std::string> options;  // every decision that may be given, approve ... first
  std::vector<std::string> who;
  cel::Map inputs;  // the gate's `with`, evidence included
  bool operator==(const GateOpened&) const = default;
};
struct GateClosed {
  Token gate;
  std::string outcome;  // the decision, or "withdrawn", or "expired: DECISION"
  bool operator==(const GateClosed&) const = default;
};
enum class IncidentKind : std::uint8_t {
  execution_error,
  job_lost,
  job_unknown,
  stuck,
  budget_exhausted,
  limit,
  undo_failed,
  kind_missing,
};
std::string_view to_string(IncidentKind kind);
struct QueuedEvent {
  std::string name;
  cel::Value data;
  bool operator==(const QueuedEvent&) const = default;
};
struct IncidentRaised {
  IncidentId incident;
  IncidentKind kind = IncidentKind::execution_error;
  std::string message;
  statechart::StateIndex state;  // root when none
  std::optional<Token> job;
  std::vector<QueuedEvent> unprocessed;  // put first in the queue
  bool start_unfinished = false;         // the initial macrostep itself was thrown away
  bool operator==(const IncidentRaised&) const = default;
};
// A person allowed one more entry of a state with a budget.
struct BudgetExtended {
  statechart::StateIndex state;
  std::uint32_t entries = 0;  // the new count of entries made, one less
  bool operator==(const BudgetExtended&) const = default;
};
struct CompensationStarted {
  statechart::StateIndex state;
  bool operator==(const CompensationStarted&) const = default;
};
struct CompensationFinished {
  statechart::StateIndex state;
  bool ok = false;
  std::string message;
  bool operator==(const CompensationFinished&) const = default;
};
struct RunFinished {
  RunOutcome outcome = RunOutcome::none;
  std::string reason;
  cel::Value output;
  std::vector<statechart::StateIndex> unsatisfied;  // required states that make it incomplete
  bool operator==(const RunFinished&) const = default;
};
// Of the store's own stream (run id "@store"): a writer opened it.
struct StoreOpened {
  Epoch epoch;
  std::string host;
  std::string boot_id;
  std::string build;  // version of the program
  bool clean = true;  // the writer before closed it properly
  bool operator==(const StoreOpened&) const = default;
};

using Event =
    std::variant<RunStarted, JobFinished, StaleResultRejected, JobStarted, JobAdopted, JobUnknown,
                 TimerFired, GateAnswered, IncidentResolved, RunCancelRequested, RollbackRequested,
                 CommandRejected, TransitionTaken, GuardEvaluated, DataAssigned, VerdictGiven,
                 EventQueued, EventTaken, InvocationStarted, InvocationFinished, JobIntended,
                 RetryScheduled, JobCancelRequested, TimerSet, TimerCancelled, GateOpened,
                 GateClosed, IncidentRaised, BudgetExtended, CompensationStarted,
                 CompensationFinished, RunFinished, StoreOpened, MessageReceived, MessageConsumed,
                 MessageExpired, LeaseGranted, LeaseReleased, RunPaused, RunResumed>;
std::string_view event_name(const Event& event);  // "JobFinished"

// One macrostep as it is kept: the envelope once, the events in order. Event k has sequence
// first + k.
struct Record {
  RunId run;
  Sequence first;
  GlobalSequence global;  // given by the log
  Digest previous;        // chain hash of the run's record before; zero for the first
  Digest chain;           // SHA-256 over `previous` and this record's bytes; given by the log
  std::string build;      // of the program that decided it
  Epoch epoch;
  CommandId command;
  Actor actor;
  Timestamp time;
  Duration monotonic{};
  std::vector<Event> events;

  Sequence last() const { return Sequence(first.value + events.size() - 1); }
  bool operator==(const Record&) const = default;
};

// The command that a record's first event carries, for replay; nothing for StoreOpened.
std::optional<Command> command_of(const Record& record);

}  // namespace checkride

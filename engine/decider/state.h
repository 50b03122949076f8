// What evolve() folds a run's events into: everything decide() and outstanding() need, and nothing
// else. A value: it copies, compares and is written into snapshots (store/schema/state.capnp).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/decider/event.h"

namespace checkride {

enum class JobPhase : std::uint8_t { intended, started, cancelling, unknown };
std::string_view to_string(JobPhase phase);

// A live attempt.
struct JobRecord {
  std::shared_ptr<const JobIntended> intent;  // never null
  Sequence intended_at;
  Timestamp intended_time;
  JobPhase phase = JobPhase::intended;
  bool stale = false;  // its state was left or its run is ending: a result goes nowhere
  bool operator==(const JobRecord& other) const {
    return *intent == *other.intent && intended_at == other.intended_at &&
           intended_time == other.intended_time && phase == other.phase && stale == other.stale;
  }
};

// What a state's invocation has come to; kept until the state is left.
struct InvocationRecord {
  Sequence started_at;
  bool ended = false;  // the state was told done or error
  bool done = false;
  JobStatus status = JobStatus::pass;  // once ended
  bool each = false;
  cel::List items;
  std::uint32_t next_item = 0;                      // first element not yet intended
  std::map<std::uint32_t, std::uint32_t> attempts;  // by item: number of the last attempt
  std::map<std::uint32_t, JobOutcome> outcomes;     // by item, of children that ended
  bool operator==(const InvocationRecord&) const = default;
};

struct TimerRecord {
  TimerPurpose purpose = TimerPurpose::send;
  Timestamp due;
  statechart::StateIndex state;
  std::uint32_t item = 0;
  std::string event;
  cel::Value data;
  bool operator==(const TimerRecord&) const = default;
};

struct GateRecord {
  statechart::StateIndex state;
  Sequence opened_at;
  Timestamp opened_time;
  std::string question;
  std::vector<std::string> options;
  std::vector<std::string> who;
  cel::Map inputs;
  bool operator==(const GateRecord&) const = default;
};

struct IncidentRecord {
  IncidentKind kind = IncidentKind::execution_error;
  std::string message;
  statechart::StateIndex state;
  std::optional<Token> job;
  Timestamp time;
  bool start_unfinished = false;
  bool operator==(const IncidentRecord&) const = default;
};

struct VerdictRecord {
  Verdict verdict = Verdict::none;
  std::string note;
  Sequence given_at;
  Timestamp time;
  Actor actor;
  bool operator==(const VerdictRecord&) const = default;
};

// The last completed result of a state's job, and where it stands.
struct ResultRecord {
  cel::Value value;
  Sequence stands_at;
  bool operator==(const ResultRecord&) const = default;
};

// A message that no transition has taken yet.
struct MessageRecord {
  std::string message;
  std::string name;
  cel::Value data;
  Sequence received_at;
  Timestamp received;
  std::optional<Timestamp> expires;
  bool operator==(const MessageRecord&) const = default;
};

// Units that a live attempt holds.
struct LeaseRecord {
  std::vector<LeasedUnit> units;
  bool exclusive = false;
  std::string boot_id;
  Sequence granted_at;
  Timestamp granted;
  bool operator==(const LeaseRecord&) const = default;
};

struct PauseRecord {
  Timestamp since;
  std::string reason;
  bool by_parent = false;
  Actor actor;
  bool operator==(const PauseRecord&) const = default;
};

struct AnsweredCommand {
  Sequence sequence;
  bool accepted = true;
  std::string reason;
  bool operator==(const AnsweredCommand&) const = default;
};

enum class RunMode : std::uint8_t { absent, running, cancelling, rolling_back, finished };
std::string_view to_string(RunMode mode);

struct RunState {
  RunId run;
  Sequence last;  // of the newest event folded in
  RunMode mode = RunMode::absent;
  StartRun start;
  Timestamp started;
  Timestamp updated;
  Actor author;     // who started it
  cel::Map params;  // the given ones; decide completes them from the definition
  cel::Map data;
  Sequence started_at;                          // where params stand
  std::map<std::string, Sequence> assigned_at;  // where each data field stands

  statechart::ChartState chart;
  std::map<statechart::StateIndex, std::uint32_t> entries;         // of states with a budget
  std::map<statechart::StateIndex, Sequence> entered_at;           // of active states
  std::map<statechart::StateIndex, InvocationRecord> invocations;  // live ones
  std::map<Token, JobRecord> jobs;                                 // live attempts
  std::map<TimerId, TimerRecord> timers;
  std::map<Token, GateRecord> gates;               // open ones
  std::map<IncidentId, IncidentRecord> incidents;  // open ones: parked while any
  std::deque<QueuedEvent> queue;
  std::map<statechart::StateIndex, VerdictRecord> verdicts;
  std::map<statechart::StateIndex, ResultRecord> results;  // of states that invoke
  std::vector<statechart::StateIndex> completed;  // states whose invocation was done, oldest first
  std::vector<statechart::StateIndex> compensated;  // undone or being undone
  std::optional<statechart::StateIndex> compensating;
  std::string end_reason;  // of a cancel or rollback under way
  RunOutcome outcome = RunOutcome::none;
  std::string outcome_reason;
  cel::Value output;
  std::vector<statechart::StateIndex> unsatisfied;
  // Commands of people, by id, newest kept: a repeated id gets the recorded answer.
  std::map<CommandId, AnsweredCommand> answered;
  std::deque<CommandId> answered_order;
  std::vector<MessageRecord> messages;  // oldest first
  std::map<Token, LeaseRecord> leases;  // of live attempts
  std::optional<PauseRecord> paused;

  // Inputs are recorded and queued, and nothing new begins.
  bool parked() const { return !incidents.empty() || paused.has_value(); }
  // An attempt that may not start yet: it waits for its units.
  bool awaits_lease(const JobRecord& job) const {
    return job.phase == JobPhase::intended && needs_lease(job.intent->spec) &&
           !leases.contains(job.intent->spec.token);
  }
  bool finished() const { return mode == RunMode::finished; }
  bool operator==(const RunState&) const = default;
};

inline constexpr std::size_t answered_commands_max = 256;
inline constexpr std::size_t queue_events_max = 10'000;
inline constexpr std::size_t messages_max = 256;  // waiting in one run

// What a head row shows of a run without its state: written with every record.
struct RunSummary {
  std::string definition_name;
  Digest definition;
  std::optional<ParentLink> parent;
  RunId root;
  RunMode mode = RunMode::absent;
  RunOutcome outcome = RunOutcome::none;
  Timestamp started;
  Timestamp updated;
  std::optional<Timestamp> next_due;  // of the earliest timer
  bool owes_work = false;             // live attempts or a finish to deliver: look at it on opening
  std::uint32_t gates = 0;
  std::uint32_t incidents = 0;
  std::uint32_t jobs = 0;
  std::uint32_t leases = 0;  // attempts that hold units: the allocator is rebuilt from these
  bool paused = false;
  bool operator==(const RunSummary&) const = default;
};
RunSummary summarize(const RunState& state);

}  // namespace checkride

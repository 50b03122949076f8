// Commands: requests to a run, by people, by runners, by timers. Each has an id, an actor and a
// time; decide() accepts it (its first event carries the whole command) or rejects it
// (CommandRejected does). Nothing else enters the core.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/ids.h"
#include "engine/base/time.h"
#include "engine/cel/value.h"
#include "engine/decider/job.h"
#include "engine/decider/lease.h"

namespace checkride {

// Who asks. `local` is the user of a process on this machine (from the socket or the process
// itself), `claimed` a name somebody gave.
struct Actor {
  enum class Kind : std::uint8_t { engine, local, claimed } kind = Kind::engine;
  std::string name = "engine";
  bool operator==(const Actor&) const = default;
};
std::string to_string(const Actor& actor);  // "ada (local)"

// The parent's side of a child run.
struct ParentLink {
  RunId run;
  Token token;  // equals the child's run id
  bool operator==(const ParentLink&) const = default;
};

struct StartRun {
  Digest definition;
  std::string definition_name;
  cel::Map params;  // as given; defaults are the definition's
  RunId root;       // itself, or the top of its tree
  std::optional<ParentLink> parent;
  std::string folder;                              // the root run's own folder, absolute
  std::map<std::string, std::string> environment;  // values of `record_env` names alone
  std::vector<std::string> environment_names;      // every name that was set, sorted
  std::map<std::string, std::string> facts;        // host, kernel, git version, ...
  bool operator==(const StartRun&) const = default;
};
struct FinishJob {
  Token token;
  JobOutcome outcome;
  // For a child run: where its log stood at its RunFinished, so the parent's chain covers it.
  std::optional<Sequence> child_sequence;
  Digest child_chain;
  bool operator==(const FinishJob&) const = default;
};
struct MarkJobStarted {
  Token token;
  ProcessIdentity identity;
  bool operator==(const MarkJobStarted&) const = default;
};
struct AdoptJob {
  Token token;
  ProcessIdentity identity;
  bool operator==(const AdoptJob&) const = default;
};
struct ReportJobUnknown {
  Token token;
  std::string findings;
  bool operator==(const ReportJobUnknown&) const = default;
};
struct FireTimer {
  TimerId timer;
  Timestamp due;
  bool operator==(const FireTimer&) const = default;
};
struct AnswerGate {
  Token gate;
  Sequence seen;         // sequence of the GateOpened the person looked at
  std::string decision;  // "approve", "reject", "waive" or an option
  std::string reason;
  bool operator==(const AnswerGate&) const = default;
};
struct ResolveIncident {
  enum class How : std::uint8_t { retry, started, finished, lost, jump, give_up } how = How::retry;
  IncidentId incident;                // empty: the only open one
  Token job;                          // for started, finished, lost; empty: the incident's own
  std::optional<JobOutcome> outcome;  // for finished
  std::string state;                  // for jump
  std::string reason;
  bool operator==(const ResolveIncident&) const = default;
};
std::string_view to_string(ResolveIncident::How how);
struct CancelRun {
  std::string reason;
  bool operator==(const CancelRun&) const = default;
};
struct RollbackRun {
  std::string reason;
  bool operator==(const RollbackRun&) const = default;
};
// A message from outside: something a person or another program tells the run.
struct SignalRun {
  std::string name;  // declared under `messages`
  cel::Value data;
  std::string reason;
  bool operator==(const SignalRun&) const = default;
};
// The engine's allocator gives a waiting attempt its units.
struct GrantLease {
  Token token;
  std::vector<LeasedUnit> units;
  bool exclusive = false;
  std::string boot_id;  // of the machine the units belong to
  bool operator==(const GrantLease&) const = default;
};
// Takes units back from an attempt that is still live: its machine was rebooted meanwhile.
struct ReleaseLease {
  Token token;
  std::string reason;
  bool operator==(const ReleaseLease&) const = default;
};
struct PauseRun {
  std::string reason;
  bool by_parent = false;
  bool operator==(const PauseRun&) const = default;
};
struct ResumeRun {
  std::string reason;
  bool by_parent = false;
  bool operator==(const ResumeRun&) const = default;
};

using CommandBody = std::variant<StartRun, FinishJob, MarkJobStarted, AdoptJob, ReportJobUnknown,
                                 FireTimer, AnswerGate, ResolveIncident, CancelRun, RollbackRun,
                                 SignalRun, GrantLease, ReleaseLease, PauseRun, ResumeRun>;
std::string_view command_name(const CommandBody& body);  // "StartRun"

struct Command {
  CommandId id;
  RunId run;
  Actor actor;
  Timestamp time;        // wall time when it was received
  Duration monotonic{};  // reading of the engine's monotonic clock, for ordering within an epoch
  CommandBody body;
  // Units that attempts intended by this very decision may have at once; absent where nobody drives
  // the run. Not kept as such: what was taken stands in the record's LeaseGranted events, and an
  // offer of just these leads to the same decision (docs/decisions/0013-leases.md).
  std::optional<LeaseOffer> offer;
  bool operator==(const Command&) const = default;
};

}  // namespace checkride

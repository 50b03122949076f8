// The pure core. decide() runs the chart and the guards over one command and says what happened as
// events; evolve() folds an event into the state and evaluates nothing; outstanding() says what a
// state still owes the world. No clock, no thread, no I/O: replay on another machine gives the same
// bytes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/decider/command.h"
#include "engine/decider/definition.h"
#include "engine/decider/event.h"
#include "engine/decider/state.h"

namespace checkride {

// What evolve needs beside the event: where it stands and who caused it.
struct EventContext {
  const RunId& run;
  Sequence sequence;
  Timestamp time;
  const Actor& actor;
  const CommandId& command;
};

// Total: applies the event whatever the state; evidence-only events change nothing but `last`.
void evolve(RunState& state, const Event& event, const EventContext& context);
// Folds a whole record.
void evolve(RunState& state, const Record& record);

struct Decision {
  bool accepted = true;
  // A repeated command id: nothing new is written; `sequence` is where the first answer stands.
  bool repeated = false;
  std::string reason;         // of a rejection
  Sequence sequence;          // of the first event
  std::vector<Event> events;  // never empty unless repeated
  RunState next;              // the state with the events folded in
};

// `definition` is the one the run was started with (for StartRun: the one to start). `build` ends
// up in no event; replay compares events only.
Decision decide(const RunState& state, const Definition& definition, const Command& command);

// A record from a decision, without what the log gives (global, previous, chain, epoch).
Record to_record(const Decision& decision, const Command& command, std::string build);

// What the state still owes the world. The shell carries it out after the sync; asking twice is
// harmless, for attempts are claimed by token.
struct RunJob {  // the attempt should be running (or be found again)
  std::shared_ptr<const JobIntended> intent;
};
struct StartChild {  // the child run should exist; its end is owed to this run
  std::shared_ptr<const JobIntended> intent;
};
struct StopJob {  // a cancel was requested and its end is not yet known
  std::shared_ptr<const JobIntended> intent;
};
struct AwaitLease {  // the attempt starts once it has its units
  std::shared_ptr<const JobIntended> intent;
};
struct AwaitTimer {
  TimerId timer;
  Timestamp due;
};
using Obligation = std::variant<RunJob, StartChild, StopJob, AwaitTimer, AwaitLease>;
std::vector<Obligation> outstanding(const RunState& state);

// Whether nothing can move without a person or a message: no live attempt, no timer that moves it.
bool waits_for_person(const RunState& state);

// How a finished child ends its parent's job.
FinishJob finish_of_child(const RunState& child, const Definition& definition, Digest chain);

// The types guards of a state are checked against, so that loader and decider agree.
// Variables: params, data, jobs, run, now, event, and result / error where the transition's events
// are the state's own done / error.
struct GuardScope {
  std::optional<cel::Type> result;  // type of `result`, for done transitions
  bool error = false;               // `error` is there, for error transitions
  std::optional<cel::Type> data;    // type of `event.data`, for messages
};
cel::Environment guard_environment(const std::vector<FieldSpec>& params,
                                   const std::vector<FieldSpec>& data, const cel::Type& jobs,
                                   const std::vector<std::string>& state_ids,
                                   const GuardScope& scope);
// {id: string, root: string, folder: string, author: string, started: timestamp}
cel::Type run_type();
// {class: string, message: string, attempts: int, log: string, limit?: string, exit_code?: int}
cel::Type error_type();
// Result of a machine invocation without and with `each`.
cel::Type machine_result_type(const cel::Type& output, bool each);
// {decision: string, reason: string, actor: string}
cel::Type gate_result_type();

}  // namespace checkride

// Drives a whole chart by the real core (decide, evolve, outstanding) in a world made of words:
// jobs end as a script says, people answer as it says, a virtual clock jumps to whatever is due
// next. Child runs are runs here too. Nothing outside is touched; the records go into the log that
// the caller gives (one in memory), so that every view of a real run works on a rehearsed one.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "engine/ports/event_log.h"
#include "workflows/rehearsal/cases.h"
#include "workflows/rehearsal/coverage.h"

namespace checkride::rehearsal {

inline constexpr std::size_t rehearsal_steps_max = 10'000;  // commands in one rehearsal

// A run of the rehearsed tree as it stands at the end.
struct RehearsedRun {
  RunState state;
  std::shared_ptr<const Definition> definition;
  std::string parent_state;                     // that invoked it; empty at the top
  std::string element;                          // element_key() of the element it was started for
  std::uint32_t position = 0;                   // of that element, from 0
  std::vector<statechart::StateIndex> entered;  // every state, in order
  std::vector<IncidentKind> incidents;
  RunId parent;
};

struct Rehearsed {
  std::vector<RehearsedRun> runs;  // by start; the first is the rehearsed one; empty: not started
  // Why it could not go on: a job without an outcome, a refused command, too many steps. One
  // sentence with what to add.
  std::string problem;
  // What the tree waits for, where it neither ended nor met a problem.
  std::string waits_for;
  std::size_t steps = 0;
  // What of the case's own script, and of the usual one, came to pass.
  std::set<const void*> used;

  const RehearsedRun& top() const { return runs.front(); }
  // "succeeded", ..., or "waiting"; "stopped" after a problem.
  std::string outcome() const;
  int exit_code() const;  // 0, 1, 3; 2 after a problem
};

struct RehearsalOptions {
  RunId run{"rehearsal"};
  std::string build;
  std::function<void(const RunId&)> moved;  // after each record
};

// The definition's own source and its machines' are stored in `log` first. Errors: those of `log`.
Result<Rehearsed> rehearse(const std::shared_ptr<const Definition>& definition,
                           const CaseFile& file, const Case& one, EventLog& log, Coverage& coverage,
                           const RehearsalOptions& options);

// The steps of a script that did not come to pass: where they stand and what they are.
struct Unused {
  Place place;
  std::string what;  // "outcomes.apply #2", "outcomes.reapply.items.two.apply"
};
std::vector<Unused> unused(const Script& script, const std::set<const void*>& used);

// The atomic states a run entered, "clean > backup > export".
std::string path_text(const RehearsedRun& run);

}  // namespace checkride::rehearsal

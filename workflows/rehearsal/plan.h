// What a run would do, told before it starts: the states along the expected path with the inputs of
// their jobs as far as they are known, and what a look without side effects finds already. Where a
// guard cannot be told yet, the expected branch is the one that neither warns nor fails and leads
// to the next state of the document. Used by `run --dry-run`.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/decider/definition.h"

namespace checkride::rehearsal {

inline constexpr std::size_t plan_steps_max = 1'000;

struct Plan;

struct PlanInput {
  std::string name;
  std::optional<cel::Value> value;  // absent: known only once the run is there
  std::string source;               // as the definition says it
};

struct PlanStep {
  statechart::StateIndex state;
  const InvokeSpec* invoke = nullptr;  // borrowed from the definition; null: no job
  std::vector<PlanInput> inputs;
  std::optional<JobOutcome> found;  // what a look says now
  std::optional<Verdict> verdict;   // of the branch, where the look decides it
  std::string note;                 // the same
  std::optional<statechart::StateIndex> next;
  std::vector<statechart::StateIndex> otherwise;  // other branches, each once
  bool certain = false;                           // the branch follows from what is known
  cel::List items;                                // of `each`, where known
  std::vector<Plan> children;  // of a machine: one for each item, or one that stands for all
};

struct Plan {
  std::shared_ptr<const Definition> definition;
  cel::Map params;  // defaults filled in; absent: known only later
  std::vector<PlanStep> steps;
  std::optional<statechart::StateIndex> end;  // the final state at its end
  bool looked_failed = false;  // looks alone already lead to an end that is no success
};

// A look at the world for one job, changing nothing; nothing where that is not possible.
using Look = std::function<std::optional<JobOutcome>(const JobSpec&)>;

// `params` are complete.
Plan plan_of(const std::shared_ptr<const Definition>& definition, const cel::Map& params,
             const Look& look);

}  // namespace checkride::rehearsal

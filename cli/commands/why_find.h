// Finds the moment that `why` is asked about and evaluates its guards again over the facts that
// were recorded. Large facts are recorded by digest alone; they are taken from the state as it
// stood just before, and believed only where their digest agrees.
#pragma once

#include "cli/commands/load.h"
#include "cli/render/why.h"

namespace checkride::cli {

// What is asked: at an event, about a state (its last entry or exit), or, with neither, the last
// branch that had guards.
struct WhyQuestion {
  std::optional<Sequence> at;
  std::optional<statechart::StateIndex> state;
};

// not_found, with the reason as a sentence, where no such moment is in the log of this run.
Result<Explanation> explain(const LogReader& reader, const RunTree& run,
                            const WhyQuestion& question);

}  // namespace checkride::cli

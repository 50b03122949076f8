// Whether anything can take a run out of a state that waits: its own transitions, its ancestors',
// and those of other regions that leave a parallel state around it. What holds for many states is
// worked out once, so that asking for every state of a large chart costs little more than reading
// it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "workflows/loader/events.h"
#include "workflows/loader/paths.h"

namespace checkride::loader {

struct Ways {
  bool any = false;
  // One among them is more than a guard tried once (`always`, `after`): it has no guard, or its
  // event may come again.
  bool lasting = false;
};

class WaysOut {
 public:
  WaysOut(const Paths& paths, PossibleEvents& events);

  // By an event that can occur while `state`, an atomic one, is active. `without`: as if these of
  // its own events could not.
  Ways of(statechart::StateIndex state, const std::vector<std::string>& without = {});

 private:
  // A transition that only events of some states cause, and what its descriptors match.
  struct Depending {
    statechart::TransitionIndex transition;
    std::vector<const PossibleEvents::Matched*> matched;
  };
  // Transitions that leave a parallel state as a whole, from one of its regions.
  struct Leaving {
    // Regions from which one leaves it in any case: two stand for all, since no state is in both.
    std::array<std::optional<statechart::StateIndex>, 2> any;
    std::array<std::optional<statechart::StateIndex>, 2> lasting;
    std::vector<std::pair<statechart::StateIndex, Depending>> depending;  // with their regions
  };

  void add_source(statechart::StateIndex source, statechart::TransitionIndex t);
  void add_leaving(statechart::StateIndex parallel, statechart::StateIndex region,
                   statechart::TransitionIndex t);
  Depending depending(statechart::TransitionIndex t);
  // Whether an event that the descriptor matches can come while `state` is active.
  bool possible(const PossibleEvents::Matched& matched, const std::string& descriptor,
                statechart::StateIndex state, const std::vector<std::string>& without) const;
  bool taken(const Depending& one, statechart::StateIndex state,
             const std::vector<std::string>& without) const;

  const Paths& paths_;
  PossibleEvents& events_;
  std::vector<Ways> always_;  // by state: its transitions that any state below it may count on
  std::vector<std::vector<Depending>> depending_;  // its others
  std::vector<Leaving> leaving_;                   // by parallel state
};

}  // namespace checkride::loader

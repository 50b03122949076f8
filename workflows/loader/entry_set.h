// The states that transitions enter by default, added up: SCXML's computeEntrySet (appendix D) with
// history states by their default, over any number of targets. Each state is entered once, whatever
// leads to it, so adding all targets of a chart costs no more than its size.
#pragma once

#include <vector>

#include "engine/statechart/chart.h"

namespace checkride::loader {

class EntrySet {
 public:
  explicit EntrySet(const statechart::Chart& chart);

  // Enters `target` from the root down.
  void enter(statechart::StateIndex target) { enter(target, statechart::root_state); }
  // Marks a state as entered without anything that would follow.
  void mark(statechart::StateIndex state);

  bool has(statechart::StateIndex state) const { return entered_[state.value]; }
  // A state entered since it was last asked for, or nothing.
  std::optional<statechart::StateIndex> next();

 private:
  void enter(statechart::StateIndex target, statechart::StateIndex domain);
  void descend(statechart::StateIndex state);
  void enter_beside(statechart::StateIndex parallel, statechart::StateIndex region);

  const statechart::Chart& chart_;
  std::vector<bool> entered_;
  std::vector<bool> descended_;  // entered with all that its default enters
  // Of a parallel state: the one region that is not entered by default yet; the root: none known.
  std::vector<statechart::StateIndex> left_out_;
  std::vector<statechart::StateIndex> fresh_;
};

}  // namespace checkride::loader

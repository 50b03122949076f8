#include "workflows/loader/entry_set.h"

namespace checkride::loader {

using statechart::root_state;
using statechart::StateIndex;
using statechart::StateKind;

EntrySet::EntrySet(const statechart::Chart& chart)
    : chart_(chart),
      entered_(chart.states.size(), false),
      descended_(chart.states.size(), false),
      left_out_(chart.states.size(), root_state) {}

std::optional<StateIndex> EntrySet::next() {
  if (fresh_.empty()) return std::nullopt;
  const StateIndex state = fresh_.back();
  fresh_.pop_back();
  return state;
}

void EntrySet::mark(StateIndex state) {
  if (entered_[state.value]) return;
  entered_[state.value] = true;
  fresh_.push_back(state);
}

// Depth is bounded by the chart's; a history state's default leads further down.
void EntrySet::descend(StateIndex state) {
  if (descended_[state.value]) return;
  descended_[state.value] = true;
  mark(state);
  const auto& node = chart_.state(state);
  if (node.kind == StateKind::parallel) {
    for (const StateIndex child : node.children)
      if (!chart_.is_history(child)) descend(child);
  } else if (node.initial) {
    const StateIndex below = chart_.is_history(state) ? node.parent : state;
    for (const StateIndex target : chart_.transition(*node.initial).targets) enter(target, below);
  }
}

void EntrySet::enter_beside(StateIndex parallel, StateIndex region) {
  if (descended_[parallel.value]) return;
  StateIndex& left_out = left_out_[parallel.value];
  if (left_out == region) return;
  if (left_out != root_state) {
    descended_[parallel.value] = true;
    descend(left_out);
    return;
  }
  left_out = region;
  for (const StateIndex other : chart_.state(parallel).children)
    if (!chart_.is_history(other) && other != region) descend(other);
}

void EntrySet::enter(StateIndex target, StateIndex domain) {
  descend(target);
  StateIndex below = target;
  for (StateIndex a = chart_.state(target).parent; a != domain && a != root_state;
       below = a, a = chart_.state(a).parent) {
    mark(a);
    if (chart_.is_parallel(a)) enter_beside(a, below);
  }
}

}  // namespace checkride::loader

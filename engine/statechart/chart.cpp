#include "engine/statechart/chart.h"

#include <algorithm>

namespace checkride::statechart {

std::optional<StateIndex> Chart::find(std::string_view id) const {
  const auto found = by_id_.find(std::string(id));
  if (found == by_id_.end()) return std::nullopt;
  return found->second;
}

bool Chart::is_atomic(StateIndex i) const {
  return table(i).atomic;
}
bool Chart::is_compound(StateIndex i) const {
  return table(i).compound;
}

StateIndex Chart::find_lcca(StateIndex source, std::span<const StateIndex> others) const {
  for (StateIndex ancestor = table(source).parent; ancestor != root_state;
       ancestor = table(ancestor).parent) {
    // A parallel state cannot be the common ancestor: leaving one region leaves them all.
    if (!table(ancestor).compound) continue;
    if (std::all_of(others.begin(), others.end(),
                    [&](StateIndex s) { return is_descendant(s, ancestor); })) {
      return ancestor;
    }
  }
  return root_state;
}

StateIndex Chart::transition_domain(const Transition& transition,
                                    std::span<const StateIndex> effective_targets) const {
  const StateIndex source = transition.source;
  if (transition.internal && table(source).compound &&
      std::all_of(effective_targets.begin(), effective_targets.end(),
                  [&](StateIndex s) { return is_descendant(s, source); })) {
    return source;
  }
  return find_lcca(source, effective_targets);
}

bool Chart::is_legal(const std::vector<StateIndex>& configuration) const {
  std::vector<StateIndex> sorted = configuration;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return false;
  const auto active = [&](StateIndex s) {
    return std::binary_search(sorted.begin(), sorted.end(), s);
  };
  const auto children_are_legal = [&](StateIndex s) {
    if (table(s).atomic) return true;
    std::size_t active_count = 0;
    std::size_t child_count = 0;
    for (const StateIndex child : state(s).children) {
      if (is_history(child)) continue;
      ++child_count;
      if (active(child)) ++active_count;
    }
    return active_count == (is_parallel(s) ? child_count : 1);
  };
  if (!children_are_legal(root_state)) return false;
  return std::all_of(sorted.begin(), sorted.end(), [&](StateIndex s) {
    if (s == root_state || s.value >= states.size() || is_history(s)) return false;
    const StateIndex parent = table(s).parent;
    return (parent == root_state || active(parent)) && children_are_legal(s);
  });
}

bool matches(std::string_view descriptor, std::string_view event_name) {
  if (descriptor == "*") return true;
  if (descriptor.ends_with(".*")) {
    descriptor.remove_suffix(2);
  } else if (descriptor.ends_with('.')) {
    descriptor.remove_suffix(1);
  }
  if (descriptor.empty() || !event_name.starts_with(descriptor)) return false;
  return event_name.size() == descriptor.size() || event_name[descriptor.size()] == '.';
}

}  // namespace checkride::statechart

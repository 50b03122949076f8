// Where a chart's transitions lead, without running it: which states can be active together, which
// transitions an event may take. With entry_set.h, events.h and ways_out.h what the rules of lint.h
// are built on. SCXML names and meanings; what a history state remembers is unknown here.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/decider/definition.h"

namespace checkride::loader {

class Paths {
 public:
  explicit Paths(const Definition& definition);

  const statechart::Chart& chart() const { return definition_.chart; }

  bool is_ancestor_or_self(statechart::StateIndex ancestor, statechart::StateIndex state) const;
  // Whether two states, none an ancestor of the other, can be active at once: in different regions
  // of one parallel state.
  bool in_other_region(statechart::StateIndex a, statechart::StateIndex b) const;
  bool in_parallel(statechart::StateIndex state) const;

  // getTransitionDomain; targets that are history states count as their parent's default.
  statechart::StateIndex domain(const statechart::Transition& transition) const;
  // Transitions that the event may take while `state` is active, as SCXML tries them: its own in
  // document order, then its ancestors'. An unguarded one ends the list.
  std::vector<statechart::TransitionIndex> candidates(statechart::StateIndex state,
                                                      std::string_view event) const;

 private:
  // Transitions of a state with many, by descriptor: positions in document order.
  using ByDescriptor = std::unordered_map<std::string, std::vector<std::uint32_t>>;
  std::vector<std::uint32_t> listening(statechart::StateIndex state, std::string_view event) const;

  const Definition& definition_;
  std::unordered_map<std::uint32_t, ByDescriptor> crowded_;
};

// The events by which the state's own invocation ends.
std::vector<std::string> ending_events(const InvokeSpec& invoke);
bool is_gate(const InvokeSpec& invoke);
// approve, reject, waive and the options.
std::vector<std::string> answers_of(const InvokeSpec& gate);

}  // namespace checkride::loader

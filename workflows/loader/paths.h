// Where a chart's transitions lead, without running it: which states an entry enters by default,
// which can be active together, which events can occur. The rules of lint.h and loops.h are built
// on this. SCXML names and meanings; what a history state remembers is unknown here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decider/definition.h"

namespace checkride::loader {

// An event that some part of the definition or the engine can raise.
struct PossibleEvent {
  std::string name;
  // The state that must be active for it; absent: an action of any state raises it.
  std::optional<statechart::StateIndex> owner;
};

class Paths {
 public:
  explicit Paths(const Definition& definition);

  const statechart::Chart& chart() const { return definition_.chart; }
  const std::vector<PossibleEvent>& events() const { return events_; }
  // Whether any possible event matches the descriptor.
  bool can_occur(std::string_view descriptor) const;

  bool is_ancestor_or_self(statechart::StateIndex ancestor, statechart::StateIndex state) const;
  // Whether two states, none an ancestor of the other, can be active at once: in different regions
  // of one parallel state.
  bool in_other_region(statechart::StateIndex a, statechart::StateIndex b) const;
  bool in_parallel(statechart::StateIndex state) const;

  // getTransitionDomain; targets that are history states count as their parent's default.
  statechart::StateIndex domain(const statechart::Transition& transition) const;
  // States that become active by entering `target` from below `domain`, history by its default.
  void enter(statechart::StateIndex target, statechart::StateIndex domain,
             std::vector<bool>& entered) const;

  // Transitions that the event may take while `state` is active, as SCXML tries them: its own in
  // document order, then its ancestors'. An unguarded one ends the list.
  std::vector<statechart::TransitionIndex> candidates(statechart::StateIndex state,
                                                      std::string_view event) const;
  // Every transition that can take a run out of the atomic `state`, by an event that can occur
  // while it is active. `without`: as if these events could not.
  std::vector<statechart::TransitionIndex> ways_out(
      statechart::StateIndex state, const std::vector<std::string>& without = {}) const;

 private:
  void collect_events();
  void collect_raised(const ContentBlock& block);
  void descend(statechart::StateIndex state, std::vector<bool>& entered) const;

  const Definition& definition_;
  std::vector<PossibleEvent> events_;
};

// The events by which the state's own invocation ends.
std::vector<std::string> ending_events(const InvokeSpec& invoke);
bool is_gate(const InvokeSpec& invoke);
// approve, reject, waive and the options.
std::vector<std::string> answers_of(const InvokeSpec& gate);

}  // namespace checkride::loader

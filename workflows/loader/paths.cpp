#include "workflows/loader/paths.h"

#include <algorithm>

namespace checkride::loader {

using statechart::root_state;
using statechart::StateIndex;
using statechart::StateKind;
using statechart::TransitionIndex;

bool is_gate(const InvokeSpec& invoke) {
  return invoke.signature.performer == JobSignature::Performer::person;
}

std::vector<std::string> answers_of(const InvokeSpec& gate) {
  std::vector<std::string> answers = {"approve", "reject", "waive"};
  answers.insert(answers.end(), gate.gate.options.begin(), gate.gate.options.end());
  return answers;
}

std::vector<std::string> ending_events(const InvokeSpec& invoke) {
  std::vector<std::string> events;
  if (is_gate(invoke))
    for (const std::string& answer : answers_of(invoke))
      events.push_back("answer." + answer + "." + invoke.id);
  else
    events = {"done.invoke." + invoke.id, "error.invoke." + invoke.id};
  return events;
}

Paths::Paths(const Definition& definition) : definition_(definition) {
  collect_events();
}

void Paths::collect_events() {
  for (std::uint32_t i = 1; i < definition_.states.size(); ++i) {
    const StateIndex state(i);
    const StateSpec& spec = definition_.states[i];
    const auto& node = chart().state(state);
    const bool ends = std::any_of(node.children.begin(), node.children.end(),
                                  [&](StateIndex child) { return chart().is_final(child); });
    if (ends || node.kind == StateKind::parallel)
      events_.push_back({"done.state." + node.id, state});
    if (spec.budget) events_.push_back({"exhausted." + node.id, state});
    if (!spec.invoke) continue;
    for (std::string& name : ending_events(*spec.invoke))
      events_.push_back({std::move(name), state});
  }
  for (const ContentBlock& block : definition_.contents) collect_raised(block);
  for (const MessageSpec& message : definition_.messages)
    events_.push_back({std::string(message_prefix) + message.name, std::nullopt});
  if (!definition_.park_on_error) events_.push_back({"error.execution", std::nullopt});
}

void Paths::collect_raised(const ContentBlock& block) {
  for (const Action& action : block) {
    if (const auto* raise = std::get_if<RaiseAction>(&action.node))
      events_.push_back({raise->event, std::nullopt});
    if (const auto* send = std::get_if<SendAction>(&action.node))
      events_.push_back({send->event, std::nullopt});
    if (const auto* conditional = std::get_if<IfAction>(&action.node))
      for (const auto& branch : conditional->branches) collect_raised(branch.actions);
  }
}

bool Paths::can_occur(std::string_view descriptor) const {
  return std::any_of(events_.begin(), events_.end(), [&](const PossibleEvent& event) {
    return statechart::matches(descriptor, event.name);
  });
}

bool Paths::is_ancestor_or_self(StateIndex ancestor, StateIndex state) const {
  return ancestor == state || ancestor == root_state || chart().is_descendant(state, ancestor);
}

bool Paths::in_other_region(StateIndex a, StateIndex b) const {
  if (is_ancestor_or_self(a, b) || is_ancestor_or_self(b, a)) return false;
  StateIndex common = chart().state(a).parent;
  while (!is_ancestor_or_self(common, b)) common = chart().state(common).parent;
  return chart().is_parallel(common);
}

bool Paths::in_parallel(StateIndex state) const {
  while (state != root_state) {
    state = chart().state(state).parent;
    if (chart().is_parallel(state)) return true;
  }
  return false;
}

StateIndex Paths::domain(const statechart::Transition& transition) const {
  std::vector<StateIndex> effective;
  for (const StateIndex target : transition.targets) {
    StateIndex s = target;
    // A default may lead to a history state again, further down: bounded by the depth.
    while (chart().is_history(s)) s = chart().transition(*chart().state(s).initial).targets.front();
    effective.push_back(s);
  }
  return chart().transition_domain(transition, effective);
}

void Paths::descend(StateIndex state, std::vector<bool>& entered) const {
  const auto& node = chart().state(state);
  if (chart().is_history(state)) {
    entered[state.value] = true;
    for (const StateIndex target : chart().transition(*node.initial).targets)
      enter(target, node.parent, entered);
    return;
  }
  if (entered[state.value]) return;
  entered[state.value] = true;
  if (node.kind == StateKind::parallel) {
    for (const StateIndex child : node.children)
      if (!chart().is_history(child)) descend(child, entered);
  } else if (node.initial) {
    for (const StateIndex target : chart().transition(*node.initial).targets)
      enter(target, state, entered);
  }
}

void Paths::enter(StateIndex target, StateIndex domain, std::vector<bool>& entered) const {
  descend(target, entered);
  for (StateIndex a = chart().state(target).parent; a != domain && a != root_state;
       a = chart().state(a).parent) {
    entered[a.value] = true;
    if (!chart().is_parallel(a)) continue;
    for (const StateIndex region : chart().state(a).children)
      if (!chart().is_history(region) && !is_ancestor_or_self(region, target))
        descend(region, entered);
  }
}

std::vector<TransitionIndex> Paths::candidates(StateIndex state, std::string_view event) const {
  std::vector<TransitionIndex> result;
  for (StateIndex s = state;; s = chart().state(s).parent) {
    for (const TransitionIndex t : chart().state(s).transitions) {
      const auto& transition = chart().transition(t);
      if (std::none_of(transition.events.begin(), transition.events.end(),
                       [&](const std::string& d) { return statechart::matches(d, event); }))
        continue;
      result.push_back(t);
      if (!transition.cond) return result;
    }
    if (s == root_state) return result;
  }
}

std::vector<TransitionIndex> Paths::ways_out(StateIndex state,
                                             const std::vector<std::string>& without) const {
  // An event of its own ancestor or self, or of another region; the end of an ancestor cannot come
  // while this state, which is not final, is active.
  const auto possible = [&](const PossibleEvent& event) {
    if (std::find(without.begin(), without.end(), event.name) != without.end()) return false;
    if (!event.owner) return true;
    if (is_ancestor_or_self(*event.owner, state)) return !event.name.starts_with("done.state.");
    return in_other_region(*event.owner, state);
  };
  std::vector<const PossibleEvent*> now;
  for (const PossibleEvent& event : events_)
    if (possible(event)) now.push_back(&event);
  std::vector<TransitionIndex> result;
  for (std::uint32_t i = 0; i < chart().states.size(); ++i) {
    const StateIndex source(i);
    if (!is_ancestor_or_self(source, state) && !in_other_region(source, state)) continue;
    for (const TransitionIndex t : chart().state(source).transitions) {
      const auto& transition = chart().transition(t);
      if (transition.targets.empty()) continue;
      const StateIndex within = domain(transition);
      if (within != root_state && !chart().is_descendant(state, within)) continue;
      const bool takes = transition.events.empty() ||
                         std::any_of(now.begin(), now.end(), [&](const PossibleEvent* event) {
                           return std::any_of(transition.events.begin(), transition.events.end(),
                                              [&](const std::string& d) {
                                                return statechart::matches(d, event->name);
                                              });
                         });
      if (takes) result.push_back(t);
    }
  }
  return result;
}

}  // namespace checkride::loader

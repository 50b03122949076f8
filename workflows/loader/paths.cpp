#include "workflows/loader/paths.h"

#include <algorithm>

#include "workflows/loader/events.h"

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

namespace {

// A state with more transitions than this gets an index of them.
constexpr std::size_t scanned_max = 16;

}  // namespace

Paths::Paths(const Definition& definition) : definition_(definition) {
  for (std::uint32_t i = 0; i < chart().states.size(); ++i) {
    const auto& transitions = chart().states[i].transitions;
    if (transitions.size() <= scanned_max) continue;
    ByDescriptor& index = crowded_[i];
    for (std::uint32_t at = 0; at < transitions.size(); ++at)
      for (const std::string& descriptor : chart().transition(transitions[at]).events)
        index[std::string(bare_descriptor(descriptor))].push_back(at);
  }
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

// Positions among the state's transitions of those that listen to the event, in document order.
std::vector<std::uint32_t> Paths::listening(StateIndex state, std::string_view event) const {
  std::vector<std::uint32_t> result;
  const auto index = crowded_.find(state.value);
  if (index == crowded_.end()) {
    const auto& transitions = chart().state(state).transitions;
    for (std::uint32_t at = 0; at < transitions.size(); ++at) {
      const auto& events = chart().transition(transitions[at]).events;
      if (std::any_of(events.begin(), events.end(), [&](const std::string& descriptor) {
            return statechart::matches(descriptor, event);
          }))
        result.push_back(at);
    }
    return result;
  }
  for_each_match(event, [&](std::string_view descriptor) {
    const auto found = index->second.find(std::string(descriptor));
    if (found != index->second.end())
      result.insert(result.end(), found->second.begin(), found->second.end());
    return true;
  });
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

std::vector<TransitionIndex> Paths::candidates(StateIndex state, std::string_view event) const {
  std::vector<TransitionIndex> result;
  for (StateIndex s = state;; s = chart().state(s).parent) {
    for (const std::uint32_t at : listening(s, event)) {
      const TransitionIndex t = chart().state(s).transitions[at];
      result.push_back(t);
      if (!chart().transition(t).cond) return result;
    }
    if (s == root_state) return result;
  }
}

}  // namespace checkride::loader

#include "workflows/loader/events.h"

#include <algorithm>
#include <numeric>

#include "workflows/loader/paths.h"

namespace checkride::loader {

using statechart::StateIndex;
using statechart::StateKind;

std::string_view bare_descriptor(std::string_view descriptor) {
  if (descriptor.ends_with(".*")) return descriptor.substr(0, descriptor.size() - 2);
  if (descriptor.ends_with('.')) return descriptor.substr(0, descriptor.size() - 1);
  return descriptor;
}

PossibleEvents::PossibleEvents(const Definition& definition) {
  collect(definition);
  owned_.resize(definition.states.size());
  for (std::uint32_t e = 0; e < events_.size(); ++e)
    if (events_[e].owner) owned_[events_[e].owner->value].push_back(e);
  by_name_.resize(events_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::uint32_t{0});
  std::sort(by_name_.begin(), by_name_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return events_[a].name < events_[b].name; });
}

void PossibleEvents::collect(const Definition& definition) {
  const statechart::Chart& chart = definition.chart;
  for (std::uint32_t i = 1; i < definition.states.size(); ++i) {
    const StateIndex state(i);
    const StateSpec& spec = definition.states[i];
    const auto& node = chart.state(state);
    const bool ends = std::any_of(node.children.begin(), node.children.end(),
                                  [&](StateIndex child) { return chart.is_final(child); });
    if (ends || node.kind == StateKind::parallel)
      events_.push_back({"done.state." + node.id, state});
    if (spec.budget) events_.push_back({"exhausted." + node.id, state});
    if (!spec.invoke) continue;
    for (std::string& name : ending_events(*spec.invoke))
      events_.push_back({std::move(name), state});
  }
  for (const ContentBlock& block : definition.contents) collect_raised(block);
  for (const MessageSpec& message : definition.messages)
    events_.push_back({std::string(message_prefix) + message.name, std::nullopt});
  if (!definition.park_on_error) events_.push_back({"error.execution", std::nullopt});
}

void PossibleEvents::collect_raised(const ContentBlock& block) {
  for (const Action& action : block) {
    if (const auto* raise = std::get_if<RaiseAction>(&action.node))
      events_.push_back({raise->event, std::nullopt});
    if (const auto* send = std::get_if<SendAction>(&action.node))
      events_.push_back({send->event, std::nullopt});
    if (const auto* conditional = std::get_if<IfAction>(&action.node))
      for (const auto& branch : conditional->branches) collect_raised(branch.actions);
  }
}

const PossibleEvents::Matched& PossibleEvents::matched(std::string_view descriptor) {
  const std::string bare(bare_descriptor(descriptor));
  const auto [found, fresh] = known_.try_emplace(bare);
  Matched& matched = found->second;
  if (!fresh) return matched;
  const auto from = [&](const std::string& name) {
    return std::lower_bound(
        by_name_.begin(), by_name_.end(), name,
        [&](std::uint32_t e, const std::string& wanted) { return events_[e].name < wanted; });
  };
  const auto add = [&](const PossibleEvent& event) {
    if (!event.owner) {
      matched.anywhere = true;
      return;
    }
    matched.owners.push_back(*event.owner);
    if (!event.name.starts_with("done.state.")) matched.waiting_owners.push_back(*event.owner);
  };
  if (bare == "*") {
    for (const PossibleEvent& event : events_) add(event);
  } else if (!bare.empty()) {
    for (auto e = from(bare); e != by_name_.end() && events_[*e].name == bare; ++e)
      add(events_[*e]);
    const std::string below = bare + ".";
    for (auto e = from(below); e != by_name_.end() && events_[*e].name.starts_with(below); ++e)
      add(events_[*e]);
  }
  for (auto* owners : {&matched.owners, &matched.waiting_owners}) {
    std::sort(owners->begin(), owners->end());
    owners->erase(std::unique(owners->begin(), owners->end()), owners->end());
  }
  return matched;
}

Listeners::Listeners(const statechart::Chart& chart) {
  for (const auto& transition : chart.transitions)
    for (const std::string& descriptor : transition.events)
      if (bare_.emplace(bare_descriptor(descriptor)).second) descriptors_.push_back(descriptor);
}

bool Listeners::hear(std::string_view event) const {
  bool heard = false;
  for_each_match(event, [&](std::string_view descriptor) {
    heard = bare_.contains(std::string(descriptor));
    return !heard;
  });
  return heard;
}

}  // namespace checkride::loader

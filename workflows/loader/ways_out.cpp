#include "workflows/loader/ways_out.h"

#include <algorithm>

namespace checkride::loader {

using statechart::root_state;
using statechart::StateIndex;
using statechart::TransitionIndex;

namespace {

void count(Ways& ways, const statechart::Transition& transition) {
  ways.any = true;
  // Tried once each: when the guard is false, nothing tries it again.
  const bool once =
      transition.cond && std::all_of(transition.events.begin(), transition.events.end(),
                                     [](const std::string& e) { return e.starts_with("after."); });
  ways.lasting = ways.lasting || !once;
}

bool contains(const std::vector<StateIndex>& sorted, StateIndex state) {
  return std::binary_search(sorted.begin(), sorted.end(), state);
}

// How many of the sorted states lie in [first, last].
std::ptrdiff_t within(const std::vector<StateIndex>& sorted, StateIndex first, StateIndex last) {
  return std::upper_bound(sorted.begin(), sorted.end(), last) -
         std::lower_bound(sorted.begin(), sorted.end(), first);
}

void note(std::array<std::optional<StateIndex>, 2>& regions, StateIndex region) {
  if (!regions[0])
    regions[0] = region;
  else if (*regions[0] != region && !regions[1])
    regions[1] = region;
}

bool other_than(const std::array<std::optional<StateIndex>, 2>& regions, StateIndex region) {
  return std::any_of(regions.begin(), regions.end(),
                     [&](const auto& one) { return one && *one != region; });
}

}  // namespace

WaysOut::WaysOut(const Paths& paths, PossibleEvents& events)
    : paths_(paths),
      events_(events),
      always_(paths.chart().states.size()),
      depending_(paths.chart().states.size()),
      leaving_(paths.chart().states.size()) {
  for (std::uint32_t i = 0; i < paths.chart().states.size(); ++i)
    for (const TransitionIndex t : paths.chart().states[i].transitions)
      if (!paths.chart().transition(t).targets.empty()) add_source(StateIndex(i), t);
}

void WaysOut::add_source(StateIndex source, TransitionIndex t) {
  const statechart::Chart& chart = paths_.chart();
  const statechart::Transition& transition = chart.transition(t);
  // For states below the source: events of the source and of what is around it can come.
  const bool sure =
      transition.events.empty() ||
      std::any_of(transition.events.begin(), transition.events.end(), [&](const std::string& d) {
        const PossibleEvents::Matched& matched = events_.matched(d);
        if (matched.anywhere) return true;
        for (StateIndex a = source; a != root_state; a = chart.state(a).parent)
          if (contains(matched.waiting_owners, a)) return true;
        return false;
      });
  if (sure)
    count(always_[source.value], transition);
  else
    depending_[source.value].push_back(depending(t));
  if (source == root_state) return;
  const StateIndex domain = paths_.domain(transition);
  StateIndex region = source;
  for (StateIndex p = chart.state(source).parent; p != root_state;
       region = p, p = chart.state(p).parent)
    if (chart.is_parallel(p) && (domain == root_state || chart.is_descendant(p, domain)))
      add_leaving(p, region, t);
}

void WaysOut::add_leaving(StateIndex parallel, StateIndex region, TransitionIndex t) {
  const statechart::Chart& chart = paths_.chart();
  const statechart::Transition& transition = chart.transition(t);
  // For states in the other regions: events of this region can come, and of what is around.
  const bool sure =
      transition.events.empty() ||
      std::any_of(transition.events.begin(), transition.events.end(), [&](const std::string& d) {
        const PossibleEvents::Matched& matched = events_.matched(d);
        if (matched.anywhere ||
            within(matched.owners, region, chart.table(region).last_descendant) > 0)
          return true;
        for (StateIndex a = parallel; a != root_state; a = chart.state(a).parent)
          if (contains(matched.waiting_owners, a)) return true;
        return false;
      });
  Leaving& leaving = leaving_[parallel.value];
  if (!sure) {
    leaving.depending.emplace_back(region, depending(t));
    return;
  }
  Ways ways;
  count(ways, transition);
  note(leaving.any, region);
  if (ways.lasting) note(leaving.lasting, region);
}

WaysOut::Depending WaysOut::depending(TransitionIndex t) {
  Depending one{t, {}};
  for (const std::string& descriptor : paths_.chart().transition(t).events)
    one.matched.push_back(&events_.matched(descriptor));
  return one;
}

bool WaysOut::possible(const PossibleEvents::Matched& matched, const std::string& descriptor,
                       StateIndex state, const std::vector<std::string>& without) const {
  const statechart::Chart& chart = paths_.chart();
  if (matched.anywhere) return true;
  if (contains(matched.waiting_owners, state))
    for (const std::uint32_t e : events_.owned_by(state)) {
      const std::string& name = events_.all()[e].name;
      if (!name.starts_with("done.state.") && statechart::matches(descriptor, name) &&
          std::find(without.begin(), without.end(), name) == without.end())
        return true;
    }
  StateIndex below = state;
  for (StateIndex a = chart.state(state).parent; a != root_state;
       below = a, a = chart.state(a).parent) {
    if (contains(matched.waiting_owners, a)) return true;
    if (!chart.is_parallel(a)) continue;
    const auto all =
        within(matched.owners, StateIndex(a.value + 1), chart.table(a).last_descendant);
    if (all > within(matched.owners, below, chart.table(below).last_descendant)) return true;
  }
  return false;
}

bool WaysOut::taken(const Depending& one, StateIndex state,
                    const std::vector<std::string>& without) const {
  const auto& events = paths_.chart().transition(one.transition).events;
  for (std::size_t i = 0; i < events.size(); ++i)
    if (possible(*one.matched[i], events[i], state, without)) return true;
  return events.empty();
}

Ways WaysOut::of(StateIndex state, const std::vector<std::string>& without) {
  const statechart::Chart& chart = paths_.chart();
  Ways ways;
  const auto try_one = [&](const Depending& one) {
    if (taken(one, state, without)) count(ways, chart.transition(one.transition));
  };
  for (const TransitionIndex t : chart.state(state).transitions)
    if (!ways.lasting && !chart.transition(t).targets.empty()) try_one(depending(t));
  StateIndex below = state;
  for (StateIndex a = state; a != root_state && !ways.lasting;) {
    below = a;
    a = chart.state(a).parent;
    ways.any = ways.any || always_[a.value].any;
    ways.lasting = ways.lasting || always_[a.value].lasting;
    for (const Depending& one : depending_[a.value])
      if (!ways.lasting) try_one(one);
    const Leaving& leaving = leaving_[a.value];
    ways.any = ways.any || other_than(leaving.any, below);
    ways.lasting = ways.lasting || other_than(leaving.lasting, below);
    for (const auto& [region, one] : leaving.depending)
      if (!ways.lasting && region != below) try_one(one);
  }
  return ways;
}

}  // namespace checkride::loader

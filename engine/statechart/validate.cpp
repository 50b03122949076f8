// Chart::validate(): what makes a chart fit for the interpreter, checked once. Everything the
// interpreter takes for granted (bounded recursion, legal configurations) is established here.
#include <algorithm>
#include <limits>

#include "engine/statechart/chart.h"

namespace checkride::statechart {
namespace {

tl::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
}

std::string quoted(const Chart& chart, StateIndex i) {
  if (i == root_state && chart.state(i).id.empty()) return "the root";
  return "state '" + chart.state(i).id + "'";
}

// The states that entering some targets would enter while no history state remembers anything:
// computeEntrySet of appendix D over the whole chart. The interpreter has its own, with history;
// this one serves the check that targets are legal together.
class DefaultEntry {
 public:
  explicit DefaultEntry(const Chart& chart) : chart_(chart), entered_(chart.states.size(), false) {}

  void enter(std::span<const StateIndex> targets) {
    for (const StateIndex target : targets) add_descendants(target);
    for (const StateIndex target : targets) add_ancestors(target, root_state);
  }
  bool used_history() const { return used_history_; }
  std::vector<StateIndex> states() const {
    std::vector<StateIndex> result;
    for (std::uint32_t i = 1; i < entered_.size(); ++i) {
      if (entered_[i]) result.push_back(StateIndex(i));
    }
    return result;
  }

 private:
  void add_descendants(StateIndex s) {
    const StateNode& node = chart_.state(s);
    if (chart_.is_history(s)) {
      used_history_ = true;
      follow(*node.initial, node.parent);
      return;
    }
    entered_[s.value] = true;
    if (chart_.is_compound(s)) {
      follow(*node.initial, s);
    } else if (chart_.is_parallel(s)) {
      add_regions(s);
    }
  }
  void add_ancestors(StateIndex s, StateIndex up_to) {
    for (StateIndex a = chart_.state(s).parent; a != up_to && a != root_state;
         a = chart_.state(a).parent) {
      entered_[a.value] = true;
      if (chart_.is_parallel(a)) add_regions(a);
    }
  }
  void add_regions(StateIndex parallel) {
    for (const StateIndex child : chart_.state(parallel).children) {
      if (chart_.is_history(child)) continue;
      const auto first = entered_.begin() + static_cast<std::ptrdiff_t>(child.value) + 1;
      const auto last = entered_.begin() +
                        static_cast<std::ptrdiff_t>(chart_.table(child).last_descendant.value) + 1;
      if (std::find(first, last, true) == last) add_descendants(child);
    }
  }
  void follow(TransitionIndex t, StateIndex up_to) {
    for (const StateIndex target : chart_.transition(t).targets) add_descendants(target);
    for (const StateIndex target : chart_.transition(t).targets) add_ancestors(target, up_to);
  }

  const Chart& chart_;
  std::vector<bool> entered_;
  bool used_history_ = false;
};

// Targets exist, are no root, and none stands twice.
Result<void> check_target_list(const Chart& chart, std::span<const StateIndex> targets,
                               const std::string& where) {
  std::vector<StateIndex> sorted(targets.begin(), targets.end());
  std::sort(sorted.begin(), sorted.end());
  for (const StateIndex target : sorted) {
    if (target == root_state || target.value >= chart.states.size()) {
      return invalid(where + " has a target that is no state of the chart");
    }
  }
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    return invalid(where + " names the target " + quoted(chart, *twice) + " twice");
  }
  return {};
}

}  // namespace

Result<void> Chart::validate() {
  by_id_.clear();
  state_tables_.clear();
  fixed_domains_.clear();
  CR_CHECK(check_tree());
  CR_CHECK(check_kinds());
  for (std::uint32_t i = 0; i < states.size(); ++i) {
    const std::string& id = states[i].id;
    if (id.empty()) {
      if (i == 0) continue;
      return invalid("the child of " + quoted(*this, states[i].parent) + " has no id; give it one");
    }
    if (!by_id_.emplace(id, StateIndex(i)).second) {
      return invalid("two states have the id '" + id + "'; rename one of them");
    }
  }
  add_initial_transitions();
  CR_CHECK(check_transitions());
  build_tables();

  // With the tables in place: defaults lead downwards, and targets are legal together.
  for (std::uint32_t i = 0; i < states.size(); ++i) {
    const StateIndex s(i);
    if (states[i].initial) CR_CHECK(check_default(s, is_history(s) ? states[i].parent : s));
  }
  for (std::uint32_t i = 0; i < transitions.size(); ++i) {
    const Transition& t = transitions[i];
    if (t.targets.empty()) continue;
    if (auto legal = check_targets(t.targets); !legal) {
      return fail(std::move(legal).error(), "a transition of " + quoted(*this, t.source));
    }
    if (std::none_of(t.targets.begin(), t.targets.end(),
                     [&](StateIndex s) { return is_history(s); })) {
      fixed_domains_[i] = transition_domain(t, t.targets);
    }
  }
  return {};
}

// One tree in document order: a walk from the root meets the states as 0, 1, 2, ...
Result<void> Chart::check_tree() const {
  if (states.empty())
    return invalid("the chart has no states; it needs at least a root and a child");
  if (states.size() > std::numeric_limits<std::uint32_t>::max() / 2 ||
      transitions.size() > std::numeric_limits<std::uint32_t>::max() / 2) {
    return invalid("the chart has more states or transitions than can be numbered");
  }
  struct Level {
    StateIndex state;
    std::size_t next_child = 0;
  };
  std::vector<Level> path{{root_state, 0}};
  std::uint32_t expected = 1;
  while (!path.empty()) {
    Level& level = path.back();
    const StateNode& node = state(level.state);
    if (level.next_child == node.children.size()) {
      path.pop_back();
      continue;
    }
    const StateIndex child = node.children[level.next_child++];
    if (child.value != expected || child.value >= states.size()) {
      return invalid("the children of " + quoted(*this, level.state) +
                     " are not numbered in document order");
    }
    if (state(child).parent != level.state) {
      return invalid(quoted(*this, child) + " is a child of " + quoted(*this, level.state) +
                     " but names another parent");
    }
    ++expected;
    if (path.size() > chart_depth_max) {
      return invalid(quoted(*this, child) + " is nested deeper than " +
                     std::to_string(chart_depth_max) + " states");
    }
    path.push_back({child, 0});
  }
  if (expected != states.size()) {
    return invalid("state '" + states[expected].id + "' is no child of any state");
  }
  return {};
}

Result<void> Chart::check_kinds() const {
  for (std::uint32_t i = 0; i < states.size(); ++i) {
    const StateNode& node = states[i];
    const std::string name = quoted(*this, StateIndex(i));
    const bool enterable = std::any_of(node.children.begin(), node.children.end(),
                                       [&](StateIndex child) { return !is_history(child); });
    if (i == 0 && (node.kind != StateKind::state || !enterable)) {
      return invalid("the root must be of kind state and have a child that is no history state");
    }
    switch (node.kind) {
      case StateKind::state:
      case StateKind::parallel:
        if (!node.children.empty() && !enterable) {
          return invalid(name + " has history states but no other child to enter");
        }
        if (node.initial && (node.kind == StateKind::parallel || node.children.empty())) {
          return invalid(name + " has an initial transition, which only compound states have");
        }
        break;
      case StateKind::final:
        if (!node.children.empty() || !node.transitions.empty() || node.initial) {
          return invalid(name + " is final and so cannot have children or transitions");
        }
        if (state(node.parent).kind == StateKind::parallel) {
          return invalid(name + " is final and a child of a parallel state; put it in a region");
        }
        break;
      case StateKind::history_shallow:
      case StateKind::history_deep:
        if (!node.children.empty() || !node.transitions.empty() || !node.onentry.empty() ||
            !node.onexit.empty()) {
          return invalid(name +
                         " is a history state and so has nothing but its default transition");
        }
        if (!node.initial) {
          return invalid(name +
                         " is a history state without a default transition; give it a target");
        }
        if (node.parent == root_state) {
          return invalid(name +
                         " is a history state at the top; the root is never left, so it would "
                         "remember nothing");
        }
        break;
    }
  }
  return {};
}

void Chart::add_initial_transitions() {
  for (std::uint32_t i = 0; i < states.size(); ++i) {
    StateNode& node = states[i];
    if (node.kind != StateKind::state || node.children.empty() || node.initial) continue;
    const auto first = std::find_if(node.children.begin(), node.children.end(),
                                    [&](StateIndex child) { return !is_history(child); });
    Transition initial;
    initial.source = StateIndex(i);
    initial.targets = {*first};
    node.initial = TransitionIndex(static_cast<std::uint32_t>(transitions.size()));
    transitions.push_back(std::move(initial));
  }
}

// Every transition belongs to one state, and its parts fit its place.
Result<void> Chart::check_transitions() const {
  std::vector<bool> used(transitions.size(), false);
  const auto claim = [&](TransitionIndex t, StateIndex owner) -> Result<void> {
    if (t.value >= transitions.size()) {
      return invalid(quoted(*this, owner) + " names a transition that does not exist");
    }
    if (used[t.value] || transition(t).source != owner) {
      return invalid("a transition of " + quoted(*this, owner) + " belongs to another state too");
    }
    used[t.value] = true;
    return check_target_list(*this, transition(t).targets,
                             "a transition of " + quoted(*this, owner));
  };
  for (std::uint32_t i = 0; i < states.size(); ++i) {
    const StateIndex s(i);
    for (const TransitionIndex t : states[i].transitions) {
      CR_CHECK(claim(t, s));
      for (const std::string& descriptor : transition(t).events) {
        if (descriptor.empty()) {
          return invalid("a transition of " + quoted(*this, s) + " has an empty event descriptor");
        }
      }
    }
    if (!states[i].initial) continue;
    CR_CHECK(claim(*states[i].initial, s));
    const Transition& initial = transition(*states[i].initial);
    if (initial.targets.empty() || !initial.events.empty() || initial.cond) {
      return invalid("the initial or default transition of " + quoted(*this, s) +
                     " must have a target and neither event nor cond");
    }
  }
  const auto unused = std::find(used.begin(), used.end(), false);
  if (unused != used.end()) {
    const auto t = static_cast<std::size_t>(unused - used.begin());
    return invalid("transition " + std::to_string(t) + " of the chart belongs to no state");
  }
  return {};
}

void Chart::build_tables() {
  state_tables_.assign(states.size(), {});
  fixed_domains_.assign(transitions.size(), std::nullopt);
  has_eventless_ = false;
  for (std::uint32_t i = 0; i < states.size(); ++i) {
    const StateNode& node = states[i];
    StateTable& row = state_tables_[i];
    row.parent = node.parent;
    row.last_descendant = StateIndex(i);
    row.atomic = node.children.empty() && !is_history(StateIndex(i));
    row.compound = node.kind == StateKind::state && !node.children.empty();
    row.has_history = std::any_of(node.children.begin(), node.children.end(),
                                  [&](StateIndex child) { return is_history(child); });
    const bool own = std::any_of(node.transitions.begin(), node.transitions.end(),
                                 [&](TransitionIndex t) { return transition(t).events.empty(); });
    row.eventless_upwards = own || (i != 0 && table(node.parent).eventless_upwards);
    has_eventless_ = has_eventless_ || own;
    row.done_event = "done.state." + node.id;
  }
  // Children stand behind their parents, so one pass from the end carries the range upwards.
  for (std::size_t i = states.size() - 1; i > 0; --i) {
    StateTable& parent = state_tables_[states[i].parent.value];
    parent.last_descendant = std::max(parent.last_descendant, state_tables_[i].last_descendant);
  }
}

// The targets of an initial or default transition lie inside `within`. A default that names another
// history state of the same parent could lead in a circle; one further down cannot.
Result<void> Chart::check_default(StateIndex owner, StateIndex within) const {
  for (const StateIndex target : transition(*state(owner).initial).targets) {
    if (!is_descendant(target, within)) {
      return invalid("the initial or default transition of " + quoted(*this, owner) + " leads to " +
                     quoted(*this, target) + ", which is no descendant of " +
                     quoted(*this, within));
    }
    if (is_history(owner) && is_history(target) && state(target).parent == within) {
      return invalid("the default transition of " + quoted(*this, owner) +
                     " leads to another history state, " + quoted(*this, target));
    }
  }
  return {};
}

namespace {

// Whether some targets, none of them inside another, lie in different regions pairwise: then
// entering all of them is legal, whatever stands around them. In document order it is enough to
// look at neighbours: what any two have in common, two neighbours have.
bool lie_in_regions(const Chart& chart, std::vector<StateIndex> scopes) {
  std::sort(scopes.begin(), scopes.end());
  for (std::size_t i = 1; i < scopes.size(); ++i) {
    const StateIndex a = scopes[i - 1];
    const StateIndex b = scopes[i];
    if (a == b || chart.is_descendant(b, a)) return false;
    StateIndex common = chart.table(a).parent;
    while (common != root_state && !chart.is_descendant(b, common))
      common = chart.table(common).parent;
    if (!chart.is_parallel(common)) return false;
  }
  return true;
}

}  // namespace

Result<void> Chart::check_targets(std::span<const StateIndex> targets) const {
  if (targets.empty()) return invalid("there is no target state");
  CR_CHECK(check_target_list(*this, targets, "the list of targets"));
  // What a history state remembers may be anything inside its parent, so no other target may lie
  // there, or be entered on the way.
  std::vector<StateIndex> scopes;
  for (const StateIndex target : targets)
    scopes.push_back(is_history(target) ? table(target).parent : target);
  if (lie_in_regions(*this, std::move(scopes))) return {};
  bool nested = false;
  for (const StateIndex a : targets) {
    for (const StateIndex b : targets) {
      if (a == b) continue;
      const StateIndex scope = is_history(a) ? table(a).parent : a;
      if (b == scope || is_descendant(b, scope)) {
        if (is_history(a)) {
          return invalid("the targets " + quoted(*this, a) + " and " + quoted(*this, b) +
                         " cannot be entered together");
        }
        nested = true;
      }
    }
  }
  DefaultEntry entry(*this);
  entry.enter(targets);
  if ((nested && entry.used_history()) || !is_legal(entry.states())) {
    std::string names;
    for (const StateIndex target : targets) {
      names += (names.empty() ? "'" : ", '") + state(target).id + "'";
    }
    return invalid("the targets " + names +
                   " cannot be entered together: they lie in different "
                   "children of one state");
  }
  return {};
}

}  // namespace checkride::statechart

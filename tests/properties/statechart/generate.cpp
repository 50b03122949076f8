#include <random>

#include "engine/base/assert.h"
#include "tests/properties/statechart/scenario.h"

namespace checkride::statechart {
namespace {

constexpr std::size_t depth_max = 4;
constexpr std::size_t states_max = 24;

// Names of events and descriptors overlap, so that wildcards and prefixes have something to do.
const std::vector<std::string> event_names = {"a", "b", "c", "a.x", "a.x.y", "ab"};
const std::vector<std::string> descriptors = {"a", "b",    "c",  "a.x",   "a.*",        "b.",
                                              "*", "ab.*", "a.", "error", "done.state", "a.x.y"};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  Scenario generate() {
    scenario_.chart.states.emplace_back();
    const std::size_t children = 1 + below(4);
    for (std::size_t i = 0; i < children; ++i) add_state(root_state, 1);
    if (one_in(3)) {
      // A top-level final state, so that some charts end.
      add_node(root_state, StateKind::final);
    }
    for (std::uint32_t i = 0; i < chart().states.size(); ++i) add_defaults(StateIndex(i));
    valid();
    for (std::uint32_t i = 0; i < chart().states.size(); ++i) widen_default(StateIndex(i));
    for (std::uint32_t i = 0; i < chart().states.size(); ++i) {
      add_transitions(StateIndex(i));
      add_content(StateIndex(i));
    }
    valid();
    add_script();
    if (one_in(8))
      scenario_.limits = {20, 3};
    else
      scenario_.limits = {200, 100};
    scenario_.park = one_in(3);
    return std::move(scenario_);
  }

 private:
  Chart& chart() { return scenario_.chart; }
  StateNode& node(StateIndex s) { return chart().states[s.value]; }
  // The remainder: distributions of the standard library differ from one to the next.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }

  void valid() {
    const auto result = chart().validate();
    CR_ASSERT(result.has_value(), result ? std::string() : result.error().text());
  }

  StateIndex add_node(StateIndex parent, StateKind kind) {
    const StateIndex s(static_cast<std::uint32_t>(chart().states.size()));
    node(parent).children.push_back(s);
    chart().states.emplace_back();
    node(s).id = "s" + std::to_string(s.value);
    node(s).parent = parent;
    node(s).kind = kind;
    return s;
  }

  void add_state(StateIndex parent, std::size_t depth) {
    const bool in_parallel = node(parent).kind == StateKind::parallel;
    const bool full = chart().states.size() >= states_max || depth >= depth_max;
    const std::size_t die = below(10);
    if (die == 0 && !in_parallel && parent != root_state) {
      add_node(parent, StateKind::final);
      return;
    }
    if (full || die < 4) {
      add_node(parent, StateKind::state);
      return;
    }
    const StateIndex s = add_node(parent, die < 6 ? StateKind::state : StateKind::parallel);
    const std::size_t children = 1 + below(3);
    const std::size_t history_at = one_in(2) ? below(children + 1) : children + 1;
    for (std::size_t i = 0; i <= children; ++i) {
      if (i == history_at) {
        add_node(s, one_in(2) ? StateKind::history_deep : StateKind::history_shallow);
      }
      if (i < children) add_state(s, depth + 1);
    }
  }

  // Proper descendants that may stand alone as targets of an initial or default transition.
  std::vector<StateIndex> inside(StateIndex s, bool history_of_own) {
    std::vector<StateIndex> result;
    for (std::uint32_t i = s.value + 1; i < chart().states.size(); ++i) {
      StateIndex above = node(StateIndex(i)).parent;
      const bool direct = above == s;
      while (above != root_state && above != s) above = node(above).parent;
      if (above != s) break;  // document order: past the subtree
      if (is_history(StateIndex(i)) && direct && !history_of_own) continue;
      result.push_back(StateIndex(i));
    }
    return result;
  }
  bool is_history(StateIndex s) {
    return node(s).kind == StateKind::history_deep || node(s).kind == StateKind::history_shallow;
  }

  void add_defaults(StateIndex s) {
    if (is_history(s)) {
      add_default(s, inside(node(s).parent, false));
    } else if (node(s).kind == StateKind::state && !node(s).children.empty() && one_in(2)) {
      add_default(s, inside(s, s != root_state));
    }
  }
  void add_default(StateIndex owner, const std::vector<StateIndex>& from) {
    Transition t;
    t.source = owner;
    t.targets = {from[below(from.size())]};
    if (one_in(2)) t.content = content();
    node(owner).initial = push(std::move(t));
  }
  TransitionIndex push(Transition t) {
    chart().transitions.push_back(std::move(t));
    return TransitionIndex(static_cast<std::uint32_t>(chart().transitions.size() - 1));
  }

  // A second target for some initial and default transitions, where the chart allows it.
  void widen_default(StateIndex s) {
    if (!node(s).initial || !one_in(3)) return;
    const std::vector<StateIndex> from =
        is_history(s) ? inside(node(s).parent, false) : inside(s, true);
    Transition& t = chart().transitions[node(s).initial->value];
    for (int attempt = 0; attempt < 4; ++attempt) {
      const std::vector<StateIndex> before = t.targets;
      t.targets.push_back(from[below(from.size())]);
      if (chart().check_targets(t.targets)) {
        // Other transitions may rely on the old default; then it stays.
        if (chart().validate()) return;
      }
      t.targets = before;
      valid();
    }
  }

  void add_transitions(StateIndex s) {
    if (is_history(s) || chart().is_final(s)) return;
    const std::size_t count = s == root_state ? below(2) : below(4);
    for (std::size_t i = 0; i < count; ++i) {
      Transition t;
      t.source = s;
      t.internal = one_in(3);
      const bool eventless = one_in(12);
      if (!eventless) {
        t.events.push_back(event_descriptor());
        if (one_in(4)) t.events.push_back(event_descriptor());
      }
      if (eventless ? !one_in(8) : one_in(3)) t.cond = guard();
      if (one_in(2)) t.content = content();
      t.targets = targets(s);
      const TransitionIndex index = push(std::move(t));
      node(s).transitions.push_back(index);
    }
  }
  std::string event_descriptor() {
    if (one_in(6)) return "done.state." + node(one_in(4) ? any_state() : any_that_ends()).id;
    return pick(descriptors);
  }
  // A state that has a final child, where there is one.
  StateIndex any_that_ends() {
    std::vector<StateIndex> found;
    for (const StateNode& s : chart().states) {
      if (s.kind == StateKind::final && s.parent != root_state) found.push_back(s.parent);
    }
    return found.empty() ? any_state() : found[below(found.size())];
  }
  StateIndex any_state() {
    return StateIndex(static_cast<std::uint32_t>(1 + below(chart().states.size() - 1)));
  }
  // Half of them close by: inside the source, or inside its parent, so that regions move by
  // themselves.
  std::vector<StateIndex> targets(StateIndex source = root_state) {
    std::vector<StateIndex> result;
    if (one_in(7)) return result;
    std::vector<StateIndex> close = inside(source, true);
    if (close.empty() || one_in(2)) close = inside(node(source).parent, true);
    result.push_back(one_in(2) ? any_state() : close[below(close.size())]);
    const std::size_t more = one_in(3) ? 1 + below(2) : 0;
    for (std::size_t attempt = 0; attempt < 4 * more; ++attempt) {
      result.push_back(any_state());
      if (!chart().check_targets(result)) result.pop_back();
    }
    return result;
  }

  void add_content(StateIndex s) {
    if (is_history(s)) return;
    while (one_in(3)) node(s).onentry.push_back(content());
    while (one_in(3)) node(s).onexit.push_back(content());
  }
  ContentIndex content() {
    std::vector<ActionSpec> actions;
    const std::size_t count = below(3);
    for (std::size_t i = 0; i < count; ++i) {
      ActionSpec action;
      const std::size_t die = below(40);
      if (die < 3)
        action.kind = ActionSpec::Kind::fails;
      else if (die < 7)
        action.kind = ActionSpec::Kind::raise;
      else if (die < 11)
        action.kind = ActionSpec::Kind::raise_if_in;
      else if (die < 17)
        action.kind = ActionSpec::Kind::send;
      else if (die < 20)
        action.kind = ActionSpec::Kind::cancel;
      action.event = pick(event_names);
      action.state = any_state();
      action.id = one_in(2) ? "x" : "y";
      action.delay = static_cast<std::uint32_t>(below(5));
      actions.push_back(std::move(action));
    }
    scenario_.contents.push_back(std::move(actions));
    return ContentIndex(static_cast<std::uint32_t>(scenario_.contents.size() - 1));
  }
  ConditionIndex guard() {
    GuardSpec guard;
    const std::size_t die = below(40);
    if (die < 4)
      guard.kind = GuardSpec::Kind::fails;
    else if (die < 9)
      guard.kind = GuardSpec::Kind::no;
    else if (die < 22)
      guard.kind = GuardSpec::Kind::in;
    else if (die < 36)
      guard.kind = GuardSpec::Kind::even;
    guard.state = any_state();
    scenario_.guards.push_back(guard);
    return ConditionIndex(static_cast<std::uint32_t>(scenario_.guards.size() - 1));
  }

  void add_script() {
    const std::size_t count = 4 + below(16);
    for (std::size_t i = 0; i < count; ++i) {
      ScriptStep step;
      step.event = pick(event_names);
      if (one_in(16)) {
        step.kind = ScriptStep::Kind::jump;
        while (step.targets.empty()) step.targets = targets();
      } else if (one_in(6)) {
        step.kind = ScriptStep::Kind::wait;
        step.ticks = static_cast<std::uint32_t>(1 + below(4));
      } else if (one_in(12)) {
        step.kind = ScriptStep::Kind::restart;
      }
      scenario_.script.push_back(std::move(step));
    }
  }

  std::mt19937_64 random_;
  Scenario scenario_;
};

}  // namespace

Scenario generate(std::uint64_t seed) {
  return Generator(seed).generate();
}

}  // namespace checkride::statechart

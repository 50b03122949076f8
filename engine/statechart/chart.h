// The structure of a statechart, after the SCXML Recommendation (W3C, 2015), section 3: states in
// document order, transitions, executable content by number. It knows nothing of guards, data or
// jobs; those belong to a Host (interpreter.h). A Chart is checked once by validate() and immutable
// from then on, so that it can be shared by every run of a definition.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"

namespace checkride::statechart {

// Positions in document order. State 0 is the root (the <scxml> element itself): it has children,
// and is never a member of a configuration.
using StateIndex = Number<struct StateIndexTag, std::uint32_t>;
using TransitionIndex = Number<struct TransitionIndexTag, std::uint32_t>;
// A guard or a block of executable content, numbered by whoever built the chart.
using ConditionIndex = Number<struct ConditionIndexTag, std::uint32_t>;
using ContentIndex = Number<struct ContentIndexTag, std::uint32_t>;

inline constexpr StateIndex root_state{0};

// States nested deeper than this are refused; it bounds every walk and recursion over a chart.
inline constexpr std::size_t chart_depth_max = 256;

enum class StateKind : std::uint8_t { state, parallel, final, history_shallow, history_deep };

struct StateNode {
  std::string id;
  StateKind kind = StateKind::state;
  StateIndex parent = root_state;
  std::vector<StateIndex> children;          // document order, history states included
  std::vector<TransitionIndex> transitions;  // document order; not the initial one
  // Compound states: the <initial> transition; validate() makes one to the first child that is no
  // history state where it is absent. History states: the default transition (required).
  std::optional<TransitionIndex> initial;
  std::vector<ContentIndex> onentry;  // blocks; an error ends its block only
  std::vector<ContentIndex> onexit;
};

struct Transition {
  StateIndex source = root_state;
  std::vector<std::string> events;  // descriptors; empty: eventless
  std::optional<ConditionIndex> cond;
  std::vector<StateIndex> targets;  // empty: targetless
  bool internal = false;
  std::optional<ContentIndex> content;
};

class Chart {
 public:
  std::vector<StateNode> states;
  std::vector<Transition> transitions;

  const StateNode& state(StateIndex i) const { return states[i.value]; }
  const Transition& transition(TransitionIndex i) const { return transitions[i.value]; }

  // Checks the structure (one root, parents and children agree, document order, targets exist and
  // are legal together, history and initial transitions well formed) and builds the tables below.
  // The error names the state. The root may have transitions, onentry (run at the start) and onexit
  // (run at the end); SCXML's <scxml> has none, definitions do. A history state's default may be
  // any descendant of its parent, for shallow ones too, as the suites use it. Calling it again
  // after a change is fine.
  Result<void> validate();

  // Whether one transition may have these targets together (SCXML 3.11.2): not empty, none twice,
  // and entering all of them gives a legal configuration whatever the history states remember. For
  // targets that a person chose (Interpreter::jump).
  Result<void> check_targets(std::span<const StateIndex> targets) const;

  std::optional<StateIndex> find(std::string_view id) const;
  bool is_atomic(StateIndex i) const;    // no children, final states included
  bool is_compound(StateIndex i) const;  // kind state with children, or the root
  bool is_parallel(StateIndex i) const { return state(i).kind == StateKind::parallel; }
  bool is_final(StateIndex i) const { return state(i).kind == StateKind::final; }
  bool is_history(StateIndex i) const {
    return state(i).kind == StateKind::history_shallow || state(i).kind == StateKind::history_deep;
  }
  // Whether a is a proper descendant of b.
  bool is_descendant(StateIndex a, StateIndex b) const {
    return b < a && a <= table(b).last_descendant;
  }
  // A configuration is legal: one top-level child active, and of every active compound state
  // exactly one child, of every active parallel state all (history excepted).
  bool is_legal(const std::vector<StateIndex>& configuration) const;

  // What validate() worked out, one small row a state, for the interpreter's inner loops.
  struct StateTable {
    StateIndex parent;
    StateIndex last_descendant;  // document order: the subtree of s is s..last_descendant
    bool atomic = false;
    bool compound = false;
    bool has_history = false;        // among its children
    bool eventless_upwards = false;  // it or an ancestor has an eventless transition
    std::string done_event;          // "done.state.ID"
  };
  const StateTable& table(StateIndex i) const { return state_tables_[i.value]; }
  bool has_eventless() const { return has_eventless_; }
  // The transition's domain (appendix D, getTransitionDomain); nothing where it depends on what a
  // history state remembers, or where the transition has no targets.
  std::optional<StateIndex> fixed_domain(TransitionIndex t) const {
    return fixed_domains_[t.value];
  }
  // getTransitionDomain for targets in which history states have been replaced; not empty.
  StateIndex transition_domain(const Transition& transition,
                               std::span<const StateIndex> effective_targets) const;
  // The least common ancestor, compound or the root, of the source and all the others.
  StateIndex find_lcca(StateIndex source, std::span<const StateIndex> others) const;

 private:
  Result<void> check_tree() const;
  Result<void> check_kinds() const;
  Result<void> check_transitions() const;
  Result<void> check_default(StateIndex owner, StateIndex within) const;
  void add_initial_transitions();
  void build_tables();

  std::unordered_map<std::string, StateIndex> by_id_;
  std::vector<StateTable> state_tables_;
  std::vector<std::optional<StateIndex>> fixed_domains_;
  bool has_eventless_ = false;
};

// SCXML 3.12.1: "foo" matches foo and foo.bar, not foobar; a trailing ".*" or "." changes nothing;
// "*" matches every event.
bool matches(std::string_view descriptor, std::string_view event_name);

}  // namespace checkride::statechart

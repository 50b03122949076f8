// Appendix D of the SCXML Recommendation once more, procedure for procedure, as naively as
// possible: sets, walks up the tree, nothing worked out beforehand, nothing shared with the
// interpreter but the plain data of Chart. What the interpreter does must be the same.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/properties/statechart/scenario.h"

namespace checkride::statechart {

class Oracle {
 public:
  Oracle(const Scenario& scenario, World& world)
      : chart_(scenario.chart), limits_(scenario.limits), world_(world) {}

  MacrostepEnd start();
  MacrostepEnd dispatch(const ChartEvent& event);
  MacrostepEnd jump(const std::vector<StateIndex>& targets);

  ChartState state() const;
  // 3.11.1, from the definition.
  bool is_legal() const;

  std::vector<std::string> steps;  // one line a microstep
  std::size_t preempted = 0;       // transitions that lost against another, in all

 private:
  using State = std::uint32_t;
  using States = std::vector<State>;
  struct Taken {  // a transition, or the pretended one of a jump
    std::uint32_t number = 0;
    State source = 0;
    bool internal = false;
    States targets;
    State domain = 0;
  };

  MacrostepEnd run();
  void microstep(std::vector<Taken> enabled, const ChartEvent* event, bool pretended);
  std::vector<Taken> select(const ChartEvent* event);
  bool condition_match(std::uint32_t t, const ChartEvent* event);
  std::vector<Taken> remove_conflicting(const std::vector<Taken>& enabled);
  std::set<State> compute_exit_set(const std::vector<Taken>& transitions);
  void compute_entry_set(const std::vector<Taken>& transitions, std::set<State>& to_enter,
                         std::set<State>& default_entry, std::map<State, std::uint32_t>& content);
  void add_descendants(State s, std::set<State>& to_enter, std::set<State>& default_entry,
                       std::map<State, std::uint32_t>& content);
  void add_ancestors(State s, State ancestor, std::set<State>& to_enter,
                     std::set<State>& default_entry, std::map<State, std::uint32_t>& content);
  States effective_targets(const States& targets) const;
  State domain(const Taken& t) const;
  State lcca(const States& list) const;
  bool in_final(State s) const;

  States proper_ancestors(State s, State until) const;  // `until` excluded; the root included
  bool descendant(State a, State b) const;
  States child_states(State s) const;  // without history
  bool is_history(State s) const;
  bool is_parallel(State s) const { return node(s).kind == StateKind::parallel; }
  bool is_compound(State s) const {
    return node(s).kind == StateKind::state && !child_states(s).empty();
  }
  bool is_atomic(State s) const { return !is_history(s) && child_states(s).empty(); }
  const StateNode& node(State s) const { return chart_.states[s]; }

  void execute(ContentIndex content, const ChartEvent* event);
  void enqueue(ChartEvent event);

  static constexpr State none = 0xffffffffU;

  const Chart& chart_;
  Limits limits_;
  World& world_;
  std::set<State> configuration_;
  std::map<State, States> history_value_;
  std::deque<ChartEvent> internal_queue_;
  bool running_ = false;
  std::uint32_t microsteps_ = 0;
  bool aborted_ = false;
  MacrostepEnd abort_end_ = MacrostepEnd::stopped;
};

}  // namespace checkride::statechart

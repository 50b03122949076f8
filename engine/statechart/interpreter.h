// The interpreter: the algorithm of SCXML Recommendation appendix D, function for function, over a
// Chart. It moves a ChartState from one stable configuration to the next (a macrostep) and asks a
// Host for everything that is not structure: guards, executable content. It is pure: no clock, no
// thread, no I/O; the same chart, state, host answers and events give the same result.
//
// A parallel state is never a transition's least common compound ancestor. A guard that fails
// counts as false and raises error.execution; content that fails ends its block and raises it. A
// Host that would rather stop (errors: park) returns HostError::stop, and the macrostep ends there
// with MacrostepEnd::stopped; the caller throws the unfinished state away.
//
// In two places the letter of appendix D leads to an illegal configuration, both where a transition
// targets a history state of an ancestor of its own source. First, it works out the domain again
// after the exit, when the history state may remember something else; here exit and entry use one
// domain. Second, it enters all ancestors of the values up to the history state's parent, even
// those above the domain, which were not exited; here nothing outside the domain is entered.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/cel/value.h"
#include "engine/statechart/chart.h"

namespace checkride::statechart {

struct ChartEvent {
  enum class Type : std::uint8_t { internal, external, platform };
  std::string name;
  Type type = Type::external;
  cel::Value data;
};

// What the algorithm remembers between macrosteps.
struct ChartState {
  std::vector<StateIndex> configuration;  // sorted; ancestors included, root excluded
  std::map<StateIndex, std::vector<StateIndex>> history;  // by history state; sorted
  bool running = false;  // false before start() and after a top-level final state
  bool operator==(const ChartState&) const = default;
};

// One microstep, told to the host before any of its content runs. `history` lists the values that
// the exit recorded.
struct Microstep {
  std::span<const TransitionIndex> transitions;  // empty for the initial entry
  std::span<const StateIndex> exited;            // exit order
  std::span<const StateIndex> entered;           // entry order
  std::span<const std::pair<StateIndex, std::vector<StateIndex>>> history;
  const ChartEvent* event = nullptr;  // that enabled it; null when eventless
};

enum class HostError : std::uint8_t { none, execution, stop };

class Interpreter;

class Host {
 public:
  virtual ~Host() = default;
  // The verdict of a guard; `event` is null for eventless transitions. On HostError::execution the
  // guard counts as false and error.execution is raised.
  struct Verdict {
    bool holds = false;
    HostError error = HostError::none;
    std::string message;
  };
  virtual Verdict evaluate(TransitionIndex transition, ConditionIndex cond, const ChartEvent* event,
                           const Interpreter& interpreter) = 0;
  // Runs one block of executable content; it may call raise(). On an error the rest of the block
  // was not run.
  struct Outcome {
    HostError error = HostError::none;
    std::string message;
  };
  virtual Outcome execute(ContentIndex content, const ChartEvent* event,
                          Interpreter& interpreter) = 0;
  // Called once per microstep, before its content runs and before the configuration changes.
  virtual void on_microstep(const Microstep& step) { static_cast<void>(step); }
  // done.state.ID of a state just completed; gives the event's data (SCXML donedata).
  virtual cel::Value done_data(StateIndex final_state, const Interpreter& interpreter) {
    static_cast<void>(final_state);
    static_cast<void>(interpreter);
    return {};
  }
};

struct Limits {
  // In one macrostep; an internal event that enables nothing counts as one, since a failing guard
  // on error.execution would raise it forever.
  std::uint32_t microsteps_max = 10'000;
  std::uint32_t internal_events_max = 10'000;  // waiting at once
};

enum class MacrostepEnd : std::uint8_t {
  stable,    // nothing enabled, internal queue empty
  finished,  // a top-level final state was entered; the chart no longer runs
  stopped,   // the host asked to stop; state and queue are not to be used
  limit,     // a limit was reached; state and queue are not to be used
};

class Interpreter {
 public:
  // The chart must be validated; all references outlive the interpreter.
  Interpreter(const Chart& chart, ChartState& state, Host& host, Limits limits = {});

  // Enters the initial configuration and runs to completion. Only for a chart that never ran.
  MacrostepEnd start();
  // Takes one external event and runs to completion. A chart that does not run ignores it:
  // finished.
  MacrostepEnd dispatch(const ChartEvent& event);
  // As if an always-enabled transition from the root to `targets` were taken (resolve --goto); runs
  // to completion. The targets must have passed Chart::check_targets. A chart that never ran starts
  // there; one that finished ignores it.
  MacrostepEnd jump(const std::vector<StateIndex>& targets);

  // For hosts, from execute(): puts an event at the end of the internal queue.
  void raise(ChartEvent event);
  bool in(StateIndex state) const;
  const Chart& chart() const { return chart_; }
  const ChartState& state() const { return state_; }
  // Why the last macrostep ended in `stopped` or `limit`.
  const std::string& message() const { return message_; }

 private:
  // A selected transition and what it would exit: the members of the configuration at the positions
  // [exit_begin, exit_end). A subtree is a range in document order and the configuration is sorted,
  // so a transition's exit set is always one range, and two of them intersect where the ranges do.
  struct Selected {
    TransitionIndex transition;
    StateIndex domain;
    std::size_t exit_begin = 0;
    std::size_t exit_end = 0;
  };

  MacrostepEnd run_to_completion();
  void exit_interpreter();
  MacrostepEnd abort(MacrostepEnd end, std::string message);

  void select_eventless_transitions();
  void select_transitions(const ChartEvent& event);
  void select_upwards(StateIndex atomic_state, const ChartEvent* event);
  bool condition_match(TransitionIndex t, const ChartEvent* event);
  void remove_conflicting_transitions();

  void microstep(const ChartEvent* event);
  void begin_microstep();
  void compute_exit_set();
  void record_history();
  void compute_entry_set();
  void add_targets_to_enter(std::span<const StateIndex> targets, StateIndex domain);
  void exit_states(const ChartEvent* event);
  void enter_states(const ChartEvent* event);
  void enter_final_state(StateIndex s);

  void add_descendant_states_to_enter(StateIndex s);
  void add_ancestor_states_to_enter(StateIndex s, StateIndex up_to);
  void add_regions_to_enter(StateIndex parallel);
  void follow_default(TransitionIndex t, StateIndex up_to);
  bool is_in_final_state(StateIndex s) const;
  StateIndex get_transition_domain(TransitionIndex t);
  void get_effective_target_states(std::span<const StateIndex> targets);

  void execute_content(ContentIndex content, const ChartEvent* event);
  void execute_blocks(const std::vector<ContentIndex>& blocks, const ChartEvent* event);
  void execute_transition_content(TransitionIndex t, const ChartEvent* event);
  void raise_error_execution(std::string message);

  const Chart& chart_;
  ChartState& state_;
  Host& host_;
  Limits limits_;
  std::string message_;

  // A vector with a reading position: an empty std::deque allocates, this does not.
  std::vector<ChartEvent> internal_queue_;
  std::size_t internal_queue_begin_ = 0;
  std::uint32_t microsteps_ = 0;  // in this macrostep
  bool aborted_ = false;          // by the host or a limit: unwind without running more content
  MacrostepEnd abort_end_ = MacrostepEnd::stopped;

  // What the microstep in progress works on; kept between microsteps for their capacity.
  std::vector<Selected> enabled_;
  std::vector<Selected> filtered_;
  std::vector<TransitionIndex> transitions_;
  std::vector<StateIndex> exited_;         // exit order
  std::vector<StateIndex> entered_;        // sorted, which is entry order
  std::vector<StateIndex> default_entry_;  // states whose initial transition's content runs
  std::vector<std::pair<StateIndex, TransitionIndex>> default_history_content_;  // by parent
  std::vector<std::pair<StateIndex, std::vector<StateIndex>>> recorded_history_;
  std::size_t recorded_history_count_ = 0;
  std::vector<StateIndex> effective_targets_;
  StateIndex domain_;  // of the transition whose targets are being added
};

}  // namespace checkride::statechart

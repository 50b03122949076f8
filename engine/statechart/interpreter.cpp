#include "engine/statechart/interpreter.h"

#include <algorithm>

#include "engine/base/assert.h"

namespace checkride::statechart {
namespace {

bool contains(const std::vector<StateIndex>& sorted, StateIndex s) {
  return std::binary_search(sorted.begin(), sorted.end(), s);
}

// Returns false where it was there already.
bool insert_sorted(std::vector<StateIndex>& sorted, StateIndex s) {
  if (sorted.empty() || sorted.back() < s) {
    sorted.push_back(s);
    return true;
  }
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), s);
  if (at != sorted.end() && *at == s) return false;
  sorted.insert(at, s);
  return true;
}

bool matches_any(const std::vector<std::string>& descriptors, std::string_view event_name) {
  return std::any_of(descriptors.begin(), descriptors.end(),
                     [&](const std::string& d) { return matches(d, event_name); });
}

}  // namespace

Interpreter::Interpreter(const Chart& chart, ChartState& state, Host& host, Limits limits)
    : chart_(chart), state_(state), host_(host), limits_(limits) {}

// ---- macrosteps ------------------------------------------------------------------------------

MacrostepEnd Interpreter::start() {
  CR_ASSERT(!state_.running && state_.configuration.empty());
  begin_microstep();
  add_targets_to_enter(chart_.transition(*chart_.state(root_state).initial).targets, root_state);
  host_.on_microstep({transitions_, exited_, entered_, {}});
  state_.running = true;
  execute_blocks(chart_.state(root_state).onentry, nullptr);
  execute_transition_content(*chart_.state(root_state).initial, nullptr);
  enter_states(nullptr);
  return run_to_completion();
}

MacrostepEnd Interpreter::dispatch(const ChartEvent& event) {
  if (!state_.running) return MacrostepEnd::finished;
  microsteps_ = 0;
  aborted_ = false;
  select_transitions(event);
  if (!filtered_.empty()) microstep(&event);
  return run_to_completion();
}

MacrostepEnd Interpreter::jump(const std::vector<StateIndex>& targets) {
  if (!state_.running && !state_.configuration.empty()) return MacrostepEnd::finished;
  begin_microstep();
  exited_.assign(state_.configuration.rbegin(), state_.configuration.rend());
  record_history();
  add_targets_to_enter(targets, root_state);
  host_.on_microstep(
      {transitions_, exited_, entered_, {recorded_history_.data(), recorded_history_count_}});
  const bool starts = !state_.running;
  state_.running = true;
  if (starts) execute_blocks(chart_.state(root_state).onentry, nullptr);
  exit_states(nullptr);
  enter_states(nullptr);
  return run_to_completion();
}

// The inner loop of mainEventLoop: eventless transitions first, then internal events one by one.
MacrostepEnd Interpreter::run_to_completion() {
  while (!aborted_ && state_.running) {
    select_eventless_transitions();
    if (aborted_) break;
    const bool eventless = !filtered_.empty();
    if (!eventless && internal_queue_begin_ == internal_queue_.size()) break;
    if (++microsteps_ > limits_.microsteps_max) {
      return abort(MacrostepEnd::limit, "the macrostep did not end within " +
                                            std::to_string(limits_.microsteps_max) +
                                            " microsteps; look for transitions that enable each "
                                            "other in a circle");
    }
    if (eventless) {
      microstep(nullptr);
      continue;
    }
    const ChartEvent event = std::move(internal_queue_[internal_queue_begin_++]);
    if (internal_queue_begin_ == internal_queue_.size()) {
      internal_queue_.clear();
      internal_queue_begin_ = 0;
    }
    select_transitions(event);
    if (!filtered_.empty()) microstep(&event);
  }
  if (!aborted_ && !state_.running) exit_interpreter();
  if (aborted_) return abort(abort_end_, std::move(message_));
  return state_.running ? MacrostepEnd::stable : MacrostepEnd::finished;
}

// The content of exitInterpreter. The configuration stays, so that everyone can see where it ended.
void Interpreter::exit_interpreter() {
  exited_.assign(state_.configuration.rbegin(), state_.configuration.rend());
  for (const StateIndex s : exited_) execute_blocks(chart_.state(s).onexit, nullptr);
  execute_blocks(chart_.state(root_state).onexit, nullptr);
  internal_queue_.clear();
  internal_queue_begin_ = 0;
}

MacrostepEnd Interpreter::abort(MacrostepEnd end, std::string message) {
  internal_queue_.clear();
  internal_queue_begin_ = 0;
  message_ = std::move(message);
  return end;
}

// ---- selecting transitions -------------------------------------------------------------------

void Interpreter::select_eventless_transitions() {
  enabled_.clear();
  filtered_.clear();
  if (!chart_.has_eventless()) return;
  for (const StateIndex s : state_.configuration) {
    const Chart::StateTable& row = chart_.table(s);
    if (!row.atomic || !row.eventless_upwards) continue;
    select_upwards(s, nullptr);
    if (aborted_) return;
  }
  remove_conflicting_transitions();
}

void Interpreter::select_transitions(const ChartEvent& event) {
  enabled_.clear();
  filtered_.clear();
  for (const StateIndex s : state_.configuration) {
    if (!chart_.table(s).atomic) continue;
    select_upwards(s, &event);
    if (aborted_) return;
  }
  remove_conflicting_transitions();
}

// The first enabled transition of the atomic state or, failing that, of its ancestors. A guard of
// an ancestor is asked once for every atomic state below it, as the standard's algorithm does: each
// failure raises its own error.execution.
void Interpreter::select_upwards(StateIndex atomic_state, const ChartEvent* event) {
  for (StateIndex s = atomic_state;; s = chart_.table(s).parent) {
    for (const TransitionIndex t : chart_.state(s).transitions) {
      const Transition& transition = chart_.transition(t);
      const bool named = event == nullptr ? transition.events.empty()
                                          : matches_any(transition.events, event->name);
      if (!named || !condition_match(t, event)) {
        if (aborted_) return;
        continue;
      }
      const bool again = std::any_of(enabled_.begin(), enabled_.end(),
                                     [&](const Selected& e) { return e.transition == t; });
      if (!again) enabled_.push_back({t, root_state, 0, 0});
      return;
    }
    if (s == root_state) return;
  }
}

bool Interpreter::condition_match(TransitionIndex t, const ChartEvent* event) {
  const Transition& transition = chart_.transition(t);
  if (!transition.cond) return true;
  Host::Verdict verdict = host_.evaluate(t, *transition.cond, event, *this);
  switch (verdict.error) {
    case HostError::none: return verdict.holds;
    case HostError::execution: raise_error_execution(std::move(verdict.message)); return false;
    case HostError::stop: break;
  }
  if (!aborted_) {
    aborted_ = true;
    abort_end_ = MacrostepEnd::stopped;
    message_ = std::move(verdict.message);
  }
  return false;
}

void Interpreter::remove_conflicting_transitions() {
  const std::vector<StateIndex>& configuration = state_.configuration;
  for (Selected& t1 : enabled_) {
    const Transition& transition = chart_.transition(t1.transition);
    if (!transition.targets.empty()) {
      t1.domain = get_transition_domain(t1.transition);
      const auto begin = std::upper_bound(configuration.begin(), configuration.end(), t1.domain);
      const auto end =
          std::upper_bound(begin, configuration.end(), chart_.table(t1.domain).last_descendant);
      t1.exit_begin = static_cast<std::size_t>(begin - configuration.begin());
      t1.exit_end = static_cast<std::size_t>(end - configuration.begin());
    }
  }
  if (enabled_.size() < 2) {
    filtered_.swap(enabled_);
    return;
  }
  const auto intersect = [](const Selected& a, const Selected& b) {
    return std::max(a.exit_begin, b.exit_begin) < std::min(a.exit_end, b.exit_end);
  };
  for (const Selected& t1 : enabled_) {
    const StateIndex source = chart_.transition(t1.transition).source;
    const auto preempted_by_t1 = [&](const Selected& t2) {
      return intersect(t1, t2) &&
             chart_.is_descendant(source, chart_.transition(t2.transition).source);
    };
    const bool t1_preempted =
        std::any_of(filtered_.begin(), filtered_.end(),
                    [&](const Selected& t2) { return intersect(t1, t2) && !preempted_by_t1(t2); });
    if (t1_preempted) continue;
    filtered_.erase(std::remove_if(filtered_.begin(), filtered_.end(), preempted_by_t1),
                    filtered_.end());
    filtered_.push_back(t1);
  }
}

// ---- one microstep ---------------------------------------------------------------------------

// Everything structural is worked out before anything happens: the exit set, the history values it
// records (the entry set may depend on them), the entry set. Then the host is told, then content
// runs.
void Interpreter::microstep(const ChartEvent* event) {
  transitions_.clear();
  for (const Selected& t : filtered_) transitions_.push_back(t.transition);
  compute_exit_set();
  record_history();
  compute_entry_set();
  host_.on_microstep({transitions_,
                      exited_,
                      entered_,
                      {recorded_history_.data(), recorded_history_count_},
                      event});
  exit_states(event);
  for (const TransitionIndex t : transitions_) execute_transition_content(t, event);
  enter_states(event);
}

void Interpreter::begin_microstep() {
  microsteps_ = 0;
  aborted_ = false;
  transitions_.clear();
  exited_.clear();
  entered_.clear();
  default_entry_.clear();
  default_history_content_.clear();
  recorded_history_count_ = 0;
}

// The exit sets of the filtered transitions do not intersect, so joining them needs no check.
void Interpreter::compute_exit_set() {
  exited_.clear();
  for (const Selected& t : filtered_) {
    for (std::size_t i = t.exit_end; i > t.exit_begin; --i) {
      exited_.push_back(state_.configuration[i - 1]);
    }
  }
  if (filtered_.size() > 1) std::sort(exited_.begin(), exited_.end(), std::greater<>());
}

void Interpreter::record_history() {
  recorded_history_count_ = 0;
  for (const StateIndex s : exited_) {
    if (!chart_.table(s).has_history) continue;
    const auto begin =
        std::upper_bound(state_.configuration.begin(), state_.configuration.end(), s);
    const auto end =
        std::upper_bound(begin, state_.configuration.end(), chart_.table(s).last_descendant);
    for (const StateIndex h : chart_.state(s).children) {
      if (!chart_.is_history(h)) continue;
      const bool deep = chart_.state(h).kind == StateKind::history_deep;
      if (recorded_history_count_ == recorded_history_.size()) recorded_history_.emplace_back();
      auto& [history, value] = recorded_history_[recorded_history_count_++];
      history = h;
      value.clear();
      std::copy_if(begin, end, std::back_inserter(value), [&](StateIndex active) {
        return deep ? chart_.table(active).atomic : chart_.table(active).parent == s;
      });
      state_.history[h] = value;
    }
  }
}

void Interpreter::compute_entry_set() {
  entered_.clear();
  default_entry_.clear();
  default_history_content_.clear();
  for (const Selected& t : filtered_) {
    const Transition& transition = chart_.transition(t.transition);
    if (!transition.targets.empty()) add_targets_to_enter(transition.targets, t.domain);
  }
}

void Interpreter::add_targets_to_enter(std::span<const StateIndex> targets, StateIndex domain) {
  domain_ = domain;
  for (const StateIndex s : targets) add_descendant_states_to_enter(s);
  effective_targets_.clear();
  get_effective_target_states(targets);
  for (const StateIndex s : effective_targets_) add_ancestor_states_to_enter(s, domain);
}

void Interpreter::exit_states(const ChartEvent* event) {
  for (const StateIndex s : exited_) {
    execute_blocks(chart_.state(s).onexit, event);
    if (aborted_) return;
    std::vector<StateIndex>& configuration = state_.configuration;
    configuration.erase(std::lower_bound(configuration.begin(), configuration.end(), s));
  }
}

void Interpreter::enter_states(const ChartEvent* event) {
  for (const StateIndex s : entered_) {
    if (aborted_) return;
    const bool added = insert_sorted(state_.configuration, s);
    CR_ASSERT(added, chart_.state(s).id);
    const StateNode& node = chart_.state(s);
    execute_blocks(node.onentry, event);
    if (contains(default_entry_, s)) execute_transition_content(*node.initial, event);
    for (const auto& [parent, transition] : default_history_content_) {
      if (parent == s) execute_transition_content(transition, event);
    }
    if (node.kind == StateKind::final && !aborted_) enter_final_state(s);
  }
}

void Interpreter::enter_final_state(StateIndex s) {
  const StateIndex parent = chart_.table(s).parent;
  if (parent == root_state) {
    state_.running = false;
    return;
  }
  raise({chart_.table(parent).done_event, ChartEvent::Type::platform, host_.done_data(s, *this)});
  const StateIndex grandparent = chart_.table(parent).parent;
  if (chart_.is_parallel(grandparent) && is_in_final_state(grandparent)) {
    raise({chart_.table(grandparent).done_event, ChartEvent::Type::platform, {}});
  }
}

// ---- the procedures of appendix D ------------------------------------------------------------

void Interpreter::add_descendant_states_to_enter(StateIndex s) {
  const StateNode& node = chart_.state(s);
  if (chart_.is_history(s)) {
    const auto remembered = state_.history.find(s);
    if (remembered == state_.history.end()) {
      const auto known =
          std::find_if(default_history_content_.begin(), default_history_content_.end(),
                       [&](const auto& entry) { return entry.first == node.parent; });
      if (known == default_history_content_.end()) {
        default_history_content_.emplace_back(node.parent, *node.initial);
      } else {
        known->second = *node.initial;
      }
      follow_default(*node.initial, node.parent);
    } else {
      for (const StateIndex value : remembered->second) add_descendant_states_to_enter(value);
      for (const StateIndex value : remembered->second) {
        add_ancestor_states_to_enter(value, node.parent);
      }
    }
    return;
  }
  insert_sorted(entered_, s);
  if (chart_.table(s).compound) {
    insert_sorted(default_entry_, s);
    follow_default(*node.initial, s);
  } else if (node.kind == StateKind::parallel) {
    add_regions_to_enter(s);
  }
}

// Stops below the domain: see the header on history states.
void Interpreter::add_ancestor_states_to_enter(StateIndex s, StateIndex up_to) {
  for (StateIndex ancestor = chart_.table(s).parent;
       ancestor != up_to && chart_.is_descendant(ancestor, domain_);
       ancestor = chart_.table(ancestor).parent) {
    insert_sorted(entered_, ancestor);
    if (chart_.is_parallel(ancestor)) add_regions_to_enter(ancestor);
  }
}

// The regions of a parallel state in which nothing is to be entered yet.
void Interpreter::add_regions_to_enter(StateIndex parallel) {
  for (const StateIndex child : chart_.state(parallel).children) {
    if (chart_.is_history(child)) continue;
    const auto below = std::upper_bound(entered_.begin(), entered_.end(), child);
    if (below == entered_.end() || *below > chart_.table(child).last_descendant) {
      add_descendant_states_to_enter(child);
    }
  }
}

void Interpreter::follow_default(TransitionIndex t, StateIndex up_to) {
  const std::vector<StateIndex>& targets = chart_.transition(t).targets;
  for (const StateIndex target : targets) add_descendant_states_to_enter(target);
  for (const StateIndex target : targets) add_ancestor_states_to_enter(target, up_to);
}

bool Interpreter::is_in_final_state(StateIndex s) const {
  const StateNode& node = chart_.state(s);
  if (chart_.table(s).compound) {
    return std::any_of(node.children.begin(), node.children.end(), [&](StateIndex child) {
      return chart_.is_final(child) && contains(state_.configuration, child);
    });
  }
  return node.kind == StateKind::parallel &&
         std::all_of(node.children.begin(), node.children.end(), [&](StateIndex child) {
           return chart_.is_history(child) || is_in_final_state(child);
         });
}

StateIndex Interpreter::get_transition_domain(TransitionIndex t) {
  if (const auto domain = chart_.fixed_domain(t)) return *domain;
  effective_targets_.clear();
  get_effective_target_states(chart_.transition(t).targets);
  return chart_.transition_domain(chart_.transition(t), effective_targets_);
}

// Appends to effective_targets_: the targets, history states replaced by what they stand for now.
void Interpreter::get_effective_target_states(std::span<const StateIndex> targets) {
  for (const StateIndex s : targets) {
    if (!chart_.is_history(s)) {
      effective_targets_.push_back(s);
      continue;
    }
    const auto remembered = state_.history.find(s);
    if (remembered == state_.history.end()) {
      get_effective_target_states(chart_.transition(*chart_.state(s).initial).targets);
    } else {
      effective_targets_.insert(effective_targets_.end(), remembered->second.begin(),
                                remembered->second.end());
    }
  }
}

// ---- content and events ----------------------------------------------------------------------

void Interpreter::execute_content(ContentIndex content, const ChartEvent* event) {
  if (aborted_) return;
  Host::Outcome outcome = host_.execute(content, event, *this);
  switch (outcome.error) {
    case HostError::none: return;
    case HostError::execution: raise_error_execution(std::move(outcome.message)); return;
    case HostError::stop: break;
  }
  if (aborted_) return;
  aborted_ = true;
  abort_end_ = MacrostepEnd::stopped;
  message_ = std::move(outcome.message);
}

void Interpreter::execute_blocks(const std::vector<ContentIndex>& blocks, const ChartEvent* event) {
  for (const ContentIndex content : blocks) execute_content(content, event);
}

void Interpreter::execute_transition_content(TransitionIndex t, const ChartEvent* event) {
  const Transition& transition = chart_.transition(t);
  if (transition.content) execute_content(*transition.content, event);
}

void Interpreter::raise_error_execution(std::string message) {
  cel::Map data;
  data.set(std::string_view("message"), cel::Value(std::move(message)));
  raise({"error.execution", ChartEvent::Type::platform, cel::Value(std::move(data))});
}

void Interpreter::raise(ChartEvent event) {
  if (internal_queue_.size() - internal_queue_begin_ >= limits_.internal_events_max) {
    if (aborted_) return;
    aborted_ = true;
    abort_end_ = MacrostepEnd::limit;
    message_ = "more than " + std::to_string(limits_.internal_events_max) +
               " internal events wait at once; '" + event.name + "' found no place";
    return;
  }
  // A queue that never runs empty would creep through memory: drop what was read once it is most of
  // it.
  if (internal_queue_begin_ > 64 && internal_queue_begin_ * 2 > internal_queue_.size()) {
    internal_queue_.erase(
        internal_queue_.begin(),
        internal_queue_.begin() + static_cast<std::ptrdiff_t>(internal_queue_begin_));
    internal_queue_begin_ = 0;
  }
  internal_queue_.push_back(std::move(event));
}

bool Interpreter::in(StateIndex state) const {
  return contains(state_.configuration, state);
}

}  // namespace checkride::statechart

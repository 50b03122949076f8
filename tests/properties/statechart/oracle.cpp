#include "tests/properties/statechart/oracle.h"

#include <algorithm>

namespace checkride::statechart {
namespace {

std::vector<std::uint32_t> numbers(const std::vector<StateIndex>& states) {
  std::vector<std::uint32_t> result;
  for (const StateIndex s : states) result.push_back(s.value);
  return result;
}

// 3.12.1 by tokens: the descriptor's are a prefix of the event's.
std::vector<std::string> tokens(const std::string& text) {
  std::vector<std::string> result{""};
  for (const char c : text) {
    if (c == '.') {
      result.emplace_back();
    } else {
      result.back() += c;
    }
  }
  return result;
}

bool name_match(const std::vector<std::string>& descriptors, const std::string& name) {
  for (const std::string& descriptor : descriptors) {
    if (descriptor == "*") return true;
    std::vector<std::string> wanted = tokens(descriptor);
    const std::vector<std::string> got = tokens(name);
    if (wanted.size() > 1 && (wanted.back() == "*" || wanted.back().empty())) wanted.pop_back();
    if (wanted.size() <= got.size() && std::equal(wanted.begin(), wanted.end(), got.begin())) {
      return true;
    }
  }
  return false;
}

}  // namespace

// ---- mainEventLoop ---------------------------------------------------------------------------

MacrostepEnd Oracle::start() {
  microsteps_ = 0;
  running_ = true;
  const std::uint32_t initial = node(0).initial->value;
  for (const ContentIndex c : node(0).onentry) execute(c, nullptr);
  if (chart_.transitions[initial].content) execute(*chart_.transitions[initial].content, nullptr);
  microstep({{0, 0, false, numbers(chart_.transitions[initial].targets), 0}}, nullptr, true);
  return run();
}

MacrostepEnd Oracle::dispatch(const ChartEvent& event) {
  if (!running_) return MacrostepEnd::finished;
  microsteps_ = 0;
  const std::vector<Taken> enabled = select(&event);
  if (!enabled.empty() && !aborted_) microstep(enabled, &event, false);
  return run();
}

MacrostepEnd Oracle::jump(const std::vector<StateIndex>& targets) {
  if (!running_) return MacrostepEnd::finished;
  microsteps_ = 0;
  microstep({{0, 0, false, numbers(targets), 0}}, nullptr, true);
  return run();
}

MacrostepEnd Oracle::run() {
  bool done = false;
  while (running_ && !done && !aborted_) {
    std::vector<Taken> enabled = select(nullptr);
    if (aborted_) break;
    ChartEvent event;
    bool eventless = true;
    if (enabled.empty()) {
      if (internal_queue_.empty()) {
        done = true;
        continue;
      }
      if (++microsteps_ > limits_.microsteps_max) return MacrostepEnd::limit;
      event = internal_queue_.front();
      internal_queue_.pop_front();
      eventless = false;
      enabled = select(&event);
    } else if (++microsteps_ > limits_.microsteps_max) {
      return MacrostepEnd::limit;
    }
    if (!enabled.empty() && !aborted_) microstep(enabled, eventless ? nullptr : &event, false);
  }
  if (!running_ && !aborted_) {
    // exitInterpreter, except that the configuration stays to be looked at.
    for (auto s = configuration_.rbegin(); s != configuration_.rend(); ++s) {
      for (const ContentIndex c : node(*s).onexit) execute(c, nullptr);
    }
    for (const ContentIndex c : node(0).onexit) execute(c, nullptr);
  }
  if (aborted_) return abort_end_;
  return running_ ? MacrostepEnd::stable : MacrostepEnd::finished;
}

// ---- selectTransitions, removeConflictingTransitions -------------------------------------------

std::vector<Oracle::Taken> Oracle::select(const ChartEvent* event) {
  std::vector<Taken> enabled;
  for (const State atomic : std::set<State>(configuration_)) {
    if (!is_atomic(atomic)) continue;
    States path{atomic};
    for (const State s : proper_ancestors(atomic, none)) path.push_back(s);
    bool found = false;
    for (const State s : path) {
      for (const TransitionIndex t : node(s).transitions) {
        const Transition& transition = chart_.transitions[t.value];
        const bool named = event == nullptr ? transition.events.empty()
                                            : !transition.events.empty() &&
                                                  name_match(transition.events, event->name);
        if (!named || !condition_match(t.value, event)) continue;
        const bool again = std::any_of(enabled.begin(), enabled.end(),
                                       [&](const Taken& e) { return e.number == t.value; });
        if (!again) {
          enabled.push_back({t.value, s, transition.internal, numbers(transition.targets), 0});
        }
        found = true;
        break;
      }
      if (found) break;
    }
  }
  return remove_conflicting(enabled);
}

bool Oracle::condition_match(std::uint32_t t, const ChartEvent* event) {
  if (!chart_.transitions[t].cond) return true;
  if (aborted_) return false;
  const World::Answer answer =
      world_.evaluate(*chart_.transitions[t].cond, event,
                      [&](StateIndex s) { return configuration_.count(s.value) == 1; });
  if (answer.error == HostError::none) return answer.holds;
  if (answer.error == HostError::stop) {
    aborted_ = true;
    abort_end_ = MacrostepEnd::stopped;
    return false;
  }
  cel::Map data;
  data.set(std::string_view("message"), cel::Value(answer.message));
  enqueue({"error.execution", ChartEvent::Type::platform, cel::Value(data)});
  return false;
}

std::vector<Oracle::Taken> Oracle::remove_conflicting(const std::vector<Taken>& enabled) {
  std::vector<Taken> filtered;
  for (const Taken& t1 : enabled) {
    bool lost = false;
    std::set<std::uint32_t> to_remove;
    for (const Taken& t2 : filtered) {
      const std::set<State> a = compute_exit_set({t1});
      const std::set<State> b = compute_exit_set({t2});
      const bool intersect =
          std::any_of(a.begin(), a.end(), [&](State s) { return b.count(s) == 1; });
      if (!intersect) continue;
      if (descendant(t1.source, t2.source)) {
        to_remove.insert(t2.number);
        ++preempted;
      } else {
        lost = true;
        ++preempted;
        break;
      }
    }
    if (lost) continue;
    std::vector<Taken> kept;
    for (const Taken& t : filtered) {
      if (to_remove.count(t.number) == 0) kept.push_back(t);
    }
    kept.push_back(t1);
    filtered = kept;
  }
  return filtered;
}

// ---- microstep: exitStates, executeTransitionContent, enterStates -------------------------------

void Oracle::microstep(std::vector<Taken> enabled, const ChartEvent* event, bool pretended) {
  // Not in appendix D (interpreter.h tells why): the domain is that of before the exit.
  for (Taken& t : enabled) t.domain = domain(t);
  std::string line = "take";
  if (!pretended) {
    for (const Taken& t : enabled) line += " " + std::to_string(t.number);
  }
  const std::set<State> exit_set = compute_exit_set(enabled);
  const States to_exit(exit_set.rbegin(), exit_set.rend());
  line += " exit";
  for (const State s : to_exit) line += " " + std::to_string(s);
  std::string history;
  for (const State s : to_exit) {
    for (const StateIndex h : node(s).children) {
      if (!is_history(h.value)) continue;
      States value;
      for (const State active : configuration_) {
        const bool wanted = node(h.value).kind == StateKind::history_deep
                                ? is_atomic(active) && descendant(active, s)
                                : node(active).parent.value == s;
        if (wanted) value.push_back(active);
      }
      history_value_[h.value] = value;
      history += " " + std::to_string(h.value) + "=";
      for (const State active : value) history += std::to_string(active) + ",";
    }
  }
  for (const State s : to_exit) {
    for (const ContentIndex c : node(s).onexit) execute(c, event);
    configuration_.erase(s);
  }
  if (!pretended) {
    for (const Taken& t : enabled) {
      if (chart_.transitions[t.number].content)
        execute(*chart_.transitions[t.number].content, event);
    }
  }
  std::set<State> to_enter;
  std::set<State> default_entry;
  std::map<State, std::uint32_t> default_history;
  compute_entry_set(enabled, to_enter, default_entry, default_history);
  line += " enter";
  for (const State s : to_enter) line += " " + std::to_string(s);
  steps.push_back(line + " history" + history);
  for (const State s : to_enter) {
    if (aborted_) return;
    configuration_.insert(s);
    for (const ContentIndex c : node(s).onentry) execute(c, event);
    if (default_entry.count(s) == 1) {
      const auto& content = chart_.transitions[node(s).initial->value].content;
      if (content) execute(*content, event);
    }
    if (default_history.count(s) == 1) {
      const auto& content = chart_.transitions[default_history[s]].content;
      if (content) execute(*content, event);
    }
    if (node(s).kind != StateKind::final || aborted_) continue;
    const State parent = node(s).parent.value;
    if (parent == 0) {
      running_ = false;
      continue;
    }
    const State grandparent = node(parent).parent.value;
    enqueue({"done.state." + node(parent).id, ChartEvent::Type::platform,
             world_.done_data(StateIndex(s))});
    if (!is_parallel(grandparent)) continue;
    const States regions = child_states(grandparent);
    if (std::all_of(regions.begin(), regions.end(), [&](State r) { return in_final(r); })) {
      enqueue({"done.state." + node(grandparent).id, ChartEvent::Type::platform, {}});
    }
  }
}

std::set<Oracle::State> Oracle::compute_exit_set(const std::vector<Taken>& transitions) {
  std::set<State> to_exit;
  for (const Taken& t : transitions) {
    if (t.targets.empty()) continue;
    const State d = domain(t);
    for (const State s : configuration_) {
      if (descendant(s, d)) to_exit.insert(s);
    }
  }
  return to_exit;
}

void Oracle::compute_entry_set(const std::vector<Taken>& transitions, std::set<State>& to_enter,
                               std::set<State>& default_entry,
                               std::map<State, std::uint32_t>& content) {
  for (const Taken& t : transitions) {
    if (t.targets.empty()) continue;
    const State ancestor = t.domain;
    std::set<State> of_this;
    for (const State s : t.targets) add_descendants(s, of_this, default_entry, content);
    for (const State s : effective_targets(t.targets)) {
      add_ancestors(s, ancestor, of_this, default_entry, content);
    }
    // Not in appendix D (interpreter.h tells why): what lies outside the domain was not exited and
    // is not entered. A history state of an ancestor would bring it in.
    for (const State s : of_this) {
      if (descendant(s, ancestor)) to_enter.insert(s);
    }
  }
}

void Oracle::add_descendants(State s, std::set<State>& to_enter, std::set<State>& default_entry,
                             std::map<State, std::uint32_t>& content) {
  if (is_history(s)) {
    const State parent = node(s).parent.value;
    States values;
    if (history_value_.count(s) == 1) {
      values = history_value_[s];
    } else {
      content[parent] = node(s).initial->value;
      values = numbers(chart_.transitions[node(s).initial->value].targets);
    }
    for (const State v : values) add_descendants(v, to_enter, default_entry, content);
    for (const State v : values) add_ancestors(v, parent, to_enter, default_entry, content);
    return;
  }
  to_enter.insert(s);
  if (is_compound(s)) {
    default_entry.insert(s);
    const States targets = numbers(chart_.transitions[node(s).initial->value].targets);
    for (const State t : targets) add_descendants(t, to_enter, default_entry, content);
    for (const State t : targets) add_ancestors(t, s, to_enter, default_entry, content);
  } else if (is_parallel(s)) {
    for (const State child : child_states(s)) {
      const bool there = std::any_of(to_enter.begin(), to_enter.end(),
                                     [&](State e) { return descendant(e, child); });
      if (!there) add_descendants(child, to_enter, default_entry, content);
    }
  }
}

void Oracle::add_ancestors(State s, State ancestor, std::set<State>& to_enter,
                           std::set<State>& default_entry,
                           std::map<State, std::uint32_t>& content) {
  for (const State a : proper_ancestors(s, ancestor)) {
    to_enter.insert(a);
    if (!is_parallel(a)) continue;
    for (const State child : child_states(a)) {
      const bool there = std::any_of(to_enter.begin(), to_enter.end(),
                                     [&](State e) { return descendant(e, child); });
      if (!there) add_descendants(child, to_enter, default_entry, content);
    }
  }
}

// ---- predicates and accessors ------------------------------------------------------------------

Oracle::States Oracle::effective_targets(const States& targets) const {
  States result;
  for (const State s : targets) {
    if (!is_history(s)) {
      result.push_back(s);
      continue;
    }
    const auto value = history_value_.find(s);
    const States instead =
        value != history_value_.end()
            ? value->second
            : effective_targets(numbers(chart_.transitions[node(s).initial->value].targets));
    result.insert(result.end(), instead.begin(), instead.end());
  }
  return result;
}

Oracle::State Oracle::domain(const Taken& t) const {
  const States targets = effective_targets(t.targets);
  if (t.internal && is_compound(t.source) &&
      std::all_of(targets.begin(), targets.end(),
                  [&](State s) { return descendant(s, t.source); })) {
    return t.source;
  }
  States list{t.source};
  list.insert(list.end(), targets.begin(), targets.end());
  return lcca(list);
}

Oracle::State Oracle::lcca(const States& list) const {
  for (const State ancestor : proper_ancestors(list.front(), none)) {
    if (ancestor != 0 && !is_compound(ancestor)) continue;
    if (std::all_of(list.begin() + 1, list.end(),
                    [&](State s) { return descendant(s, ancestor); })) {
      return ancestor;
    }
  }
  return 0;  // the source is the root itself
}

bool Oracle::in_final(State s) const {
  const States children = child_states(s);
  if (is_compound(s)) {
    return std::any_of(children.begin(), children.end(), [&](State c) {
      return node(c).kind == StateKind::final && configuration_.count(c) == 1;
    });
  }
  if (is_parallel(s)) {
    return std::all_of(children.begin(), children.end(), [&](State c) { return in_final(c); });
  }
  return false;
}

Oracle::States Oracle::proper_ancestors(State s, State until) const {
  States result;
  while (s != 0) {
    s = node(s).parent.value;
    if (s == until) break;
    result.push_back(s);
  }
  return result;
}

bool Oracle::descendant(State a, State b) const {
  while (a != 0) {
    a = node(a).parent.value;
    if (a == b) return true;
  }
  return false;
}

Oracle::States Oracle::child_states(State s) const {
  States result;
  for (const StateIndex child : node(s).children) {
    if (!is_history(child.value)) result.push_back(child.value);
  }
  return result;
}

bool Oracle::is_history(State s) const {
  return node(s).kind == StateKind::history_shallow || node(s).kind == StateKind::history_deep;
}

// ---- content, events, and what is there to see -------------------------------------------------

void Oracle::execute(ContentIndex content, const ChartEvent* event) {
  if (aborted_) return;
  const World::Answer answer = world_.execute(
      content, event, [&](StateIndex s) { return configuration_.count(s.value) == 1; },
      [&](ChartEvent raised) { enqueue(std::move(raised)); });
  if (answer.error == HostError::stop && !aborted_) {
    aborted_ = true;
    abort_end_ = MacrostepEnd::stopped;
  } else if (answer.error == HostError::execution) {
    cel::Map data;
    data.set(std::string_view("message"), cel::Value(answer.message));
    enqueue({"error.execution", ChartEvent::Type::platform, cel::Value(data)});
  }
}

void Oracle::enqueue(ChartEvent event) {
  if (internal_queue_.size() >= limits_.internal_events_max) {
    if (!aborted_) abort_end_ = MacrostepEnd::limit;
    aborted_ = true;
    return;
  }
  internal_queue_.push_back(std::move(event));
}

ChartState Oracle::state() const {
  ChartState result;
  for (const State s : configuration_) result.configuration.push_back(StateIndex(s));
  for (const auto& [h, value] : history_value_) {
    for (const State s : value) result.history[StateIndex(h)].push_back(StateIndex(s));
  }
  result.running = running_;
  return result;
}

bool Oracle::is_legal() const {
  const auto active = [&](State s) { return s == 0 || configuration_.count(s) == 1; };
  for (State s = 0; s < chart_.states.size(); ++s) {
    if (!active(s)) continue;
    if (is_history(s) || !active(node(s).parent.value)) return false;
    const States children = child_states(s);
    const auto count = std::count_if(children.begin(), children.end(), active);
    const auto wanted =
        is_parallel(s) ? static_cast<std::ptrdiff_t>(children.size()) : (children.empty() ? 0 : 1);
    if (count != wanted) return false;
  }
  return true;
}

}  // namespace checkride::statechart

// Charts for tests, written top down with names, and a Host that logs what it is asked. Guards and
// content are labels: a guard is "true", "false", "error", "stop" or "In ID"; content is any text,
// of which "raise E", "fail" and "stop" do something and all are logged.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/assert.h"
#include "engine/statechart/interpreter.h"

namespace checkride::statechart {

struct LabelledChart {
  Chart chart;
  std::vector<std::string> guards;    // by ConditionIndex
  std::vector<std::string> contents;  // by ContentIndex
};

struct Edge {
  std::string guard{};
  std::string content{};
  bool internal = false;
};

class ChartBuilder {
 public:
  using Inside = std::function<void()>;

  ChartBuilder() { built_.chart.states.emplace_back(); }

  void state(const std::string& id, const Inside& inside = {}) {
    open(id, StateKind::state, inside);
  }
  void parallel(const std::string& id, const Inside& inside = {}) {
    open(id, StateKind::parallel, inside);
  }
  void final(const std::string& id, const Inside& inside = {}) {
    open(id, StateKind::final, inside);
  }
  void history(const std::string& id, StateKind kind, const std::vector<std::string>& targets,
               const std::string& content = {}) {
    open(id, kind, [&] {
      built_.chart.states[current_].initial = edge({}, targets, {{}, content});
    });
  }
  // The following speak of the state being described (the root outside of any).
  void initial(const std::vector<std::string>& targets, const std::string& content = {}) {
    const TransitionIndex t = edge({}, targets, {{}, content});
    built_.chart.states[current_].initial = t;
  }
  void on(const std::vector<std::string>& events, const std::vector<std::string>& targets,
          const Edge& more = {}) {
    const TransitionIndex t = edge(events, targets, more);
    built_.chart.states[current_].transitions.push_back(t);
  }
  void onentry(const std::string& content) {
    built_.chart.states[current_].onentry.push_back(label(built_.contents, content));
  }
  void onexit(const std::string& content) {
    built_.chart.states[current_].onexit.push_back(label(built_.contents, content));
  }

  // Resolves names, without validating. An unknown target becomes a number out of range.
  LabelledChart unchecked() {
    for (auto& [t, targets] : targets_) {
      for (const std::string& target : targets) {
        std::uint32_t found = 0xffffffU;
        for (std::uint32_t i = 1; i < built_.chart.states.size(); ++i) {
          if (built_.chart.states[i].id == target) found = i;
        }
        built_.chart.transitions[t].targets.push_back(StateIndex(found));
      }
    }
    targets_.clear();
    return built_;
  }
  LabelledChart build() {
    LabelledChart result = unchecked();
    const auto valid = result.chart.validate();
    CR_ASSERT(valid.has_value(), valid ? std::string() : valid.error().text());
    return result;
  }

 private:
  template <class Index = ContentIndex>
  static Index label(std::vector<std::string>& labels, const std::string& text) {
    labels.push_back(text);
    return Index(static_cast<std::uint32_t>(labels.size() - 1));
  }
  void open(const std::string& id, StateKind kind, const Inside& inside) {
    const auto index = static_cast<std::uint32_t>(built_.chart.states.size());
    StateNode node;
    node.id = id;
    node.kind = kind;
    node.parent = StateIndex(static_cast<std::uint32_t>(current_));
    built_.chart.states[current_].children.push_back(StateIndex(index));
    built_.chart.states.push_back(std::move(node));
    const std::size_t outer = std::exchange(current_, index);
    if (inside) inside();
    current_ = outer;
  }
  TransitionIndex edge(const std::vector<std::string>& events,
                       const std::vector<std::string>& targets, const Edge& more) {
    Transition t;
    t.source = StateIndex(static_cast<std::uint32_t>(current_));
    t.events = events;
    t.internal = more.internal;
    if (!more.guard.empty()) t.cond = label<ConditionIndex>(built_.guards, more.guard);
    if (!more.content.empty()) t.content = label(built_.contents, more.content);
    const auto index = static_cast<std::uint32_t>(built_.chart.transitions.size());
    built_.chart.transitions.push_back(std::move(t));
    targets_.emplace_back(index, targets);
    return TransitionIndex(index);
  }

  LabelledChart built_;
  std::size_t current_ = 0;
  std::vector<std::pair<std::size_t, std::vector<std::string>>> targets_;
};

// A chart in motion. `log` holds "-id" and "+id" as microsteps announce them and the content that
// ran in between; `seen` the names of the events that content and guards were given.
class Running final : public Host {
 public:
  explicit Running(LabelledChart labelled, Limits limits = {})
      : labelled_(std::move(labelled)), interpreter_(labelled_.chart, state, *this, limits) {}

  MacrostepEnd start() { return fresh(), interpreter_.start(); }
  MacrostepEnd send(const std::string& event) {
    fresh();
    return interpreter_.dispatch({event, ChartEvent::Type::external, {}});
  }
  MacrostepEnd jump(const std::vector<std::string>& ids) {
    fresh();
    std::vector<StateIndex> targets;
    for (const std::string& id : ids) targets.push_back(index(id));
    return interpreter_.jump(targets);
  }
  StateIndex index(const std::string& id) const {
    const auto found = labelled_.chart.find(id);
    CR_ASSERT(found.has_value(), id);
    return *found;
  }
  // Active states without children, "a b".
  std::string leaves() const {
    std::string text;
    for (const StateIndex s : state.configuration) {
      if (labelled_.chart.is_atomic(s)) text += (text.empty() ? "" : " ") + id(s);
    }
    return text;
  }
  const std::string& id(StateIndex s) const { return labelled_.chart.state(s).id; }
  const std::string& message() const { return interpreter_.message(); }
  const Chart& chart() const { return labelled_.chart; }

  ChartState state;
  std::string log;   // of the last macrostep
  std::string seen;  // of the last macrostep
  std::size_t guards_asked = 0;
  std::vector<cel::Value> event_data;  // of events that content was given

 private:
  void fresh() {
    log.clear();
    seen.clear();
    event_data.clear();
  }
  void note(const std::string& text) { log += (log.empty() ? "" : " ") + text; }

  Verdict evaluate(TransitionIndex, ConditionIndex cond, const ChartEvent* event,
                   const Interpreter& interpreter) override {
    ++guards_asked;
    const std::string& guard = labelled_.guards[cond.value];
    seen += (seen.empty() ? "?" : " ?") + (event == nullptr ? std::string("none") : event->name);
    if (guard == "error") return {false, HostError::execution, "no such key"};
    if (guard == "stop") return {false, HostError::stop, "the guard stopped"};
    if (guard.starts_with("In ")) return {interpreter.in(index(guard.substr(3))), {}, {}};
    return {guard == "true", HostError::none, {}};
  }
  Outcome execute(ContentIndex content, const ChartEvent* event,
                  Interpreter& interpreter) override {
    const std::string& text = labelled_.contents[content.value];
    note(text);
    seen += (seen.empty() ? "!" : " !") + (event == nullptr ? std::string("none") : event->name);
    if (event != nullptr) event_data.push_back(event->data);
    if (text == "fail") return {HostError::execution, "it failed"};
    if (text == "stop") return {HostError::stop, "the content stopped"};
    if (text.starts_with("raise ")) {
      interpreter.raise({text.substr(6), ChartEvent::Type::internal, {}});
    }
    return {};
  }
  void on_microstep(const Microstep& step) override {
    for (const StateIndex s : step.exited) note("-" + id(s));
    for (const StateIndex s : step.entered) note("+" + id(s));
    for (const auto& [h, value] : step.history) {
      std::string text = id(h) + "=";
      for (const StateIndex s : value) text += (text.back() == '=' ? "" : ",") + id(s);
      note(text);
    }
  }
  cel::Value done_data(StateIndex final_state, const Interpreter&) override {
    return cel::Value(id(final_state));
  }

  LabelledChart labelled_;
  Interpreter interpreter_;
};

}  // namespace checkride::statechart

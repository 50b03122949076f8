#include <algorithm>
#include <optional>

#include "tests/properties/statechart/scenario.h"

namespace checkride::statechart {
namespace {

template <class Index>
void close_gap(std::vector<Index>& list, Index removed) {
  list.erase(std::remove(list.begin(), list.end(), removed), list.end());
  for (Index& i : list) {
    if (i > removed) i = Index(i.value - 1);
  }
}

void remove_transition(Chart& chart, TransitionIndex t) {
  for (StateNode& node : chart.states) {
    close_gap(node.transitions, t);
    if (node.initial && *node.initial == t) {
      node.initial.reset();
    } else if (node.initial && *node.initial > t) {
      node.initial = TransitionIndex(node.initial->value - 1);
    }
  }
  chart.transitions.erase(chart.transitions.begin() + t.value);
}

// Nothing where the state has children or something speaks of it.
std::optional<Scenario> without_state(const Scenario& scenario, StateIndex s) {
  if (!scenario.chart.state(s).children.empty()) return std::nullopt;
  Scenario result = scenario;
  Chart& chart = result.chart;
  const StateIndex parent = chart.state(s).parent;
  const auto parent_initial = chart.state(parent).initial;
  if (parent_initial && chart.transition(*parent_initial).targets == std::vector{s}) {
    remove_transition(chart, *parent_initial);
  }
  while (!chart.state(s).transitions.empty()) {
    remove_transition(chart, chart.state(s).transitions.front());
  }
  if (chart.state(s).initial) remove_transition(chart, *chart.state(s).initial);
  const auto mentions = [&](const std::vector<StateIndex>& list) {
    return std::find(list.begin(), list.end(), s) != list.end();
  };
  for (const Transition& t : chart.transitions) {
    if (mentions(t.targets)) return std::nullopt;
  }
  for (const ScriptStep& step : result.script) {
    if (mentions(step.targets)) return std::nullopt;
  }
  chart.states.erase(chart.states.begin() + s.value);
  const auto renumber = [&](StateIndex& other) {
    if (other > s) other = StateIndex(other.value - 1);
  };
  for (StateNode& node : chart.states) {
    renumber(node.parent);
    close_gap(node.children, s);
  }
  for (Transition& t : chart.transitions) {
    renumber(t.source);
    close_gap(t.targets, s);
  }
  for (ScriptStep& step : result.script) close_gap(step.targets, s);
  // Guards that ask for the removed state ask for its neighbour instead; that only changes what
  // they say.
  for (GuardSpec& guard : result.guards) renumber(guard.state);
  for (std::vector<ActionSpec>& actions : result.contents) {
    for (ActionSpec& action : actions) renumber(action.state);
  }
  return result;
}

// Everything that is smaller than `scenario` by one thing, the larger things first.
std::vector<Scenario> smaller(const Scenario& scenario) {
  std::vector<Scenario> result;
  const auto add = [&](const auto& change) {
    Scenario next = scenario;
    change(next);
    result.push_back(std::move(next));
  };
  for (std::size_t i = scenario.script.size(); i-- > 0;) {
    add([&](Scenario& next) {
      next.script.erase(next.script.begin() + static_cast<std::ptrdiff_t>(i));
    });
  }
  const Chart& chart = scenario.chart;
  for (auto s = static_cast<std::uint32_t>(chart.states.size() - 1); s > 0; --s) {
    if (auto next = without_state(scenario, StateIndex(s))) result.push_back(*std::move(next));
  }
  for (std::uint32_t i = 0; i < chart.states.size(); ++i) {
    for (const TransitionIndex t : chart.states[i].transitions) {
      add([&](Scenario& next) { remove_transition(next.chart, t); });
    }
    if (!chart.states[i].onentry.empty()) {
      add([&](Scenario& next) { next.chart.states[i].onentry.pop_back(); });
    }
    if (!chart.states[i].onexit.empty()) {
      add([&](Scenario& next) { next.chart.states[i].onexit.pop_back(); });
    }
  }
  for (std::uint32_t i = 0; i < chart.transitions.size(); ++i) {
    const Transition& t = chart.transitions[i];
    if (t.content) add([&](Scenario& next) { next.chart.transitions[i].content.reset(); });
    if (t.cond) add([&](Scenario& next) { next.chart.transitions[i].cond.reset(); });
    if (t.internal) add([&](Scenario& next) { next.chart.transitions[i].internal = false; });
    if (t.targets.size() > 1)
      add([&](Scenario& next) { next.chart.transitions[i].targets.pop_back(); });
  }
  for (std::size_t i = 0; i < scenario.contents.size(); ++i) {
    for (std::size_t k = 0; k < scenario.contents[i].size(); ++k) {
      add([&](Scenario& next) {
        next.contents[i].erase(next.contents[i].begin() + static_cast<std::ptrdiff_t>(k));
      });
    }
  }
  return result;
}

bool is_valid(Scenario& scenario) {
  if (!scenario.chart.validate()) return false;
  return std::all_of(scenario.script.begin(), scenario.script.end(), [&](const ScriptStep& step) {
    return step.kind != ScriptStep::Kind::jump || scenario.chart.check_targets(step.targets);
  });
}

std::string names(const Scenario& scenario, const std::vector<StateIndex>& states) {
  std::string text;
  for (const StateIndex s : states) text += " " + scenario.chart.state(s).id;
  return text;
}

std::string describe_content(const Scenario& scenario, ContentIndex content) {
  std::string text = " {" + to_string(content) + ":";
  for (const ActionSpec& action : scenario.contents[content.value]) {
    switch (action.kind) {
      case ActionSpec::Kind::count: text += " count"; break;
      case ActionSpec::Kind::raise: text += " raise " + action.event; break;
      case ActionSpec::Kind::raise_if_in:
        text += " if In(#" + to_string(action.state) + ") raise " + action.event;
        break;
      case ActionSpec::Kind::send:
        text += " send " + action.event + " #" + action.id + " in " + std::to_string(action.delay);
        break;
      case ActionSpec::Kind::cancel: text += " cancel #" + action.id; break;
      case ActionSpec::Kind::fails: text += " fail"; break;
    }
  }
  return text + "}";
}

std::string describe_transition(const Scenario& scenario, TransitionIndex t) {
  const Transition& transition = scenario.chart.transition(t);
  std::string text = "t" + to_string(t) + (transition.internal ? " internal" : "") + " on";
  for (const std::string& event : transition.events) text += " " + event;
  if (transition.cond) {
    static const char* const kinds[] = {"yes", "no", "in", "even", "fails"};
    const GuardSpec& guard = scenario.guards[transition.cond->value];
    text += " [" + to_string(*transition.cond) + ": " + kinds[static_cast<int>(guard.kind)];
    if (guard.kind == GuardSpec::Kind::in) text += " #" + to_string(guard.state);
    text += "]";
  }
  text += " ->" + names(scenario, transition.targets);
  if (transition.content) text += describe_content(scenario, *transition.content);
  return text;
}

}  // namespace

Scenario shrink(Scenario scenario, const std::function<bool(const Scenario&)>& fails) {
  // Each round removes one thing, so there are no more rounds than things; the bound is for the
  // time a person waits.
  for (int round = 0; round < 500; ++round) {
    bool found = false;
    for (Scenario& candidate : smaller(scenario)) {
      if (!is_valid(candidate) || !fails(candidate)) continue;
      scenario = std::move(candidate);
      found = true;
      break;
    }
    if (!found) break;
  }
  return scenario;
}

std::string describe(const Scenario& scenario) {
  static const char* const kinds[] = {"state", "parallel", "final", "history shallow",
                                      "history deep"};
  std::string text;
  const Chart& chart = scenario.chart;
  for (std::uint32_t i = 0; i < chart.states.size(); ++i) {
    const StateNode& node = chart.states[i];
    std::string indent;
    for (StateIndex s(i); s != root_state; s = chart.state(s).parent) indent += "  ";
    text += indent + "#" + std::to_string(i) + " " + node.id + " " +
            kinds[static_cast<int>(node.kind)] + "\n";
    indent += "  ";
    if (node.initial)
      text += indent + "initial " + describe_transition(scenario, *node.initial) + "\n";
    for (const ContentIndex c : node.onentry)
      text += indent + "entry" + describe_content(scenario, c) + "\n";
    for (const ContentIndex c : node.onexit)
      text += indent + "exit" + describe_content(scenario, c) + "\n";
    for (const TransitionIndex t : node.transitions)
      text += indent + describe_transition(scenario, t) + "\n";
  }
  text += std::string("errors: ") + (scenario.park ? "park" : "event") + ", at most " +
          std::to_string(scenario.limits.microsteps_max) + " microsteps and " +
          std::to_string(scenario.limits.internal_events_max) + " waiting events\n";
  text += "script: start";
  for (const ScriptStep& step : scenario.script) {
    switch (step.kind) {
      case ScriptStep::Kind::event: text += ", " + step.event; break;
      case ScriptStep::Kind::wait: text += ", wait " + std::to_string(step.ticks); break;
      case ScriptStep::Kind::jump: text += ", jump to" + names(scenario, step.targets); break;
      case ScriptStep::Kind::restart: text += ", restart"; break;
    }
  }
  return text + "\n";
}

}  // namespace checkride::statechart

#include "tests/properties/statechart/coverage.h"

#include <algorithm>
#include <sstream>

namespace checkride::statechart {
namespace {

struct Wanted {
  const char* name;
  std::size_t per_mille;  // of the charts, at least
};

// In the order of Feature.
constexpr std::array<Wanted, Coverage::features> wanted{{
    {"several transitions in one microstep", 100},
    {"a conflicting transition preempted", 200},
    {"eventless transitions", 230},
    {"targetless transitions", 190},
    {"several targets", 165},
    {"internal transitions that stay", 20},
    {"internal transitions that leave", 230},
    {"transitions from parallel states", 165},
    {"transitions of the root", 80},
    {"a parallel state left", 395},
    {"a final state below the top left", 55},
    {"shallow history restored", 60},
    {"deep history restored", 60},
    {"history by default", 45},
    {"history recorded", 365},
    {"done.state events", 30},
    {"error.execution events", 105},
    {"raised events", 185},
    {"the wildcard descriptor", 165},
    {"descriptors that are prefixes", 175},
    {"descriptors that end in .* or .", 250},
    {"one of several descriptors", 235},
    {"guards that fail, errors: event", 70},
    {"guards that fail, errors: park", 20},
    {"content that fails, errors: event", 195},
    {"content that fails, errors: park", 95},
    {"the bound on microsteps reached", 140},
    {"the bound on internal events reached", 160},
    {"another event after a discarded macrostep", 130},
    {"delayed events delivered", 95},
    {"undelayed sends delivered", 55},
    {"delayed events cancelled", 110},
    {"jumps", 210},
    {"an interpreter made anew", 215},
    {"charts that finish", 40},
}};

}  // namespace

void Coverage::note(const Microstep& step, const Interpreter& interpreter) {
  const Chart& chart = interpreter.chart();
  ++microsteps_;
  if (step.transitions.size() > 1) note(Feature::several_transitions);
  if (!step.history.empty()) note(Feature::history_recorded);
  for (const StateIndex s : step.exited) {
    if (chart.is_parallel(s)) note(Feature::leaves_parallel);
    if (chart.is_final(s)) note(Feature::leaves_final);
  }
  for (const TransitionIndex t : step.transitions) {
    const Transition& transition = chart.transition(t);
    if (step.event == nullptr) note(Feature::eventless);
    if (transition.targets.empty()) note(Feature::targetless);
    if (transition.targets.size() > 1) note(Feature::several_targets);
    if (transition.source == root_state) note(Feature::from_root);
    if (transition.targets.empty()) continue;
    if (transition.source != root_state && chart.is_parallel(transition.source))
      note(Feature::from_parallel);
    if (transition.internal && transition.source != root_state) {
      const bool left =
          std::find(step.exited.begin(), step.exited.end(), transition.source) != step.exited.end();
      note(left ? Feature::internal_leaves : Feature::internal_stays);
    }
    for (const StateIndex target : transition.targets) {
      if (!chart.is_history(target)) continue;
      if (interpreter.state().history.count(target) == 0) {
        note(Feature::history_default);
      } else {
        note(chart.state(target).kind == StateKind::history_deep ? Feature::history_deep
                                                                 : Feature::history_shallow);
      }
    }
  }
  if (step.event == nullptr) return;
  const std::string& name = step.event->name;
  if (step.event->type == ChartEvent::Type::internal) note(Feature::internal_event);
  if (name.starts_with("done.state.")) note(Feature::done_state);
  if (name == "error.execution") note(Feature::error_execution);
  for (const TransitionIndex t : step.transitions) {
    const std::vector<std::string>& descriptors = chart.transition(t).events;
    if (descriptors.size() > 1) note(Feature::several_descriptors);
    for (const std::string& descriptor : descriptors) {
      if (!matches(descriptor, name)) continue;
      if (descriptor == "*") {
        note(Feature::wildcard);
      } else if (descriptor.ends_with('.') || descriptor.ends_with(".*")) {
        note(Feature::dotted_descriptor);
      } else if (descriptor.size() < name.size()) {
        note(Feature::prefix_descriptor);
      }
    }
  }
}

void Coverage::end_chart() {
  ++charts_;
  for (std::size_t i = 0; i < features; ++i) charts_with_[i] += seen_[i] ? 1 : 0;
}

std::vector<std::string> Coverage::gaps() const {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < features; ++i) {
    if (charts_with_[i] * 1000 >= wanted[i].per_mille * charts_) continue;
    result.push_back(std::string(wanted[i].name) + ": in " + std::to_string(charts_with_[i]) +
                     " of " + std::to_string(charts_) + " charts, wanted " +
                     std::to_string(wanted[i].per_mille) + " in 1000");
  }
  if (microsteps_ < 10 * charts_) {
    result.push_back("only " + std::to_string(microsteps_) + " microsteps in " +
                     std::to_string(charts_) + " charts");
  }
  return result;
}

std::string Coverage::table() const {
  std::ostringstream out;
  out << charts_ << " charts, " << microsteps_ << " microsteps; in so many charts:\n";
  for (std::size_t i = 0; i < features; ++i) {
    out << "  " << wanted[i].name << ": " << charts_with_[i] << " ("
        << std::size_t{1000} * charts_with_[i] / std::max<std::size_t>(charts_, 1)
        << " per mille, wanted " << wanted[i].per_mille << ")\n";
  }
  return out.str();
}

}  // namespace checkride::statechart

#include "workflows/rehearsal/coverage.h"

#include <algorithm>
#include <tuple>

namespace checkride::rehearsal {

using statechart::StateIndex;
using statechart::TransitionIndex;

namespace {

// The event as a definition writes it: "done", "error", "answer.approve".
std::string event_text(std::string_view event, const std::string& source) {
  for (const std::string_view ending : {"done", "error"})
    for (const std::string_view of : {".invoke.", ".state."})
      if (event.starts_with(std::string(ending) + std::string(of))) return std::string(ending);
  if (event.starts_with("answer.") && event.ends_with("." + source))
    event.remove_suffix(source.size() + 1);
  return std::string(event);
}

std::string describe(const Definition& definition, TransitionIndex index) {
  const statechart::Transition& transition = definition.chart.transition(index);
  const statechart::StateNode& node = definition.chart.state(transition.source);
  const std::string& source = node.id;
  const std::string what = node.initial != index                            ? "transition"
                           : definition.chart.is_history(transition.source) ? "default of history"
                                                                            : "initial of";
  std::string text = what + " '" + (source.empty() ? "(top)" : source) + "'";
  for (std::size_t i = 0; i < transition.targets.size(); ++i)
    text += (i == 0 ? " -> '" : ", '") + definition.chart.state(transition.targets[i]).id + "'";
  if (transition.targets.empty()) text += " (stays)";
  // `answer` alone stands for every answer of the gate.
  const bool any_answer =
      transition.events.size() > 1 && transition.events[0].starts_with("answer.");
  for (std::size_t i = 0; i < (any_answer ? 1 : transition.events.size()); ++i)
    text += (i == 0 ? " on " : ", ") +
            (any_answer ? std::string("answer") : event_text(transition.events[i], source));
  if (transition.cond) text += " [" + definition.conditions[transition.cond->value].source() + "]";
  return text;
}

// Where `initial` is left out the loader makes one, and puts it where the state stands.
bool is_written(const Definition& definition, std::size_t state) {
  const Place& own = definition.states[state].place;
  const Place& place = definition.transitions[definition.chart.states[state].initial->value].place;
  return place.line != own.line || place.column != own.column;
}

// The initial and default transitions that entering some states takes, as computeEntrySet of the
// SCXML Recommendation does: found again from what was entered.
class Defaults {
 public:
  Defaults(const Definition& definition, const Coverage::History& history,
           std::vector<bool>& transitions)
      : chart_(definition.chart), history_(history), transitions_(transitions) {}

  void lead(TransitionIndex t) {
    for (const StateIndex target : chart_.transition(t).targets) {
      if (!chart_.is_history(target)) {
        targets_.push_back(target);
        continue;
      }
      const auto remembered = history_.find(target);
      if (remembered == history_.end())
        follow(*chart_.state(target).initial);
      else
        targets_.insert(targets_.end(), remembered->second.begin(), remembered->second.end());
    }
  }

  // In entry order: a state stands behind those around it.
  void entered(StateIndex state) {
    const statechart::StateNode& node = chart_.state(state);
    const bool led_inside = std::any_of(targets_.begin(), targets_.end(), [&](StateIndex target) {
      return chart_.is_descendant(target, state);
    });
    if (node.initial && !led_inside) follow(*node.initial);
  }

  void follow(TransitionIndex t) {
    transitions_[t.value] = true;
    lead(t);
  }

 private:
  const statechart::Chart& chart_;
  const Coverage::History& history_;
  std::vector<bool>& transitions_;
  std::vector<StateIndex> targets_;
};

}  // namespace

Coverage::Coverage(std::shared_ptr<const Definition> definition)
    : definition_(std::move(definition)) {
  const auto add = [&](std::shared_ptr<const Definition> one) {
    Reached& reached = reached_[one->hash];
    reached.states.assign(one->chart.states.size(), false);
    reached.transitions.assign(one->chart.transitions.size(), false);
    reached.definition = std::move(one);
  };
  add(definition_);
  for (const auto& [hash, machine] : definition_->machines) add(machine);
}

void Coverage::add(const Definition& definition, const TransitionTaken& taken,
                   const History& history, bool start) {
  const auto found = reached_.find(definition.hash);
  if (found == reached_.end()) return;
  for (const StateIndex entered : taken.entered) found->second.states[entered.value] = true;
  for (const TransitionIndex index : taken.transitions)
    found->second.transitions[index.value] = true;
  if (taken.transitions.empty() && !start) return;  // a person's jump
  Defaults defaults(definition, history, found->second.transitions);
  if (start) defaults.follow(*definition.chart.state(statechart::root_state).initial);
  for (const TransitionIndex index : taken.transitions) defaults.lead(index);
  for (const StateIndex state : taken.entered) defaults.entered(state);
}

void Coverage::add(const Coverage& other) {
  for (const auto& [hash, theirs] : other.reached_) {
    Reached& ours = reached_.at(hash);
    for (std::size_t i = 0; i < theirs.states.size(); ++i)
      if (theirs.states[i]) ours.states[i] = true;
    for (std::size_t i = 0; i < theirs.transitions.size(); ++i)
      if (theirs.transitions[i]) ours.transitions[i] = true;
  }
}

std::vector<CoverageRow> Coverage::rows() const {
  std::vector<CoverageRow> rows;
  for (const auto& [hash, reached] : reached_) {
    const Definition& definition = *reached.definition;
    CoverageRow row;
    row.name = definition.name;
    for (std::uint32_t i = 1; i < definition.chart.states.size(); ++i) {
      const StateIndex index(i);
      if (definition.chart.is_history(index)) continue;
      ++row.states_total;
      if (reached.states[i])
        ++row.states_reached;
      else
        row.unreached.push_back({definition.source_name, definition.states[i].place,
                                 "state '" + definition.chart.state(index).id + "'"});
    }
    for (std::size_t i = 0; i < definition.chart.states.size(); ++i) {
      const statechart::StateNode& node = definition.chart.states[i];
      std::vector<TransitionIndex> written = node.transitions;
      if (node.initial && is_written(definition, i)) written.push_back(*node.initial);
      for (const TransitionIndex index : written) {
        ++row.transitions_total;
        if (reached.transitions[index.value])
          ++row.transitions_reached;
        else
          row.unreached.push_back({definition.source_name,
                                   definition.transitions[index.value].place,
                                   describe(definition, index)});
      }
    }
    std::stable_sort(
        row.unreached.begin(), row.unreached.end(), [](const Unreached& a, const Unreached& b) {
          return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
        });
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(), [&](const CoverageRow& a, const CoverageRow& b) {
    const bool first = a.name == definition_->name;
    return first != (b.name == definition_->name) ? first : a.name < b.name;
  });
  return rows;
}

CoverageRow Coverage::total() const {
  CoverageRow total;
  total.name = definition_->name;
  for (const CoverageRow& row : rows()) {
    total.states_reached += row.states_reached;
    total.states_total += row.states_total;
    total.transitions_reached += row.transitions_reached;
    total.transitions_total += row.transitions_total;
  }
  return total;
}

bool covers(const CoverageRow& total, double percent) {
  const auto enough = [&](std::size_t reached, std::size_t all) {
    return static_cast<double>(reached) * 100.0 >= percent * static_cast<double>(all);
  };
  return enough(total.states_reached, total.states_total) &&
         enough(total.transitions_reached, total.transitions_total);
}

}  // namespace checkride::rehearsal

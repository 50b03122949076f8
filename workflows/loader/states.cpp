// States: their numbers in document order, and everything a state has but its invocation.
#include <algorithm>

#include "workflows/loader/reader.h"
#include "workflows/loader/types.h"

namespace checkride::loader {

using statechart::StateIndex;
using statechart::StateKind;

namespace {

bool is_state_id(std::string_view id) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !id.empty() && id.size() <= 80 && letter(id[0]) &&
         std::all_of(id.begin(), id.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace

std::string DefinitionReader::state_name(StateIndex state) const {
  return state == statechart::root_state ? "the workflow itself"
                                         : "state '" + definition_->chart.state(state).id + "'";
}

// Depth is bounded by document_depth_max.
void DefinitionReader::number_states(const Node& parent_node, StateIndex parent) {
  const Node* states = parent_node.find("states");
  if (states == nullptr || !expect_map(*states, "'states'")) return;
  if (states->entries.empty())
    broken(states->place, "shape", "'states' is empty; write at least one state");
  for (const Entry& entry : states->entries) number_state(entry, parent);
}

void DefinitionReader::number_state(const Entry& entry, StateIndex parent) {
  auto& chart = definition_->chart;
  if (!is_state_id(entry.key)) {
    broken(entry.place, "name",
           "'" + entry.key +
               "' is no id for a state; write letters, digits, '_' and '-', at most "
               "80, beginning with a letter");
    return;
  }
  if (chart.states.size() > definition_states_max) {
    if (chart.states.size() == definition_states_max + 1)
      broken(entry.place, "too-many",
             "a workflow has at most " + std::to_string(definition_states_max) + " states");
    return;
  }
  if (!entry.value.is_map() && !entry.value.is_null()) {
    static_cast<void>(expect_map(entry.value, "state '" + entry.key + "'"));
    return;
  }
  const StateIndex index(static_cast<std::uint32_t>(chart.states.size()));
  statechart::StateNode node;
  node.id = entry.key;
  node.parent = parent;
  if (const Node* type = entry.value.find("type")) {
    const std::vector<std::string> types = {"parallel", "final", "history"};
    if (type->text == "parallel") {
      node.kind = StateKind::parallel;
    } else if (type->text == "final") {
      node.kind = StateKind::final;
    } else if (type->text == "history") {
      node.kind = StateKind::history_shallow;
      const std::string depth = text_or(entry.value, "history", "shallow");
      if (depth == "deep")
        node.kind = StateKind::history_deep;
      else if (depth != "shallow")
        broken(entry.value.find("history")->place, "shape",
               "'history' must be shallow or deep, not '" + depth + "'",
               reporter_.did_you_mean(depth, {"shallow", "deep"}));
    } else {
      broken(type->place, "shape",
             "'" + type->text +
                 "' is no type of state; write parallel, final or history, or leave "
                 "it out",
             reporter_.did_you_mean(type->text, types));
    }
  }
  if (!ids_.emplace(node.id, index).second)
    broken(entry.place, "duplicate-state",
           "two states have the id '" + node.id + "', the first in line " +
               std::to_string(spec(ids_.at(node.id)).place.line) + "; rename one of them");
  else
    state_ids_.push_back(node.id);
  const bool has_children = node.kind == StateKind::state || node.kind == StateKind::parallel;
  if (node.kind == StateKind::parallel && entry.value.find("states") == nullptr)
    broken(entry.place, "shape", "the parallel state '" + node.id + "' has no states");
  chart.states.push_back(std::move(node));
  chart.states[parent.value].children.push_back(index);
  definition_->states.emplace_back();
  definition_->states.back().place = entry.place;
  nodes_.push_back(&entry.value);
  if (has_children) number_states(entry.value, index);
}

std::optional<Verdict> DefinitionReader::verdict_of(const Node& node, StateIndex reporting) {
  const auto text = text_of(node, "'verdict'");
  if (!text) return std::nullopt;
  const auto verdict = parse_verdict(*text);
  if (!verdict || *verdict == Verdict::none || *verdict == Verdict::interrupted) {
    const std::vector<std::string> verdicts = {"passed",      "warned", "failed", "skipped",
                                               "unavailable", "waived", "claimed"};
    reporter_.error(node.place, "verdict",
                    "'" + *text +
                        "' is no verdict to give; write passed, warned, failed, skipped, "
                        "unavailable, waived or claimed",
                    reporter_.did_you_mean(*text, verdicts));
    return std::nullopt;
  }
  if (!spec(reporting).reports())
    reporter_.error(
        node.place, "verdict",
        state_name(reporting) + " does not report, so it cannot have a verdict; give it a title");
  return *verdict;
}

void DefinitionReader::read_state_report(StateIndex state, const Node& node) {
  StateSpec& report = spec(state);
  report.section = text_or(node, "section", "");
  report.title = text_or(node, "title", "");
  if (const Node* title = node.find("title")) check_shown_text(*title);
  if (const Node* section = node.find("section")) check_shown_text(*section);
  report.required = !flag(node, "optional");
  if (!report.required && !report.reports())
    reporter_.warning(node.entry("optional")->place, "verdict",
                      "'optional' has no effect: " + state_name(state) + " has no title");
  if (const Node* verdict = node.find("verdict")) {
    report.verdict = verdict_of(*verdict, state);
    if (node.find("invoke") != nullptr)
      reporter_.error(verdict->place, "verdict",
                      state_name(state) +
                          " has an invocation, which gives its verdict; write 'verdict' in the "
                          "transitions under 'on'");
  }
  if (const Node* note = node.find("note")) {
    report.note = text_template(*note, Scope{&plain_});
    if (node.find("verdict") == nullptr)
      reporter_.error(note->place, "verdict",
                      "'note' of a state stands beside its 'verdict'; add one, or write the note "
                      "in a transition");
  }
}

void DefinitionReader::read_state(StateIndex state) {
  const Node& node = node_of(state);
  auto& chart = definition_->chart;
  const StateKind kind = chart.state(state).kind;
  if (node.is_null()) return;
  if (kind == StateKind::history_shallow || kind == StateKind::history_deep)
    return read_history(state, node);
  check_keys(node, keys_of(kind == StateKind::final ? "final_state" : "state"),
             kind == StateKind::final ? "a final state" : state_name(state));
  read_state_report(state, node);
  if (const Node* entry = node.find("entry"))
    chart.states[state.value].onentry.push_back(add_content(read_actions(*entry, Scope{&plain_})));
  if (const Node* exit = node.find("exit"))
    chart.states[state.value].onexit.push_back(add_content(read_actions(*exit, Scope{&plain_})));
  if (kind == StateKind::final) return read_final(state, node);

  const auto invocation = invocations_.find(state);
  if (invocation != invocations_.end()) read_invocation(state, invocation->second);
  if (const Node* undo = node.find("undo")) read_undo(state, *undo);
  read_initial(state, node);
  read_budget(state, node);
  // In document order of the keys: it is the order in which transitions are tried.
  for (const Entry& entry : node.entries) {
    if (entry.key == "on") read_on(state, entry.value);
    if (entry.key == "always") read_transitions(state, entry.value, {}, Scope{&plain_});
    if (entry.key == "after") read_after(state, entry.value);
    if (entry.key == "exhausted") read_exhausted(state, entry.value);
  }
  // Thousands of environments at once would be gigabytes.
  if (invocation != invocations_.end()) invocation->second.result_environment.reset();
}

void DefinitionReader::read_initial(StateIndex state, const Node& node) {
  auto& chart = definition_->chart;
  const Node* initial = node.find("initial");
  const bool compound =
      chart.state(state).kind == StateKind::state && !chart.state(state).children.empty();
  if (!compound) {
    if (initial != nullptr)
      broken(initial->place, "shape",
             "only a state with states of its own, and not a parallel one, has 'initial'");
    return;
  }
  statechart::Transition transition;
  transition.source = state;
  TransitionSpec extra;
  if (initial != nullptr) {
    extra.place = initial->place;
    transition.targets = read_targets(*initial);
  } else {
    for (const StateIndex child : chart.state(state).children) {
      if (chart.is_history(child)) continue;
      extra.place = spec(state).place;
      transition.targets = {child};
      break;
    }
  }
  if (transition.targets.empty()) return;
  chart.states[state.value].initial = add_transition(std::move(transition), extra);
}

void DefinitionReader::read_history(StateIndex state, const Node& node) {
  check_keys(node, keys_of("history_state"), "a history state");
  const Node* target = node.find("target");
  if (target == nullptr) {
    broken(spec(state).place, "history",
           state_name(state) + " has no 'target': where to go when there is nothing to remember");
    return;
  }
  statechart::Transition transition;
  transition.source = state;
  transition.targets = read_targets(*target);
  if (transition.targets.empty()) return;
  definition_->chart.states[state.value].initial = add_transition(
      std::move(transition), TransitionSpec{std::nullopt, std::nullopt, target->place});
}

void DefinitionReader::read_final(StateIndex state, const Node& node) {
  StateSpec& final_state = spec(state);
  const bool top = definition_->chart.state(state).parent == statechart::root_state;
  const Node* outcome = node.find("outcome");
  const Node* output = node.find("output");
  if (!top) {
    for (const Node* extra : {outcome, output})
      if (extra != nullptr)
        reporter_.error(extra->place, "shape",
                        "'outcome' and 'output' belong to final states at the top of a machine");
    return;
  }
  final_state.outcome = RunOutcome::succeeded;
  if (outcome != nullptr) {
    const auto text = text_of(*outcome, "'outcome'").value_or("");
    const auto parsed = parse_run_outcome(text);
    if (!parsed || *parsed == RunOutcome::none || *parsed == RunOutcome::incomplete)
      reporter_.error(
          outcome->place, "shape",
          "'" + text +
              "' is no outcome; write succeeded, failed, cancelled or "
              "rolled-back",
          reporter_.did_you_mean(text, {"succeeded", "failed", "cancelled", "rolled-back"}));
    else
      final_state.outcome = *parsed;
  }
  // A run that did not succeed may have nothing to give.
  cel::Type type = definition_->output;
  if (final_state.outcome != RunOutcome::succeeded) {
    std::vector<cel::Field> fields = type.fields();
    for (cel::Field& field : fields) field.optional = true;
    type = cel::Type::record(std::move(fields));
  }
  if (output != nullptr) {
    final_state.output = value_template(*output, Scope{&plain_}, type, "output");
    return;
  }
  for (const cel::Field& field : type.fields())
    if (!field.optional) {
      reporter_.error(final_state.place, "missing-key",
                      state_name(state) + " ends a machine that gives '" + field.name +
                          "'; add output: {" + field.name + ": ...}");
      return;
    }
}

void DefinitionReader::read_budget(StateIndex state, const Node& node) {
  const Node* budget = node.find("budget");
  const Entry* exhausted = node.entry("exhausted");
  if (budget == nullptr) {
    if (exhausted != nullptr)
      broken(exhausted->place, "budget",
             "'exhausted' says what follows when a budget is used up; add 'budget'");
    return;
  }
  if (exhausted == nullptr)
    broken(node.entry("budget")->place, "budget",
           state_name(state) +
               " has a budget but no 'exhausted'; write a target, or: exhausted: incident");
  // A number, CEL, or one ${CEL}: it reads as a condition and looks like a value.
  const Scope scope{&plain_};
  const bool holed = budget->is_string() && budget->text.starts_with("${");
  auto max = holed ? hole(*budget, scope, "a budget")
                   : program(*budget, scope, cel::Type::integer(), "a budget");
  if (max && !assignable(max->type(), cel::Type::integer())) {
    reporter_.error(budget->place, "type",
                    "a budget must be int, but this is " + cel::to_string(max->type()));
    max.reset();
  }
  if (max) spec(state).budget = BudgetSpec{*std::move(max), std::nullopt};
}

}  // namespace checkride::loader

#include "workflows/rehearsal/plan.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "workflows/loader/paths.h"

namespace checkride::rehearsal {

using statechart::StateIndex;
using statechart::TransitionIndex;

namespace {

std::string source_of(const ValueTemplate& value) {
  if (const auto* plain = std::get_if<cel::Value>(&value.node)) return cel::to_cel(*plain);
  if (const auto* text = std::get_if<cel::Template>(&value.node)) return text->source();
  std::string all;
  if (const auto* list = std::get_if<ValueTemplate::ListOf>(&value.node)) {
    for (const ValueTemplate& item : *list) all += (all.empty() ? "" : ", ") + source_of(item);
    return "[" + all + "]";
  }
  for (const auto& [key, item] : std::get<ValueTemplate::MapOf>(value.node))
    all += (all.empty() ? "" : ", ") + key + ": " + source_of(item);
  return "{" + all + "}";
}

// Verdicts of a branch that nobody hopes for.
bool unwelcome(const TransitionSpec& transition) {
  return transition.verdict &&
         (*transition.verdict == Verdict::failed || *transition.verdict == Verdict::warned ||
          *transition.verdict == Verdict::skipped || *transition.verdict == Verdict::unavailable);
}

Verdict verdict_of(JobStatus status) {
  switch (status) {
    case JobStatus::pass: return Verdict::passed;
    case JobStatus::fail:
    case JobStatus::error: return Verdict::failed;
    case JobStatus::unavailable: return Verdict::unavailable;
    case JobStatus::skipped: return Verdict::skipped;
  }
  return Verdict::failed;
}

class Walk {
 public:
  Walk(const std::shared_ptr<const Definition>& definition, const cel::Map& params,
       const Look& look)
      : definition_(*definition), paths_(*definition), look_(look) {
    plan_.definition = definition;
    plan_.params = params;
    for (const FieldSpec& field : definition->data)
      if (field.initial) data_.set(std::string_view(field.name), *field.initial);
  }

  Plan run() {
    const auto& chart = definition_.chart;
    std::optional<StateIndex> at;
    if (const auto initial = chart.state(statechart::root_state).initial)
      at = enter(std::nullopt, chart.transition(*initial).targets.front());
    bool certain = true;
    while (at && seen_.insert(*at).second && plan_.steps.size() < plan_steps_max) {
      if (chart.is_final(*at) && chart.state(*at).parent == statechart::root_state) {
        plan_.end = at;
        plan_.looked_failed = plan_.looked_failed || (certain && failing(*at));
        break;
      }
      PlanStep step = describe(*at);
      certain = certain && step.certain;
      const std::optional<TransitionIndex> taken = choose(*at, step);
      certain = certain && step.certain;
      plan_.steps.push_back(std::move(step));
      if (!taken) break;
      const statechart::Transition& transition = chart.transition(*taken);
      if (transition.content) apply(definition_.contents[transition.content->value]);
      result_.reset();
      error_.reset();
      if (transition.targets.empty()) break;
      at = enter(at, transition.targets.front());
    }
    return std::move(plan_);
  }

 private:
  bool failing(StateIndex final_state) const {
    const RunOutcome outcome = definition_.states[final_state.value].outcome;
    return outcome != RunOutcome::none && outcome != RunOutcome::succeeded;
  }

  cel::VariableActivation known() const {
    cel::VariableActivation values;
    values.set("params", cel::Value(plan_.params));
    values.set("data", cel::Value(data_));
    values.set("jobs", cel::Value(jobs_));
    if (result_) values.set("result", *result_);
    if (error_) values.set("error", *error_);
    return values;
  }

  // Actions as far as their values are known; the others make what they assign unknown.
  void apply(const ContentBlock& block) {
    for (const Action& action : block) {
      if (const auto* assign = std::get_if<AssignAction>(&action.node)) {
        if (auto value = assign->value.evaluate(known()))
          data_.set(std::string_view(assign->name), *std::move(value));
        else
          data_.erase(assign->name);
      } else if (const auto* branches = std::get_if<IfAction>(&action.node)) {
        for (const IfAction::Branch& branch : branches->branches) forget(branch.actions);
      }
    }
  }
  void forget(const std::vector<Action>& actions) {
    for (const Action& action : actions) {
      if (const auto* assign = std::get_if<AssignAction>(&action.node)) data_.erase(assign->name);
      if (const auto* branches = std::get_if<IfAction>(&action.node))
        for (const IfAction::Branch& branch : branches->branches) forget(branch.actions);
    }
  }

  // The atomic state that entering `target` leads to; of a parallel state its first region.
  StateIndex enter(std::optional<StateIndex> from, StateIndex target) {
    const auto& chart = definition_.chart;
    std::set<StateIndex> active;
    for (auto at = from; at && *at != statechart::root_state; at = chart.state(*at).parent)
      active.insert(*at);
    std::vector<StateIndex> entered;
    for (StateIndex at = target; at != statechart::root_state; at = chart.state(at).parent)
      if (!active.contains(at)) entered.insert(entered.begin(), at);
    StateIndex leaf = target;
    for (std::size_t depth = 0; depth < statechart::chart_depth_max; ++depth) {
      const statechart::StateNode& node = chart.state(leaf);
      if (node.children.empty() && !node.initial) break;
      leaf = node.initial ? chart.transition(*node.initial).targets.front() : node.children.front();
      entered.push_back(leaf);
    }
    for (const StateIndex state : entered)
      for (const statechart::ContentIndex content : chart.state(state).onentry)
        apply(definition_.contents[content.value]);
    return leaf;
  }

  PlanStep describe(StateIndex state) {
    PlanStep step;
    step.state = state;
    step.certain = true;
    const auto& invoke = definition_.states[state.value].invoke;
    if (!invoke) return step;
    step.invoke = &*invoke;
    bool all_known = true;
    cel::Map inputs;
    for (const auto& [name, part] : invoke->with) {
      PlanInput input{name, std::nullopt, source_of(part)};
      if (auto value = evaluate(part, known())) {
        const cel::Value* inner =
            value->kind() == cel::Kind::optional ? value->as_optional() : &*value;
        if (inner == nullptr) continue;  // an optional input that is left out
        input.value = *inner;
        inputs.set(std::string_view(name), *inner);
      } else {
        all_known = false;
      }
      step.inputs.push_back(std::move(input));
    }
    if (invoke->machine) {
      describe_children(*invoke, inputs, step);
    } else if (all_known && invoke->signature.performer == JobSignature::Performer::runner &&
               cel::conforms(cel::Value(inputs), invoke->signature.inputs)) {
      JobSpec spec;
      spec.token = Token("dry-run");
      spec.run = spec.root = RunId("dry-run");
      spec.state = definition_.chart.state(state).id;
      spec.kind = invoke->signature.name;
      spec.kind_version = invoke->signature.version;
      spec.inputs = std::move(inputs);
      spec.expect = invoke->expect;
      spec.limits = invoke->limits;
      step.found = look_(spec);
    }
    step.certain = step.found.has_value();
    if (!step.found) return step;
    if (step.found->completed) {
      result_ = step.found->result;
      jobs_.set(std::string_view(definition_.chart.state(state).id), step.found->result);
    } else {
      cel::Map error;
      error.set("class", cel::Value(to_string(step.found->failure)));
      error.set("status", cel::Value(to_string(step.found->status)));
      error.set("message", cel::Value(step.found->message));
      error.set("attempts", cel::Value(1));
      error.set("log", cel::Value(""));
      error_ = cel::Value(std::move(error));
    }
    return step;
  }

  void describe_children(const InvokeSpec& invoke, const cel::Map& inputs, PlanStep& step) {
    const auto child = [&](const cel::Value* item) {
      cel::Map params = inputs;
      if (item != nullptr) params.set(std::string_view(invoke.as), *item);
      for (const FieldSpec& field : invoke.machine->params)
        if (field.initial && params.find(std::string_view(field.name)) == nullptr)
          params.set(std::string_view(field.name), *field.initial);
      step.children.push_back(plan_of(invoke.machine, params, look_));
    };
    if (!invoke.each) return child(nullptr);
    if (const auto items = invoke.each->evaluate(known());
        items && items->kind() == cel::Kind::list)
      step.items = items->as_list();
    for (const cel::Value& item : step.items) child(&item);
    if (step.items.empty()) child(nullptr);
    for (const Plan& one : step.children)
      plan_.looked_failed = plan_.looked_failed || one.looked_failed;
  }

  // Transitions that may end the stay in the state as one hopes for it.
  std::vector<TransitionIndex> ways(StateIndex state, const PlanStep& step) const {
    const auto& chart = definition_.chart;
    const std::string& id = chart.state(state).id;
    if (step.invoke != nullptr) {
      if (loader::is_gate(*step.invoke)) return paths_.candidates(state, "answer.approve." + id);
      const bool failed = step.found && !step.found->completed;
      return paths_.candidates(state, (failed ? "error.invoke." : "done.invoke.") + id);
    }
    if (chart.is_final(state)) {
      const StateIndex parent = chart.state(state).parent;
      return paths_.candidates(parent, "done.state." + chart.state(parent).id);
    }
    std::vector<TransitionIndex> eventless;
    for (const TransitionIndex index : chart.state(state).transitions)
      if (chart.transition(index).events.empty()) eventless.push_back(index);
    return eventless.empty() ? chart.state(state).transitions : eventless;
  }

  std::optional<TransitionIndex> choose(StateIndex state, PlanStep& step) const {
    const auto& chart = definition_.chart;
    std::vector<TransitionIndex> possible;
    bool sure = false;  // the last of `possible` holds for certain
    for (const TransitionIndex index : ways(state, step)) {
      const auto& cond = chart.transition(index).cond;
      if (cond) {
        const auto holds = definition_.conditions[cond->value].evaluate(known());
        const bool told = holds && holds->kind() == cel::Kind::boolean;
        if (told && !holds->as_bool()) continue;
        sure = told;
      } else {
        sure = true;
      }
      possible.push_back(index);
      if (sure) break;
    }
    if (possible.empty()) {
      step.certain = false;
      return std::nullopt;
    }
    const bool gate = step.invoke != nullptr && loader::is_gate(*step.invoke);
    step.certain = step.certain && sure && possible.size() == 1 && !gate;
    TransitionIndex best = possible.front();
    for (const TransitionIndex index : possible)
      if (rank(state, index) < rank(state, best)) best = index;
    const statechart::Transition& transition = chart.transition(best);
    if (!transition.targets.empty()) step.next = transition.targets.front();
    others(state, step);
    if (step.found && step.certain) {
      const TransitionSpec& spec = definition_.transitions[best.value];
      step.verdict = spec.verdict.value_or(verdict_of(step.found->status));
      if (spec.note)
        if (const auto note = spec.note->evaluate(known());
            note && note->kind() == cel::Kind::string)
          step.note = note->as_string();
    }
    return best;
  }

  // Branches that warn or fail come last, then those that leave the order of the document.
  std::tuple<bool, std::uint32_t> rank(StateIndex from, TransitionIndex index) const {
    const statechart::Transition& transition = definition_.chart.transition(index);
    const std::uint32_t states = static_cast<std::uint32_t>(definition_.states.size());
    const std::uint32_t target =
        transition.targets.empty() ? from.value : transition.targets.front().value;
    return {unwelcome(definition_.transitions[index.value]),
            target > from.value ? target : target + states};
  }

  // Where else the state's own transitions lead.
  void others(StateIndex state, PlanStep& step) const {
    for (const TransitionIndex index : definition_.chart.state(state).transitions)
      for (const StateIndex target : definition_.chart.transition(index).targets)
        if (target != step.next &&
            std::find(step.otherwise.begin(), step.otherwise.end(), target) == step.otherwise.end())
          step.otherwise.push_back(target);
  }

  const Definition& definition_;
  loader::Paths paths_;
  const Look& look_;
  Plan plan_;
  cel::Map data_;  // fields whose value is known
  cel::Map jobs_;
  std::optional<cel::Value> result_;
  std::optional<cel::Value> error_;
  std::set<StateIndex> seen_;
};

}  // namespace

Plan plan_of(const std::shared_ptr<const Definition>& definition, const cel::Map& params,
             const Look& look) {
  return Walk(definition, params, look).run();
}

}  // namespace checkride::rehearsal

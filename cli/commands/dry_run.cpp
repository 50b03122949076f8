#include "cli/commands/dry_run.h"

#include <algorithm>
#include <ostream>

#include "cli/commands/load.h"
#include "cli/render/view.h"
#include "workflows/loader/paths.h"
#include "workflows/rehearsal/plan.h"

namespace checkride::cli {

namespace {

using rehearsal::Plan;
using rehearsal::PlanInput;
using rehearsal::PlanStep;

constexpr std::size_t value_width_max = 100;

// A title or a section with the plan's params in it.
std::string shown(const View& view, const Plan& plan, const std::string& text) {
  RunState state;
  state.params = plan.params;
  return filled(view, state, text);
}

class PlanText {
 public:
  PlanText(const Context& context, Mask mask) : style_(style_of(context)), mask_(std::move(mask)) {}

  std::string text(const Plan& plan) {
    print(plan, "");
    return std::move(text_);
  }

 private:
  View view_of(const Plan& plan) const { return View(plan.definition, mask_); }

  std::string titled(const View& view, const Plan& plan, const PlanStep& step) const {
    const StateSpec& spec = plan.definition->states[step.state.value];
    std::string text = style_(Tone::bold, view.state(step.state));
    if (spec.title.empty()) return text;
    return text + "  " + shown(view, plan, spec.title);
  }

  void print(const Plan& plan, const std::string& indent) {
    const View view = view_of(plan);
    std::string section;
    std::size_t number = 0;
    for (const PlanStep& step : plan.steps) {
      if (const std::string own = shown(view, plan, section_of(*plan.definition, step.state));
          !own.empty() && own != section) {
        section = own;
        text_ += indent + style_(Tone::bold, section) + "\n";
      }
      if (step.invoke == nullptr && !plan.definition->states[step.state.value].reports()) continue;
      text_ += indent + pad(std::to_string(++number) + ".", 4) + titled(view, plan, step) + "\n";
      print(view, step, indent + "    ");
    }
    if (plan.end)
      text_ += indent + "ends in " + view.state(*plan.end) + "\n";
    else
      text_ += indent + "what follows cannot be told yet\n";
  }

  void print(const View& view, const PlanStep& step, const std::string& indent) {
    if (step.invoke != nullptr) job(view, step, indent);
    if (step.found) found(view, step, indent);
    std::string then = step.next ? view.state(*step.next) : std::string();
    if (!step.otherwise.empty())
      then += (then.empty() ? "" : "; ") + std::string("else ") + view.states(step.otherwise);
    if (!then.empty()) text_ += wrapped(then, indent + "then ", indent + "     ");
  }

  void job(const View& view, const PlanStep& step, const std::string& indent) {
    const InvokeSpec& invoke = *step.invoke;
    if (loader::is_gate(invoke)) {
      std::string answers;
      for (const std::string& answer : loader::answers_of(invoke))
        answers += (answers.empty() ? "" : ", ") + answer;
      text_ += indent + "asks a person (" + answers + ")\n";
    } else if (!invoke.machine) {
      text_ += indent + "runs " + invoke.signature.name + "\n";
    }
    if (!invoke.machine) {
      for (const PlanInput& input : step.inputs)
        text_ += wrapped(input.name + " = " +
                             (input.value ? view.brief(*input.value, value_width_max)
                                          : shorten(input.source, value_width_max) +
                                                style_(Tone::dim, "  (known then)")),
                         indent + "  ", indent + "    ");
      return;
    }
    children(view, step, indent);
  }

  // Children alike are told once; what looks found stands beside each.
  void children(const View& view, const PlanStep& step, const std::string& indent) {
    const InvokeSpec& invoke = *step.invoke;
    std::string items;
    for (const cel::Value& item : step.items)
      items += (items.empty() ? "" : ", ") + view.brief(item, value_width_max);
    const std::string name = invoke.machine->name;
    text_ += wrapped("runs " + name +
                         (!invoke.each    ? ""
                          : items.empty() ? " for each of " + invoke.each->source()
                                          : " for each of " + items),
                     indent, indent + "  ");
    if (step.children.empty()) return;
    print(step.children.front(), indent + "  ");
    for (std::size_t i = 1; i < step.children.size(); ++i)
      for (const PlanStep& inner : step.children[i].steps)
        if (inner.found) {
          text_ += indent + view.brief(step.items[i], value_width_max) + "\n";
          found(view_of(step.children[i]), inner, indent + "  ");
        }
  }

  void found(const View& view, const PlanStep& step, const std::string& indent) {
    const JobOutcome& outcome = *step.found;
    std::string words =
        outcome.completed ? std::string(to_string(outcome.status)) : "error: " + outcome.message;
    std::string_view sign = outcome.completed ? "" : mark(Verdict::failed);
    if (step.verdict) {
      sign = mark(*step.verdict);
      words = to_string(*step.verdict);
    }
    if (!step.note.empty()) words += ": " + step.note;
    text_ +=
        wrapped("now: " + (sign.empty() ? "" : std::string(sign) + " ") + clean(view.text(words)),
                indent, indent + "     ");
  }

  static std::string section_of(const Definition& definition, statechart::StateIndex state) {
    for (auto at = state; at != statechart::root_state; at = definition.chart.state(at).parent)
      if (!definition.states[at.value].section.empty()) return definition.states[at.value].section;
    return {};
  }

  Style style_;
  Mask mask_;
  std::string text_;
};

json::object plan_json(const Plan& plan, const Mask& mask) {
  const View view(plan.definition, mask);
  const auto names = [&](const std::vector<statechart::StateIndex>& states) {
    json::array all;
    for (const statechart::StateIndex state : states) all.emplace_back(view.state(state));
    return all;
  };
  json::array steps;
  for (const PlanStep& step : plan.steps) {
    json::object object{
        {"state", view.state(step.state)},
        {"title", shown(view, plan, plan.definition->states[step.state.value].title)},
        {"otherwise", names(step.otherwise)}};
    if (step.next) object["next"] = view.state(*step.next);
    if (step.invoke != nullptr) {
      object["job"] = step.invoke->signature.name;
      json::object inputs;
      json::object later;
      for (const PlanInput& input : step.inputs)
        if (input.value)
          inputs[input.name] = as_json(view, *input.value);
        else
          later[input.name] = input.source;
      object["inputs"] = std::move(inputs);
      object["known_later"] = std::move(later);
    }
    if (step.found) {
      json::object found{{"status", to_string(step.found->status)},
                         {"completed", step.found->completed},
                         {"message", view.text(step.found->message)}};
      if (step.verdict) found["verdict"] = to_string(*step.verdict);
      if (!step.note.empty()) found["note"] = view.text(step.note);
      object["now"] = std::move(found);
    }
    json::array children;
    for (const Plan& child : step.children) children.push_back(plan_json(child, mask));
    if (!children.empty()) object["children"] = std::move(children);
    steps.push_back(std::move(object));
  }
  json::object object{{"workflow", plan.definition->name}, {"steps", std::move(steps)}};
  if (plan.end) object["end"] = view.state(*plan.end);
  return object;
}

std::string head_text(const View& view, const Definition& definition, const cel::Map& given,
                      const cel::Map& params, const Style& style) {
  std::string text = style(Tone::bold, "DRY RUN") + " of " + definition.name +
                     ": nothing is started, nothing is written\n\n" + "definition  " +
                     definition.name + " from " + definition.source_name + ", hash " +
                     to_hex(definition.hash) + "\n\n";
  Table table({"parameter", "value", ""});
  const cel::Map shown = view.params(params);
  for (const FieldSpec& field : definition.params)
    if (const cel::Value* value = shown.find(field.name))
      table.row({field.name, view.brief(*value, value_width_max),
                 given.find(field.name) == nullptr ? "default" : ""});
  return text + table.text(style) + "\n";
}

}  // namespace

int dry_run(const Context& context, const std::shared_ptr<const Definition>& definition,
            const cel::Map& given) {
  const auto params = definition->complete_params(given);
  if (!params) return report_error(context, params.error());
  const rehearsal::Look look = [&](const JobSpec& spec) -> std::optional<JobOutcome> {
    const JobKind* kind = context.catalog.find(spec.kind);
    return kind == nullptr ? std::nullopt : kind->look(spec, JobContext{});
  };
  const Plan plan = rehearsal::plan_of(definition, *params, look);
  Mask mask;
  add_secrets(mask, *definition, *params);
  const View view(definition, mask);
  if (context.json) {
    json::object object = plan_json(plan, mask);
    object["dry_run"] = true;
    object["hash"] = as_json(definition->hash);
    json::object shown;
    for (const auto& [name, value] : view.params(*params))
      shown[name.as_string()] = as_json(view, value);
    object["params"] = std::move(shown);
    object["would_fail"] = plan.looked_failed;
    context.out << document(object);
  } else {
    context.out << head_text(view, *definition, given, *params, style_of(context))
                << PlanText(context, mask).text(plan);
    if (plan.looked_failed) context.out << "\nas things stand now the run would not succeed\n";
  }
  return plan.looked_failed ? exit_failed : exit_ok;
}

}  // namespace checkride::cli

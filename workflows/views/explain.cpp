#include "workflows/views/explain.h"

#include <algorithm>

#include "workflows/loader/paths.h"
#include "workflows/views/graph.h"

namespace checkride {
namespace {

using statechart::root_state;
using statechart::StateIndex;
using statechart::TransitionIndex;

constexpr std::size_t value_max = 70;  // characters of an input that are shown

std::string counted(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string joined(const std::vector<std::string>& parts, const std::string& last) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i)
    text += (i == 0 ? "" : i + 1 == parts.size() ? " " + last + " " : ", ") + parts[i];
  return text;
}

// Markdown code; a text that holds a backtick gets two.
std::string code(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  const std::string fence = text.find('`') == std::string::npos ? "`" : "``";
  const std::string space = fence.size() == 2 ? " " : "";
  return fence + space + text + space + fence;
}

std::string cut(std::string text) {
  if (text.size() <= value_max) return text;
  std::size_t end = value_max;
  while ((static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

// A value as the definition shows it; text that is one hole is its expression.
std::string written(const ValueTemplate& value) {
  if (const auto* constant = std::get_if<cel::Value>(&value.node)) return cel::to_cel(*constant);
  if (const auto* text = std::get_if<cel::Template>(&value.node)) {
    const std::string& source = text->source();
    const bool one_hole = source.starts_with("${") && source.find("${", 2) == std::string::npos &&
                          source.ends_with('}');
    return one_hole ? source.substr(2, source.size() - 3) : "\"" + source + "\"";
  }
  std::string all;
  if (const auto* list = std::get_if<ValueTemplate::ListOf>(&value.node)) {
    for (const ValueTemplate& item : *list) all += (all.empty() ? "" : ", ") + written(item);
    return "[" + all + "]";
  }
  for (const auto& [key, item] : std::get<ValueTemplate::MapOf>(value.node))
    all += (all.empty() ? "" : ", ") + key + ": " + written(item);
  return "{" + all + "}";
}

// Text for people: without the quotes of a constant.
std::string plain_text(const ValueTemplate& value) {
  if (const auto* constant = std::get_if<cel::Value>(&value.node))
    if (constant->kind() == cel::Kind::string) return std::string(constant->as_string());
  if (const auto* text = std::get_if<cel::Template>(&value.node)) return text->source();
  return written(value);
}

class Prose {
 public:
  Prose(const Definition& definition, bool child)
      : definition_(definition), chart_(definition.chart), child_(child) {
    numbers_.resize(chart_.states.size());
    number(root_state, "");
  }

  ExplainedMachine tell() {
    ExplainedMachine machine;
    machine.name = definition_.name;
    machine.title = definition_.title;
    for (const FieldSpec& param : definition_.params) machine.params.push_back(tell_param(param));
    const auto& root = chart_.state(root_state);
    if (!root.transitions.empty() || !root.onentry.empty() || !root.onexit.empty()) {
      ExplainedStep whole;
      whole.number = "0";
      whole.title = "In every step";
      tell_content(root_state, whole);
      tell_outcomes(root_state, whole);
      machine.steps.push_back(std::move(whole));
    }
    for (std::uint32_t i = 1; i < chart_.states.size(); ++i) {
      const StateIndex state(i);
      if (!numbers_[i].empty()) machine.steps.push_back(tell_step(state));
      if (chart_.is_final(state) && chart_.state(state).parent == root_state)
        machine.endings.push_back(tell_ending(state));
    }
    return machine;
  }

 private:
  // Final and history states are places, not steps.
  void number(StateIndex parent, const std::string& prefix) {
    std::size_t count = 0;
    for (const StateIndex child : chart_.state(parent).children) {
      if (chart_.is_final(child) || chart_.is_history(child)) continue;
      numbers_[child.value] = prefix + std::to_string(++count);
      number(child, numbers_[child.value] + ".");
    }
  }

  std::string step(StateIndex state) const {
    return "step " + numbers_[state.value] + " (" + code(chart_.state(state).id) + ")";
  }

  static std::string tell_param(const FieldSpec& param) {
    std::string text = code(param.name) + " (" +
                       code(param.path ? "path" : cel::to_string(param.type)) +
                       (param.secret ? ", secret" : "");
    if (param.initial) {
      const std::string value = param.initial->kind() == cel::Kind::string
                                    ? std::string(param.initial->as_string())
                                    : cel::to_cel(*param.initial);
      text += value.empty() ? ", empty unless given" : ", " + code(cut(value)) + " unless given";
    } else {
      text += ", must be given";
    }
    text += ")";
    return text + (param.title.empty() ? "" : ": " + param.title);
  }

  std::string tell_ending(StateIndex state) const {
    const StateSpec& spec = definition_.states[state.value];
    std::string text = code(chart_.state(state).id) + ": " + std::string(to_string(spec.outcome));
    if (spec.output) text += ", with " + code(cut(written(*spec.output)));
    return text;
  }

  std::string way_to(StateIndex source, const std::vector<StateIndex>& targets) const {
    if (targets.empty()) return "stay in this step";
    std::vector<std::string> parts;
    for (const StateIndex target : targets) parts.push_back(way_to(source, target));
    return joined(parts, "and");
  }

  std::string way_to(StateIndex source, StateIndex target) const {
    const auto& node = chart_.state(target);
    if (chart_.is_history(target))
      return "go back to where " +
             (node.parent == root_state ? std::string("the procedure") : step(node.parent)) +
             " was left";
    if (chart_.is_final(target) && node.parent == root_state)
      return "the " + std::string(child_ ? "machine" : "run") + " ends: **" +
             std::string(to_string(definition_.states[target.value].outcome)) + "** (" +
             code(node.id) + ")";
    if (chart_.is_final(target)) return step(node.parent) + " is complete";
    if (target == source) return "do this step again";
    return (target < source ? "go back to " : "go on with ") + step(target);
  }

  // Which events, as a person says it.
  std::string when(StateIndex source, const statechart::Transition& transition) const {
    const StateSpec& spec = definition_.states[source.value];
    if (transition.events.empty()) return "At once";
    std::vector<std::string> answers;
    std::vector<std::string> parts;
    for (const std::string& event : transition.events) {
      const std::string name = short_event(definition_, event, source);
      if (name == "done" && spec.invoke)
        parts.push_back(spec.invoke->each ? "When all of them are done" : "When it is done");
      else if (name == "done")
        parts.emplace_back("When this part is complete");
      else if (name == "error")
        parts.emplace_back(spec.invoke && !spec.invoke->retry.empty()
                               ? "When the last attempt gave no result either"
                               : "When it gives no result");
      else if (name == "exhausted")
        parts.emplace_back("When it would be entered once more than that");
      else if (name.starts_with("after "))
        parts.push_back("After " + name.substr(6) + " in this step");
      else if (name.starts_with("answer."))
        answers.push_back(name.substr(7));
      else
        parts.push_back("On the event " + code(event));
    }
    if (!answers.empty())
      parts.push_back(spec.invoke && answers.size() == loader::answers_of(*spec.invoke).size()
                          ? "On any other answer"
                          : "On the answer " + joined(answers, "or"));
    return joined(parts, "or");
  }

  std::string tell_actions(const ContentBlock& block) const {
    std::string text;
    for (const Action& action : block) {
      std::string part;
      if (const auto* assign = std::get_if<AssignAction>(&action.node)) {
        part = "set " + code(assign->name) + " to " + code(cut(assign->value.source()));
      } else if (const auto* raise = std::get_if<RaiseAction>(&action.node)) {
        part = "raise the event " + code(raise->event);
      } else if (const auto* send = std::get_if<SendAction>(&action.node)) {
        if (send->event.starts_with("after.")) continue;  // said where it leads
        part = "send the event " + code(send->event);
        if (send->delay > Duration{0}) part += " after " + written_duration(send->delay);
      } else if (const auto* cancel = std::get_if<CancelAction>(&action.node)) {
        if (cancel->id.starts_with("after.")) continue;
        part = "cancel what was sent as " + code(cancel->id);
      } else {
        for (const auto& branch : std::get<IfAction>(action.node).branches) {
          const std::string inner = tell_actions(branch.actions);
          if (!part.empty()) part += "; else ";
          part += (branch.cond ? "if " + code(branch.cond->source()) + ": " : "") +
                  (inner.empty() ? "nothing" : inner);
        }
      }
      text += (text.empty() ? "" : ", ") + part;
    }
    return text;
  }

  void tell_content(StateIndex state, ExplainedStep& out) const {
    const auto& node = chart_.state(state);
    const auto say = [&](const std::string& moment, const auto& blocks) {
      std::string text;
      for (const auto content : blocks) {
        const std::string part = tell_actions(definition_.contents[content.value]);
        if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
      }
      if (!text.empty()) out.sentences.push_back(moment + ": " + text + ".");
    };
    say("On entry", node.onentry);
    say("On leaving", node.onexit);
  }

  void tell_outcomes(StateIndex state, ExplainedStep& out) const {
    for (const TransitionIndex t : chart_.state(state).transitions) {
      const auto& transition = chart_.transition(t);
      const TransitionSpec& extra = definition_.transitions[t.value];
      ExplainedOutcome outcome;
      outcome.when = when(state, transition);
      if (transition.cond) outcome.guard = definition_.conditions[transition.cond->value].source();
      if (transition.content) {
        const std::string actions = tell_actions(definition_.contents[transition.content->value]);
        if (!actions.empty()) outcome.then = actions + ", then ";
      }
      outcome.then += way_to(state, transition.targets);
      if (extra.verdict) outcome.verdict = std::string(to_string(*extra.verdict));
      if (extra.note) outcome.note = extra.note->source();
      for (const StateIndex target : transition.targets)
        outcome.targets.push_back(chart_.state(target).id);
      out.outcomes.push_back(std::move(outcome));
    }
  }

  static std::string inputs_of(const InvokeSpec& invoke) {
    std::vector<std::string> parts;
    for (const auto& [name, value] : invoke.with)
      if (name != "script" && name != "question")
        parts.push_back(name + " " + code(cut(written(value))));
    return parts.empty() ? "" : " with " + joined(parts, "and");
  }

  static std::string tell_rule(const RetryRule& rule) {
    std::string text =
        "up to " + std::to_string(rule.max) + " more time" + (rule.max == 1 ? "" : "s");
    if (rule.backoff > Duration{0}) {
      text += ", waiting " + written_duration(rule.backoff);
      if (rule.max > 1 && rule.factor > 1)
        text += " at first, then longer, " + written_duration(rule.backoff_max) + " at most";
    }
    return text;
  }

  static void tell_retries(const InvokeSpec& invoke, ExplainedStep& out) {
    // Classes with the same rule share a sentence.
    std::vector<std::pair<std::string, std::vector<std::string>>> rules;
    for (const auto& [failure, rule] : invoke.retry) {
      if (rule.max == 0) continue;
      const std::string text = tell_rule(rule);
      auto found = std::find_if(rules.begin(), rules.end(),
                                [&](const auto& known) { return known.first == text; });
      if (found == rules.end()) found = rules.insert(rules.end(), {text, {}});
      found->second.emplace_back(to_string(failure));
    }
    for (const auto& [text, classes] : rules)
      out.sentences.push_back("A failure of class " + joined(classes, "or") + " is tried " + text +
                              ".");
  }

  static void tell_job(const InvokeSpec& invoke, ExplainedStep& out) {
    const JobSignature& kind = invoke.signature;
    std::string title = kind.title;
    if (!title.empty() && title.ends_with('.')) title.pop_back();
    out.sentences.push_back("Runs " + code(kind.name) +
                            (title.empty() || title == kind.name ? "" : " (" + title + ")") +
                            inputs_of(invoke) + ".");
    for (const auto& [name, value] : invoke.with)
      if (name == "script") out.script = plain_text(value);
    if (invoke.limits.run_timeout)
      out.sentences.push_back("It may take " + written_duration(*invoke.limits.run_timeout) + ".");
    const Expectation& expect = invoke.expect;
    std::vector<std::string> musts;
    if (expect.exit_codes.size() > 200)
      musts.emplace_back("any exit code is right");
    else if (expect.exit_codes != std::vector<std::int64_t>{0}) {
      std::vector<std::string> codes;
      for (const std::int64_t exit_code : expect.exit_codes)
        codes.push_back(std::to_string(exit_code));
      musts.push_back("its exit code must be " + joined(codes, "or"));
    }
    const auto texts = [&](const std::vector<std::string>& list, const std::string& what) {
      std::vector<std::string> shown;
      for (const std::string& text : list) shown.push_back(code(text));
      if (!shown.empty()) musts.push_back(what + " " + joined(shown, "and"));
    };
    texts(expect.log_contains, "its output must hold");
    texts(expect.log_lacks, "its output must not hold");
    texts(expect.files, "it must leave");
    if (!musts.empty()) out.sentences.push_back("To be done: " + joined(musts, "and") + ".");
    std::vector<std::string> values;
    for (const ParseRule& rule : invoke.parse) values.push_back(code(rule.name));
    if (!values.empty())
      out.sentences.push_back("From its output " + joined(values, "and") +
                              (values.size() == 1 ? " is taken." : " are taken."));
    tell_retries(invoke, out);
    if (invoke.repeat == Repeat::probe && invoke.probe)
      out.sentences.push_back("If its end is unknown after an interruption, " +
                              code(invoke.probe->signature.name) + " looks what became of it.");
    if (invoke.repeat == Repeat::ask)
      out.sentences.emplace_back(
          "If its end is unknown after an interruption, a person is asked; it is not repeated.");
  }

  static void tell_gate(const InvokeSpec& invoke, ExplainedStep& out) {
    std::string text = "Asks " + (invoke.gate.who.empty() ? std::string("a person")
                                                          : joined(invoke.gate.who, "or"));
    if (!invoke.gate.options.empty())
      text += ", who may answer " + joined(loader::answers_of(invoke), "or");
    out.sentences.push_back(text + ".");
    for (const auto& [name, value] : invoke.with)
      if (name == "question") out.question = plain_text(value);
    const std::string shown = inputs_of(invoke);
    if (!shown.empty()) out.sentences.push_back("The question comes" + shown + ".");
    if (invoke.gate.reminder)
      out.sentences.push_back("A reminder comes every " + written_duration(*invoke.gate.reminder) +
                              ".");
    if (invoke.gate.expiry)
      out.sentences.push_back("Without an answer after " + written_duration(*invoke.gate.expiry) +
                              ", " + invoke.gate.expiry_answer + " is taken.");
  }

  static void tell_machine(const InvokeSpec& invoke, ExplainedStep& out) {
    const std::string name = code(invoke.machine->name);
    if (!invoke.each) {
      out.sentences.push_back("Runs the machine " + name + inputs_of(invoke) + ".");
      return;
    }
    std::string text = "Runs the machine " + name + " once for each " + invoke.as + " of " +
                       code(cut(invoke.each->source())) + inputs_of(invoke) + ", ";
    text += invoke.concurrency == 1 ? "one after the other"
                                    : "at most " + std::to_string(invoke.concurrency) + " at once";
    if (invoke.join == Join::any) text += ", until one has passed";
    if (invoke.join == Join::n)
      text += ", until " + std::to_string(invoke.join_count) + " have passed";
    if (invoke.join == Join::first_failure) text += ", until one fails";
    out.sentences.push_back(text + ".");
  }

  ExplainedStep tell_step(StateIndex state) const {
    const StateSpec& spec = definition_.states[state.value];
    const auto& node = chart_.state(state);
    ExplainedStep out;
    out.number = numbers_[state.value];
    out.id = node.id;
    out.title = spec.title;
    out.section = spec.section;
    if (!node.children.empty()) {
      if (chart_.is_parallel(state))
        out.sentences.emplace_back("The parts below run side by side.");
      else if (node.initial && entered_elsewhere(state))
        out.sentences.push_back("Begins with " +
                                step(chart_.transition(*node.initial).targets.front()) + ".");
    }
    if (spec.budget)
      out.sentences.push_back(
          "May be entered " +
          (spec.budget->max.source().find_first_not_of("0123456789") == std::string::npos
               ? counted(std::stoull(spec.budget->max.source()), "time")
               : code(spec.budget->max.source()) + " times") +
          (spec.budget->exhausted ? "." : "; the run then stops for a person."));
    tell_content(state, out);
    if (spec.invoke) {
      if (loader::is_gate(*spec.invoke))
        tell_gate(*spec.invoke, out);
      else if (spec.invoke->machine)
        tell_machine(*spec.invoke, out);
      else
        tell_job(*spec.invoke, out);
    }
    if (spec.undo)
      out.sentences.push_back("On rollback, " + code(spec.undo->signature.name) + " undoes it.");
    if (spec.verdict)
      out.sentences.push_back("The report says " + std::string(to_string(*spec.verdict)) + ".");
    if (spec.reports() && !spec.required) out.sentences.emplace_back("The run may do without it.");
    tell_outcomes(state, out);
    return out;
  }

  // Whether its first step is not the first in the document.
  bool entered_elsewhere(StateIndex state) const {
    const auto& node = chart_.state(state);
    const StateIndex first = chart_.transition(*node.initial).targets.front();
    return !numbers_[first.value].empty() && numbers_[first.value] != numbers_[state.value] + ".1";
  }

  const Definition& definition_;
  const statechart::Chart& chart_;
  bool child_;
  std::vector<std::string> numbers_;  // by state; empty: no step
};

void write_outcomes(const std::vector<ExplainedOutcome>& outcomes, std::string& out) {
  for (std::size_t i = 0; i < outcomes.size();) {
    std::size_t end = i;
    while (end < outcomes.size() && outcomes[end].when == outcomes[i].when) ++end;
    const auto result = [](const ExplainedOutcome& outcome) {
      return (outcome.verdict.empty() ? "" : "report it as " + outcome.verdict + ", ") +
             outcome.then + ".\n";
    };
    if (end == i + 1) {
      out += "- " + outcomes[i].when +
             (outcomes[i].guard.empty() ? "" : ", if " + code(outcomes[i].guard)) + ": " +
             result(outcomes[i]);
    } else {
      out += "- " + outcomes[i].when + ":\n";
      for (std::size_t j = i; j < end; ++j)
        out +=
            std::string("  - ") +
            (outcomes[j].guard.empty() ? "otherwise"
                                       : (j == i ? "if " : "else if ") + code(outcomes[j].guard)) +
            ": " + result(outcomes[j]);
    }
    i = end;
  }
}

void write_step(const ExplainedStep& step, std::string& out) {
  const auto depth =
      static_cast<std::size_t>(std::count(step.number.begin(), step.number.end(), '.'));
  out += "\n" + std::string(std::min<std::size_t>(3 + depth, 6), '#') + " ";
  if (step.number != "0") out += step.number + ". ";
  const std::string heading = step.title.empty() ? step.section : step.title;
  if (!step.section.empty() && !step.title.empty()) out += step.section + ": ";
  out += heading.empty() ? code(step.id) : heading;
  if (!heading.empty() && !step.id.empty()) out += " (" + code(step.id) + ")";
  out += "\n";
  std::string text;
  for (const std::string& sentence : step.sentences) text += (text.empty() ? "" : " ") + sentence;
  if (!text.empty()) out += "\n" + text + "\n";
  if (!step.question.empty()) out += "\n> " + step.question + "\n";
  if (!step.script.empty())
    out += "\n```sh\n" + step.script + (step.script.ends_with('\n') ? "" : "\n") + "```\n";
  if (!step.outcomes.empty()) out += "\n";
  write_outcomes(step.outcomes, out);
}

}  // namespace

Explanation explain(const Definition& definition) {
  Explanation all;
  all.omits = definition.omits;
  all.machines.push_back(Prose(definition, false).tell());
  for (const Definition* machine : machines_by_name(definition))
    all.machines.push_back(Prose(*machine, true).tell());
  return all;
}

std::string to_markdown(const Explanation& explanation) {
  std::string out;
  for (const ExplainedMachine& machine : explanation.machines) {
    const bool top = out.empty();
    const auto questions =
        std::count_if(machine.steps.begin(), machine.steps.end(),
                      [](const ExplainedStep& step) { return !step.question.empty(); });
    out += top ? "# " : "\n## ";
    out += machine.title.empty() ? machine.name : machine.title;
    out += std::string("\n\n") + (top ? "The workflow " : "The machine ") + code(machine.name) +
           ": " + counted(machine.steps.size(), "step");
    if (questions > 0)
      out += ", " + std::to_string(questions) + " of which ask" + (questions == 1 ? "s" : "") +
             " a person";
    out += ".\n";
    if (!machine.params.empty()) out += "\nIt is given:\n\n";
    for (const std::string& param : machine.params) out += "- " + param + "\n";
    if (top && !explanation.omits.empty()) {
      out += "\nLeft out of the procedure:\n\n";
      for (const std::string& part : explanation.omits) out += "- " + part + "\n";
    }
    if (top) out += "\n## Steps\n";
    for (const ExplainedStep& step : machine.steps) write_step(step, out);
    if (!machine.endings.empty())
      out += std::string("\n") + (top ? "## Endings\n\n" : "Endings:\n\n");
    for (const std::string& ending : machine.endings) out += "- " + ending + "\n";
  }
  return out;
}

}  // namespace checkride

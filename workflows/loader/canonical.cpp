#include "workflows/loader/canonical.h"

#include <algorithm>

namespace checkride::loader {
namespace {

class Writer {
 public:
  std::string take() { return std::move(out_); }

  void text(std::string_view value) {
    out_ += "t" + std::to_string(value.size()) + ":";
    out_ += value;
  }
  void number(std::int64_t value) { out_ += "n" + std::to_string(value) + ";"; }
  void absent() { out_ += "-"; }
  void list(std::size_t count) { out_ += "[" + std::to_string(count) + ":"; }
  void open() { out_ += "{"; }
  void close() { out_ += "}"; }

  Writer& field(std::string_view name) {
    text(name);
    return *this;
  }
  void field(std::string_view name, std::string_view value) { field(name).text(value); }
  void field(std::string_view name, std::int64_t value) { field(name).number(value); }
  void texts(std::string_view name, const std::vector<std::string>& values) {
    field(name).list(values.size());
    for (const std::string& value : values) text(value);
  }

 private:
  std::string out_;
};

// Doubles by their shortest exact text, as CEL literals have it.
std::string exact(double value) {
  return cel::to_cel(cel::Value(value));
}

void write(Writer& out, const ValueTemplate& value);

void write_map(Writer& out, ValueTemplate::MapOf entries) {
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  out.list(entries.size());
  for (const auto& [name, value] : entries) {
    out.open();
    out.text(name);
    write(out, value);
    out.close();
  }
}

void write(Writer& out, const ValueTemplate& value) {
  out.open();
  if (const auto* constant = std::get_if<cel::Value>(&value.node)) {
    out.field("value", cel::to_cel(*constant));
  } else if (const auto* text = std::get_if<cel::Template>(&value.node)) {
    out.field("template", text->source());
  } else if (const auto* list = std::get_if<ValueTemplate::ListOf>(&value.node)) {
    out.field("list").list(list->size());
    for (const ValueTemplate& item : *list) write(out, item);
  } else {
    out.field("map");
    write_map(out, std::get<ValueTemplate::MapOf>(value.node));
  }
  out.close();
}

void write(Writer& out, const std::optional<ValueTemplate>& value) {
  if (value)
    write(out, *value);
  else
    out.absent();
}

void write(Writer& out, const std::optional<cel::Template>& text) {
  if (text)
    out.text(text->source());
  else
    out.absent();
}

void write(Writer& out, const std::optional<Duration>& duration) {
  if (duration)
    out.number(duration->count());
  else
    out.absent();
}

void write(Writer& out, const ContentBlock& block) {
  out.list(block.size());
  for (const Action& action : block) {
    out.open();
    if (const auto* assign = std::get_if<AssignAction>(&action.node)) {
      out.field("assign", assign->name);
      out.field("value", assign->value.source());
    } else if (const auto* raise = std::get_if<RaiseAction>(&action.node)) {
      out.field("raise", raise->event);
      write(out.field("data"), raise->data);
    } else if (const auto* send = std::get_if<SendAction>(&action.node)) {
      out.field("send", send->event);
      out.field("id", send->id);
      out.field("delay", send->delay.count());
      write(out.field("data"), send->data);
    } else if (const auto* cancel = std::get_if<CancelAction>(&action.node)) {
      out.field("cancel", cancel->id);
    } else {
      const auto& branches = std::get<IfAction>(action.node).branches;
      out.field("if").list(branches.size());
      for (const IfAction::Branch& branch : branches) {
        out.open();
        out.field("guard");
        if (branch.cond)
          out.text(branch.cond->source());
        else
          out.absent();
        write(out.field("actions"), branch.actions);
        out.close();
      }
    }
    out.close();
  }
}

void write_fields(Writer& out, std::vector<FieldSpec> fields) {
  std::sort(fields.begin(), fields.end(),
            [](const FieldSpec& a, const FieldSpec& b) { return a.name < b.name; });
  out.list(fields.size());
  for (const FieldSpec& field : fields) {
    out.open();
    out.field("name", field.name);
    out.field("type", cel::to_string(field.type));
    out.field("title", field.title);
    out.field("secret", field.secret ? 1 : 0);
    out.field("path", field.path ? 1 : 0);
    out.field("initial");
    if (field.initial)
      out.text(cel::to_cel(*field.initial));
    else
      out.absent();
    out.close();
  }
}

void write_gate(Writer& out, const GatePolicy& gate) {
  out.open();
  out.texts("options", gate.options);
  std::vector<std::string> who = gate.who;
  std::sort(who.begin(), who.end());
  out.texts("who", who);
  write(out.field("reminder"), gate.reminder);
  write(out.field("expiry"), gate.expiry);
  out.field("expiry_answer", gate.expiry_answer);
  out.close();
}

void write_retry(Writer& out, const std::map<FailureClass, RetryRule>& rules) {
  out.list(rules.size());
  for (const auto& [failure, rule] : rules) {
    out.open();
    out.field("class", to_string(failure));
    out.field("max", rule.max);
    out.field("backoff", rule.backoff.count());
    out.field("factor", exact(rule.factor));
    out.field("backoff_max", rule.backoff_max.count());
    out.field("jitter", exact(rule.jitter));
    out.close();
  }
}

void write_parse(Writer& out, std::vector<ParseRule> rules) {
  std::sort(rules.begin(), rules.end(),
            [](const ParseRule& a, const ParseRule& b) { return a.name < b.name; });
  out.list(rules.size());
  for (const ParseRule& rule : rules) {
    out.open();
    out.field("name", rule.name);
    out.field("type", cel::to_string(rule.type));
    out.field("regex", rule.regex);
    out.field("file", rule.file);
    out.field("pointer", rule.pointer);
    out.close();
  }
}

// What older versions did not have is written only where it is used, so that their hashes stay.
void write_lease(Writer& out, const InvokeSpec& invoke) {
  const auto limit = [&](std::string_view name, const std::optional<Duration>& value) {
    if (value) out.field(name, value->count());
  };
  limit("queue_timeout", invoke.limits.queue_timeout);
  limit("start_timeout", invoke.limits.start_timeout);
  limit("silence_timeout", invoke.limits.silence_timeout);
  if (invoke.needs.units.empty()) return;
  out.field("needs").list(invoke.needs.units.size());
  for (const auto& [resource, units] : invoke.needs.units) out.field(resource, units);
  out.field("exclusive", invoke.needs.exclusive ? 1 : 0);
}

void write_messages(Writer& out, std::vector<MessageSpec> messages) {
  std::sort(messages.begin(), messages.end(),
            [](const MessageSpec& a, const MessageSpec& b) { return a.name < b.name; });
  out.list(messages.size());
  for (const MessageSpec& message : messages) {
    out.open();
    out.field("name", message.name);
    out.field("type", cel::to_string(message.type));
    write(out.field("ttl"), message.ttl);
    out.field("title", message.title);
    out.close();
  }
}

// A probe has none of its own, so this goes down one level.
void write(Writer& out, const InvokeSpec& invoke) {
  out.open();
  out.field("kind", invoke.signature.name);
  out.field("version", invoke.signature.version);
  out.field("schema", to_hex(schema_digest(invoke.signature)));
  out.field("id", invoke.id);
  out.field("with");
  write_map(out, invoke.with);
  out.field("exit_codes").list(invoke.expect.exit_codes.size());
  for (const std::int64_t code : invoke.expect.exit_codes) out.number(code);
  out.texts("log_contains", invoke.expect.log_contains);
  out.texts("log_lacks", invoke.expect.log_lacks);
  out.texts("files", invoke.expect.files);
  out.field("parse");
  write_parse(out, invoke.parse);
  write(out.field("run_timeout"), invoke.limits.run_timeout);
  out.field("grace", invoke.limits.grace.count());
  out.field("output_max", static_cast<std::int64_t>(invoke.limits.output_bytes_max));
  write_lease(out, invoke);
  std::vector<std::string> secrets = invoke.secrets;
  std::sort(secrets.begin(), secrets.end());
  out.texts("secrets", secrets);
  out.field("repeat", to_string(invoke.repeat));
  out.field("probe");
  if (invoke.probe != nullptr)
    write(out, *invoke.probe);
  else
    out.absent();
  out.field("retry");
  write_retry(out, invoke.retry);
  out.field("gate");
  write_gate(out, invoke.gate);
  out.field("machine");
  if (invoke.machine != nullptr)
    out.text(to_hex(invoke.machine->hash));
  else
    out.absent();
  out.field("each");
  if (invoke.each)
    out.text(invoke.each->source());
  else
    out.absent();
  out.field("as", invoke.as);
  out.field("concurrency", invoke.concurrency);
  out.field("join", static_cast<std::int64_t>(invoke.join));
  out.field("join_count", invoke.join_count);
  out.close();
}

void write(Writer& out, const std::optional<InvokeSpec>& invoke) {
  if (invoke)
    write(out, *invoke);
  else
    out.absent();
}

std::string_view kind_name(statechart::StateKind kind) {
  switch (kind) {
    case statechart::StateKind::state: return "state";
    case statechart::StateKind::parallel: return "parallel";
    case statechart::StateKind::final: return "final";
    case statechart::StateKind::history_shallow: return "history_shallow";
    case statechart::StateKind::history_deep: return "history_deep";
  }
  return "state";
}

class Canonical {
 public:
  explicit Canonical(const Definition& definition) : definition_(definition) {}

  std::string write_all() {
    out_.text("checkride canonical form 1");
    out_.field("name", definition_.name);
    out_.field("title", definition_.title);
    out_.field("errors", definition_.park_on_error ? "park" : "event");
    out_.field("params");
    write_fields(out_, definition_.params);
    out_.field("data");
    write_fields(out_, definition_.data);
    std::vector<cel::Field> output = definition_.output.fields();
    std::sort(output.begin(), output.end(),
              [](const cel::Field& a, const cel::Field& b) { return a.name < b.name; });
    out_.field("result", cel::to_string(cel::Type::record(std::move(output))));
    std::vector<std::string> names = definition_.record_env;
    std::sort(names.begin(), names.end());
    out_.texts("record_env", names);
    out_.texts("omits", definition_.omits);
    if (!definition_.messages.empty()) {
      out_.field("messages");
      write_messages(out_, definition_.messages);
    }
    out_.field("states").list(definition_.states.size());
    for (std::uint32_t i = 0; i < definition_.states.size(); ++i) state(statechart::StateIndex(i));
    return out_.take();
  }

 private:
  void state(statechart::StateIndex index) {
    const auto& node = definition_.chart.state(index);
    const StateSpec& spec = definition_.states[index.value];
    out_.open();
    out_.field("id", node.id);
    out_.field("kind", kind_name(node.kind));
    out_.field("parent", node.parent.value);
    out_.field("initial");
    if (node.initial)
      transition(*node.initial);
    else
      out_.absent();
    out_.field("transitions").list(node.transitions.size());
    for (const auto t : node.transitions) transition(t);
    for (const auto& [name, blocks] :
         {std::pair{"entry", &node.onentry}, std::pair{"exit", &node.onexit}}) {
      out_.field(name).list(blocks->size());
      for (const auto block : *blocks) write(out_, definition_.contents[block.value]);
    }
    out_.field("section", spec.section);
    out_.field("title", spec.title);
    out_.field("required", spec.required ? 1 : 0);
    out_.field("verdict", spec.verdict ? to_string(*spec.verdict) : std::string_view{});
    write(out_.field("note"), spec.note);
    write(out_.field("invoke"), spec.invoke);
    write(out_.field("undo"), spec.undo);
    out_.field("budget");
    if (spec.budget)
      out_.text(spec.budget->max.source());
    else
      out_.absent();
    out_.field("outcome", to_string(spec.outcome));
    write(out_.field("output"), spec.output);
    out_.close();
  }

  void transition(statechart::TransitionIndex index) {
    const auto& transition = definition_.chart.transition(index);
    const TransitionSpec& spec = definition_.transitions[index.value];
    out_.open();
    out_.texts("events", transition.events);
    out_.field("guard");
    if (transition.cond)
      out_.text(definition_.conditions[transition.cond->value].source());
    else
      out_.absent();
    out_.field("targets").list(transition.targets.size());
    for (const auto target : transition.targets) out_.text(definition_.chart.state(target).id);
    out_.field("internal", transition.internal ? 1 : 0);
    out_.field("actions");
    if (transition.content)
      write(out_, definition_.contents[transition.content->value]);
    else
      out_.absent();
    out_.field("verdict", spec.verdict ? to_string(*spec.verdict) : std::string_view{});
    write(out_.field("note"), spec.note);
    out_.close();
  }

  const Definition& definition_;
  Writer out_;
};

}  // namespace

std::string canonical_form(const Definition& definition) {
  return Canonical(definition).write_all();
}

Digest canonical_hash(const Definition& definition) {
  return sha256(canonical_form(definition));
}

}  // namespace checkride::loader

// Executable content: assign, raise, send, cancel, if.
#include "workflows/loader/reader.h"

namespace checkride::loader {

using statechart::ContentIndex;

ContentIndex DefinitionReader::add_content(ContentBlock block) {
  definition_->contents.push_back(std::move(block));
  return ContentIndex(static_cast<std::uint32_t>(definition_->contents.size() - 1));
}

ContentBlock DefinitionReader::read_actions(const Node& node, const Scope& scope) {
  ContentBlock block;
  if (node.is_list()) {
    for (const Node& item : node.items) read_action(item, scope, block);
  } else {
    read_action(node, scope, block);
  }
  return block;
}

void DefinitionReader::read_action(const Node& node, const Scope& scope, ContentBlock& block) {
  if (!expect_map(node, "an action")) return;
  check_keys(node, keys_of("action"), "an action");
  if (node.entries.size() > 1) {
    reporter_.error(node.place, "shape",
                    "an action is one of assign, raise, send, cancel, if; write a list of actions");
    return;
  }
  for (const Entry& entry : node.entries) {
    if (entry.key == "assign") {
      read_assign(entry.value, scope, block);
    } else if (entry.key == "raise") {
      read_raise(entry.value, scope, block);
    } else if (entry.key == "send") {
      read_send(entry.value, scope, block);
    } else if (entry.key == "if") {
      read_if(entry.value, scope, block);
    } else if (entry.key == "cancel") {
      const auto id = text_of(entry.value, "'cancel'");
      if (id) block.push_back(Action{CancelAction{*id}});
    }
  }
}

void DefinitionReader::read_assign(const Node& node, const Scope& scope, ContentBlock& block) {
  if (!expect_map(node, "'assign'")) return;
  for (const Entry& entry : node.entries) {
    const FieldSpec* field = nullptr;
    std::vector<std::string> names;
    for (const FieldSpec& candidate : definition_->data) {
      names.push_back(candidate.name);
      if (candidate.name == entry.key) field = &candidate;
    }
    if (field == nullptr) {
      reporter_.error(entry.place, "unknown-field", "data has no field '" + entry.key + "'",
                      reporter_.did_you_mean(entry.key, names));
      continue;
    }
    // Text is CEL; a YAML list or map stands for the literal it shows.
    Node shown = entry.value;
    if (!entry.value.is_scalar()) {
      auto value = literal(entry.value, field->type, "data." + field->name);
      if (!value) continue;
      shown.kind = Node::Kind::scalar;
      shown.plain = true;
      shown.text = cel::to_cel(*value);
    }
    if (auto value = program(shown, scope, field->type, "data." + field->name))
      block.push_back(Action{AssignAction{field->name, *std::move(value)}});
  }
}

void DefinitionReader::read_raise(const Node& node, const Scope& scope, ContentBlock& block) {
  RaiseAction raise;
  const Node* event = &node;
  if (node.is_map()) {
    check_keys(node, keys_of("raise"), "'raise'");
    event = node.find("event");
    if (const Node* data = node.find("data"))
      raise.data = value_template(*data, scope, cel::Type::dyn(), "data");
  }
  if (event == nullptr) {
    reporter_.error(node.place, "missing-key", "'raise' has no event; write {event: NAME}");
    return;
  }
  const auto name = event_name(*event);
  if (!name) return;
  raise.event = *name;
  block.push_back(Action{std::move(raise)});
}

void DefinitionReader::read_send(const Node& node, const Scope& scope, ContentBlock& block) {
  if (!expect_map(node, "'send'")) return;
  check_keys(node, keys_of("send"), "'send'");
  SendAction send;
  if (const Node* id = node.find("id")) send.id = text_of(*id, "'id'").value_or("");
  if (send.id.starts_with("after."))
    reporter_.error(node.find("id")->place, "event-name",
                    "ids 'after.*' belong to the key 'after'; give this send another id");
  if (const Node* delay = node.find("delay"))
    send.delay = duration_of(*delay, "'delay'").value_or(Duration{0});
  if (const Node* data = node.find("data"))
    send.data = value_template(*data, scope, cel::Type::dyn(), "data");
  const Node* event = node.find("event");
  if (event == nullptr) {
    reporter_.error(node.place, "missing-key", "'send' has no event; write {event: NAME}");
    return;
  }
  const auto name = event_name(*event);
  if (!name) return;
  send.event = *name;
  block.push_back(Action{std::move(send)});
}

void DefinitionReader::read_if(const Node& node, const Scope& scope, ContentBlock& block) {
  if (!node.is_list() || node.items.empty()) {
    reporter_.error(node.place, "shape",
                    "'if' must be a list of branches {guard: CEL, actions: [...]}, the last one "
                    "without guard as the else");
    return;
  }
  IfAction conditional;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Node& item = node.items[i];
    if (!expect_map(item, "a branch of 'if'")) continue;
    check_keys(item, keys_of("if_branch"), "a branch of 'if'");
    IfAction::Branch branch;
    if (const Node* guard = item.find("guard"))
      branch.cond = program(*guard, scope, cel::Type::boolean(), "a guard");
    else if (i + 1 < node.items.size())
      reporter_.error(item.place, "shape",
                      "only the last branch of 'if' may lack a guard; those behind it never run");
    if (const Node* actions = item.find("actions")) branch.actions = read_actions(*actions, scope);
    conditional.branches.push_back(std::move(branch));
  }
  block.push_back(Action{std::move(conditional)});
}

}  // namespace checkride::loader

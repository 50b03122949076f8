// Executable content of an SCXML document as actions of a definition.
#include "engine/base/time.h"
#include "workflows/scxml/import.h"

namespace checkride::scxml {
namespace {

constexpr std::size_t conditionals_nested_max = 30;

// SCXML delays are CSS times: "1.5s", "500ms". As the definition writes them.
Result<std::string> delay_of(const std::string& css) {
  const std::size_t unit = css.find_first_not_of("0123456789.");
  const std::string name = unit == std::string::npos ? "" : css.substr(unit);
  const std::string digits = css.substr(0, unit);
  const std::size_t dot = digits.find('.');
  if (dot == std::string::npos && parse_duration(css)) return css;
  if (name == "s" && dot != std::string::npos && digits.size() - dot <= 4) {
    std::string thousandths = digits.substr(dot + 1);
    thousandths.resize(3, '0');
    const std::string whole = dot == 0 ? "0" : digits.substr(0, dot);
    if (parse_duration(whole + "s" + thousandths + "ms")) return whole + "s" + thousandths + "ms";
  }
  return fail(ErrorCode::invalid_argument, "'" + css + "' is no delay such as 1.5s or 500ms");
}

// In('s.1') of an expression in CEL, where the state has another id now.
std::string with_renamed_states(const std::string& source, const Names& names) {
  std::string result;
  std::size_t copied = 0;
  for (std::size_t at = 0; (at = source.find("In(", at)) != std::string::npos;) {
    at += 3;
    if (at == source.size() || (source[at] != '\'' && source[at] != '"')) continue;
    const std::size_t end = source.find(source[at], at + 1);
    if (end == std::string::npos) break;
    const auto state = names.states.find(source.substr(at + 1, end - at - 1));
    if (state == names.states.end()) continue;
    result += source.substr(copied, at + 1 - copied) + state->second;
    copied = end;
  }
  return result + source.substr(copied);
}

Node single(const std::string& key, Node value) {
  Node map = map_node();
  add(map, key, std::move(value));
  return map;
}

}  // namespace

Node Importer::actions(const Element& block, std::size_t depth) {
  Node out = list_node();
  for (const Element& action : block.children) read_action(action, out, depth);
  return out;
}

void Importer::read_action(const Element& action, Node& out, std::size_t depth) {
  if (is_scxml(action, "raise")) {
    const auto event = event_of(action);
    if (!event) return;
    Node raise = single("event", text_node(*event));
    add_event_data(action, raise);
    out.items.push_back(
        single("raise", raise.entries.size() == 1 ? text_node(*event) : std::move(raise)));
  } else if (is_scxml(action, "send")) {
    read_send(action, out);
  } else if (is_scxml(action, "cancel")) {
    if (action.find("sendid") == nullptr)
      error(action, "a cancel without 'sendid' is left out");
    else
      out.items.push_back(single("cancel", text_node(action.get("sendid"))));
  } else if (is_scxml(action, "assign")) {
    const std::string location = action.get("location");
    if (names_.data.count(location) == 0) {
      error(action, "the assignment to '" + location + "' is left out: data has no such field");
      return;
    }
    if (const std::string* literal = action.find("literal", scxml_extension_namespace)) {
      if (auto value = yaml_of(action, *literal))
        out.items.push_back(single("assign", single(location, *std::move(value))));
      return;
    }
    out.items.push_back(
        single("assign", single(location, expression(action, action.get("expr"), "the value"))));
  } else if (is_scxml(action, "if")) {
    read_if(action, out, depth);
  } else if (is_scxml(action, "log")) {
    note(action, "'log' is left out; the run's own log shows what happened");
  } else {
    error(action, "'" + action.name + "' is left out; a definition has no such action");
  }
}

std::optional<std::string> Importer::event_of(const Element& at) {
  if (at.find("event") != nullptr) return at.get("event");
  error(at, "'" + at.name + "' is left out: its event has no fixed name");
  return std::nullopt;
}

void Importer::add_event_data(const Element& at, Node& event) {
  if (const std::string* data = at.find("data", scxml_extension_namespace)) {
    if (auto value = yaml_of(at, *data)) add(event, "data", *std::move(value));
  }
  if (!at.children.empty() || at.find("namelist") != nullptr)
    error(at, "the data of event '" + at.get("event") + "' is left out");
}

void Importer::read_send(const Element& send, Node& out) {
  const auto event = event_of(send);
  if (!event) return;
  const std::string target = send.get("target");
  const std::string type = send.get("type");
  const bool own_type =
      type.empty() || type == "scxml" || type == "http://www.w3.org/TR/scxml/#SCXMLEventProcessor";
  if (send.find("targetexpr") != nullptr || (!target.empty() && target != "#_internal") ||
      !own_type) {
    error(send, "the send of '" + *event + "' is left out: it goes to another session");
    return;
  }
  Node value = single("event", text_node(*event));
  add_event_data(send, value);
  if (target == "#_internal") {
    out.items.push_back(single("raise", std::move(value)));
    return;
  }
  if (send.find("delayexpr") != nullptr)
    error(send, "the delay of the send of '" + *event + "' is left out: it is no fixed time");
  if (const std::string* delay = send.find("delay", scxml_extension_namespace)) {
    add(value, "delay", text_node(*delay));
  } else if (delay = send.find("delay"); delay != nullptr) {
    if (const auto ours = delay_of(*delay))
      add(value, "delay", text_node(*ours));
    else
      error(send, ours.error().message);
  }
  if (send.find("idlocation") != nullptr)
    error(send, "'idlocation' of the send of '" + *event + "' is left out");
  if (const std::string* id = send.find("id")) add(value, "id", text_node(*id));
  out.items.push_back(single("send", std::move(value)));
}

void Importer::read_if(const Element& conditional, Node& out, std::size_t depth) {
  if (depth >= conditionals_nested_max) {
    error(conditional, "'if' is nested too deep and left out");
    return;
  }
  Node branches = list_node();
  Node branch = single("guard", expression(conditional, conditional.get("cond"), "the condition"));
  Node block = list_node();
  const auto close = [&] {
    add(branch, "actions", std::move(block));
    branches.items.push_back(std::move(branch));
    block = list_node();
    branch = map_node();
  };
  for (const Element& child : conditional.children) {
    if (is_scxml(child, "elseif")) {
      close();
      add(branch, "guard", expression(child, child.get("cond"), "the condition"));
    } else if (is_scxml(child, "else")) {
      close();
    } else {
      read_action(child, block, depth + 1);
    }
  }
  close();
  out.items.push_back(single("if", std::move(branches)));
}

Node Importer::expression(const Element& at, const std::string& source, const std::string& what) {
  if (cel_) return text_node(with_renamed_states(source, names_));
  auto translated = to_cel(source, names_);
  if (translated) return text_node(*std::move(translated));
  error(at, what + " '" + source + "' has no CEL: " + translated.error().message);
  return text_node(source);
}

}  // namespace checkride::scxml

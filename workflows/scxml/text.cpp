#include "workflows/scxml/text.h"

#include <algorithm>

#include "engine/cel/value.h"

namespace checkride::scxml {
namespace {

constexpr std::size_t line_max = 96;

bool is_word(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
}

enum class Quotes { where_needed, always };

std::string scalar(const std::string& text, bool plain, Quotes quotes = Quotes::where_needed) {
  Node as_plain = plain_node(text);
  if (plain && !as_plain.is_string()) return text.empty() ? "null" : text;
  if (quotes == Quotes::where_needed && is_word(text) && as_plain.is_string()) return text;
  std::string result;
  cel::append_json_string(result, text);
  return result;
}

// Depth is bounded by document_depth_max.
std::string flow_text(const Node& node, Quotes quotes) {
  std::string out;
  switch (node.kind) {
    case Node::Kind::null: return "null";
    case Node::Kind::scalar: return scalar(node.text, node.plain, quotes);
    case Node::Kind::list:
      for (const Node& item : node.items)
        out += (out.empty() ? "[" : ", ") + flow_text(item, quotes);
      return out.empty() ? "[]" : out + "]";
    case Node::Kind::map:
      for (const Entry& entry : node.entries) {
        out += (out.empty() ? "{" : ", ") + scalar(entry.key, false, quotes) + ": " +
               flow_text(entry.value, quotes);
      }
      return out.empty() ? "{}" : out + "}";
  }
  return out;
}

// Fits on a line and has no collections in collections.
bool is_short(const std::string& flow, std::size_t indent) {
  return flow.size() <= 2 || (flow.size() + indent < line_max && flow.find('{') == flow.rfind('{'));
}

void block(const Node& node, std::size_t indent, std::string& out) {
  const std::string margin(indent, ' ');
  for (const Entry& entry : node.entries) {
    const std::string flow = to_flow(entry.value);
    out += margin + scalar(entry.key, false) + ":";
    if (is_short(flow, indent) || entry.value.is_scalar()) {
      out += " " + flow + "\n";
      continue;
    }
    out += "\n";
    block(entry.value, indent + 2, out);
  }
  for (const Node& item : node.items) {
    const std::string flow = to_flow(item);
    if (is_short(flow, indent) || item.is_scalar()) {
      out += margin + "- " + flow + "\n";
      continue;
    }
    std::string inside;  // begins on the line of the dash
    block(item, indent + 2, inside);
    out += margin + "- " + inside.substr(indent + 2);
  }
}

}  // namespace

Node text_node(std::string text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = std::move(text);
  return node;
}
Node plain_node(std::string text) {
  Node node = text_node(std::move(text));
  node.plain = true;
  return node;
}
Node list_node() {
  Node node;
  node.kind = Node::Kind::list;
  return node;
}
Node map_node() {
  Node node;
  node.kind = Node::Kind::map;
  return node;
}
void add(Node& map, std::string key, Node value) {
  map.entries.push_back({std::move(key), {}, std::move(value)});
}

std::string to_flow(const Node& node) {
  return flow_text(node, Quotes::where_needed);
}

std::string to_literal(const Node& node) {
  return flow_text(node, Quotes::always);
}

std::string to_block(const Node& map) {
  std::string out;
  block(map, 0, out);
  return out;
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> result;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(" \t\r\n", at)) != std::string::npos) {
    const std::size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
    result.push_back(text.substr(at, end - at));
    at = end;
  }
  return result;
}

bool is_name_character(char c, bool first) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return letter || (!first && ((c >= '0' && c <= '9') || c == '-'));
}

std::string xml_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += "&#10;"; break;
      case '\r': out += "&#13;"; break;
      case '\t': out += "&#9;"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          out += "\xEF\xBF\xBD";
        else
          out += c;
    }
  }
  return out;
}

}  // namespace checkride::scxml

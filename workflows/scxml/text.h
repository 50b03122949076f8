// Text of YAML documents and XML, from the loader's document tree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "workflows/loader/yaml.h"

namespace checkride::scxml {

using loader::Entry;
using loader::Node;

// Trees are built with these. `plain` text is what the core schema says it is; other text is text.
Node text_node(std::string text);
Node plain_node(std::string text);
Node list_node();
Node map_node();
void add(Node& map, std::string key, Node value);

// On one line, as read_yaml reads it again: {a: 1, b: ["x y", z]}.
std::string to_flow(const Node& node);
// The same with all text quoted, which is also a literal of CEL and of JSON.
std::string to_literal(const Node& node);
// As a person would write it: a map with a line a key, short values on that line.
std::string to_block(const Node& map);

// What white space separates.
std::vector<std::string> words(const std::string& text);
// A letter, a digit, '_' or '-'; the first one of a name no digit and no '-'.
bool is_name_character(char c, bool first);

// With &, <, >, quotes and line ends written as references. Characters that XML cannot hold become
// U+FFFD.
std::string xml_escape(std::string_view text);

}  // namespace checkride::scxml

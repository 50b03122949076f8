// An XML document as a tree, read through expat with namespaces resolved. Document types (and with
// them entities), more than xml_bytes_max bytes and nesting over xml_depth_max are refused; so is
// what is not well formed. Errors name line and column. Comments and processing instructions are
// dropped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/decider/definition.h"

namespace checkride::scxml {

inline constexpr std::size_t xml_bytes_max = 1 << 20;
inline constexpr std::size_t xml_depth_max = 128;

struct Attribute {
  std::string space;  // namespace; empty for plain attributes
  std::string name;
  std::string value;
};

struct Element {
  std::string space;
  std::string name;
  std::vector<Attribute> attributes;
  std::vector<Element> children;
  std::string text;  // all character data directly inside
  Place place;       // of the start tag

  // nullptr when absent.
  const std::string* find(std::string_view attribute, std::string_view in_space = {}) const;
  std::string get(std::string_view attribute) const;  // empty when absent
};

Result<Element> read_xml(std::string_view text);

}  // namespace checkride::scxml

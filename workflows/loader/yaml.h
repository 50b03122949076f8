// A YAML document as a tree with places. yaml-cpp 0.7 gives events, marks and scalar text only;
// types are resolved here after the YAML 1.2 core schema, because yaml-cpp follows 1.1 (where `on`
// and `no` are booleans). Anchors, aliases, tags, merge keys, duplicate keys, several documents,
// nesting over document_depth_max and texts over document_bytes_max are refused with their place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cel/program.h"
#include "engine/cel/value.h"
#include "engine/decider/definition.h"
#include "workflows/loader/reporter.h"

namespace checkride::loader {

struct Entry;

struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  Place place;
  std::string text;            // of a scalar, as YAML reads it
  bool plain = false;          // a scalar without quotes: the core schema decides its type
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a map, in document order, keys unique

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  // A scalar that the core schema reads as a string.
  bool is_string() const;
  const Node* find(std::string_view key) const;  // of a map; nullptr when absent
  const Entry* entry(std::string_view key) const;
};

struct Entry {
  std::string key;
  Place place;
  Node value;
};

// "a list", "text", ...: for messages.
std::string_view describe(const Node& node);

// The root of the only document in `text`, or nothing after reporting why.
std::optional<Node> read_yaml(std::string_view text, Reporter& reporter);

// null, bool, int, double or string by the core schema; nullopt for an int beyond 64 bits, and for
// lists and maps.
std::optional<cel::Value> scalar_value(const Node& node);

// Where in the document a position inside a scalar's text stands. Exact for scalars on one line
// that are written as they read and for literal blocks, else the scalar's own place.
Place place_within(const Node& scalar, const cel::Position& position, std::string_view document);

}  // namespace checkride::loader

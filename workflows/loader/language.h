// The words of the definition language: which keys every map of a document may have, what stands
// behind each, and a sentence about it. The reader takes the keys it knows from here, the JSON
// Schema and the reference are written from here (workflows/views), so the three cannot differ.
//
// To add a key: one line in the table of its map (language.cpp), and the code that reads it. A new
// sort of value is one more form; a new map is a table of its own and a line in language_maps().
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace checkride::loader {

struct Key {
  std::string_view name;
  std::string_view form;         // what stands behind it: a form or a map, by name
  std::string_view description;  // one sentence, Markdown
  bool required = false;
};

// A map with fixed keys.
struct MapForm {
  std::string_view name;         // "final_state"
  std::string_view title;        // heading in the reference
  std::string_view description;  // what it is, Markdown
  std::span<const Key> keys;
  std::string_view schema;  // JSON Schema keywords beside `properties`; may be empty
};

// Any other value.
struct Form {
  std::string_view name;
  std::string_view words;   // what a person writes there: "a duration such as `30s`"
  std::string_view schema;  // JSON Schema, as text
};

std::span<const MapForm> language_maps();
std::span<const Form> language_forms();
const MapForm* find_map(std::string_view name);
const Form* find_form(std::string_view name);

// Names of the keys of a map; asking for a map that is not in the table is a bug.
const std::vector<std::string>& keys_of(std::string_view map);

}  // namespace checkride::loader

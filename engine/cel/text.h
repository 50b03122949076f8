// Texts of values and pieces of text: CEL literals, base64, type names, edit distance.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cel/type.h"
#include "engine/cel/value.h"

namespace checkride::cel {

// What type() of a value prints: "int", "list", "google.protobuf.Timestamp".
std::string_view type_name(const Type& type);
// The type of a run-time value; element types of containers are dyn.
Type type_of(const Value& value);

// With quotes, every character that needs it escaped as CEL writes it.
std::string quoted(std::string_view text);

std::string base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);  // padding may be missing

inline int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Whether `text` can stand behind a dot without back quotes.
bool is_identifier(std::string_view text);

// "did you mean 'result'?" for the candidate with the least edits, or "" where none is close.
std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& candidates);

}  // namespace checkride::cel

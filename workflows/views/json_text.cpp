#include "workflows/views/json_text.h"

namespace checkride {
namespace {

namespace json = boost::json;

constexpr std::size_t line_max = 100;

// Depth is bounded by what our own code builds.
void write(const json::value& value, std::size_t depth, std::string& out) {
  const std::string flat = json::serialize(value);
  const bool nested = value.is_object() || value.is_array();
  if (!nested || 2 * depth + flat.size() <= line_max) {
    out += flat;
    return;
  }
  const std::string line = "\n" + std::string(2 * depth + 2, ' ');
  const char* separator = "";
  if (const json::object* object = value.if_object()) {
    out += '{';
    for (const auto& member : *object) {
      out += separator + line + json::serialize(member.key()) + ": ";
      write(member.value(), depth + 1, out);
      separator = ",";
    }
  } else {
    out += '[';
    for (const json::value& item : value.get_array()) {
      out += separator + line;
      write(item, depth + 1, out);
      separator = ",";
    }
  }
  out += "\n" + std::string(2 * depth, ' ') + (value.is_object() ? '}' : ']');
}

}  // namespace

std::string indented(const json::value& value) {
  std::string out;
  write(value, 0, out);
  return out + "\n";
}

}  // namespace checkride

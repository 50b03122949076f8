#include "kernels/tools/csv.h"

#include <charconv>
#include <cmath>

namespace checkride::kernels::tools {

std::vector<std::string> take_csv_record(std::string_view& text, bool& whole) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted && c == '"' && at + 1 < text.size() && text[at + 1] == '"') {
      fields.back() += '"';
      ++at;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c == '\n' && !quoted) {
      break;
    } else if (c != '\r' || quoted) {
      fields.back() += c;
    }
  }
  whole = !quoted;
  text.remove_prefix(at < text.size() ? at + 1 : at);
  return fields;
}

bool read_number(std::string_view text, double& value) {
  constexpr std::size_t digits_max = 64;
  std::string plain;
  std::size_t group = 0;  // digits since the last separator
  bool grouped = false, fraction = false;
  for (const char c : text) {
    if (c == ',') {
      // Separators stand between groups of three, the first of one to three.
      if (fraction || group == 0 || group > 3 || (grouped && group != 3)) return false;
      grouped = true;
      group = 0;
      continue;
    }
    if (c == '.') {
      if (grouped && group != 3) return false;
      fraction = true;
    } else if (c >= '0' && c <= '9' && !fraction) {
      ++group;
    }
    plain += c;
  }
  if (grouped && !fraction && group != 3) return false;
  if (plain.empty() || plain.size() > digits_max) return false;
  const char* const end = plain.data() + plain.size();
  const auto read = std::from_chars(plain.data(), end, value);
  return read.ec == std::errc() && read.ptr == end && std::isfinite(value);
}

}  // namespace checkride::kernels::tools

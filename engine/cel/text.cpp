#include "engine/cel/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/cel/numbers.h"
#include "engine/cel/time_text.h"

namespace checkride::cel {

std::string_view type_name(const Type& type) {
  switch (type.kind()) {
    case Type::Kind::null: return "null_type";
    case Type::Kind::boolean: return "bool";
    case Type::Kind::integer: return "int";
    case Type::Kind::unsigned_integer: return "uint";
    case Type::Kind::floating: return "double";
    case Type::Kind::string: return "string";
    case Type::Kind::bytes: return "bytes";
    case Type::Kind::timestamp: return "google.protobuf.Timestamp";
    case Type::Kind::duration: return "google.protobuf.Duration";
    case Type::Kind::list: return "list";
    case Type::Kind::map:
    case Type::Kind::record: return "map";
    case Type::Kind::optional: return "optional_type";
    case Type::Kind::type: return "type";
    default: return "dyn";
  }
}

Type type_of(const Value& value) {
  switch (value.kind()) {
    case Kind::null: return Type::null();
    case Kind::boolean: return Type::boolean();
    case Kind::integer: return Type::integer();
    case Kind::unsigned_integer: return Type::unsigned_integer();
    case Kind::floating: return Type::floating();
    case Kind::string: return Type::string();
    case Kind::bytes: return Type::bytes();
    case Kind::list: return Type::list(Type::dyn());
    case Kind::map: return Type::map(Type::dyn(), Type::dyn());
    case Kind::timestamp: return Type::timestamp();
    case Kind::duration: return Type::duration();
    case Kind::type: return Type::type_of(Type::dyn());
    case Kind::optional: return Type::optional(Type::dyn());
  }
  return Type::dyn();
}

namespace {

// The escape letter of a control character, or 0.
char escape_letter(char32_t c) {
  switch (c) {
    case '\a': return 'a';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '\v': return 'v';
    case '"': return '"';
    case '\\': return '\\';
    default: return 0;
  }
}

void append_hex_escape(std::string& out, std::uint32_t byte) {
  static constexpr std::string_view hex = "0123456789abcdef";
  out += "\\x";
  out += hex[byte >> 4 & 15];
  out += hex[byte & 15];
}

void append_bytes_literal(std::string& out, std::string_view bytes) {
  out += "b\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (const char letter = byte < 0x80 ? escape_letter(byte) : '\0'; letter != 0) {
      out += '\\';
      out += letter;
    } else if (byte < 0x20 || byte >= 0x7F) {
      append_hex_escape(out, byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_double_literal(std::string& out, double d) {
  const std::string text = double_text(d);
  if (!std::isfinite(d))
    out += "double(\"" + text + "\")";
  else if (text.find_first_of(".e") == std::string::npos)
    out += text + ".0";
  else
    out += text;
}

void append_cel(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Kind::null: out += "null"; break;
    case Kind::boolean: out += value.as_bool() ? "true" : "false"; break;
    case Kind::integer: out += std::to_string(value.as_int()); break;
    case Kind::unsigned_integer: out += std::to_string(value.as_uint()) + "u"; break;
    case Kind::floating: append_double_literal(out, value.as_double()); break;
    case Kind::string: out += quoted(value.as_string()); break;
    case Kind::bytes: append_bytes_literal(out, value.as_bytes().data); break;
    case Kind::list: {
      out += '[';
      bool first = true;
      for (const Value& element : value.as_list()) {
        if (!first) out += ", ";
        first = false;
        append_cel(out, element);
      }
      out += ']';
      break;
    }
    case Kind::map: {
      out += '{';
      bool first = true;
      for (const MapEntry& entry : value.as_map()) {
        if (!first) out += ", ";
        first = false;
        append_cel(out, entry.first);
        out += ": ";
        append_cel(out, entry.second);
      }
      out += '}';
      break;
    }
    case Kind::timestamp: out += "timestamp(\"" + instant_text(value.as_instant()) + "\")"; break;
    case Kind::duration: out += "duration(\"" + duration_text(value.as_duration()) + "\")"; break;
    case Kind::type: out += type_name(value.as_type()); break;
    case Kind::optional:
      if (const Value* content = value.as_optional()) {
        out += "optional.of(";
        append_cel(out, *content);
        out += ')';
      } else {
        out += "optional.none()";
      }
      break;
  }
}

// Edits between two names: a letter changed, added, dropped, or two neighbours swapped. Letters are
// counted without case.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const auto same = [&](std::size_t i, std::size_t j) { return lower(a[i]) == lower(b[j]); };
  std::vector<std::size_t> before(b.size() + 1);  // rows i - 2, i - 1 and i
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j - 1] + (same(i - 1, j - 1) ? 0 : 1), last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string to_cel(const Value& value) {
  std::string out;
  append_cel(out, value);
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = decode_utf8(text, at);
    if (c == invalid_code_point) {
      append_utf8(out, 0xFFFD);
    } else if (const char letter = escape_letter(c); letter != 0) {
      out += '\\';
      out += letter;
    } else if (c < 0x20 || c == 0x7F) {
      append_hex_escape(out, c);
    } else {
      append_utf8(out, c);
    }
  }
  return out + "\"";
}

namespace {
constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

std::string base64(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t triple = 0;
    for (std::size_t j = 0; j < 3; ++j)
      triple = triple << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j <= bytes.size() ? base64_alphabet[triple >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t digit = base64_alphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return out;
}

bool is_identifier(std::string_view text) {
  static constexpr std::array<std::string_view, 4> keywords = {"false", "in", "null", "true"};
  if (text.empty() || (text.front() >= '0' && text.front() <= '9')) return false;
  if (std::find(keywords.begin(), keywords.end(), text) != keywords.end()) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

namespace {
constexpr std::size_t name_bytes_max = 100;  // nobody mistypes a longer name
}

std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& candidates) {
  const std::string* best = nullptr;
  // A third of the letters may differ; further away it is a guess, not a suggestion.
  if (wrong.size() > name_bytes_max) return "";
  std::size_t best_distance = std::max<std::size_t>(1, wrong.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate == wrong || candidate.size() > name_bytes_max) continue;
    const std::size_t distance = edit_distance(wrong, candidate);
    if (distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best == nullptr ? "" : "did you mean '" + *best + "'?";
}

}  // namespace checkride::cel

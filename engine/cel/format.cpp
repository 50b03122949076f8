// "...".format([...]): %s %d %f %e %b %o %x %X and %%, with a precision for %f and %e.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "engine/cel/functions.h"
#include "engine/cel/numbers.h"
#include "engine/cel/text.h"

namespace checkride::cel {
namespace {

constexpr int precision_max = 1000;
constexpr int precision_default = 6;

// How %s prints: like string(), containers too, map entries in the order of their keys' texts.
void append_plain(std::string& out, const Value& value) {
  if (value.kind() == Kind::list) {
    out += '[';
    bool first = true;
    for (const Value& v : value.as_list()) {
      if (!first) out += ", ";
      first = false;
      append_plain(out, v);
    }
    out += ']';
  } else if (value.kind() == Kind::map) {
    std::vector<std::pair<std::string, const Value*>> entries;
    for (const MapEntry& e : value.as_map()) {
      std::string key;
      append_plain(key, e.first);
      entries.emplace_back(std::move(key), &e.second);
    }
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    out += '{';
    bool first = true;
    for (const auto& [key, v] : entries) {
      if (!first) out += ", ";
      first = false;
      out += key + ": ";
      append_plain(out, *v);
    }
    out += '}';
  } else {
    out += string_of(value).value_or(to_cel(value));
  }
}

std::string digits_in_base(std::uint64_t magnitude, unsigned base, bool upper) {
  static constexpr std::string_view lower_digits = "0123456789abcdef";
  static constexpr std::string_view upper_digits = "0123456789ABCDEF";
  std::string out;
  do {
    out += (upper ? upper_digits : lower_digits)[magnitude % base];
    magnitude /= base;
  } while (magnitude > 0);
  std::reverse(out.begin(), out.end());
  return out;
}

std::string integer_in_base(const Value& v, unsigned base, bool upper) {
  if (v.kind() == Kind::unsigned_integer) return digits_in_base(v.as_uint(), base, upper);
  const auto bits = static_cast<std::uint64_t>(v.as_int());
  return v.as_int() < 0 ? "-" + digits_in_base(0 - bits, base, upper)
                        : digits_in_base(bits, base, upper);
}

std::string hex_of_bytes(std::string_view bytes, bool upper) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits_in_base(byte >> 4, 16, upper) + digits_in_base(byte & 15, 16, upper);
  }
  return out;
}

std::string fixed_or_scientific(double d, int precision, bool scientific) {
  if (!std::isfinite(d)) return double_text(d);
  const int length = scientific ? std::snprintf(nullptr, 0, "%.*e", precision, d)
                                : std::snprintf(nullptr, 0, "%.*f", precision, d);
  std::string out(static_cast<std::size_t>(length), '\0');
  std::snprintf(out.data(), out.size() + 1, scientific ? "%.*e" : "%.*f", precision, d);
  return out;
}

double as_double(const Value& v) {
  if (v.kind() == Kind::integer) return static_cast<double>(v.as_int());
  if (v.kind() == Kind::unsigned_integer) return static_cast<double>(v.as_uint());
  return v.as_double();
}

// One clause; nullopt where `verb` does not take a value of this kind.
std::optional<std::string> clause(char verb, int precision, const Value& v) {
  const bool is_integer = v.kind() == Kind::integer || v.kind() == Kind::unsigned_integer;
  switch (verb) {
    case 's': {
      std::string out;
      append_plain(out, v);
      return out;
    }
    case 'd':
      if (is_integer) return integer_in_base(v, 10, false);
      if (v.kind() == Kind::floating) return double_text(v.as_double());
      return std::nullopt;
    case 'f':
    case 'e':
      if (!is_number(v)) return std::nullopt;
      return fixed_or_scientific(as_double(v), precision, verb == 'e');
    case 'b':
      if (v.kind() == Kind::boolean) return v.as_bool() ? "1" : "0";
      return is_integer ? std::optional(integer_in_base(v, 2, false)) : std::nullopt;
    case 'o': return is_integer ? std::optional(integer_in_base(v, 8, false)) : std::nullopt;
    case 'x':
    case 'X':
      if (is_integer) return integer_in_base(v, 16, verb == 'X');
      if (v.kind() == Kind::string) return hex_of_bytes(v.as_string(), verb == 'X');
      if (v.kind() == Kind::bytes) return hex_of_bytes(v.as_bytes().data, verb == 'X');
      return std::nullopt;
    default: return std::nullopt;
  }
}

}  // namespace

bool format(Runtime& runtime, std::string_view pattern, const List& arguments, std::string& out) {
  std::size_t next = 0;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] != '%') {
      out += pattern[at];
      continue;
    }
    ++at;
    if (at < pattern.size() && pattern[at] == '%') {
      out += '%';
      continue;
    }
    int precision = precision_default;
    if (at < pattern.size() && pattern[at] == '.') {
      precision = 0;
      const std::size_t start = ++at;
      while (at < pattern.size() && pattern[at] >= '0' && pattern[at] <= '9') {
        precision = std::min(precision * 10 + (pattern[at] - '0'), precision_max + 1);
        ++at;
      }
      if (at == start) return runtime.fail("a precision in the format has no digits");
      if (precision > precision_max)
        return runtime.fail("a precision in the format is larger than 1000");
    }
    if (at >= pattern.size()) return runtime.fail("the format ends behind '%'");
    const char verb = pattern[at];
    if (std::string_view("sdfebxXo").find(verb) == std::string_view::npos)
      return runtime.fail(std::string("unknown clause '%") + verb + "' in the format");
    if (next >= arguments.size())
      return runtime.fail("the format needs more than " + std::to_string(arguments.size()) +
                          " arguments");
    const Value& argument = arguments[next++];
    if (!runtime.charge_walk(argument)) return false;
    const std::optional<std::string> text = clause(verb, precision, argument);
    if (!text)
      return runtime.fail(std::string("'%") + verb + "' cannot print a value of type " +
                          std::string(to_string(argument.kind())));
    out += *text;
    if (!runtime.charge_bytes(text->size()) || !runtime.allow_bytes(out.size())) return false;
  }
  return true;
}

}  // namespace checkride::cel

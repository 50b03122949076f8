// The string extension (cel-go, ext/strings): positions count code points.
#include <algorithm>
#include <array>
#include <string>

#include "engine/base/utf8.h"
#include "engine/cel/functions.h"
#include "engine/cel/text.h"

namespace checkride::cel {
namespace {

// Every function here walks its receiver a few times.
bool charge_text(Runtime& runtime, const std::string& text) {
  return runtime.charge_bytes(text.size() * 4);
}

bool out_of_range(Runtime& runtime, std::int64_t index) {
  return runtime.fail("index out of range: " + std::to_string(index));
}

// Byte offset of code point `index`, which may be one behind the last; npos when it is outside.
std::size_t offset_of(std::string_view text, std::int64_t index) {
  if (index < 0 || static_cast<std::uint64_t>(index) > text.size()) return std::string_view::npos;
  std::size_t at = 0;
  for (; index > 0; --index) {
    if (at >= text.size()) return std::string_view::npos;
    decode_utf8(text, at);
  }
  return at;
}

Value index_at(std::string_view text, std::size_t offset) {
  if (offset == std::string_view::npos) return Value(-1);
  return Value(static_cast<std::int64_t>(count_code_points(text.substr(0, offset))));
}

bool char_at(Runtime& runtime, Arguments a, Value& out) {
  const std::string& text = a[0]->as_string();
  if (!charge_text(runtime, text)) return false;
  const std::size_t begin = offset_of(text, a[1]->as_int());
  if (begin == std::string::npos) return out_of_range(runtime, a[1]->as_int());
  std::size_t end = begin;
  if (end < text.size()) decode_utf8(text, end);
  out = Value(text.substr(begin, end - begin));
  return true;
}

bool index_of(Runtime& runtime, Arguments a, Value& out) {
  const std::string& text = a[0]->as_string();
  if (!charge_text(runtime, text) || !runtime.charge_find(text.size(), a[1]->as_string().size()))
    return false;
  std::size_t from = 0;
  if (a.size() > 2) {
    from = offset_of(text, a[2]->as_int());
    if (from == std::string::npos) return out_of_range(runtime, a[2]->as_int());
  }
  out = index_at(text, text.find(a[1]->as_string(), from));
  return true;
}

bool last_index_of(Runtime& runtime, Arguments a, Value& out) {
  const std::string& text = a[0]->as_string();
  if (!charge_text(runtime, text) || !runtime.charge_find(text.size(), a[1]->as_string().size()))
    return false;
  std::size_t from = std::string::npos;
  if (a.size() > 2) {
    from = offset_of(text, a[2]->as_int());
    if (from == std::string::npos) return out_of_range(runtime, a[2]->as_int());
  }
  out = index_at(text, text.rfind(a[1]->as_string(), from));
  return true;
}

bool lower_ascii(Runtime& runtime, Arguments a, Value& out) {
  std::string text = a[0]->as_string();
  if (!charge_text(runtime, text)) return false;
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  out = Value(std::move(text));
  return true;
}

bool upper_ascii(Runtime& runtime, Arguments a, Value& out) {
  std::string text = a[0]->as_string();
  if (!charge_text(runtime, text)) return false;
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  out = Value(std::move(text));
  return true;
}

// Where the next `part` begins at or behind `from`; an empty part is found at every code point and
// at the end.
std::size_t find_part(std::string_view text, std::string_view part, std::size_t from) {
  return from > text.size() ? std::string_view::npos : text.find(part, from);
}

bool replace(Runtime& runtime, Arguments a, Value& out) {
  const std::string& text = a[0]->as_string();
  const std::string& part = a[1]->as_string();
  const std::string& by = a[2]->as_string();
  const std::int64_t limit = a.size() > 3 ? a[3]->as_int() : -1;
  if (!charge_text(runtime, text) || !runtime.charge_find(text.size(), part.size())) return false;
  std::string result;
  std::size_t at = 0;
  for (std::int64_t count = 0; limit < 0 || count < limit; ++count) {
    const std::size_t found = find_part(text, part, at);
    if (found == std::string::npos) break;
    result.append(text, at, found - at);
    result += by;
    at = found + part.size();
    if (part.empty()) {
      if (at >= text.size()) {
        ++at;  // replaced behind the last character: done
        break;
      }
      std::size_t next = at;
      decode_utf8(text, next);
      result.append(text, at, next - at);
      at = next;
    }
    if (!runtime.charge(1 + by.size() / 64) || !runtime.allow_bytes(result.size())) return false;
  }
  if (at < text.size()) result.append(text, at);
  if (!runtime.allow_bytes(result.size())) return false;
  out = Value(std::move(result));
  return true;
}

bool split(Runtime& runtime, Arguments a, Value& out) {
  const std::string& text = a[0]->as_string();
  const std::string& separator = a[1]->as_string();
  const std::int64_t limit = a.size() > 2 ? a[2]->as_int() : -1;
  if (!charge_text(runtime, text) || !runtime.charge_find(text.size(), separator.size()))
    return false;
  List parts;
  std::size_t at = 0;
  while (limit != 0) {
    const bool is_last = limit > 0 && static_cast<std::int64_t>(parts.size()) + 1 == limit;
    std::size_t end = is_last ? std::string::npos : text.find(separator, at);
    if (!is_last && separator.empty()) {
      if (at >= text.size()) break;
      end = at;
      decode_utf8(text, end);
      if (end == text.size()) end = std::string::npos;
    }
    parts.push_back(Value(text.substr(at, end == std::string::npos ? end : end - at)));
    if (!runtime.charge(1) ||
        !runtime.allow_bytes(parts.size() * (sizeof(Value) + sizeof(std::string))))
      return false;
    if (end == std::string::npos) break;
    at = end + separator.size();
  }
  out = Value(std::move(parts));
  return true;
}

bool substring(Runtime& runtime, Arguments a, Value& out) {
  const std::string& text = a[0]->as_string();
  if (!charge_text(runtime, text)) return false;
  const std::size_t begin = offset_of(text, a[1]->as_int());
  if (begin == std::string::npos) return out_of_range(runtime, a[1]->as_int());
  std::size_t end = text.size();
  if (a.size() > 2) {
    end = offset_of(text, a[2]->as_int());
    if (end == std::string::npos) return out_of_range(runtime, a[2]->as_int());
    if (end < begin)
      return runtime.fail("invalid substring range: start " + to_cel(*a[1]) + ", end " +
                          to_cel(*a[2]));
  }
  out = Value(text.substr(begin, end - begin));
  return true;
}

// Unicode's White_Space property.
bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool trim(Runtime& runtime, Arguments a, Value& out) {
  const std::string& text = a[0]->as_string();
  if (!charge_text(runtime, text)) return false;
  std::size_t begin = text.size();
  std::size_t end = begin;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    if (is_space(decode_utf8(text, at))) continue;
    begin = std::min(begin, start);
    end = at;
  }
  out = Value(begin < end ? text.substr(begin, end - begin) : std::string());
  return true;
}

bool reverse(Runtime& runtime, Arguments a, Value& out) {
  const std::string& text = a[0]->as_string();
  if (!charge_text(runtime, text)) return false;
  std::string result(text.size(), '\0');
  std::size_t to = text.size();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    decode_utf8(text, at);
    to -= at - start;
    text.copy(result.data() + to, at - start, start);
  }
  out = Value(std::move(result));
  return true;
}

bool join(Runtime& runtime, Arguments a, Value& out) {
  const std::string separator = a.size() > 1 ? a[1]->as_string() : std::string();
  std::string result;
  bool first = true;
  for (const Value& v : a[0]->as_list()) {
    if (v.kind() != Kind::string)
      return runtime.fail("no such overload: join() takes a list of strings");
    if (!first) result += separator;
    first = false;
    result += v.as_string();
    if (!runtime.charge(1 + (v.as_string().size() + separator.size()) / 64) ||
        !runtime.allow_bytes(result.size()))
      return false;
  }
  out = Value(std::move(result));
  return true;
}

bool quote(Runtime& runtime, Arguments a, Value& out) {
  if (!charge_text(runtime, a[0]->as_string())) return false;
  std::string result = quoted(a[0]->as_string());
  if (!runtime.allow_bytes(result.size())) return false;
  out = Value(std::move(result));
  return true;
}

bool format_text(Runtime& runtime, Arguments a, Value& out) {
  if (!charge_text(runtime, a[0]->as_string())) return false;
  std::string result;
  if (!format(runtime, a[0]->as_string(), a[1]->as_list(), result)) return false;
  out = Value(std::move(result));
  return true;
}

}  // namespace

void add_string_functions(FunctionTable& table) {
  table.add("charAt", "string.(int) -> string", &char_at);
  for (const char* signature : {"string.(string) -> int", "string.(string, int) -> int"}) {
    table.add("indexOf", signature, &index_of);
    table.add("lastIndexOf", signature, &last_index_of);
  }
  table.add("lowerAscii", "string.() -> string", &lower_ascii);
  table.add("upperAscii", "string.() -> string", &upper_ascii);
  table.add("replace", "string.(string, string) -> string", &replace);
  table.add("replace", "string.(string, string, int) -> string", &replace);
  table.add("split", "string.(string) -> list<string>", &split);
  table.add("split", "string.(string, int) -> list<string>", &split);
  table.add("substring", "string.(int) -> string", &substring);
  table.add("substring", "string.(int, int) -> string", &substring);
  table.add("trim", "string.() -> string", &trim);
  table.add("reverse", "string.() -> string", &reverse);
  table.add("join", "list<string>.() -> string", &join);
  table.add("join", "list<string>.(string) -> string", &join);
  table.add("strings.quote", "(string) -> string", &quote);
  table.add("format", "string.(list<dyn>) -> string", &format_text);
}

}  // namespace checkride::cel

// The standard definitions of CEL (google/cel-spec, langdef.md, "Standard Definitions"), but for
// time.
#include <charconv>
#include <cmath>

#include "engine/base/utf8.h"
#include "engine/cel/functions.h"
#include "engine/cel/numbers.h"
#include "engine/cel/regex.h"
#include "engine/cel/text.h"
#include "engine/cel/time_text.h"

namespace checkride::cel {
namespace {

// The whole text as a decimal integer, a sign allowed.
template <class Integer>
bool parse_integer(std::string_view text, Integer& value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

bool to_int(Runtime& runtime, Arguments a, Value& out) {
  switch (a[0]->kind()) {
    case Kind::unsigned_integer:
      if (a[0]->as_uint() > static_cast<std::uint64_t>(INT64_MAX))
        return runtime.fail("range error: " + to_cel(*a[0]) + " does not fit in an int");
      out = Value(static_cast<std::int64_t>(a[0]->as_uint()));
      return true;
    case Kind::floating: {
      const double d = a[0]->as_double();
      // Both ends excluded: near them doubles are too coarse to tell in from out.
      if (!(d > -0x1p63 && d < 0x1p63))
        return runtime.fail("range error: " + double_text(d) + " does not fit in an int");
      out = Value(static_cast<std::int64_t>(d));
      return true;
    }
    case Kind::string: {
      std::int64_t i = 0;
      if (!parse_integer(a[0]->as_string(), i))
        return runtime.fail(quoted(a[0]->as_string()) + " is no int");
      out = Value(i);
      return true;
    }
    case Kind::timestamp: out = Value(a[0]->as_instant().seconds); return true;
    default: out = *a[0]; return true;
  }
}

bool to_uint(Runtime& runtime, Arguments a, Value& out) {
  switch (a[0]->kind()) {
    case Kind::integer:
      if (a[0]->as_int() < 0)
        return runtime.fail("range error: " + to_cel(*a[0]) + " does not fit in a uint");
      out = Value(static_cast<std::uint64_t>(a[0]->as_int()));
      return true;
    case Kind::floating: {
      const double d = a[0]->as_double();
      if (!(d >= 0 && d < 0x1p64))
        return runtime.fail("range error: " + double_text(d) + " does not fit in a uint");
      out = Value(static_cast<std::uint64_t>(d));
      return true;
    }
    case Kind::string: {
      std::uint64_t u = 0;
      if (!parse_integer(a[0]->as_string(), u))
        return runtime.fail(quoted(a[0]->as_string()) + " is no uint");
      out = Value(u);
      return true;
    }
    default: out = *a[0]; return true;
  }
}

bool to_double(Runtime& runtime, Arguments a, Value& out) {
  switch (a[0]->kind()) {
    case Kind::integer: out = Value(static_cast<double>(a[0]->as_int())); return true;
    case Kind::unsigned_integer: out = Value(static_cast<double>(a[0]->as_uint())); return true;
    case Kind::string: {
      const std::optional<double> d = parse_double(a[0]->as_string());
      if (!d) return runtime.fail(quoted(a[0]->as_string()) + " is no double");
      out = Value(*d);
      return true;
    }
    default: out = *a[0]; return true;
  }
}

bool to_bool(Runtime& runtime, Arguments a, Value& out) {
  if (a[0]->kind() == Kind::boolean) {
    out = *a[0];
    return true;
  }
  const std::string& text = a[0]->as_string();
  if (text == "true" || text == "True" || text == "TRUE" || text == "t" || text == "T" ||
      text == "1") {
    out = Value(true);
  } else if (text == "false" || text == "False" || text == "FALSE" || text == "f" || text == "F" ||
             text == "0") {
    out = Value(false);
  } else {
    return runtime.fail(quoted(text) + " is no bool");
  }
  return true;
}

bool to_string_value(Runtime& runtime, Arguments a, Value& out) {
  if (a[0]->kind() == Kind::string) {
    out = *a[0];
    return true;
  }
  if (a[0]->kind() == Kind::bytes && !is_valid_utf8(a[0]->as_bytes().data))
    return runtime.fail("the bytes are no valid UTF-8");
  std::optional<std::string> text = string_of(*a[0]);
  if (!text) return runtime.fail("no such overload: string()");
  out = Value(*std::move(text));
  return true;
}

bool to_bytes(Runtime&, Arguments a, Value& out) {
  out = a[0]->kind() == Kind::string ? Value(Bytes{a[0]->as_string()}) : *a[0];
  return true;
}

bool size(Runtime& runtime, Arguments a, Value& out) {
  std::size_t count = 0;
  switch (a[0]->kind()) {
    case Kind::string:
      if (!runtime.charge_bytes(a[0]->as_string().size())) return false;
      count = count_code_points(a[0]->as_string());
      break;
    case Kind::bytes: count = a[0]->as_bytes().data.size(); break;
    case Kind::list: count = a[0]->as_list().size(); break;
    default: count = a[0]->as_map().size();
  }
  out = Value(static_cast<std::int64_t>(count));
  return true;
}

bool contains(Runtime& runtime, Arguments a, Value& out) {
  if (!runtime.charge_find(a[0]->as_string().size(), a[1]->as_string().size())) return false;
  out = Value(a[0]->as_string().find(a[1]->as_string()) != std::string::npos);
  return true;
}

bool starts_with(Runtime&, Arguments a, Value& out) {
  out = Value(a[0]->as_string().starts_with(a[1]->as_string()));
  return true;
}

bool ends_with(Runtime&, Arguments a, Value& out) {
  out = Value(a[0]->as_string().ends_with(a[1]->as_string()));
  return true;
}

bool matches(Runtime& runtime, Arguments a, Value& out) {
  // Compiling an automaton is dear next to a step.
  if (!runtime.charge(10 + a[1]->as_string().size()) ||
      !runtime.charge_bytes(a[0]->as_string().size() * 8))
    return false;
  const auto regex = compile_regex(a[1]->as_string());
  if (!regex) return runtime.fail(regex.error().message);
  if (!runtime.charge((*regex)->size())) return false;  // "x{1000}" is short and large
  out = Value((*regex)->matches(a[0]->as_string()));
  return true;
}

bool type(Runtime&, Arguments a, Value& out) {
  out = Value(type_of(*a[0]));
  return true;
}

bool same(Runtime&, Arguments a, Value& out) {
  out = *a[0];
  return true;
}

}  // namespace

std::optional<std::string> string_of(const Value& value) {
  switch (value.kind()) {
    case Kind::boolean: return value.as_bool() ? "true" : "false";
    case Kind::integer: return std::to_string(value.as_int());
    case Kind::unsigned_integer: return std::to_string(value.as_uint());
    case Kind::floating: return double_text(value.as_double());
    case Kind::string: return value.as_string();
    case Kind::bytes: return value.as_bytes().data;
    case Kind::timestamp: return instant_text(value.as_instant());
    case Kind::duration: return duration_text(value.as_duration());
    case Kind::null: return "null";
    case Kind::type: return std::string(type_name(value.as_type()));
    default: return std::nullopt;
  }
}

void add_standard_functions(FunctionTable& table) {
  for (const char* signature :
       {"(string) -> int", "(bytes) -> int", "(list<T>) -> int", "(map<K, V>) -> int",
        "string.() -> int", "bytes.() -> int", "list<T>.() -> int", "map<K, V>.() -> int"})
    table.add("size", signature, &size);
  table.add("contains", "string.(string) -> bool", &contains);
  table.add("startsWith", "string.(string) -> bool", &starts_with);
  table.add("endsWith", "string.(string) -> bool", &ends_with);
  table.add("matches", "string.(string) -> bool", &matches);
  table.add("matches", "(string, string) -> bool", &matches);
  for (const char* signature : {"(int) -> int", "(uint) -> int", "(double) -> int",
                                "(string) -> int", "(timestamp) -> int"})
    table.add("int", signature, &to_int);
  for (const char* signature :
       {"(uint) -> uint", "(int) -> uint", "(double) -> uint", "(string) -> uint"})
    table.add("uint", signature, &to_uint);
  for (const char* signature :
       {"(double) -> double", "(int) -> double", "(uint) -> double", "(string) -> double"})
    table.add("double", signature, &to_double);
  for (const char* signature : {"(bool) -> bool", "(string) -> bool"})
    table.add("bool", signature, &to_bool);
  for (const char* signature :
       {"(string) -> string", "(bool) -> string", "(int) -> string", "(uint) -> string",
        "(double) -> string", "(bytes) -> string", "(timestamp) -> string", "(duration) -> string"})
    table.add("string", signature, &to_string_value);
  for (const char* signature : {"(bytes) -> bytes", "(string) -> bytes"})
    table.add("bytes", signature, &to_bytes);
  table.add("type", "(T) -> type<T>", &type);
  table.add("dyn", "(T) -> dyn", &same);
}

}  // namespace checkride::cel

#include "tests/conformance/cel/decode.h"

#include <charconv>
#include <cmath>

#include "engine/cel/numbers.h"
#include "engine/cel/text.h"
#include "engine/cel/time_text.h"

namespace checkride::cel {
namespace {

template <class Integer>
std::optional<Integer> integer(const Value& json) {
  if (json.kind() == Kind::integer) return static_cast<Integer>(json.as_int());
  if (json.kind() != Kind::string) return std::nullopt;
  const std::string& text = json.as_string();
  Integer value{};
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::optional<Type> type_by_name(const std::string& name) {
  if (name == "null_type") return Type::null();
  if (name == "error") return Type::dyn();  // it goes with everything, as dyn does
  if (name == "google.protobuf.Timestamp") return Type::timestamp();
  if (name == "google.protobuf.Duration") return Type::duration();
  if (name == "list") return Type::list(Type::dyn());
  if (name == "map") return Type::map(Type::dyn(), Type::dyn());
  if (name == "type") return Type::type_of(Type::dyn());
  if (name == "optional_type") return Type::optional(Type::dyn());
  const Result<Type> type = parse_type(name);
  return type ? std::optional(*type) : std::nullopt;
}

// The pairs or elements of a JSON list; empty, with `wrong` set, where it is none.
const List& elements(const Value& json, bool& wrong) {
  static const List none;
  wrong = json.kind() != Kind::list;
  return wrong ? none : json.as_list();
}

std::optional<Value> decode_list(const Value& json) {
  bool wrong = false;
  List list;
  for (const Value& element : elements(json, wrong)) {
    std::optional<Value> value = decode_value(element);
    if (!value) return std::nullopt;
    list.push_back(*std::move(value));
  }
  return wrong ? std::nullopt : std::optional(Value(std::move(list)));
}

std::optional<Value> decode_map(const Value& json) {
  bool wrong = false;
  std::vector<MapEntry> entries;
  for (const Value& pair : elements(json, wrong)) {
    if (pair.kind() != Kind::list || pair.as_list().size() != 2) return std::nullopt;
    std::optional<Value> key = decode_value(pair.as_list()[0]);
    std::optional<Value> value = decode_value(pair.as_list()[1]);
    if (!key || !value) return std::nullopt;
    entries.emplace_back(*std::move(key), *std::move(value));
  }
  if (wrong) return std::nullopt;
  Result<Map> map = Map::from_entries(std::move(entries));
  return map ? std::optional(Value(*std::move(map))) : std::nullopt;
}

std::optional<Value> decode_time(const std::string& kind, const Value& json) {
  const Value* seconds_json = json.field("seconds");
  if (seconds_json == nullptr) return std::nullopt;
  const std::optional<std::int64_t> seconds = integer<std::int64_t>(*seconds_json);
  const std::int64_t nanos = json.int_or("nanos", 0);
  if (!seconds || nanos <= -1'000'000'000 || nanos >= 1'000'000'000) return std::nullopt;
  if (kind == "timestamp") {
    const bool in_range = *seconds >= instant_seconds_min && *seconds <= instant_seconds_max;
    if (!in_range || nanos < 0) return std::nullopt;
    return Value(Instant{*seconds, static_cast<std::int32_t>(nanos)});
  }
  std::int64_t ns = 0;
  if (__builtin_mul_overflow(*seconds, std::int64_t{1'000'000'000}, &ns) ||
      __builtin_add_overflow(ns, nanos, &ns))
    return std::nullopt;
  return Value(Duration(ns));
}

}  // namespace

std::optional<Value> decode_value(const Value& json) {
  if (json.kind() != Kind::map || json.as_map().size() != 1) return std::nullopt;
  const std::string& kind = json.as_map().begin()->first.as_string();
  const Value& content = json.as_map().begin()->second;
  if (kind == "null") return Value();
  if (kind == "list") return decode_list(content);
  if (kind == "map") return decode_map(content);
  if (kind == "timestamp" || kind == "duration") return decode_time(kind, content);
  if (kind == "bool")
    return content.kind() == Kind::boolean ? std::optional(content) : std::nullopt;
  if (kind == "int") {
    const auto value = integer<std::int64_t>(content);
    return value ? std::optional(Value(*value)) : std::nullopt;
  }
  if (kind == "uint") {
    const auto value = integer<std::uint64_t>(content);
    return value ? std::optional(Value(*value)) : std::nullopt;
  }
  if (content.kind() != Kind::string) return std::nullopt;
  if (kind == "string") return content;
  if (kind == "double") {
    const auto value = parse_double(content.as_string());
    return value ? std::optional(Value(*value)) : std::nullopt;
  }
  if (kind == "bytes") {
    auto bytes = from_hex(content.as_string());
    return bytes ? std::optional(Value(Bytes{*std::move(bytes)})) : std::nullopt;
  }
  if (kind == "type") {
    auto type = type_by_name(content.as_string());
    return type ? std::optional(Value(*std::move(type))) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::vector<Type>> decode_types(const Value& json) {
  if (json.kind() != Kind::list) return std::nullopt;
  std::vector<Type> types;
  for (const Value& element : json.as_list()) {
    std::optional<Type> type = decode_type(element);
    if (!type) return std::nullopt;
    types.push_back(*std::move(type));
  }
  return types;
}

std::optional<Type> decode_type(const Value& json) {
  if (json.kind() == Kind::string) return type_by_name(json.as_string());
  if (json.kind() != Kind::map || json.as_map().size() != 1) return std::nullopt;
  const std::string& kind = json.as_map().begin()->first.as_string();
  const Value& content = json.as_map().begin()->second;
  if (kind == "map") {
    const auto types = decode_types(content);
    const bool is_pair = types && types->size() == 2;
    return is_pair ? std::optional(Type::map((*types)[0], (*types)[1])) : std::nullopt;
  }
  if (kind == "param")
    return content.kind() == Kind::string ? std::optional(Type::parameter(content.as_string()))
                                          : std::nullopt;
  if (kind == "abstract") {
    const Value* params = content.field("params");
    const auto types = params == nullptr ? std::vector<Type>() : decode_types(*params);
    const std::string name = content.string_or("name", "");
    if (!types || name.empty()) return std::nullopt;
    if (name != "optional_type") return Type::opaque(name, *types);
    return Type::optional(types->empty() ? Type::dyn() : types->front());
  }
  const auto subject = decode_type(content);
  if (!subject) return std::nullopt;
  if (kind == "list") return Type::list(*subject);
  if (kind == "type") return Type::type_of(*subject);
  if (kind == "wrapper") return Type::nullable(*subject);
  return std::nullopt;
}

bool same_outcome(const Value& expected, const Value& actual) {
  if (expected.kind() != actual.kind()) return false;
  switch (expected.kind()) {
    case Kind::floating:
      return expected == actual ||
             (std::isnan(expected.as_double()) && std::isnan(actual.as_double()));
    case Kind::list: {
      const List& a = expected.as_list();
      const List& b = actual.as_list();
      if (a.size() != b.size()) return false;
      for (std::size_t i = 0; i < a.size(); ++i)
        if (!same_outcome(a[i], b[i])) return false;
      return true;
    }
    case Kind::map: {
      if (expected.as_map().size() != actual.as_map().size()) return false;
      auto b = actual.as_map().begin();
      for (const MapEntry& a : expected.as_map()) {
        if (!same_outcome(a.first, b->first) || !same_outcome(a.second, b->second)) return false;
        ++b;
      }
      return true;
    }
    case Kind::type: return type_name(expected.as_type()) == type_name(actual.as_type());
    default: return expected == actual;
  }
}

}  // namespace checkride::cel

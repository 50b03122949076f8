#include "tests/conformance/cel/decode.h"

#include <charconv>
#include <cmath>

#include "engine/cel/numbers.h"
#include "engine/cel/text.h"

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
  if (name == "google.protobuf.Timestamp") return Type::timestamp();
  if (name == "google.protobuf.Duration") return Type::duration();
  if (name == "list") return Type::list(Type::dyn());
  if (name == "map") return Type::map(Type::dyn(), Type::dyn());
  if (name == "type") return Type::type_of(Type::dyn());
  if (name == "optional_type") return Type::optional(Type::dyn());
  const Result<Type> type = parse_type(name);
  return type ? std::optional(*type) : std::nullopt;
}

std::optional<Value> decode_list(const Value& json) {
  List list;
  for (const Value& element : json.as_list()) {
    std::optional<Value> value = decode_value(element);
    if (!value) return std::nullopt;
    list.push_back(*std::move(value));
  }
  return Value(std::move(list));
}

std::optional<Value> decode_map(const Value& json) {
  std::vector<MapEntry> entries;
  for (const Value& pair : json.as_list()) {
    std::optional<Value> key = decode_value(pair.as_list().at(0));
    std::optional<Value> value = decode_value(pair.as_list().at(1));
    if (!key || !value) return std::nullopt;
    entries.emplace_back(*std::move(key), *std::move(value));
  }
  Result<Map> map = Map::from_entries(std::move(entries));
  return map ? std::optional(Value(*std::move(map))) : std::nullopt;
}

std::optional<Value> decode_time(const std::string& kind, const Value& json) {
  const Value* seconds_json = json.field("seconds");
  if (seconds_json == nullptr) return std::nullopt;
  const std::optional<std::int64_t> seconds = integer<std::int64_t>(*seconds_json);
  const std::int64_t nanos = json.int_or("nanos", 0);
  if (!seconds) return std::nullopt;
  if (kind == "timestamp") return Value(Instant{*seconds, static_cast<std::int32_t>(nanos)});
  return Value(Duration(*seconds * 1'000'000'000 + nanos));
}

}  // namespace

std::optional<Value> decode_value(const Value& json) {
  if (json.kind() != Kind::map || json.as_map().size() != 1) return std::nullopt;
  const std::string& kind = json.as_map().begin()->first.as_string();
  const Value& content = json.as_map().begin()->second;
  if (kind == "null") return Value();
  if (kind == "bool" || kind == "string") return content;
  if (kind == "int") {
    const auto value = integer<std::int64_t>(content);
    return value ? std::optional(Value(*value)) : std::nullopt;
  }
  if (kind == "uint") {
    const auto value = integer<std::uint64_t>(content);
    return value ? std::optional(Value(*value)) : std::nullopt;
  }
  if (kind == "double") {
    const auto value = parse_double(content.as_string());
    return value ? std::optional(Value(*value)) : std::nullopt;
  }
  if (kind == "bytes") {
    auto bytes = from_hex(content.as_string());
    return bytes ? std::optional(Value(Bytes{*std::move(bytes)})) : std::nullopt;
  }
  if (kind == "timestamp" || kind == "duration") return decode_time(kind, content);
  if (kind == "list") return decode_list(content);
  if (kind == "map") return decode_map(content);
  if (kind == "type") {
    auto type = type_by_name(content.as_string());
    return type ? std::optional(Value(*std::move(type))) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Type> decode_type(const Value& json) {
  if (json.kind() == Kind::string) return type_by_name(json.as_string());
  if (json.kind() != Kind::map || json.as_map().size() != 1) return std::nullopt;
  const std::string& kind = json.as_map().begin()->first.as_string();
  const Value& content = json.as_map().begin()->second;
  if (kind == "list") {
    auto element = decode_type(content);
    return element ? std::optional(Type::list(*element)) : std::nullopt;
  }
  if (kind == "map") {
    auto key = decode_type(content.as_list().at(0));
    auto value = decode_type(content.as_list().at(1));
    return key && value ? std::optional(Type::map(*key, *value)) : std::nullopt;
  }
  if (kind == "type") {
    auto subject = decode_type(content);
    return subject ? std::optional(Type::type_of(*subject)) : std::nullopt;
  }
  if (kind == "wrapper") return Type::dyn();  // a value or null
  if (kind == "abstract" && content.string_or("name", "") == "optional_type") {
    const Value* params = content.field("params");
    if (params == nullptr || params->as_list().empty()) return Type::optional(Type::dyn());
    auto element = decode_type(params->as_list().front());
    return element ? std::optional(Type::optional(*element)) : std::nullopt;
  }
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

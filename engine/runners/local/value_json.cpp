#include "engine/runners/local/value_json.h"

#include <array>
#include <boost/json/parser.hpp>
#include <charconv>
#include <cmath>
#include <limits>

#include "engine/cel/type.h"

namespace checkride {

namespace json = boost::json;

namespace {

constexpr int depth_max = 100;

tl::unexpected<Error> bad(std::string_view what) {
  return fail(ErrorCode::corrupt, "a stored value is damaged: " + std::string(what));
}

std::string double_text(double d) {
  if (std::isnan(d)) return "nan";
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), d);
  return {text.data(), end.ptr};
}

Result<double> double_from(std::string_view text) {
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  double d = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), d);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return bad("no double");
  return d;
}

Result<std::uint64_t> unsigned_from(std::string_view text) {
  std::uint64_t u = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), u);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return bad("no uint");
  return u;
}

std::string hex(std::string_view bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text.push_back(digits[static_cast<unsigned char>(c) >> 4]);
    text.push_back(digits[static_cast<unsigned char>(c) & 15]);
  }
  return text;
}

Result<std::string> from_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  if (text.size() % 2 != 0 || text.find_first_not_of("0123456789abcdef") != text.npos)
    return bad("no bytes");
  for (std::size_t i = 0; i < text.size(); i += 2)
    bytes.push_back(static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1])));
  return bytes;
}

json::value tagged(const char* tag, json::value content) {
  json::object object;
  object[tag] = std::move(content);
  return object;
}

Result<cel::Value> decode(const json::value& json, int depth);

Result<cel::List> decode_list(const json::value& json, int depth) {
  if (!json.is_array()) return bad("no list");
  cel::List list;
  list.reserve(json.get_array().size());
  for (const json::value& item : json.get_array()) {
    CR_TRY(cel::Value value, decode(item, depth + 1));
    list.push_back(std::move(value));
  }
  return list;
}

Result<cel::Value> decode_map(const json::value& json, int depth) {
  if (!json.is_array()) return bad("no map");
  std::vector<cel::MapEntry> entries;
  for (const json::value& item : json.get_array()) {
    CR_TRY(cel::List pair, decode_list(item, depth + 1));
    if (pair.size() != 2) return bad("a map entry is no pair");
    entries.emplace_back(std::move(pair[0]), std::move(pair[1]));
  }
  CR_TRY(cel::Map map, cel::Map::from_entries(std::move(entries)));
  return cel::Value(std::move(map));
}

Result<cel::Value> decode_tagged(std::string_view tag, const json::value& content, int depth) {
  if (tag == "m") return decode_map(content, depth);
  if (tag == "o") {
    CR_TRY(const cel::List held, decode_list(content, depth));
    if (held.size() > 1) return bad("an optional with two values");
    return held.empty() ? cel::Value::optional_none() : cel::Value::optional_of(held[0]);
  }
  if (tag == "t" && content.is_int64()) return cel::Value(Timestamp{content.get_int64()});
  if (tag == "n" && content.is_int64()) return cel::Value(Duration(content.get_int64()));
  if (!content.is_string()) return bad("unknown form '" + std::string(tag) + "'");
  const std::string_view text(content.get_string().data(), content.get_string().size());
  if (tag == "u") {
    CR_TRY(const std::uint64_t u, unsigned_from(text));
    return cel::Value(u);
  }
  if (tag == "d") {
    CR_TRY(const double d, double_from(text));
    return cel::Value(d);
  }
  if (tag == "b") {
    CR_TRY(std::string bytes, from_hex(text));
    return cel::Value(cel::Bytes{std::move(bytes)});
  }
  if (tag == "y") {
    CR_TRY(cel::Type type, cel::parse_type(text));
    return cel::Value(std::move(type));
  }
  return bad("unknown form '" + std::string(tag) + "'");
}

Result<cel::Value> decode(const json::value& json, int depth) {
  if (depth > depth_max) return bad("it nests too deep");
  switch (json.kind()) {
    case json::kind::null: return cel::Value();
    case json::kind::bool_: return cel::Value(json.get_bool());
    case json::kind::int64: return cel::Value(json.get_int64());
    case json::kind::string:
      return cel::Value(std::string(json.get_string().data(), json.get_string().size()));
    case json::kind::array: {
      CR_TRY(cel::List list, decode_list(json, depth));
      return cel::Value(std::move(list));
    }
    case json::kind::object: {
      const json::object& object = json.get_object();
      if (object.size() != 1) return bad("a tagged value has one key");
      const auto key = object.begin()->key();
      return decode_tagged({key.data(), key.size()}, object.begin()->value(), depth);
    }
    case json::kind::uint64:
    case json::kind::double_: break;
  }
  return bad("an untagged number");
}

}  // namespace

json::value value_to_json(const cel::Value& value) {
  switch (value.kind()) {
    case cel::Kind::null: return nullptr;
    case cel::Kind::boolean: return value.as_bool();
    case cel::Kind::integer: return value.as_int();
    case cel::Kind::unsigned_integer:
      return tagged("u", json::string(std::to_string(value.as_uint())));
    case cel::Kind::floating: return tagged("d", json::string(double_text(value.as_double())));
    case cel::Kind::string: return json::string(value.as_string());
    case cel::Kind::bytes: return tagged("b", json::string(hex(value.as_bytes().data)));
    case cel::Kind::timestamp: return tagged("t", value.as_timestamp().ns);
    case cel::Kind::duration: return tagged("n", value.as_duration().count());
    case cel::Kind::type: return tagged("y", json::string(cel::to_string(value.as_type())));
    case cel::Kind::list: {
      json::array array;
      for (const cel::Value& item : value.as_list()) array.push_back(value_to_json(item));
      return array;
    }
    case cel::Kind::map: {
      json::array entries;
      for (const auto& [key, item] : value.as_map()) {
        json::array pair;
        pair.push_back(value_to_json(key));
        pair.push_back(value_to_json(item));
        entries.push_back(std::move(pair));
      }
      return tagged("m", std::move(entries));
    }
    case cel::Kind::optional: {
      json::array held;
      if (const cel::Value* inner = value.as_optional()) held.push_back(value_to_json(*inner));
      return tagged("o", std::move(held));
    }
  }
  return nullptr;
}

Result<cel::Value> value_from_json(const json::value& json) {
  return decode(json, 0);
}

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = 4 * depth_max;  // a map costs three levels of JSON
  options.allow_invalid_utf8 = true;
  json::parser parser({}, options);
  boost::system::error_code error;
  const std::size_t used = parser.write(text.data(), text.size(), error);
  if (error)
    return fail(ErrorCode::corrupt,
                "no JSON after byte " + std::to_string(used) + ": " + error.message());
  return parser.release();
}

}  // namespace checkride

#include "tests/support/json_schema.h"

#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "engine/base/utf8.h"

namespace checkride::test {
namespace {

namespace json = boost::json;
using Problem = std::optional<std::string>;

class Validator {
 public:
  explicit Validator(const json::value& root) : root_(root) {}

  Problem check(const json::value& schema, const json::value& value, const std::string& at) {
    if (schema.is_bool())
      return schema.get_bool() ? std::nullopt : Problem(at + ": nothing may stand here");
    const json::object& object = schema.get_object();
    for (const auto& member : object) {
      const std::string_view word = member.key();
      if (known.find(word) == known.end()) return at + ": unknown keyword " + std::string(word);
      if (auto problem = keyword(word, member.value(), object, value, at)) return problem;
    }
    return std::nullopt;
  }

 private:
  inline static const std::set<std::string_view> known = {"$ref",
                                                          "$defs",
                                                          "$schema",
                                                          "$comment",
                                                          "title",
                                                          "type",
                                                          "description",
                                                          "enumDescriptions",
                                                          "enum",
                                                          "const",
                                                          "pattern",
                                                          "minLength",
                                                          "minimum",
                                                          "maximum",
                                                          "properties",
                                                          "additionalProperties",
                                                          "required",
                                                          "items",
                                                          "propertyNames",
                                                          "minItems",
                                                          "uniqueItems",
                                                          "anyOf",
                                                          "allOf",
                                                          "oneOf",
                                                          "not",
                                                          "if",
                                                          "then",
                                                          "else",
                                                          "minProperties",
                                                          "maxProperties",
                                                          "dependentRequired"};

  static bool has_type(std::string_view type, const json::value& v) {
    if (type == "object") return v.is_object();
    if (type == "array") return v.is_array();
    if (type == "string") return v.is_string();
    if (type == "boolean") return v.is_bool();
    if (type == "null") return v.is_null();
    if (type == "integer")
      return v.is_int64() || v.is_uint64() ||
             (v.is_double() &&
              v.get_double() == static_cast<double>(static_cast<std::int64_t>(v.get_double())));
    return v.is_number();
  }
  bool valid(const json::value& schema, const json::value& value) {
    return !check(schema, value, "").has_value();
  }
  std::size_t count_valid(const json::value& schemas, const json::value& value) {
    const json::array& list = schemas.get_array();
    return static_cast<std::size_t>(std::count_if(
        list.begin(), list.end(), [&](const json::value& s) { return valid(s, value); }));
  }

  Problem keyword(std::string_view word, const json::value& rule, const json::object& schema,
                  const json::value& value, const std::string& at) {
    const auto bad = [&](const std::string& what) { return Problem(at + ": " + what); };
    const std::string shown = json::serialize(value).substr(0, 80);
    if (word == "$ref") {
      const std::string_view target = rule.get_string();
      constexpr std::string_view prefix = "#/$defs/";
      const json::value* found =
          root_.get_object().at("$defs").get_object().if_contains(target.substr(prefix.size()));
      if (found == nullptr) return bad("a reference to nothing: " + std::string(target));
      return check(*found, value, at);
    }
    if (word == "type") {
      const json::array types = rule.is_array() ? rule.get_array() : json::array{rule};
      if (std::none_of(types.begin(), types.end(),
                       [&](const json::value& t) { return has_type(t.get_string(), value); }))
        return bad("must be " + json::serialize(rule) + ", not " + shown);
    }
    if (word == "enum") {
      const json::array& list = rule.get_array();
      if (std::find(list.begin(), list.end(), value) == list.end())
        return bad(shown + " is none of " + json::serialize(rule));
    }
    if (word == "const" && value != rule) return bad(shown + " is not " + json::serialize(rule));
    if (word == "anyOf" && count_valid(rule, value) == 0) {
      std::string all;
      for (const json::value& each : rule.get_array())
        all += "\n  " + check(each, value, at).value_or("");
      return bad("fits no form:" + all);
    }
    if (word == "oneOf" && count_valid(rule, value) != 1)
      return bad("does not fit exactly one form");
    if (word == "allOf")
      for (const json::value& each : rule.get_array())
        if (auto problem = check(each, value, at)) return problem;
    if (word == "not" && valid(rule, value)) return bad(shown + " is not allowed");
    if (word == "if") {
      const json::value* next = schema.if_contains(valid(rule, value) ? "then" : "else");
      if (next != nullptr)
        if (auto problem = check(*next, value, at)) return problem;
    }
    if (value.is_string()) return of_string(word, rule, value.get_string(), at);
    if (value.is_number()) {
      const double number = value.to_number<double>();
      if (word == "minimum" && number < rule.to_number<double>())
        return bad(shown + " is too small");
      if (word == "maximum" && number > rule.to_number<double>())
        return bad(shown + " is too large");
    }
    if (value.is_array()) return of_array(word, rule, value.get_array(), at);
    if (value.is_object()) return of_object(word, rule, schema, value.get_object(), at);
    return std::nullopt;
  }

  Problem of_string(std::string_view word, const json::value& rule, std::string_view text,
                    const std::string& at) {
    if (word == "minLength" && count_code_points(text) < rule.to_number<std::size_t>())
      return at + ": is too short";
    if (word != "pattern") return std::nullopt;
    const re2::RE2 pattern{std::string(rule.get_string())};
    if (!pattern.ok()) return at + ": " + pattern.error();
    if (!re2::RE2::PartialMatch({text.data(), text.size()}, pattern))
      return at + ": '" + std::string(text) + "' does not match " + pattern.pattern();
    return std::nullopt;
  }

  Problem of_array(std::string_view word, const json::value& rule, const json::array& list,
                   const std::string& at) {
    if (word == "minItems" && list.size() < rule.to_number<std::size_t>())
      return at + ": has too few items";
    if (word == "uniqueItems")
      for (std::size_t i = 0; i < list.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
          if (list[i] == list[j]) return at + ": holds an item twice";
    if (word == "items")
      for (std::size_t i = 0; i < list.size(); ++i)
        if (auto problem = check(rule, list[i], at + "/" + std::to_string(i))) return problem;
    return std::nullopt;
  }

  Problem of_object(std::string_view word, const json::value& rule, const json::object& schema,
                    const json::object& object, const std::string& at) {
    if (word == "required")
      for (const json::value& name : rule.get_array())
        if (!object.contains(name.get_string()))
          return at + ": lacks '" + std::string(name.get_string()) + "'";
    if (word == "minProperties" && object.size() < rule.to_number<std::size_t>())
      return at + ": has too few properties";
    if (word == "maxProperties" && object.size() > rule.to_number<std::size_t>())
      return at + ": has too many properties";
    if (word == "dependentRequired")
      for (const auto& member : rule.get_object())
        for (const json::value& name : member.value().get_array())
          if (object.contains(member.key()) && !object.contains(name.get_string()))
            return at + ": lacks '" + std::string(name.get_string()) + "'";
    const json::value* properties = schema.if_contains("properties");
    for (const auto& member : object) {
      const std::string below = at + "/" + std::string(member.key());
      const json::value* own =
          properties == nullptr ? nullptr : properties->get_object().if_contains(member.key());
      if (word == "propertyNames")
        if (auto problem = check(rule, json::value(member.key()), below)) return problem;
      if (word == "properties" && own != nullptr)
        if (auto problem = check(*own, member.value(), below)) return problem;
      if (word == "additionalProperties" && own == nullptr)
        if (auto problem = check(rule, member.value(), below)) return problem;
    }
    return std::nullopt;
  }

  const json::value& root_;
};

}  // namespace

std::optional<std::string> schema_error(const json::value& schema, const json::value& document) {
  return Validator(schema).check(schema, document, "");
}

json::value as_json(const loader::Node& node) {
  if (node.is_list()) {
    json::array list;
    for (const loader::Node& item : node.items) list.push_back(as_json(item));
    return list;
  }
  if (node.is_map()) {
    json::object object;
    for (const loader::Entry& entry : node.entries) object[entry.key] = as_json(entry.value);
    return object;
  }
  const auto value = loader::scalar_value(node);
  if (!value) return json::value(node.text);
  switch (value->kind()) {
    case cel::Kind::null: return nullptr;
    case cel::Kind::boolean: return value->as_bool();
    case cel::Kind::integer: return value->as_int();
    case cel::Kind::floating: return value->as_double();
    default: return json::value(node.text);
  }
}

}  // namespace checkride::test

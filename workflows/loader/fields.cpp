// Params, data, the result type, and literals checked against a type.
#include <algorithm>
#include <cctype>

#include "engine/cel/time_text.h"
#include "workflows/loader/reader.h"

namespace checkride::loader {
namespace {

bool is_identifier(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
         });
}

// What a definition writes as int or text where the type is a double, duration or timestamp: YAML
// has no words of its own for these.
cel::Value adapted(const cel::Value& value, const cel::Type& type) {
  using Kind = cel::Type::Kind;
  if (type.kind() == Kind::floating && value.kind() == cel::Kind::integer)
    return cel::Value(static_cast<double>(value.as_int()));
  if (type.kind() == Kind::unsigned_integer && value.kind() == cel::Kind::integer &&
      value.as_int() >= 0)
    return cel::Value(static_cast<std::uint64_t>(value.as_int()));
  if (type.kind() == Kind::duration && value.kind() == cel::Kind::string)
    if (const auto duration = parse_duration(value.as_string())) return cel::Value(*duration);
  if (type.kind() == Kind::timestamp && value.kind() == cel::Kind::string)
    if (const auto instant = cel::parse_instant(value.as_string())) return cel::Value(*instant);
  if (type.kind() == Kind::optional)
    return value.is_null() ? cel::Value::optional_none()
                           : cel::Value::optional_of(adapted(value, type.element()));
  if (type.kind() == Kind::list && value.kind() == cel::Kind::list) {
    cel::List items;
    for (const cel::Value& item : value.as_list()) items.push_back(adapted(item, type.element()));
    return cel::Value(std::move(items));
  }
  if (value.kind() != cel::Kind::map) return value;
  if (type.kind() != Kind::map && type.kind() != Kind::record) return value;
  cel::Map map;
  for (const auto& [key, item] : value.as_map()) {
    const cel::Field* field = type.kind() == Kind::record && key.kind() == cel::Kind::string
                                  ? type.field(key.as_string())
                                  : nullptr;
    if (type.kind() == Kind::map)
      map.set(key, adapted(item, type.element()));
    else
      map.set(key, field == nullptr ? item : adapted(item, field->type));
  }
  return cel::Value(std::move(map));
}

}  // namespace

std::optional<cel::Value> DefinitionReader::untyped_literal(const Node& node) {
  if (node.is_list()) {
    cel::List items;
    for (const Node& item : node.items) {
      auto value = untyped_literal(item);
      if (!value) return std::nullopt;
      items.push_back(*std::move(value));
    }
    return cel::Value(std::move(items));
  }
  if (node.is_map()) {
    cel::Map map;
    for (const Entry& entry : node.entries) {
      auto value = untyped_literal(entry.value);
      if (!value) return std::nullopt;
      map.set(std::string_view(entry.key), *std::move(value));
    }
    return cel::Value(std::move(map));
  }
  auto value = scalar_value(node);
  if (!value)
    reporter_.error(node.place, "type",
                    "the int " + node.text + " does not fit into 64 bits; quote it to mean text");
  return value;
}

std::optional<cel::Value> DefinitionReader::literal(const Node& node, const cel::Type& type,
                                                    const std::string& what) {
  auto value = untyped_literal(node);
  if (!value) return std::nullopt;
  cel::Value fitting = adapted(*value, type);
  if (auto fits = cel::conforms(fitting, type); !fits) {
    std::string suggestion;
    if (type.kind() == cel::Type::Kind::string && node.is_scalar())
      suggestion = "quote it to mean text";
    reporter_.error(node.place, "type", what + ": " + fits.error().message, suggestion);
    return std::nullopt;
  }
  return fitting;
}

void DefinitionReader::read_fields(const Node* node, bool data, std::vector<FieldSpec>& fields) {
  const std::string section = data ? "data" : "params";
  if (node == nullptr || !expect_map(*node, "'" + section + "'")) return;
  for (const Entry& entry : node->entries) {
    FieldSpec field;
    field.name = entry.key;
    const std::string what = section + "." + entry.key;
    if (!is_identifier(entry.key)) {
      reporter_.error(entry.place, "name",
                      "'" + entry.key + "' is no name for a field; write letters, digits and '_'");
      continue;
    }
    const bool brief = !entry.value.is_map();  // name: type
    if (!brief) {
      check_keys(entry.value,
                 data ? std::vector<std::string>{"type", "default"}
                      : std::vector<std::string>{"type", "title", "default", "secret"},
                 what);
      field.title = text_or(entry.value, "title", "");
      field.secret = flag(entry.value, "secret");
    }
    const Node* type_node = brief ? &entry.value : entry.value.find("type");
    if (type_node == nullptr) {
      reporter_.error(entry.place, "missing-key", what + " has no type; write {type: string}");
    } else if (auto type = type_of(*type_node)) {
      field.type = *std::move(type);
      field.path = !data && type_node->is_scalar() && type_node->text == "path";
    }
    const Node* initial = brief ? nullptr : entry.value.find("default");
    if (initial != nullptr)
      field.initial = literal(*initial, field.type, what);
    else if (data)
      reporter_.error(entry.place, "missing-key",
                      what + " has no first value; write {type: T, default: VALUE}");
    fields.push_back(std::move(field));
  }
}

void DefinitionReader::read_result(const Node* node) {
  if (node == nullptr || !expect_map(*node, "'result'")) return;
  for (const Entry& entry : node->entries) {
    std::string_view name = entry.key;
    if (name.ends_with('?')) name.remove_suffix(1);
    if (!is_identifier(name))
      reporter_.error(entry.place, "name",
                      "'" + entry.key + "' is no name for a field; write letters, digits and '_'");
  }
  if (auto type = type_of(*node)) definition_->output = *std::move(type);
}

}  // namespace checkride::loader

#include "workflows/loader/literal.h"

#include "engine/cel/time_text.h"

namespace checkride::loader {

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

std::optional<cel::Value> untyped_literal(const Node& node, Reporter& reporter) {
  if (node.is_list()) {
    cel::List items;
    for (const Node& item : node.items) {
      auto value = untyped_literal(item, reporter);
      if (!value) return std::nullopt;
      items.push_back(*std::move(value));
    }
    return cel::Value(std::move(items));
  }
  if (node.is_map()) {
    cel::Map map;
    for (const Entry& entry : node.entries) {
      auto value = untyped_literal(entry.value, reporter);
      if (!value) return std::nullopt;
      map.set(std::string_view(entry.key), *std::move(value));
    }
    return cel::Value(std::move(map));
  }
  auto value = scalar_value(node);
  if (!value)
    reporter.error(node.place, "type",
                   "the int " + node.text + " does not fit into 64 bits; quote it to mean text");
  return value;
}

namespace {

std::optional<cel::Value> record_literal(const Node& node, const cel::Type& type,
                                         const std::string& what, Reporter& reporter) {
  std::vector<std::string> names;
  for (const cel::Field& field : type.fields()) names.push_back(field.name);
  cel::Map map;
  bool fits = true;
  for (const Entry& entry : node.entries) {
    const cel::Field* field = type.field(entry.key);
    if (field == nullptr) {
      reporter.error(entry.place, "unknown-field", what + " has no field '" + entry.key + "'",
                     did_you_mean(entry.key, names));
      fits = false;
      continue;
    }
    auto value = typed_literal(entry.value, field->type, what + "." + entry.key, reporter);
    if (value)
      map.set(std::string_view(entry.key), *std::move(value));
    else
      fits = false;
  }
  std::string missing;
  for (const cel::Field& field : type.fields())
    if (!field.optional && node.find(field.name) == nullptr)
      missing +=
          (missing.empty() ? "" : ", ") + field.name + " (" + cel::to_string(field.type) + ")";
  if (!missing.empty()) {
    reporter.error(node.place, "missing-field", what + " lacks " + missing);
    fits = false;
  }
  if (!fits) return std::nullopt;
  return cel::Value(std::move(map));
}

}  // namespace

std::optional<cel::Value> typed_literal(const Node& node, const cel::Type& type,
                                        const std::string& what, Reporter& reporter) {
  using Kind = cel::Type::Kind;
  if (type.kind() == Kind::record && node.is_map())
    return record_literal(node, type, what, reporter);
  if (type.kind() == Kind::list && node.is_list()) {
    cel::List items;
    bool fits = true;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      auto item = typed_literal(node.items[i], type.element(), what + "[" + std::to_string(i) + "]",
                                reporter);
      fits = fits && item.has_value();
      if (item) items.push_back(*std::move(item));
    }
    if (!fits) return std::nullopt;
    return cel::Value(std::move(items));
  }
  const auto plain = untyped_literal(node, reporter);
  if (!plain) return std::nullopt;
  cel::Value value = adapted(*plain, type);
  if (const auto fits = cel::conforms(value, type); !fits) {
    const bool quote = type.kind() == Kind::string && node.is_scalar();
    reporter.error(node.place, "type", what + ": " + fits.error().message,
                   quote ? "quote it to mean text" : "");
    return std::nullopt;
  }
  return value;
}

}  // namespace checkride::loader

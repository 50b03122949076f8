// Params, data, the result type, and literals checked against a type.
#include <algorithm>
#include <cctype>

#include "workflows/loader/literal.h"
#include "workflows/loader/reader.h"

namespace checkride::loader {
namespace {

bool is_identifier(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
         });
}

}  // namespace

std::optional<cel::Value> DefinitionReader::untyped_literal(const Node& node) {
  return loader::untyped_literal(node, reporter_);
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
      check_keys(entry.value, keys_of(data ? "data_field" : "param"), what);
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

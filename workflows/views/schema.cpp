#include "workflows/views/schema.h"

#include <algorithm>
#include <boost/json.hpp>

#include "engine/base/assert.h"
#include "workflows/loader/language.h"
#include "workflows/loader/load.h"
#include "workflows/views/json_text.h"

namespace checkride {
namespace {

namespace json = boost::json;
using loader::Key;
using loader::MapForm;

json::object reference_to(std::string_view name) {
  return {{"$ref", "#/$defs/" + std::string(name)}};
}

// What may be written where a value of the type is wanted: the value, or "${CEL}".
json::value written(const cel::Type& type) {
  using Kind = cel::Type::Kind;
  json::object literal;
  switch (type.kind()) {
    case Kind::string: return {{"type", "string"}};
    case Kind::boolean: literal = {{"type", "boolean"}}; break;
    case Kind::integer: literal = {{"type", "integer"}}; break;
    case Kind::unsigned_integer: literal = {{"type", "integer"}, {"minimum", 0}}; break;
    case Kind::floating: literal = {{"type", "number"}}; break;
    case Kind::duration: literal = reference_to("duration"); break;
    case Kind::timestamp:
      literal = {{"type", "string"}, {"pattern", "^[0-9]{4}-[0-9]{2}-[0-9]{2}T"}};
      break;
    case Kind::null: literal = {{"type", "null"}}; break;
    case Kind::list: literal = {{"type", "array"}, {"items", written(type.element())}}; break;
    case Kind::map:
      literal = {{"type", "object"}, {"additionalProperties", written(type.element())}};
      break;
    case Kind::record: {
      json::object properties;
      json::array required;
      for (const cel::Field& field : type.fields()) {
        properties[field.name] = written(field.type);
        if (!field.optional) required.emplace_back(field.name);
      }
      literal = {{"type", "object"}, {"properties", std::move(properties)}};
      if (!required.empty()) literal["required"] = std::move(required);
      literal["additionalProperties"] = false;
      break;
    }
    case Kind::optional:
      return {{"anyOf", json::array{written(type.element()), json::object{{"type", "null"}}}}};
    default: return true;
  }
  return {{"anyOf", json::array{std::move(literal), reference_to("hole")}}};
}

bool is(const JobSignature& kind, JobSignature::Performer performer) {
  return kind.performer == performer;
}

// The inputs of a kind: `with` itself is a map, whose values may be holes.
json::value inputs_of(const JobSignature& kind) {
  json::object inputs = {{"type", "object"}};
  if (kind.inputs.kind() == cel::Type::Kind::record)
    inputs = written(kind.inputs).at("anyOf").at(0).as_object();
  inputs["title"] = "inputs of " + kind.name;
  inputs["description"] = kind.title;
  return inputs;
}

bool needs_inputs(const JobSignature& kind) {
  return kind.inputs.kind() == cel::Type::Kind::record &&
         std::any_of(kind.inputs.fields().begin(), kind.inputs.fields().end(),
                     [](const cel::Field& field) { return !field.optional; });
}

json::object property_of(const Key& key) {
  json::object property = reference_to(key.form);
  property["description"] = key.description;
  return property;
}

json::object map_schema(const MapForm& map) {
  json::object schema = {
      {"title", map.title}, {"description", map.description}, {"type", "object"}};
  json::object properties;
  json::array required;
  for (const Key& key : map.keys) {
    properties[key.name] = property_of(key);
    if (key.required) required.emplace_back(key.name);
  }
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  if (!map.schema.empty()) {
    const json::value more = json::parse(map.schema);
    for (const auto& member : more.get_object()) schema[member.key()] = member.value();
  }
  return schema;
}

// A map that is one of several forms. All their keys are offered; `choose` (if, then, else) says
// which of them fit together. `deciding`: the key that tells them apart, and its values in all of
// them, so that an editor offers each before the choice is made.
json::object one_of_maps(std::initializer_list<std::string_view> names, json::value type,
                         std::string_view deciding, json::object values, json::object choose) {
  json::object properties;
  for (const std::string_view name : names)
    for (const Key& key : loader::find_map(name)->keys)
      if (!properties.contains(key.name))
        properties[key.name] = json::object{{"description", key.description}};
  for (auto& member : values)
    properties.at(deciding).as_object()[member.key()] = std::move(member.value());
  json::object schema = {{"type", std::move(type)}, {"properties", std::move(properties)}};
  for (auto& member : choose) schema[member.key()] = std::move(member.value());
  return schema;
}

json::object has_value(std::string_view key, std::string_view value) {
  return {{"type", "object"},
          {"properties", {{key, {{"const", value}}}}},
          {"required", json::array{json::string(key)}}};
}

json::object choice(json::object condition, json::value yes, json::value no) {
  return {{"if", std::move(condition)}, {"then", std::move(yes)}, {"else", std::move(no)}};
}

json::object kind_names(const std::vector<const JobSignature*>& kinds) {
  json::array names;
  json::array titles;
  for (const JobSignature* kind : kinds) {
    names.emplace_back(kind->name);
    titles.emplace_back(kind->title);
  }
  return {{"enum", std::move(names)}, {"enumDescriptions", std::move(titles)}};
}

json::object definitions_of(const std::vector<const JobSignature*>& kinds) {
  json::object all;
  for (const MapForm& map : loader::language_maps())
    if (map.name != "workflow") all[map.name] = map_schema(map);
  for (const loader::Form& form : loader::language_forms()) {
    CR_ASSERT(!all.contains(form.name), "a form and a map of one name");
    all[form.name] = json::parse(form.schema);
  }
  all["any_state"] =
      one_of_maps({"state", "final_state", "history_state"}, json::array{"object", "null"}, "type",
                  {{"enum", json::array{"parallel", "final", "history"}}},
                  choice(has_value("type", "final"), reference_to("final_state"),
                         choice(has_value("type", "history"), reference_to("history_state"),
                                choice({{"type", "null"}}, true, reference_to("state")))));
  all["any_invocation"] =
      one_of_maps({"job", "gate", "machine_invocation"}, "object", "job",
                  {{"anyOf", json::array{reference_to("job_kinds"), reference_to("gate_kinds")}}},
                  choice({{"required", json::array{"machine"}}}, reference_to("machine_invocation"),
                         choice({{"properties", {{"job", reference_to("gate_kinds")}}},
                                 {"required", json::array{"job"}}},
                                reference_to("gate"), reference_to("job"))));

  std::vector<const JobSignature*> jobs;
  std::vector<const JobSignature*> gates;
  for (const JobSignature* kind : kinds) {
    if (is(*kind, JobSignature::Performer::runner)) jobs.push_back(kind);
    if (is(*kind, JobSignature::Performer::person)) gates.push_back(kind);
  }
  if (gates.empty()) gates.push_back(&default_gate());
  all["job_kinds"] = kind_names(jobs);
  all["gate_kinds"] = kind_names(gates);
  json::array branches;
  for (const JobSignature* kind : jobs) {
    json::object then = {{"properties", {{"with", reference_to("inputs." + kind->name)}}}};
    if (needs_inputs(*kind)) then["required"] = json::array{"with"};
    branches.push_back(
        json::object{{"if", has_value("job", kind->name)}, {"then", std::move(then)}});
  }
  all["kind_inputs"] = branches.empty() ? json::value(true)
                                        : json::value(json::object{{"allOf", std::move(branches)}});
  for (const JobSignature* kind : jobs) all["inputs." + kind->name] = inputs_of(*kind);
  for (const JobSignature* kind : gates) all["inputs." + kind->name] = inputs_of(*kind);
  return all;
}

}  // namespace

std::string json_schema(const std::vector<const JobSignature*>& kinds) {
  json::object schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                         {"$comment", "written by `checkride schema`"}};
  for (auto& member : map_schema(*loader::find_map("workflow")))
    schema[member.key()] = std::move(member.value());
  schema["title"] = "checkride workflow";
  schema["$defs"] = definitions_of(kinds);
  return indented(schema);
}

}  // namespace checkride

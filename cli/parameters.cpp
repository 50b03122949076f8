#include "cli/parameters.h"

#include <filesystem>
#include <set>

#include "cli/given_file.h"
#include "engine/base/utf8.h"

namespace checkride::cli {

namespace {

using cel::Kind;
using cel::Type;
using cel::Value;

Value absolute(const Value& value) {
  if (value.kind() == Kind::string)
    return Value(std::filesystem::absolute(value.as_string()).lexically_normal().string());
  return value;
}

}  // namespace

Result<Value> parse_value(const std::string& text, const Type& type) {
  switch (type.kind()) {
    case Type::Kind::string: return Value(text);
    case Type::Kind::duration: {
      CR_TRY(const Duration duration, parse_duration(text));
      return Value(duration);
    }
    case Type::Kind::list:
      if (type.element().kind() == Type::Kind::string && !text.starts_with("[")) {
        cel::List items;
        std::size_t at = 0;
        while (at <= text.size() && !text.empty()) {
          const std::size_t comma = std::min(text.find(',', at), text.size());
          items.emplace_back(text.substr(at, comma - at));
          at = comma + 1;
        }
        return Value(std::move(items));
      }
      break;
    default: break;
  }
  auto parsed = cel::from_json(text);
  if (!parsed && type.kind() == Type::Kind::dyn) return Value(text);
  if (!parsed) return tl::unexpected(std::move(parsed).error());
  return fit(*parsed, type);
}

Result<Value> fit(const Value& value, const Type& type) {
  switch (type.kind()) {
    case Type::Kind::floating:
      if (value.kind() == Kind::integer) return Value(static_cast<double>(value.as_int()));
      break;
    case Type::Kind::unsigned_integer:
      if (value.kind() == Kind::integer && value.as_int() >= 0)
        return Value(static_cast<std::uint64_t>(value.as_int()));
      break;
    case Type::Kind::duration:
      if (value.kind() == Kind::string) {
        CR_TRY(const Duration duration, parse_duration(value.as_string()));
        return Value(duration);
      }
      break;
    case Type::Kind::list:
      if (value.kind() == Kind::list) {
        cel::List items;
        for (const Value& item : value.as_list()) {
          CR_TRY(Value fitted, fit(item, type.element()));
          items.push_back(std::move(fitted));
        }
        return Value(std::move(items));
      }
      break;
    case Type::Kind::map:
      if (value.kind() == Kind::map) {
        cel::Map map;
        for (const auto& [key, item] : value.as_map()) {
          CR_TRY(Value fitted, fit(item, type.element()));
          map.set(key, std::move(fitted));
        }
        return Value(std::move(map));
      }
      break;
    case Type::Kind::record:
      if (value.kind() == Kind::map) {
        cel::Map map;
        for (const auto& [key, item] : value.as_map()) {
          const cel::Field* field =
              key.kind() == Kind::string ? type.field(key.as_string()) : nullptr;
          if (field != nullptr && field->optional && item.kind() == Kind::null) continue;
          CR_TRY(Value fitted, field == nullptr ? Result<Value>(item) : fit(item, field->type));
          map.set(key, std::move(fitted));
        }
        return Value(std::move(map));
      }
      break;
    default: break;
  }
  return value;
}

Result<cel::Map> parse_parameters(const Definition& definition,
                                  const std::vector<std::string>& given,
                                  const std::string& json_file, bool complete) {
  cel::Map params;
  const auto spec_of = [&](const std::string& name) -> const FieldSpec* {
    for (const FieldSpec& spec : definition.params)
      if (spec.name == name) return &spec;
    return nullptr;
  };
  if (!json_file.empty()) {
    CR_TRY(const std::string text, read_given(json_file, 1 << 20));
    auto parsed = cel::from_json(text);
    if (!parsed) return fail(parsed.error(), json_file);
    if (parsed->kind() != Kind::map)
      return fail(ErrorCode::invalid_argument, "'" + json_file + "' holds no JSON object");
    for (const auto& [key, value] : parsed->as_map()) {
      const FieldSpec* spec = spec_of(key.as_string());
      CR_TRY(Value fitted, spec == nullptr ? Result<Value>(value) : fit(value, spec->type));
      params.set(key, spec != nullptr && spec->path ? absolute(fitted) : std::move(fitted));
    }
  }
  std::set<std::string> named;
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorCode::invalid_argument, "'" + text + "' is no parameter; write -p name=value");
    const std::string name = text.substr(0, equals);
    if (!is_valid_utf8(text))
      return fail(ErrorCode::invalid_argument, "parameter '" + name + "' is not UTF-8");
    if (!named.insert(name).second)
      return fail(ErrorCode::invalid_argument, "parameter '" + name + "' is given twice with -p");
    const FieldSpec* spec = spec_of(name);
    if (spec == nullptr) {
      params.set(std::string_view(name), Value(text.substr(equals + 1)));
      continue;  // complete_params names it and those there are
    }
    auto value = parse_value(text.substr(equals + 1), spec->type);
    if (!value)
      return fail(ErrorCode::invalid_argument, "parameter '" + name + "' must be " +
                                                   cel::to_string(spec->type) + ": " +
                                                   value.error().message);
    params.set(std::string_view(name), spec->path ? absolute(*value) : *value);
  }
  if (!complete) {
    for (const auto& [key, value] : params) {
      const FieldSpec* spec = spec_of(key.as_string());
      if (spec == nullptr)
        return fail(ErrorCode::invalid_argument, "'" + definition.name + "' has no parameter '" +
                                                     key.as_string() + "'");
      if (auto fits = cel::conforms(value, spec->type); !fits)
        return fail(fits.error(), "parameter '" + spec->name + "'");
    }
    return params;
  }
  for (const FieldSpec& spec : definition.params)
    if (spec.path && spec.initial && params.find(std::string_view(spec.name)) == nullptr)
      params.set(std::string_view(spec.name), absolute(*spec.initial));
  CR_CHECK(definition.complete_params(params));
  return params;
}

}  // namespace checkride::cli

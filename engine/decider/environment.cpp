// The names guards may use and their types; activation.cpp gives them their values.
#include "engine/decider/decide.h"

namespace checkride {

using cel::Field;
using cel::Type;

Type run_type() {
  return Type::record({{"id", Type::string(), false},
                       {"root", Type::string(), false},
                       {"folder", Type::string(), false},
                       {"author", Type::string(), false},
                       {"started", Type::timestamp(), false}});
}

Type error_type() {
  return Type::record({{"class", Type::string(), false},
                       {"status", Type::string(), false},
                       {"message", Type::string(), false},
                       {"attempts", Type::integer(), false},
                       {"log", Type::string(), false},
                       {"limit", Type::string(), true},
                       {"exit_code", Type::integer(), true},
                       {"children", Type::list(Type::dyn()), true}});
}

Type machine_result_type(const Type& output, bool each) {
  const Type child = Type::record({{"run", Type::string(), false},
                                   {"outcome", Type::string(), false},
                                   {"status", Type::string(), false},
                                   {"reason", Type::string(), false},
                                   {"item", Type::dyn(), false},
                                   {"output", output, true}});
  if (!each) return child;
  return Type::record({{"children", Type::list(child), false},
                       {"passed", Type::integer(), false},
                       {"failed", Type::integer(), false}});
}

Type gate_result_type() {
  return Type::record({{"decision", Type::string(), false},
                       {"reason", Type::string(), false},
                       {"actor", Type::string(), false}});
}

cel::Environment guard_environment(const std::vector<FieldSpec>& params,
                                   const std::vector<FieldSpec>& data, const Type& jobs,
                                   const std::vector<std::string>& state_ids,
                                   const GuardScope& scope) {
  const auto record = [](const std::vector<FieldSpec>& specs) {
    std::vector<Field> fields;
    for (const FieldSpec& spec : specs) fields.push_back({spec.name, spec.type, false});
    return Type::record(std::move(fields));
  };
  cel::Environment environment;
  environment.variable("params", record(params))
      .variable("data", record(data))
      .variable("jobs", jobs)
      .variable("run", run_type())
      .variable("now", Type::timestamp())
      .variable("event", Type::record({{"name", Type::string(), false},
                                       {"data", scope.data.value_or(Type::dyn()), false}}))
      .allow_in(state_ids);
  if (scope.result) environment.variable("result", *scope.result);
  if (scope.error) environment.variable("error", error_type());
  return environment;
}

Type Definition::params_type() const {
  std::vector<Field> fields;
  for (const FieldSpec& spec : params)
    fields.push_back({spec.name, spec.type, spec.initial.has_value()});
  return Type::record(std::move(fields));
}

Type Definition::data_type() const {
  std::vector<Field> fields;
  for (const FieldSpec& spec : data) fields.push_back({spec.name, spec.type, false});
  return Type::record(std::move(fields));
}

const MessageSpec* Definition::message(std::string_view message_name) const {
  for (const MessageSpec& spec : messages)
    if (spec.name == message_name) return &spec;
  return nullptr;
}

Result<cel::Map> Definition::complete_params(const cel::Map& given) const {
  cel::Map complete;
  for (const auto& [key, value] : given) {
    const FieldSpec* spec = nullptr;
    for (const FieldSpec& candidate : params)
      if (key.kind() == cel::Kind::string && key.as_string() == candidate.name) spec = &candidate;
    if (spec == nullptr) {
      std::string known;
      for (const FieldSpec& candidate : params)
        known += (known.empty() ? "" : ", ") + candidate.name;
      return fail(ErrorCode::invalid_argument, "workflow '" + name + "' has no parameter " +
                                                   cel::to_cel(key) + "; it has " +
                                                   (known.empty() ? "none" : known));
    }
    if (auto fits = cel::conforms(value, spec->type); !fits)
      return fail(ErrorCode::invalid_argument, "parameter '" + spec->name + "' must be " +
                                                   cel::to_string(spec->type) + ": " +
                                                   fits.error().message);
    complete.set(std::string_view(spec->name), value);
  }
  for (const FieldSpec& spec : params) {
    if (complete.find(std::string_view(spec.name)) != nullptr) continue;
    if (!spec.initial)
      return fail(ErrorCode::invalid_argument, "parameter '" + spec.name + "' of workflow '" +
                                                   name + "' is missing; give it with -p " +
                                                   spec.name + "=VALUE (" +
                                                   cel::to_string(spec.type) + ")");
    complete.set(std::string_view(spec.name), *spec.initial);
  }
  return complete;
}

cel::EvalResult evaluate(const ValueTemplate& value, const cel::Activation& activation,
                         const cel::EvalOptions& options) {
  if (const auto* constant = std::get_if<cel::Value>(&value.node)) return *constant;
  if (const auto* text = std::get_if<cel::Template>(&value.node))
    return text->evaluate(activation, options);
  if (const auto* list = std::get_if<ValueTemplate::ListOf>(&value.node)) {
    cel::List values;
    for (const ValueTemplate& item : *list) {
      auto result = evaluate(item, activation, options);
      if (!result) return result;
      values.push_back(*std::move(result));
    }
    return cel::Value(std::move(values));
  }
  cel::Map map;
  for (const auto& [key, item] : std::get<ValueTemplate::MapOf>(value.node)) {
    auto result = evaluate(item, activation, options);
    if (!result) return result;
    map.set(std::string_view(key), *std::move(result));
  }
  return cel::Value(std::move(map));
}

}  // namespace checkride

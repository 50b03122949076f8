#include "engine/cel/program.h"

#include <algorithm>

#include "engine/cel/checker.h"
#include "engine/cel/environment.h"
#include "engine/cel/evaluator.h"
#include "engine/cel/parser.h"
#include "engine/cel/resolver.h"

namespace checkride::cel {

std::shared_ptr<Environment::Data> Environment::change() {
  auto copy = data_ != nullptr ? std::make_shared<Data>(*data_) : std::make_shared<Data>();
  data_ = copy;
  return copy;
}

Environment& Environment::variable(std::string name, Type type) {
  const auto data = change();
  for (auto& [known, declared] : data->variables)
    if (known == name) {
      declared = std::move(type);
      return *this;
    }
  data->variables.emplace_back(std::move(name), std::move(type));
  return *this;
}

Environment& Environment::allow_in(std::vector<std::string> state_ids) {
  const auto data = change();
  data->in = true;
  data->states = nullptr;
  if (state_ids.empty()) return *this;
  auto states = std::make_shared<StateNames>();
  states->known.insert(state_ids.begin(), state_ids.end());
  states->listed = std::move(state_ids);
  data->states = std::move(states);
  return *this;
}

Environment& Environment::allow_named_time_zones() {
  change()->named_zones = true;
  return *this;
}

Environment& Environment::disable_macros() {
  change()->macros = false;
  return *this;
}

Environment& Environment::container(std::string name) {
  change()->container = std::move(name);
  return *this;
}

Environment& Environment::function(std::string name, bool member, std::vector<Type> parameters,
                                   Type result) {
  const auto data = change();
  Overload overload = overload_of(member, std::move(parameters), std::move(result));
  for (Function& known : data->functions)
    if (known.name == name) {
      known.overloads.push_back(std::move(overload));
      return *this;
    }
  data->functions.push_back(Function{std::move(name), {std::move(overload)}});
  return *this;
}

const Environment::Data& data_of(const Environment& environment) {
  static const Environment::Data empty;
  return environment.data() != nullptr ? *environment.data() : empty;
}

VariableActivation& VariableActivation::set(std::string name, Value value) {
  for (auto& [known, held] : variables_)
    if (known == name) {
      held = std::move(value);
      return *this;
    }
  variables_.emplace_back(std::move(name), std::move(value));
  return *this;
}

const Value* VariableActivation::find(std::string_view name) const {
  for (const auto& [known, held] : variables_)
    if (known == name) return &held;
  return nullptr;
}

tl::expected<Program, std::vector<Diagnostic>> Program::compile(std::string_view source,
                                                                const Environment& environment,
                                                                Checking checking) {
  auto data = std::make_shared<Data>();
  data->source = std::string(source);
  data->environment = environment.data() != nullptr ? environment.data()
                                                    : std::make_shared<const Environment::Data>();
  auto parsed = parse(data->source, data->environment->macros);
  if (!parsed) return tl::unexpected(std::vector<Diagnostic>{std::move(parsed).error()});
  data->root = *std::move(parsed);
  Resolution resolution = resolve(data->root, data->source, *data->environment, checking);
  std::vector<Diagnostic> diagnostics = std::move(resolution.diagnostics);
  if (checking == Checking::typed)
    data->type =
        check(*data->root, data->source, *data->environment, resolution.locals, diagnostics);
  if (!diagnostics.empty()) {
    std::stable_sort(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& a, const Diagnostic& b) {
                       return a.position.offset < b.position.offset;
                     });
    return tl::unexpected(std::move(diagnostics));
  }
  data->variable_names = std::move(resolution.variables);
  data->variables = data->variable_names;
  std::sort(data->variables.begin(), data->variables.end());
  data->facts = std::move(resolution.facts);
  data->locals = resolution.locals;
  return Program(std::move(data));
}

const std::string& Program::source() const {
  return data_->source;
}
const Type& Program::type() const {
  return data_->type;
}
const std::vector<std::string>& Program::variables() const {
  return data_->variables;
}

EvalResult Program::evaluate(const Activation& activation, const EvalOptions& options) const {
  return cel::evaluate(*data_, activation, options);
}

}  // namespace checkride::cel

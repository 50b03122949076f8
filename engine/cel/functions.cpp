#include "engine/cel/functions.h"

#include <algorithm>

#include "engine/base/assert.h"
#include "engine/cel/type_text.h"

namespace checkride::cel {
namespace {

constexpr std::uint16_t bit(Kind kind) {
  return static_cast<std::uint16_t>(1U << static_cast<unsigned>(kind));
}

std::uint16_t kinds_of(const Type& type) {
  switch (type.kind()) {
    case Type::Kind::null: return bit(Kind::null);
    case Type::Kind::boolean: return bit(Kind::boolean);
    case Type::Kind::integer: return bit(Kind::integer);
    case Type::Kind::unsigned_integer: return bit(Kind::unsigned_integer);
    case Type::Kind::floating: return bit(Kind::floating);
    case Type::Kind::string: return bit(Kind::string);
    case Type::Kind::bytes: return bit(Kind::bytes);
    case Type::Kind::timestamp: return bit(Kind::timestamp);
    case Type::Kind::duration: return bit(Kind::duration);
    case Type::Kind::list: return bit(Kind::list);
    case Type::Kind::map:
    case Type::Kind::record: return bit(Kind::map);
    case Type::Kind::optional: return bit(Kind::optional);
    case Type::Kind::type: return bit(Kind::type);
    default: return 0xFFFF;
  }
}

// Reads one signature; our own text, so a mistake in it is a bug.
Overload parse_signature(std::string_view text) {
  TypeReader in(text, true);
  Overload overload;
  const auto read = [&] {
    Result<Type> type = in.read();
    CR_ASSERT(type.has_value(), text);
    return *std::move(type);
  };
  if (!in.accept('(')) {
    overload.member = true;
    overload.parameters.push_back(read());
    CR_ASSERT(in.accept('.') && in.accept('('), text);
  }
  while (!in.accept(')')) {
    overload.parameters.push_back(read());
    if (in.accept('.')) {
      CR_ASSERT(in.accept('.') && in.accept('.'), text);
      overload.variadic = true;
    }
    in.accept(',');
  }
  CR_ASSERT(in.accept('-') && in.accept('>'), text);
  overload.result = read();
  CR_ASSERT(in.at_end(), text);
  for (const Type& type : overload.parameters) overload.kinds.push_back(kinds_of(type));
  return overload;
}

const std::vector<Function>& library() {
  static const std::vector<Function> functions = [] {
    FunctionTable table;
    add_standard_functions(table);
    add_time_functions(table);
    add_string_functions(table);
    add_math_functions(table);
    add_optional_functions(table);
    std::vector<Function> sorted = table.functions();
    std::sort(sorted.begin(), sorted.end(),
              [](const Function& a, const Function& b) { return a.name < b.name; });
    return sorted;
  }();
  return functions;
}

std::uint64_t parts(const Value& value) {
  std::uint64_t count = 1;
  switch (value.kind()) {
    case Kind::string: return 1 + value.as_string().size() / 64;
    case Kind::bytes: return 1 + value.as_bytes().data.size() / 64;
    case Kind::list:
      for (const Value& v : value.as_list()) count += parts(v);
      return count;
    case Kind::map:
      for (const MapEntry& e : value.as_map()) count += parts(e.first) + parts(e.second);
      return count;
    case Kind::optional:
      return value.as_optional() != nullptr ? 1 + parts(*value.as_optional()) : 1;
    default: return 1;
  }
}

}  // namespace

bool Runtime::charge_walk(const Value& value) {
  if (value.kind() == Kind::list || value.kind() == Kind::map || value.kind() == Kind::optional)
    return charge(parts(value));
  if (value.kind() == Kind::string) return charge_bytes(value.as_string().size());
  if (value.kind() == Kind::bytes) return charge_bytes(value.as_bytes().data.size());
  return true;
}

Overload overload_of(bool member, std::vector<Type> parameters, Type result) {
  Overload overload;
  overload.member = member;
  for (const Type& type : parameters) overload.kinds.push_back(kinds_of(type));
  overload.parameters = std::move(parameters);
  overload.result = std::move(result);
  return overload;
}

bool Overload::accepts(Arguments arguments) const {
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if ((kinds[std::min(i, kinds.size() - 1)] & bit(arguments[i]->kind())) == 0) return false;
  return true;
}

void FunctionTable::add(std::string_view name, std::string_view signature, Implementation run) {
  Overload overload = parse_signature(signature);
  overload.run = run;
  for (Function& f : functions_)
    if (f.name == name) {
      f.overloads.push_back(std::move(overload));
      return;
    }
  functions_.push_back(Function{std::string(name), {std::move(overload)}});
}

const Function* find_function(std::string_view name) {
  const std::vector<Function>& functions = library();
  const auto at =
      std::lower_bound(functions.begin(), functions.end(), name,
                       [](const Function& f, std::string_view n) { return f.name < n; });
  return at != functions.end() && at->name == name ? &*at : nullptr;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const Function& f : library()) names.push_back(f.name);
  return names;
}

}  // namespace checkride::cel

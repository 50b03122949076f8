#include "workflows/loader/types.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace checkride::loader {

using cel::Field;
using cel::Type;

bool assignable(const Type& from, const Type& to) {
  using Kind = Type::Kind;
  if (from.kind() == Kind::dyn || to.kind() == Kind::dyn) return true;
  if (to.kind() == Kind::record && from.kind() == Kind::record) {
    for (const Field& field : to.fields()) {
      const Field* given = from.field(field.name);
      if (given == nullptr ? !field.optional : !assignable(given->type, field.type)) return false;
    }
    return std::all_of(from.fields().begin(), from.fields().end(),
                       [&](const Field& field) { return to.field(field.name) != nullptr; });
  }
  if (to.kind() == Kind::record && from.kind() == Kind::map) {
    // Its keys are known only when it is there; its values must be able to fit.
    return assignable(from.key(), Type::string()) &&
           std::all_of(to.fields().begin(), to.fields().end(),
                       [&](const Field& field) { return assignable(from.element(), field.type); });
  }
  if (to.kind() == Kind::map && from.kind() == Kind::record) {
    return assignable(Type::string(), to.key()) &&
           std::all_of(from.fields().begin(), from.fields().end(),
                       [&](const Field& field) { return assignable(field.type, to.element()); });
  }
  if (from.kind() != to.kind()) return false;
  switch (to.kind()) {
    case Kind::list:
    case Kind::optional: return assignable(from.element(), to.element());
    case Kind::map:
      return assignable(from.key(), to.key()) && assignable(from.element(), to.element());
    default: return true;
  }
}

Type with_values(const Type& result, std::vector<Field> values) {
  if (result.kind() != Type::Kind::record || result.field("values") == nullptr) return result;
  for (Field& value : values) value.optional = true;
  std::vector<Field> fields = result.fields();
  for (Field& field : fields)
    if (field.name == "values") field.type = Type::record(values);
  return Type::record(std::move(fields));
}

}  // namespace checkride::loader

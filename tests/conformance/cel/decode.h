// Values and types of the conformance files as ours.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/cel/type.h"
#include "engine/cel/value.h"

namespace checkride::cel {

// {"int": "5"}, {"list": [...]}, ...; nullopt for a form that is not known.
std::optional<Value> decode_value(const Value& json);
// "int", {"list": "int"}, ...; nullopt for a form that is not known.
std::optional<Type> decode_type(const Value& json);
// A JSON list of such types.
std::optional<std::vector<Type>> decode_types(const Value& json);

// Exact sameness of an outcome: kinds and bits, NaN alike, maps by entries, types by name.
bool same_outcome(const Value& expected, const Value& actual);

}  // namespace checkride::cel

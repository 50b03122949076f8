// Whether a value of one type may stand where another is declared: the rule by which templates are
// checked against the inputs of job kinds. dyn fits everywhere; the decider checks it again when
// the value is there.
#pragma once

#include <vector>

#include "engine/cel/type.h"

namespace checkride::loader {

// A record fits another when its fields do and none is unknown or missing; it fits a map when all
// its fields fit the map's values. An int does not fit a double.
bool assignable(const cel::Type& from, const cel::Type& to);

// The kind's result with the field `values` (a map) replaced by a record of the given fields, all
// of them optional; unchanged where the result has no such field.
cel::Type with_values(const cel::Type& result, std::vector<cel::Field> values);

}  // namespace checkride::loader

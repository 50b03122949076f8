// The static checker: a type for every node of a resolved tree, and a diagnostic with a place for
// each use that cannot work. Beyond the standard's gradual typing it knows records: an unknown
// field is refused, and so is reading an optional field that no has() guards within the same && or
// ?:.
#pragma once

#include <string_view>
#include <vector>

#include "engine/cel/ast.h"
#include "engine/cel/environment.h"
#include "engine/cel/program.h"

namespace checkride::cel {

// The type of the whole expression; `diagnostics` is appended to.
Type check(const Expr& root, std::string_view source, const Environment::Data& environment,
           std::uint32_t locals, std::vector<Diagnostic>& diagnostics);

}  // namespace checkride::cel

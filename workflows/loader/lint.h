// Rules about a definition as a whole: what its paths lack. A definition that could get stuck, loop
// for ever or fall through is refused when it is loaded (docs/reference/lint.md).
#pragma once

#include "engine/decider/definition.h"
#include "workflows/loader/reporter.h"

namespace checkride::loader {

// The definition's chart must be validated.
void lint(const Definition& definition, Reporter& reporter);

// Part of lint(): cycles of states that nothing bounds. See loops.cpp for what counts as a bound.
void check_loops(const Definition& definition, Reporter& reporter);
// Part of lint(): rules about single expressions and actions; see check_uses.cpp.
void check_uses(const Definition& definition, Reporter& reporter);

}  // namespace checkride::loader

// CEL's macros (google/cel-spec, langdef.md, "Macros", and the two-variable comprehensions,
// bindings and optionals extensions): calls that bind names instead of evaluating all their
// arguments.
#pragma once

#include <string>

#include "engine/cel/ast.h"

namespace checkride::cel {

// Turns a call node into the macro or has node that it means; leaves any other call as it is. On
// wrong use of a macro `problem` says what is wrong.
void expand_macro(Expr& call, std::string& problem);

}  // namespace checkride::cel

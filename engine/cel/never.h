// Comparisons whose types go together and that still never hold: a size below zero, a whole number
// equal to 1.5, one field equal to two different things at once. A guard with one is a mistake of
// its author, so the checker refuses it.
#pragma once

#include <string>
#include <string_view>

#include "engine/cel/ast.h"

namespace checkride::cel {

// Why the comparison `e` of values of types `a` and `b` never holds; empty where it may.
std::string never_holds(const Expr& e, const Type& a, const Type& b);
// Why `e`, a chain of &&, never holds though each part may; `at` is where the second of two parts
// that exclude each other stands.
std::string never_together(const Expr& e, std::string_view source, std::uint32_t& at);

}  // namespace checkride::cel

// Gives the names of a syntax tree their meaning (google/cel-spec, langdef.md, "Name Resolution"):
// variables and the constant selections behind them become paths, macro variables become slots,
// functions their entry in the library. After this the evaluator looks nothing up by name.
#pragma once

#include <string>
#include <vector>

#include "engine/cel/ast.h"
#include "engine/cel/environment.h"
#include "engine/cel/program.h"

namespace checkride::cel {

// More mistakes than this in one expression are not told; hostile text has thousands.
inline constexpr std::size_t diagnostics_max = 50;

struct Resolution {
  std::vector<std::string> variables;  // by index; what Root::variable means
  std::vector<std::string> facts;      // texts by index
  std::uint32_t locals = 0;            // slots that macro variables need
  std::vector<Diagnostic> diagnostics;
};

// Unknown names are diagnostics when `checking` is typed, else failures at evaluation.
Resolution resolve(ExprPtr& expression, std::string_view source,
                   const Environment::Data& environment, Program::Checking checking);

// Canonical text of one more segment: ".name", "[0]", "[\"a b\"]".
std::string segment_text(const Value& key);

}  // namespace checkride::cel

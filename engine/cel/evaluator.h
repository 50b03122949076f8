// One evaluation of a resolved tree. Values are passed by pointer wherever they already exist (in
// the activation, a literal, a list being walked), so that reading and comparing scalars allocates
// nothing.
#pragma once

#include "engine/cel/ast.h"
#include "engine/cel/environment.h"
#include "engine/cel/program.h"

namespace checkride::cel {

// What a Program is made of.
struct Program::Data {
  std::string source;
  std::shared_ptr<const Environment::Data> environment;
  ExprPtr root;
  Type type;
  std::vector<std::string> variables;       // sorted, for people
  std::vector<std::string> variable_names;  // by index, for the evaluator
  std::vector<std::string> facts;           // texts by index
  std::uint32_t locals = 0;
};

EvalResult evaluate(const Program::Data& program, const Activation& activation,
                    const EvalOptions& options);

}  // namespace checkride::cel

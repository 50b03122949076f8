// Short ways to compile and evaluate in tests.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "engine/cel/program.h"

namespace checkride::cel {

// Compiles, or fails the test with the first diagnostic.
inline Program compiled(std::string_view source, const Environment& environment = {},
                        Program::Checking checking = Program::Checking::typed) {
  auto program = Program::compile(source, environment, checking);
  if (!program) FAIL(source << ": " << program.error().front().message);
  return *program;
}

inline Diagnostic first_diagnostic(std::string_view source, const Environment& environment = {}) {
  const auto program = Program::compile(source, environment);
  if (program) FAIL(source << " compiles");
  return program.error().front();
}

// The result as a CEL literal, or "error: " and the message.
inline std::string result_of(std::string_view source, const Environment& environment = {},
                             const Activation& activation = VariableActivation(),
                             const EvalOptions& options = {}) {
  const EvalResult result = compiled(source, environment).evaluate(activation, options);
  return result ? to_cel(*result) : "error: " + result.error().message;
}

inline Value json(std::string_view text) {
  const auto value = from_json(text);
  if (!value) FAIL(value.error().text());
  return *value;
}

inline Type type(std::string_view text) {
  const auto parsed = parse_type(text);
  if (!parsed) FAIL(parsed.error().text());
  return *parsed;
}

}  // namespace checkride::cel

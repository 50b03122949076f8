// How `why` words the part of a guard that decided it, from the trace of its evaluation.
#include <catch2/catch.hpp>

#include "cli/render/why.h"

using namespace checkride;
using namespace checkride::cli;

namespace {

std::string because_of(std::string_view source) {
  cel::Environment environment;
  environment.variable("a", cel::Type::integer())
      .variable("m", cel::Type::map(cel::Type::string(), cel::Type::integer()))
      .variable("list", cel::Type::list(cel::Type::integer()));
  const auto program = cel::Program::compile(source, environment);
  REQUIRE(program.has_value());
  cel::VariableActivation values;
  values.set("a", 3);
  values.set("list", cel::Value(cel::List{cel::Value(1), cel::Value(5)}));
  cel::Map map;
  map.set("x", cel::Value(1));
  values.set("m", cel::Value(std::move(map)));
  cel::TraceNode trace;
  cel::EvalOptions options;
  options.trace = &trace;
  static_cast<void>(program->evaluate(values, options));
  return because(View(), trace);
}

}  // namespace

TEST_CASE("why words what decided a guard", "[cli]") {
  const auto [source, expected] = GENERATE(table<std::string, std::string>({
      {"a == 3", "a == 3 is true (a was 3)"},
      {"a == 1 && a < 9", "a == 1 is false (a was 3)"},
      {"a == 1 || a < 9", "a < 9 is true (a was 3)"},
      {"!(a == 3)", "(a == 3) is true (a was 3)"},
      {"a in [1, 2]", "a in [1, 2] is false (a was 3)"},
      {"has(m.x)", "has(m.x) is true"},
      {"list.exists(e, e > a)", "for element 1 of list, e > a is true (e was 5, a was 3)"},
      // Ends like a macro, and is none.
      {"a == 3 && has(m.x)", "a == 3 is true (a was 3), and has(m.x) is true"},
      {"a > 1 ? a > 2 : a > 9",
       "a > 1 is true (a was 3), so what counts is that a > 2 is true (a was 3)"},
      {"(a > 4 ? a > 2 : a > 9) && has(m.x)",
       "a > 4 is false (a was 3), so what counts is that a > 9 is false (a was 3)"},
      {"a > 4 ? true : a > 2",
       "a > 4 is false (a was 3), so what counts is that a > 2 is true (a was 3)"},
      {"m.y == 1 && a == 3", "m.y failed: no such key: 'y'"},
  }));
  INFO(source);
  CHECK(because_of(source) == expected);
}

#include "tests/unit/cel/support.h"

namespace checkride::cel {

TEST_CASE("a program is compiled once and evaluated with other values", "[cel]") {
  Environment environment;
  environment.variable("x", Type::integer());
  const Program program = compiled("x * x", environment);
  for (int i = 0; i < 5; ++i) {
    VariableActivation activation;
    activation.set("x", i);
    CHECK(program.evaluate(activation)->as_int() == i * i);
  }
}

TEST_CASE("changing an environment leaves programs compiled with it alone", "[cel]") {
  Environment environment;
  environment.variable("x", Type::integer());
  const Program program = compiled("x + 1", environment);
  environment.variable("x", Type::string());
  VariableActivation activation;
  activation.set("x", 1);
  CHECK(program.evaluate(activation)->as_int() == 2);
  CHECK_FALSE(Program::compile("x + 1", environment));
}

TEST_CASE("a macro's variable hides a variable of the same name", "[cel]") {
  Environment environment;
  environment.variable("x", Type::integer());
  VariableActivation activation;
  activation.set("x", 100);
  CHECK(result_of("[1, 2].map(x, x + 1) + [x]", environment, activation) == "[2, 3, 100]");
  CHECK(result_of("[1].map(x, .x)", environment, activation) == "[100]");
}

TEST_CASE("macros are plain calls where they are disabled", "[cel]") {
  Environment environment;
  environment.disable_macros();
  CHECK_FALSE(Program::compile("[1].all(x, x > 0)", environment));
}

}  // namespace checkride::cel

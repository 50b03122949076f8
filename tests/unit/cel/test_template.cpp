#include "tests/unit/cel/support.h"

namespace checkride::cel {
namespace {

Environment environment() {
  return Environment()
      .variable("n", Type::integer())
      .variable("s", Type::string())
      .variable("m", type("map<string, list<int>>"));
}

VariableActivation variables() {
  VariableActivation activation;
  activation.set("n", 3).set("s", "text").set("m", json(R"({"a": [1, 2]})"));
  return activation;
}

std::string filled(std::string_view text) {
  const auto compiled_template = Template::compile(text, environment());
  if (!compiled_template) return "refused: " + compiled_template.error().front().message;
  const EvalResult value = compiled_template->evaluate(variables());
  return value ? to_cel(*value) : "error: " + value.error().message;
}

}  // namespace

TEST_CASE("a template fills its holes", "[cel]") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"", "\"\""},
      {"plain", "\"plain\""},
      {"${n}", "3"},
      {" ${n}", "\" 3\""},
      {"${m}", "{\"a\": [1, 2]}"},
      {"m is ${m}", "\"m is {\\\"a\\\": [1, 2]}\""},
      {"${s}-${n + 1}", "\"text-4\""},
      {"$${n} costs $5", "\"${n} costs $5\""},
      {"${ {'}': n}['}'] }", "3"},
      {"a ${ {'x': {'y': n}}.x.y } b", "\"a 3 b\""},
      {"${ '${' + s /* no */ }", "refused: expected a value but found '*'"},
      {"${ r'}' + '\\'}' // }\n }", "\"}'}\""},
      {"${n", "refused: this ${ is not closed"},
      {"${'}", "refused: a string is not closed"},
      {"${1 / (n - 3)}", "error: division by zero"},
  }));
  INFO(text);
  CHECK(filled(text) == expected);
}

TEST_CASE("diagnostics of a template count from its own beginning", "[cel]") {
  const auto result = Template::compile("line one\n\u00e9 ${n} ${unknown}", environment());
  REQUIRE_FALSE(result);
  CHECK(result.error().front().position.line == 2);
  CHECK(result.error().front().position.column == 10);
}

TEST_CASE("a template knows its type, its variables and whether it is constant", "[cel]") {
  const auto one = Template::compile("${n}", environment());
  const auto many = Template::compile("${n} ${s} ${n}", environment());
  const auto none = Template::compile("$${n}", environment());
  REQUIRE((one && many && none));
  CHECK(one->type() == Type::integer());
  CHECK(many->type() == Type::string());
  CHECK(many->variables() == std::vector<std::string>{"n", "s"});
  CHECK(none->constant());
  CHECK_FALSE(one->constant());
}

TEST_CASE("facts of several holes have no repeats", "[cel]") {
  const auto text = Template::compile("${n} ${s} ${n}", environment());
  REQUIRE(text);
  std::vector<Fact> facts;
  EvalOptions options;
  options.facts = &facts;
  REQUIRE(text->evaluate(variables(), options));
  REQUIRE(facts.size() == 2);
  CHECK(facts[0].path == "n");
  CHECK(facts[1].path == "s");
}

}  // namespace checkride::cel

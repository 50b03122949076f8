#include "tests/unit/cel/support.h"

namespace checkride::cel {

TEST_CASE("expressions give their values", "[cel]") {
  const auto [source, expected] = GENERATE(table<std::string, std::string>({
      {"1 + 2 * 3 - 4 / 2 % 3", "5"},
      {"-2 * -3", "6"},
      {"2 - 1 - 1", "0"},
      {"1 < 2 == true", "true"},
      {"false ? 1 : true ? 2 : 3", "2"},
      {"'a' + \"b\" + r'\\n'", "\"ab\\\\n\""},
      {"[1, 2,]", "[1, 2]"},
      {"{'a': 1,}.a", "1"},
      {"[1, 2, 3].filter(x, x > 1).map(x, x * 2)", "[4, 6]"},
      {"[[1, 2], [3]].map(l, l.map(x, x + size(l)))", "[[3, 4], [4]]"},
      {"cel.bind(a, [1, 2], a + a)", "[1, 2, 1, 2]"},
      {"cel.bind(a, [[1], [2]], a[1])", "[2]"},
      {"[{'a': [1, 2]}].map(e, e.a)[0][1]", "2"},
      {"{'a': {'b': [5]}}.a.b[0]", "5"},
      {"{'a': 1}.?b.orValue(7)", "7"},
      {"[1, 2][?5].hasValue()", "false"},
      {"optional.of([1]).optMap(l, l + [2]).value()", "[1, 2]"},
      {"timestamp('2026-11-21T03:41:00Z').getHours('+02:00')", "5"},
      {"timestamp('2026-11-21T03:41:00Z') - timestamp('2026-11-21T03:40:00Z') == duration('1m')",
       "true"},
      {"string(1e6) + ' ' + string(0.1) + ' ' + string(1.5e-9)", "\"1000000 0.1 1.5e-09\""},
      {"'%s is %.2f'.format(['pi', 3.14159])", "\"pi is 3.14\""},
      {"'a,b,c'.split(',', 2).join('|')", "\"a|b,c\""},
      {"''.split(',') == [''] && ''.split('') == []", "true"},
      {"'aaa'.replace('', '-')", "\"-a-a-a-\""},
      {"'abcabc'.lastIndexOf('abc') + 'abc'.indexOf('c')", "5"},
      {"math.greatest([1, 2u, 3.5])", "3.5"},
      {"[1, 2, 3].exists_one(x, x == 2)", "true"},
      {"{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10)", "{\"b\": 20}"},
      {"['x', 'y'].transformMapEntry(i, v, {v: i})", "{\"x\": 0, \"y\": 1}"},
      {"type(1) == int && type([]) == list", "true"},
      {"9223372036854775807 == -(-9223372036854775807)", "true"},
  }));
  INFO(source);
  CHECK(result_of(source) == expected);
}

TEST_CASE("failing expressions say why", "[cel]") {
  const auto [source, expected] = GENERATE(table<std::string, std::string>({
      {"1 / 0", "division by zero"},
      {"1 % 0", "modulus by zero"},
      {"9223372036854775807 + 1", "integer overflow"},
      {"{'a': 1}['b']", "no such key: 'b'"},
      {"[1][1]", "index 1 is outside the list of 1"},
      {"int('x')", "\"x\" is no int"},
      {"uint(-1)", "range error: -1 does not fit in a uint"},
      {"'x'.matches(dyn('('))", "invalid regular expression: missing ): ("},
      {"timestamp(0).getHours(dyn('Europe/Berlin'))",
       "the time zone \"Europe/Berlin\" is named; only UTC and offsets such as +02:00 are allowed "
       "here"},
      {"optional.none().value()", "optional.none() has no value"},
      {"[1, 2].map(x, 1 / (x - 1))", "division by zero"},
      {"{1: 'a', 1u: 'b'}", "duplicate map key 1u"},
      {"'%d'.format(['x'])", "'%d' cannot print a value of type string"},
      {"'abc'.substring(2, 1)", "invalid substring range: start 2, end 1"},
  }));
  INFO(source);
  CHECK(result_of(source) == "error: " + expected);
}

TEST_CASE("and, or and the quantifiers absorb errors where the other side decides", "[cel]") {
  CHECK(result_of("1 / 0 == 1 && false") == "false");
  CHECK(result_of("1 / 0 == 1 || true") == "true");
  CHECK(result_of("[0, 1].exists(x, 1 / x == 1)") == "true");
  CHECK(result_of("[0, 1].all(x, 1 / x == 5)") == "false");
  CHECK(result_of("[0, 1].all(x, 1 / x == 1)") == "error: division by zero");
  CHECK(result_of("1 / 0 == 1 && 1 % 0 == 1") == "error: division by zero");
}

TEST_CASE("white space and comments stand between any tokens", "[cel]") {
  CHECK(result_of(" \t\n\r\f1 // one\n + // plus\n2 // end") == "3");
  CHECK(result_of("'// no comment'") == "\"// no comment\"");
  CHECK(result_of("[1]\n.\nmap(\nx,\nx)") == "[1]");
  CHECK(first_diagnostic("1 \v 2").message == "unexpected character '\v'");
}

TEST_CASE("an error names the place where it arose", "[cel]") {
  const auto position = [](std::string_view source) {
    const EvalResult result = compiled(source, {}).evaluate(VariableActivation());
    REQUIRE_FALSE(result);
    return std::pair(result.error().position.line, result.error().position.column);
  };
  CHECK(position("true &&\n  1 / 0 == 1") == std::pair(2U, 5U));
  CHECK(position("'\u00e9\u00e9' == string(1 / 0)") == std::pair(1U, 18U));
  CHECK(position("{'a': {}}.a.b") == std::pair(1U, 13U));
}

TEST_CASE("the step budget ends an evaluation and is never absorbed", "[cel]") {
  const std::string list = "[1,2,3,4,5,6,7,8,9,10]";
  const std::string source = list + ".all(a, " + list + ".all(b, " + list + ".all(c, " + list +
                             ".all(d, a + b + c + d > 0)))) || true";
  EvalOptions options;
  options.steps_max = 1000;
  CHECK(result_of(source, {}, VariableActivation(), options) ==
        "error: the evaluation needs more than 1000 steps");
  options.steps_max = 1'000'000;
  CHECK(result_of(source, {}, VariableActivation(), options) == "true");
}

TEST_CASE("no value grows past its bound", "[cel]") {
  std::string source = "'0123456789'";
  for (int i = 0; i < 20; ++i)
    source = "cel.bind(x" + std::to_string(i) + ", " + source + ", x" + std::to_string(i) + " + x" +
             std::to_string(i) + ")";
  EvalOptions options;
  options.value_bytes_max = 1 << 20;
  CHECK(result_of(source, {}, VariableActivation(), options) ==
        "error: the value grows past its bound of 1048576 bytes");
}

TEST_CASE("sharing a value many times over is paid for part by part", "[cel]") {
  std::string source = "[1]";
  for (int i = 0; i < 40; ++i) source = "cel.bind(x, " + source + ", [x, x, x, x])";
  CHECK(result_of(source).find("error: the ") == 0);
}

TEST_CASE("hostile text is refused without a crash", "[cel]") {
  const auto refused = [](const std::string& source) {
    return !Program::compile(source, {}, Program::Checking::untyped);
  };
  CHECK(refused(std::string(60'000, '(')));
  CHECK(refused(std::string(60'000, '[')));
  CHECK(refused(std::string(60'000, '-') + "1"));
  CHECK(refused(std::string(60'000, '!') + "true"));
  CHECK(refused("a" + std::string(30'000, '.')));
  CHECK(refused(std::string(70'000, ' ') + "1"));
  std::string sum = "1";
  for (int i = 0; i < 10'000; ++i) sum += "+1";
  CHECK(refused(sum));
  std::string conditions = "true";
  for (int i = 0; i < 5'000; ++i) conditions += " && true";
  CHECK(result_of(conditions) == "true");
  for (int byte = 0; byte < 256; ++byte)
    static_cast<void>(Program::compile("a + " + std::string(1, static_cast<char>(byte)), {},
                                       Program::Checking::untyped));
}

TEST_CASE("a variable without a value is an error that names it", "[cel]") {
  Environment environment;
  environment.variable("x", Type::integer());
  CHECK(result_of("x + 1", environment) == "error: the variable 'x' has no value");
  CHECK(result_of("x > 1 || true", environment) == "true");
}

TEST_CASE("named time zones work where they are allowed", "[cel]") {
  Environment environment;
  environment.allow_named_time_zones();
  const std::string result =
      result_of("timestamp('2026-07-01T12:00:00Z').getHours('Europe/Berlin')", environment);
  CHECK((result == "14" || result == "error: unknown time zone \"Europe/Berlin\""));
  CHECK(result_of("timestamp(0).getHours('../../etc/passwd')", environment).find("error") == 0);
}

}  // namespace checkride::cel

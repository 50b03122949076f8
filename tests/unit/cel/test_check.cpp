#include "tests/unit/cel/support.h"

namespace checkride::cel {
namespace {

Environment guard_environment() {
  Environment environment;
  environment
      .variable("result", type("{exit_code: int, ratio: double, count: uint, log?: string, entries: "
                               "list<{name: string, note?: string}>, nested?: {deep?: int}}"))
      .variable("params", type("{repo: string, patches: list<string>}"))
      .variable("labels", type("map<string, string>"))
      .variable("now", Type::timestamp())
      .allow_in({"build", "validate"});
  return environment;
}

std::string said(std::string_view source) {
  const Diagnostic d = first_diagnostic(source, guard_environment());
  return std::to_string(d.position.line) + ":" + std::to_string(d.position.column) + ": " +
         d.message + (d.suggestion.empty() ? "" : "; " + d.suggestion);
}

}  // namespace

TEST_CASE("the checker says what cannot work, where, and what was meant", "[cel]") {
  const auto [source, expected] = GENERATE(table<std::string, std::string>({
      {"resutl.exit_code == 0", "1:1: undeclared variable 'resutl'; did you mean 'result'?"},
      {"result.exit_cod == 0", "1:8: unknown field 'exit_cod'; did you mean 'exit_code'?"},
      {"params.zzz", "1:8: unknown field 'zzz'; its fields are repo, patches"},
      {"result.exit_code == 'x'", "1:18: this comparison can never hold: int == string"},
      {"'x' in result.entries",
       "1:5: this can never hold: string in list<{name: string, note?: string}>"},
      {"result.exit_code + 1.0",
       "1:18: no such overload: int + double; convert one side with int(), uint() or double(), or "
       "write 2.0 or 2u"},
      {"result.exit_code && true", "1:1: an operand of && must be bool, not int"},
      {"sise(params.patches)", "1:1: unknown function 'sise'; did you mean 'size'?"},
      {"size(1)", "1:1: no such overload: size(int)"},
      {"params.repo.startsWith(1)", "1:13: no such overload: string.startsWith(int)"},
      {"size(1, 2)", "1:1: no such overload: 'size' does not take 2 arguments here"},
      {"params.repo.x", "1:13: a value of type string has no field \"x\""},
      {"params.patches.x", "1:16: a list has no field \"x\"; its index is a number"},
      {"params.patches['x']", "1:15: a list has no field \"x\"; its index is a number"},
      {"result.entries.all(e, e.nam == '')", "1:25: unknown field 'nam'; did you mean 'name'?"},
      {"result.entries.all(e, e.name)", "1:23: the condition of all() must be bool, not string"},
      {"result.exit_code.all(e, true)", "1:18: all() walks a list or a map, not int"},
      {"has(result.lgo)", "1:12: unknown field 'lgo'; did you mean 'log'?"},
      {"In('biuld')", "1:4: there is no state 'biuld'; did you mean 'build'?"},
      {"true ? 1 : 'x'",
       "1:6: the branches of ?: have different types, int and string; wrap one in dyn() if that is "
       "meant"},
      {"params.repo.matches('(')", "1:21: invalid regular expression: missing ): ("},
      {"now.getHours(result.exit_code == 0 ? 'UTC' : 'Asia/' + 'Tokyo') > 7",
       "1:36: the time zone \"Asia/Tokyo\" is named; only UTC and offsets such as +02:00 are "
       "allowed here"},
      {"now.getHours('Europe/Berlin') > 7",
       "1:14: the time zone \"Europe/Berlin\" is named; only UTC and offsets such as +02:00 are "
       "allowed here"},
      {"result.exit_code == 1.5",
       "1:18: this comparison can never hold: a whole number is never 1.5"},
      {"0.5 == result.exit_code", "1:5: this comparison can never hold: a whole number is never 0.5"},
      {"size(params.patches) < 0", "1:22: this comparison can never hold: a size is never below 0"},
      {"params.repo.size() == -1", "1:20: this comparison can never hold: a size is never below 0"},
      {"-1 >= size(params.patches)",
       "1:4: this comparison can never hold: a size is never below 0"},
      {"result.count < 0", "1:14: this comparison can never hold: a uint is never below 0"},
      {"result.exit_code == 1 && result.ratio > 0.0 && result.exit_code == 2",
       "1:65: this comparison can never hold: result.exit_code cannot be both 1 and 2"},
      {"'a' == params.repo && params.repo == 'b'",
       "1:35: this comparison can never hold: params.repo cannot be both \"a\" and \"b\""},
      {"labels[1]", "1:7: the keys of this map are string, so 1 is never one of them"},
      {"true &&\n\n  resul.x", "3:3: undeclared variable 'resul'; did you mean 'result'?"},
  }));
  INFO(source);
  CHECK(said(source) == expected);
}

TEST_CASE("syntax errors have a place and say what was expected", "[cel]") {
  const auto [source, expected] = GENERATE(table<std::string, std::string>({
      {"", "1:1: the expression ends where a value should be"},
      {"1 +", "1:4: the expression ends where a value should be"},
      {"(1", "1:3: the expression ends where ')' should be"},
      {"1 2", "1:3: expected an operator or the end but found '2'"},
      {"a = 1", "1:3: '=' is no operator of CEL; write '==' to compare"},
      {"a & b", "1:3: '&' is no operator of CEL; write '&&'"},
      {"'abc", "1:1: a string is not closed"},
      {"'\u00e9' + 'a\\q'", "1:9: unknown escape '\\q'"},
      {"if", "1:1: 'if' is a reserved word of CEL, not a name"},
      {"f(1,)", "1:5: expected an argument but found ')'"},
      {"9223372036854775808", "1:1: '9223372036854775808' does not fit in an int"},
      {"has(x)", "1:1: has() takes one field selection, as in has(result.log)"},
      {"[1].all(1, true)", "1:5: argument 1 of all() must be a plain name"},
      {"Msg{a: 1}", "1:4: messages cannot be constructed here; write a map: {\"field\": value}"},
  }));
  INFO(source);
  CHECK(said(source) == expected);
}

TEST_CASE("reading an optional field needs has() in the same condition", "[cel]") {
  const Environment environment = guard_environment();
  const auto accepted = GENERATE(
      as<std::string>(), "has(result.log) && result.log == 'x'",
      "result.log == 'x' && has(result.log)", "!has(result.log) || result.log == 'x'",
      "has(result.log) ? result.log : ''", "!has(result.log) ? '' : result.log",
      "has(result.log) && result.exit_code == 0 && result.log.contains('x')",
      "'log' in result && result.log == 'x'", "result.?log.orValue('') == 'x'",
      "result.entries.all(e, has(e.note) && e.note == '')",
      "result.entries.filter(e, has(e.note)).size() > 0",
      "has(result.nested) && has(result.nested.deep) && result.nested.deep > 1",
      "has(result.log) && [1].all(x, result.log == string(x))", "has(result['log'].x) || true",
      "result.?nested.?deep.orValue(0) > 1", "result[?'log'].hasValue()");
  INFO(accepted);
  const bool first = accepted != "has(result['log'].x) || true";
  CHECK(Program::compile(accepted, environment).has_value() == first);
}

TEST_CASE("an optional field without has() is refused", "[cel]") {
  const auto source =
      GENERATE(as<std::string>(), "result.log == 'x'", "has(result.log) || result.log == 'x'",
               "has(result.log) ? '' : result.log", "result['log'] == 'x'",
               "has(result.nested) && result.nested.deep > 1", "has(result.nested.deep)",
               "result.entries.all(e, e.note == '')",
               "result.entries.exists(e, has(e.note)) && result.entries.all(e, e.note == '')");
  INFO(source);
  const Diagnostic d = first_diagnostic(source, guard_environment());
  CHECK(d.message.find("may be absent") != std::string::npos);
  CHECK(d.suggestion.find('#') == std::string::npos);
}

TEST_CASE("types are deduced through macros, literals and functions", "[cel]") {
  const auto [source, expected] = GENERATE(table<std::string, std::string>({
      {"result.entries.map(e, e.name)", "list<string>"},
      {"result.entries.filter(e, e.name != '')[0].name", "string"},
      {"{'a': [1, 2]}", "map<string, list<int>>"},
      {"[1, 'a']", "list<dyn>"},
      {"[]", "list<dyn>"},
      {"[] + [1]", "list<int>"},
      {"size(params.patches)", "int"},
      {"result.ratio * 2.0 > 1", "bool"},
      {"result.?log", "optional<string>"},
      {"result.?log.orValue('x')", "string"},
      {"optional.of(1).optMap(x, string(x))", "optional<string>"},
      {"dyn(1)", "dyn"},
      {"dyn(1) + 2", "int"},
      {"labels.transformList(k, v, size(v))", "list<int>"},
      {"cel.bind(x, params.repo, x + x)", "string"},
      {"timestamp(0) - timestamp(1)", "duration"},
      {"type(1)", "type<int>"},
      {"In('build')", "bool"},
      {"math.greatest(1, 2)", "int"},
  }));
  INFO(source);
  CHECK(to_string(compiled(source, guard_environment()).type()) == expected);
}

TEST_CASE("comparisons that may hold are let through", "[cel]") {
  const auto source = GENERATE(
      as<std::string>(), "result.exit_code == 1.0", "result.exit_code < 1.5",
      "result.exit_code != 1.5", "size(params.patches) >= 0", "size(params.patches) <= 0",
      "result.exit_code == -1", "result.exit_code == 1 || result.exit_code == 2",
      "result.exit_code == 1 && result.exit_code == 1.0", "result.count > 0", "0 <= result.count",
      "result.entries.exists(e, e.name == 'a') && result.entries.exists(e, e.name == 'b')",
      "dyn(result.exit_code) == 'x'", "now.getHours('+02:00') == 2", "now.getHours('UTC') == 2",
      "now.getHours(result.exit_code == 0 ? 'UTC' : '+02:' + '00') == 2");
  INFO(source);
  CHECK(Program::compile(source, guard_environment()).has_value());
}

TEST_CASE("declared functions are checked, and calling one is an error", "[cel]") {
  Environment environment;
  const Type t = Type::parameter("T");
  environment.function("pair", false, {t, Type::parameter("U")},
                       Type::opaque("pair", {t, Type::parameter("U")}));
  environment.function("twin", false, {Type::opaque("pair", {t, t})}, t);
  environment.function("twice", true, {Type::integer()}, Type::nullable(Type::integer()));
  const auto type_of_source = [&](const char* source) {
    return to_string(compiled(source, environment).type());
  };
  CHECK(type_of_source("pair(1, 'x')") == "pair<int, string>");
  CHECK(type_of_source("twin(pair(1, dyn(2)))") == "dyn");
  CHECK(type_of_source("[pair(1, 2u), pair(dyn(1), 2u)]") == "list<pair<dyn, uint>>");
  CHECK(type_of_source("pair(1, 2) == pair(3, dyn('x'))") == "bool");
  CHECK(type_of_source("[pair(1, 2), null][0]") == "pair<int, int>");
  CHECK(type_of_source("[1, 2.twice()]") == "list<nullable<int>>");
  CHECK(type_of_source("[2.twice(), 1]") == "list<nullable<int>>");
  CHECK(type_of_source("2.twice() + 1") == "int");
  CHECK(type_of_source("2.twice() == null") == "bool");
  CHECK_FALSE(Program::compile("twin(pair(1, 'x'))", environment));
  CHECK_FALSE(Program::compile("pair(1, 2) == 1", environment));
  CHECK(result_of("pair(1, 2)", environment) == "error: the function 'pair' is only declared");
}

TEST_CASE("a program lists the variables it reads without those of its macros", "[cel]") {
  const Program program =
      compiled("params.patches.all(p, p != result.ratio + 0.0 || labels.x == p)",
               Environment()
                   .variable("params", Type::dyn())
                   .variable("result", Type::dyn())
                   .variable("labels", Type::dyn()));
  CHECK(program.variables() == std::vector<std::string>{"labels", "params", "result"});
}

TEST_CASE("In() exists only where the environment allows it", "[cel]") {
  CHECK(first_diagnostic("In('x')").message == "unknown function 'In'");
}

}  // namespace checkride::cel

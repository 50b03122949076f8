#include "tests/unit/cel/support.h"

namespace checkride::cel {

TEST_CASE("types print as definitions write them", "[cel]") {
  const auto text = GENERATE(as<std::string>(), "bool", "int", "uint", "double", "string", "bytes",
                             "timestamp", "duration", "dyn", "list<string>", "map<string, double>",
                             "optional<int>", "{exit_code: int, log?: string}",
                             "list<{name: string, runs: map<int, list<dyn>>}>", "{}");
  CHECK(to_string(type(text)) == text);
}

TEST_CASE("a path is a string to guards", "[cel]") {
  CHECK(type("path") == Type::string());
}

TEST_CASE("malformed types are refused", "[cel]") {
  const auto text = GENERATE(as<std::string>(), "", "strin", "list", "list<", "list<int",
                             "map<int>", "map<double, int>", "{a}", "{a: int, a: int}", "{a: }",
                             "int int", "{1a: int}", "T", "null");
  INFO(text);
  CHECK_FALSE(parse_type(text));
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "list<";
  CHECK_FALSE(parse_type(deep));
}

TEST_CASE("a value conforms to a record when its fields do", "[cel]") {
  const Type record = type("{exit_code: int, ratio?: double, entries: list<{name: string}>}");
  CHECK(conforms(json(R"({"exit_code": 0, "entries": []})"), record));
  CHECK(conforms(json(R"({"exit_code": 0, "ratio": 0.5, "entries": [{"name": "x"}]})"), record));
  const auto message = [&](std::string_view text) {
    const auto result = conforms(json(text), record);
    return result ? std::string("conforms") : result.error().message;
  };
  CHECK(message(R"({"entries": []})") == "exit_code: missing; expected int");
  CHECK(message(R"({"exit_code": 0, "entries": [{"name": 1}]})") ==
        "entries[0].name: expected string, found int");
  CHECK(message(R"({"exit_code": 0, "entries": [], "rtio": 1})") == "unknown field \"rtio\"");
  CHECK(message(R"({"exit_code": 0, "entries": [], "ratio": 1})") ==
        "ratio: expected double, found int");
  CHECK(message("[]").find("expected {exit_code") == 0);
}

}  // namespace checkride::cel

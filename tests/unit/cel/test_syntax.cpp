// White space and comments (google/cel-spec, langdef.md, "Syntax": WHITESPACE is any of tab, line
// feed, form feed, carriage return and space; COMMENT runs from // to the line feed).
#include "tests/unit/cel/support.h"

namespace checkride::cel {
namespace {

using Tokens = std::vector<std::string>;

std::string joined(const Tokens& tokens, const std::string& between) {
  std::string text = between;
  for (const std::string& token : tokens) text += token + between;
  return text;
}

}  // namespace

TEST_CASE("any white space and any comment may stand between any two tokens", "[cel]") {
  const auto tokens = GENERATE(
      Tokens{"1", "+", "2", "*", "-", "3"}, Tokens{"[", "1", ",", "2", "]", "[", "0", "]"},
      Tokens{"{", "'a'", ":", "1", "}", ".", "a"}, Tokens{"true", "?", "'x'", ":", "'y'"},
      Tokens{"[", "1", "]", ".", "all", "(", "x", ",", "x", ">=", "1", ")", "&&", "!", "false"},
      Tokens{"size", "(", "b'ab'", ")", "==", "2", "||", "1", "in", "[", "1u", "]"},
      Tokens{"{", "?", "'a'", ":", "optional", ".", "none", "(", ")", "}", ".", "?", "b", ".",
             "orValue", "(", "7", ")"},
      Tokens{"has", "(", "{", "}", ".", "a", ")"}, Tokens{"-", "9223372036854775808"});
  const auto between = GENERATE(as<std::string>(), "\t", "\n", "\r", "\f", "\r\n \t", "// c\n",
                                "//\n", " // \u00e9 'quoted' \"\n", "// one\n// two\n\n");
  INFO(joined(tokens, between));
  CHECK(result_of(joined(tokens, between)) == result_of(joined(tokens, " ")));
}

TEST_CASE("a comment ends with its line and nowhere else", "[cel]") {
  const auto [source, expected] = GENERATE(table<std::string, std::string>({
      {"1 // + 1", "1"},
      {"1 //", "1"},
      {"// first\n1", "1"},
      {"1 // a\r+ 1", "1"},  // a carriage return does not end it
      {"1 // a\f+ 1", "1"},
      {"1 // a\n+ 1", "2"},
      {"1 // a\r\n+ 1", "2"},
      {"1 /* 2", "error"},
      {"4 / // two\n2", "2"},
      {"4 /// two\n", "4"},
      {"1 # no comment", "error"},
      {"// nothing else", "error"},
      {"'//' + \"//\" + r'//'", "\"//////\""},
      {"'''// text\n// text'''.size()", "15"},
      {"{'http://x': 1}['http://x'] // path", "1"},
  }));
  INFO(source);
  if (expected == "error")
    CHECK_FALSE(Program::compile(source, Environment()));
  else
    CHECK(result_of(source) == expected);
}

TEST_CASE("no white space may stand inside a token", "[cel]") {
  const auto source = GENERATE(as<std::string>(), "1 = = 1", "true & & true", "true | | true",
                               "1 < = 2", "1 ! = 2", "1 .5", "1. 5", "1 u", "0 x1F", "1e 5",
                               "r 'x'", "b 'x'", "tr ue", "4 / / 2\n", "'a\nb'", "\"a\nb\"");
  INFO(source);
  CHECK_FALSE(Program::compile(source, Environment()));
}

TEST_CASE("other white space than CEL's is refused with its place", "[cel]") {
  const auto space = GENERATE(as<std::string>(), "\v", "\u00a0", "\u2028", "\u3000", "\u0085",
                              "\ufeff", std::string("\0", 1), "\x7f");
  const Diagnostic d = first_diagnostic("1 +\n " + space + "2");
  CHECK(d.position.line == 2);
  CHECK(d.position.column == 2);
  CHECK(d.message.find("unexpected character") == 0);
}

TEST_CASE("lines and columns count through comments and every line end", "[cel]") {
  const auto place = [](const std::string& source) {
    const Diagnostic d = first_diagnostic(source);
    return std::pair(d.position.line, d.position.column);
  };
  CHECK(place("// one\n  // two\n    nope") == std::pair(3U, 5U));
  CHECK(place("1 +\r\n nope") == std::pair(2U, 2U));
  CHECK(place("'\u00e9' + // \u00e9\n '\u00e9\u00e9' + nope") == std::pair(2U, 9U));
}

}  // namespace checkride::cel

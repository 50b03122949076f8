#include "workflows/loader/yaml.h"

#include <catch2/catch.hpp>
#include <cmath>

namespace checkride::loader {
namespace {

struct Read {
  Diagnostics diagnostics;
  std::optional<Node> root;
  std::string text() const {
    std::string all;
    for (const LoadDiagnostic& d : diagnostics.sorted()) all += to_string(d) + "\n";
    return all;
  }
};

Read read(std::string_view text) {
  Read result;
  Reporter reporter(result.diagnostics, "t.yaml");
  result.root = read_yaml(text, reporter);
  return result;
}

cel::Value value_of(std::string_view scalar) {
  const Read r = read("v: " + std::string(scalar));
  INFO(scalar << "\n" << r.text());
  REQUIRE(r.root);
  const auto value = scalar_value(*r.root->find("v"));
  REQUIRE(value);
  return *value;
}

TEST_CASE("plain scalars have the types of the YAML 1.2 core schema", "[loader][yaml]") {
  CHECK(value_of("") == cel::Value());
  CHECK(value_of("~") == cel::Value());
  CHECK(value_of("null") == cel::Value());
  CHECK(value_of("true") == cel::Value(true));
  CHECK(value_of("FALSE") == cel::Value(false));
  CHECK(value_of("12") == cel::Value(12));
  CHECK(value_of("-0012") == cel::Value(-12));
  CHECK(value_of("+7") == cel::Value(7));
  CHECK(value_of("0o17") == cel::Value(15));
  CHECK(value_of("0xFf") == cel::Value(255));
  CHECK(value_of("0x1F") == cel::Value(31));
  CHECK(value_of("Null") == cel::Value());
  CHECK(value_of("NULL") == cel::Value());
  CHECK(value_of(".inf") == cel::Value(INFINITY));
  CHECK(value_of("+.INF") == cel::Value(INFINITY));
  CHECK(std::isnan(value_of(".NaN").as_double()));
  CHECK(value_of("1.5") == cel::Value(1.5));
  CHECK(value_of("1e3") == cel::Value(1000.0));
  CHECK(value_of("-.5") == cel::Value(-0.5));
  CHECK(value_of("1.") == cel::Value(1.0));
  CHECK(value_of("-.inf") == cel::Value(-INFINITY));
  CHECK(std::isnan(value_of(".nan").as_double()));
}

TEST_CASE("words that only YAML 1.1 gives a type are text", "[loader][yaml]") {
  for (const char* word : {"yes", "no", "on", "off", "y", "n", "017_0", "1_000", "12:30:45", "0b11",
                           "2026-11-21", "1e", ".", "+", "0x", "nAn", "=", "tRue"}) {
    CHECK(value_of(word) == cel::Value(word));
  }
}

TEST_CASE("quotes and blocks always mean text", "[loader][yaml]") {
  CHECK(value_of("'12'") == cel::Value("12"));
  CHECK(value_of("\"true\"") == cel::Value("true"));
  CHECK(value_of("\"\"") == cel::Value(""));
  CHECK(value_of("'null'") == cel::Value("null"));
  CHECK(value_of("|\n  12\n") == cel::Value("12\n"));
}

TEST_CASE("the keys on and no are text, not booleans", "[loader][yaml]") {
  const Read r = read("on: 1\nno: 2\n");
  REQUIRE(r.root);
  CHECK(r.root->entries[0].key == "on");
  CHECK(r.root->entries[1].key == "no");
}

TEST_CASE("an int beyond 64 bits has no value", "[loader][yaml]") {
  const Read r = read("v: 9223372036854775808");
  CHECK_FALSE(scalar_value(*r.root->find("v")));
}

TEST_CASE("what the language refuses of YAML is refused with its place", "[loader][yaml]") {
  struct Case {
    const char* text;
    const char* expected;
  };
  const Case cases[] = {
      {"a: 1\nb: 2\na: 3\n",
       "t.yaml:3:1: error: the key 'a' stands twice in this map, first in line 1"},
      {"a: {x: 1, \"x\": 2}\n", "t.yaml:1:11: error: the key 'x' stands twice"},
      {"a: &x 1\nb: *x\n", "t.yaml:1:4: error: anchors are not allowed"},
      {"a: &x 1\nb: *x\n", "t.yaml:2:4: error: aliases are not allowed"},
      {"a:\n  <<: {b: 1}\n", "t.yaml:2:3: error: merge keys are not allowed"},
      {"a: !!str 1\n", "is not allowed; types follow from how a value is written"},
      {"a: !mine {b: 1}\n", "t.yaml:1:4: error: the tag '!mine' is not allowed"},
      {"a: 1\n---\nb: 2\n", "t.yaml:2:1: error: a second document begins here"},
      {"? [a]\n: 1\n", "t.yaml:1:3: error: a key must be text, not a list"},
      {"~: 1\n", "t.yaml:1:1: error: a key must be text, not nothing"},
      {"", "t.yaml:1:1: error: the document is empty"},
      {"# only a comment\n", "t.yaml:1:1: error: the document is empty"},
      {"a: [1, 2\nb: 3\n", "error: this is not YAML: "},
      {"a: {b?: c}\n", "unknown token; quote text that holds '?' inside {} or []"},
      {"a: b: c\n", "t.yaml:1:5: error: this is not YAML: "},
      {"a: \"x\x01\"\n", "t.yaml:1:6: error: the document holds a control character here"},
      {"a: 1\rb: 2\n", "t.yaml:1:5: error: a carriage return stands here without a line feed"},
      {"a:\n\tb: 1\n",
       "t.yaml:2:3: error: this is not YAML: illegal map value; indent with spaces; a tab is no "
       "indentation"},
      {"a: 1\r\nb: 2\r\na: 3\r\n", "t.yaml:3:1: error: the key 'a' stands twice"},
      {"\xEF\xBB\xBF"
       "a: 1\na: 2\n",
       "t.yaml:2:1: error: the key 'a' stands twice"},
      {"\xEF\xBB\xBF"
       "a: &x 1\n",
       "t.yaml:1:4: error: anchors are not allowed"},
      {"\xC3\xA9: 1\nb: \xFF\n", "t.yaml:2:4: error: the document is not valid UTF-8 here"},
  };
  for (const Case& c : cases) {
    const Read r = read(c.text);
    INFO(c.text << "\n" << r.text());
    CHECK_FALSE(r.root);
    CHECK(r.text().find(c.expected) != std::string::npos);
  }
}

TEST_CASE("line ends and a byte order mark change nothing", "[loader][yaml]") {
  for (const std::string text : {"a: 1\r\nb: [x,\r\n  y]\r\n",
                                 "\xEF\xBB\xBF"
                                 "a: 1\nb: [x, y]\n"}) {
    const Read r = read(text);
    INFO(text << r.text());
    REQUIRE(r.root);
    CHECK(scalar_value(*r.root->find("a")) == cel::Value(1));
    CHECK(r.root->find("b")->items.at(1).text == "y");
  }
}

TEST_CASE("a NUL byte is refused where it stands", "[loader][yaml]") {
  using namespace std::string_view_literals;
  CHECK(read("a: 1\nb: x\0y\n"sv).text() ==
        "t.yaml:2:5: error: the document holds a control character here; remove it [yaml]\n");
}

TEST_CASE("a large document costs time in proportion", "[loader][yaml]") {
  std::string wide;
  for (int i = 0; wide.size() + 16 < document_bytes_max; ++i)
    wide += "k" + std::to_string(i) + ":\n";
  CHECK(read(wide).root);  // 100,000 keys, each compared with all others, would take minutes
  std::string deep;
  for (int i = 0; i < 1'000; ++i) deep += std::string(static_cast<std::size_t>(i), ' ') + "k:\n";
  CHECK(read(deep).text().find("nested deeper than 64 levels") != std::string::npos);
}

TEST_CASE("columns count characters, not bytes", "[loader][yaml]") {
  const Read r = read("{\"\xC3\xA9\xC3\xA9\": &x 1}\n");
  CHECK(r.text().find("t.yaml:1:8: error: anchors") != std::string::npos);
}

TEST_CASE("a document may be 64 collections deep and not more", "[loader][yaml]") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(read(nested(64)).root);
  const Read r = read(nested(65));
  CHECK_FALSE(r.root);
  CHECK(r.text() == "t.yaml:1:65: error: the document is nested deeper than 64 levels [yaml]\n");
  CHECK_FALSE(read(nested(100'000)).root);
}

TEST_CASE("a document over 1 MiB is refused", "[loader][yaml]") {
  const Read r = read("a: " + std::string(document_bytes_max, 'x'));
  CHECK(r.text().find("t.yaml:1:1: error: the document has 1048579 bytes") != std::string::npos);
}

TEST_CASE("positions inside scalars lead to places in the document", "[loader][yaml]") {
  const std::string text =
      "plain: one two\n"
      "quoted: 'one two'\n"
      "escaped: \"o\\x6ee two\"\n"
      "literal: |\n"
      "\n"
      "    one\n"
      "    two\n"
      "folded: >\n"
      "    one\n"
      "    two\n";
  const Read r = read(text);
  REQUIRE(r.root);
  const auto place = [&](const char* key, std::uint32_t line, std::uint32_t column) {
    const Place p = place_within(*r.root->find(key), {0, line, column}, text);
    return std::pair(p.line, p.column);
  };
  CHECK(place("plain", 1, 5) == std::pair(1U, 12U));
  CHECK(place("quoted", 1, 5) == std::pair(2U, 14U));
  CHECK(place("escaped", 1, 5) == std::pair(3U, 10U));
  CHECK(place("literal", 2, 1) == std::pair(6U, 5U));
  CHECK(place("literal", 3, 2) == std::pair(7U, 6U));
  CHECK(place("folded", 1, 5) == std::pair(8U, 9U));
}

}  // namespace
}  // namespace checkride::loader

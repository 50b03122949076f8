#include "cli/render/text.h"

#include <catch2/catch.hpp>

#include "cli/render/json.h"

using namespace checkride::cli;

TEST_CASE("the width of a text is its terminal columns", "[cli]") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("é → ü") == 5);
  CHECK(display_width("✅") == 2);
  CHECK(display_width("⚠️") == 2);
  CHECK(display_width("❌ failed") == 9);
  CHECK(display_width("\x1b[31mred\x1b[0m") == 3);
  CHECK(display_width("\xff\xfe") == 2);
}

TEST_CASE("a text is cut at a character, never within one", "[cli]") {
  CHECK(shorten("abcdef", 6) == "abcdef");
  CHECK(shorten("abcdefg", 6) == "abcde…");
  CHECK(shorten("äöüäöü", 4) == "äöü…");
  CHECK(shorten("✅✅✅", 4) == "✅…");
}

TEST_CASE("what a job printed cannot move the cursor", "[cli]") {
  CHECK(clean("a\x1b[2Jb") == "a\xEF\xBF\xBD[2Jb");
  CHECK(clean("a\nb\tc") == "a b c");
}

TEST_CASE("JSON is UTF-8 whatever a file is called", "[cli]") {
  CHECK(document(json::object{{"path", "caf\xe9.py"}}) == "{\"path\":\"caf\uFFFD.py\"}\n");
  CHECK(document(json::string("café")) == "\"café\"\n");
}

TEST_CASE("wrapping breaks at blanks and keeps long words whole", "[cli]") {
  CHECK(wrap("one two three", 8) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("a/very/long/path x", 6) == std::vector<std::string>{"a/very/long/path", "x"});
  CHECK(wrap("a\nb", 10) == std::vector<std::string>{"a", "b"});
  CHECK(wrapped("one two three four five six", "- ", "    ", 26) ==
        "- one two three four five\n    six\n");
}

TEST_CASE("a table aligns cells that hold marks and colours", "[cli]") {
  Table table({"A", "B"});
  table.row({"✅", "x"});
  table.row({Style(true)(Tone::good, "long one"), "y"});
  CHECK(table.text(Style(false)) == "A         B\n✅        x\n\x1b[32mlong one\x1b[0m  y\n");
}

TEST_CASE("a word is quoted for a shell where it must be", "[cli]") {
  CHECK(shell_word("demo-1.27") == "demo-1.27");
  CHECK(shell_word("it's") == "'it'\\''s'");
  CHECK(shell_word("") == "''");
}

#include <cmath>

#include "tests/unit/cel/support.h"

namespace checkride::cel {

TEST_CASE("whole JSON numbers become int, then uint, others double", "[cel]") {
  CHECK(to_cel(json("[1, -9223372036854775808, 9223372036854775808, 18446744073709551616, 1.0, "
                    "1e2]")) ==
        "[1, -9223372036854775808, 9223372036854775808u, 1.8446744073709552e+19, 1.0, 100.0]");
}

TEST_CASE("JSON that is written reads back as the same value", "[cel]") {
  const std::string text = R"({"a":[1,-2.5,true,null,"x\n\u0001é"],"b":{}})";
  CHECK(to_json(json(text)) == text);
  CHECK(json(to_json(json(text), 2)) == json(text));
  CHECK(to_json(json("{\"a\": [1, {}]}"), 2) == "{\n  \"a\": [\n    1,\n    {}\n  ]\n}");
}

TEST_CASE("what JSON lacks is printed as a string", "[cel]") {
  CHECK(to_json(Value(std::nan(""))) == "\"NaN\"");
  CHECK(to_json(Value(Bytes{"hello"})) == "\"aGVsbG8=\"");
  CHECK(to_json(Value(Timestamp{1'500'000'000})) == "\"1970-01-01T00:00:01.5Z\"");
  CHECK(to_json(Value(Duration(-1'500'000'000))) == "\"-1.5s\"");
  CHECK(to_json(Value::optional_none()) == "null");
  CHECK(to_json(Value(std::string("\xff"))) == "\"\xEF\xBF\xBD\"");
}

TEST_CASE("surrogate pairs are joined and lone ones refused", "[cel]") {
  CHECK(json(R"("\ud83d\ude00")").as_string() == "\xF0\x9F\x98\x80");
  CHECK_FALSE(from_json(R"("\ud83d")"));
  CHECK_FALSE(from_json(R"("\ud83dx")"));
  CHECK_FALSE(from_json(R"("\ude00")"));
}

TEST_CASE("malformed JSON is refused with its place", "[cel]") {
  const auto text = GENERATE(as<std::string>(), "", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "01",
                             "1.", "-", "tru", "\"a", "\"\x01\"", "\"\\x\"", "[1] 2", "{a:1}",
                             "\"\xff\"", "1e999", "{\"a\":1,\"a\":2}", "nan", "[1 2]");
  INFO(text);
  const auto value = from_json(text);
  REQUIRE_FALSE(value);
  CHECK(value.error().message.find("line 1, column") != std::string::npos);
}

TEST_CASE("JSON is nested at most 64 deep", "[cel]") {
  CHECK(from_json(std::string(64, '[') + std::string(64, ']')));
  CHECK_FALSE(from_json(std::string(66, '[') + std::string(66, ']')));
  CHECK_FALSE(from_json(std::string(1'000'000, '[')));
}

}  // namespace checkride::cel

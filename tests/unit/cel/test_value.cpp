#include <cmath>
#include <limits>

#include "engine/cel/type.h"
#include "tests/unit/cel/support.h"

namespace checkride::cel {

TEST_CASE("every NaN is the same value, whatever made it", "[cel]") {
  const Value nan(std::numeric_limits<double>::quiet_NaN());
  for (const char* source : {"0.0 / 0.0", "-(0.0 / 0.0)", "double('NaN')", "math.sqrt(-1.0)"})
    CHECK(*compiled(source).evaluate(VariableActivation()) == nan);
  CHECK(Value(std::copysign(std::numeric_limits<double>::quiet_NaN(), -1.0)) == nan);
}

TEST_CASE("numbers of different types are equal by value but not identical", "[cel]") {
  CHECK(equal(Value(1), Value(std::uint64_t{1})));
  CHECK(equal(Value(1), Value(1.0)));
  CHECK_FALSE(Value(1) == Value(1.0));
  CHECK_FALSE(equal(Value(1), Value(true)));
  CHECK_FALSE(equal(Value(-1), Value(std::numeric_limits<std::uint64_t>::max())));
  const Value nan(std::nan(""));
  CHECK_FALSE(equal(nan, nan));
  CHECK(nan == nan);
  CHECK_FALSE(Value(0.0) == Value(-0.0));
  CHECK(equal(Value(0.0), Value(-0.0)));
}

TEST_CASE("the order of values is total and exact for large numbers", "[cel]") {
  CHECK((order(Value(INT64_MAX), Value(0x1p63)) < 0));
  CHECK((order(Value(std::nan("")), Value(-HUGE_VAL)) < 0));
  CHECK((order(Value(1), Value(1.0)) == 0));
  CHECK((order(Value(), Value(false)) < 0));
  CHECK((order(Value(5), Value("5")) < 0));
  CHECK((order(Value(List{1, 2}), Value(List{1, 3})) < 0));
}

TEST_CASE("a map keeps its keys in order and refuses the same key twice", "[cel]") {
  Map map;
  map.set("b", 1);
  map.set("a", 2);
  map.set(Value(7), 3);
  map.set("b", 4);
  CHECK(to_cel(Value(map)) == "{7: 3, \"a\": 2, \"b\": 4}");
  CHECK(map.erase("a"));
  CHECK_FALSE(map.erase("a"));
  REQUIRE(map.find("b") != nullptr);
  CHECK(map.find("b")->as_int() == 4);
  CHECK(map.find(Value(7.0)) != nullptr);
  CHECK(map.find(Value(7.5)) == nullptr);
  CHECK_FALSE(Map::from_entries({{Value(1), Value()}, {Value(std::uint64_t{1}), Value()}}));
  CHECK_FALSE(Map::from_entries({{Value(1.5), Value()}}));
}

TEST_CASE("a map finds every key when it is large enough to be bisected", "[cel]") {
  Map map;
  for (int i = 0; i < 100; ++i) map.set("key" + std::to_string(i), i);
  for (int i = 0; i < 100; ++i) {
    const Value* found = map.find("key" + std::to_string(i));
    REQUIRE(found != nullptr);
    CHECK(found->as_int() == i);
  }
  CHECK(map.find("key100") == nullptr);
}

TEST_CASE("a value printed as CEL evaluates to itself", "[cel]") {
  const std::vector<Value> values = {Value(),
                                     true,
                                     INT64_MIN,
                                     std::uint64_t{7},
                                     1.0,
                                     -0.0,
                                     0.1,
                                     1e300,
                                     5e-324,
                                     HUGE_VAL,
                                     std::nan(""),
                                     "a\"b\\\n\t\x01\u00e9",
                                     Bytes{std::string("\x00\xff'\"", 4)},
                                     List{1, "x", List{}},
                                     Timestamp{-1},
                                     Duration(-1'500'000'000),
                                     Value(Type::timestamp()),
                                     Value::optional_of(3),
                                     Value::optional_none()};
  for (const Value& value : values) {
    const EvalResult again =
        compiled(to_cel(value), {}, Program::Checking::untyped).evaluate(VariableActivation());
    INFO(to_cel(value));
    REQUIRE(again);
    if (value.kind() == Kind::type || value.kind() == Kind::floating)
      CHECK(to_cel(*again) == to_cel(value));
    else
      CHECK(*again == value);
  }
}

TEST_CASE("timestamps convert to nanoseconds without loss where they fit and saturate beyond",
          "[cel]") {
  for (const std::int64_t ns : {INT64_MIN, INT64_MIN + 1, std::int64_t{-1}, std::int64_t{0},
                                std::int64_t{1'500'000'000}, INT64_MAX})
    CHECK(Value(Timestamp{ns}).as_timestamp().ns == ns);
  CHECK(Value(Instant{253402300799, 0}).as_timestamp().ns == INT64_MAX);
  CHECK(Value(Instant{-62135596800, 0}).as_timestamp().ns == INT64_MIN);
}

TEST_CASE("readers of fields get their fallback for absent fields and other kinds", "[cel]") {
  const Value v = json(R"({"name": "x", "code": 3, "ok": true})");
  CHECK(v.string_or("name", "?") == "x");
  CHECK(v.string_or("code", "?") == "?");
  CHECK(v.int_or("code", 0) == 3);
  CHECK(v.bool_or("gone", true));
  CHECK(Value(1).field("x") == nullptr);
}

TEST_CASE("the size of a value grows with what it holds", "[cel]") {
  CHECK(size_bytes(Value(1)) == 0);
  CHECK(size_bytes(Value(std::string(1000, 'x'))) >= 1000);
  CHECK(size_bytes(Value(List{std::string(1000, 'x'), 2})) >
        size_bytes(Value(std::string(1000, 'x'))));
}

}  // namespace checkride::cel

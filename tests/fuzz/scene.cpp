#include "tests/fuzz/scene.h"

#include "engine/base/assert.h"

namespace checkride::fuzz {
namespace {

constexpr std::string_view result_type =
    "{exit_code: int, ratio: double, log?: string, gone?: string, size: uint, "
    "entries: list<{name: string, note?: string}>, nested?: {deep?: int}, m: map<string, int>}";

cel::Type type(std::string_view text) {
  const auto parsed = cel::parse_type(text);
  CR_ASSERT(parsed.has_value(), text);
  return *parsed;
}

cel::Value entry(const char* name, bool noted) {
  cel::Map map;
  map.set("name", cel::Value(name));
  if (noted) map.set("note", cel::Value("n"));
  return cel::Value(std::move(map));
}

cel::Value result() {
  cel::Map deep;
  deep.set("deep", cel::Value(2));
  cel::Map counts;
  counts.set("a", cel::Value(1));
  counts.set("b c", cel::Value(2));
  cel::Map map;
  map.set("exit_code", cel::Value(3));
  map.set("ratio", cel::Value(1.25));
  map.set("log", cel::Value("line one\nline two \u00e9"));
  map.set("size", cel::Value(std::uint64_t{7}));
  map.set("entries", cel::Value(cel::List{entry("x", true), entry("y", false)}));
  map.set("nested", cel::Value(std::move(deep)));
  map.set("m", cel::Value(std::move(counts)));
  return cel::Value(std::move(map));
}

}  // namespace

cel::Environment environment() {
  cel::Environment environment;
  environment.variable("result", type(result_type))
      .variable("limit", cel::Type::integer())
      .variable("names", type("list<string>"))
      .variable("now", cel::Type::timestamp())
      .variable("any", cel::Type::dyn())
      .allow_in({"build", "test"});
  return environment;
}

Scene::Scene() {
  variables_.set("result", result());
  variables_.set("limit", cel::Value(10));
  variables_.set("names", cel::Value(cel::List{cel::Value("a"), cel::Value("bc")}));
  variables_.set("now", cel::Value(cel::Instant{1'750'000'000, 5}));
  variables_.set("any", cel::Value(cel::List{cel::Value(1), cel::Value("x"), cel::Value()}));
}

}  // namespace checkride::fuzz

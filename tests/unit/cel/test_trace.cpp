#include "tests/unit/cel/support.h"

namespace checkride::cel {
namespace {

class States final : public Activation {
 public:
  explicit States(const VariableActivation& variables) : variables_(variables) {}
  const Value* find(std::string_view name) const override { return variables_.find(name); }
  bool in(std::string_view id) const override { return id == "build"; }

 private:
  const VariableActivation& variables_;
};

Environment environment() {
  return Environment().variable("result", Type::dyn()).variable("params", Type::dyn()).allow_in();
}

VariableActivation variables() {
  VariableActivation activation;
  activation.set("result", json(R"({"exit_code": 3, "log": "text", "list": [{"x": 1}, {"x": 2}],
                                    "a b": {"c": true}})"));
  activation.set("params", json(R"({"limit": 2})"));
  return activation;
}

std::vector<Fact> facts_of(const std::string& source) {
  const VariableActivation values = variables();
  std::vector<Fact> facts;
  EvalOptions options;
  options.facts = &facts;
  static_cast<void>(compiled(source, environment()).evaluate(States(values), options));
  return facts;
}

std::string shown(const std::vector<Fact>& facts) {
  std::string text;
  for (const Fact& f : facts) text += (text.empty() ? "" : "; ") + f.path + " = " + to_cel(f.value);
  return text;
}

std::string shown(const TraceNode& node) {
  std::string text = node.text + " -> " +
                     (node.skipped ? "skipped"
                      : node.value ? to_cel(*node.value)
                                   : "error: " + node.error);
  for (const TraceNode& child : node.children) text += " [" + shown(child) + "]";
  return text;
}

TraceNode trace_of(const std::string& source) {
  const VariableActivation values = variables();
  TraceNode root;
  EvalOptions options;
  options.trace = &root;
  static_cast<void>(compiled(source, environment()).evaluate(States(values), options));
  return root;
}

}  // namespace

TEST_CASE("facts are the longest constant paths, in order of first reading", "[cel]") {
  const auto [source, expected] = GENERATE(table<std::string, std::string>({
      {"result.exit_code == 3 && params.limit > 1", "result.exit_code = 3; params.limit = 2"},
      {"result.exit_code > 1 && result['exit_code'] < 9", "result.exit_code = 3"},
      {"result['a b'].c", "result[\"a b\"].c = true"},
      {"result.list[1].x == 2", "result.list[1].x = 2"},
      {"result.list.all(e, e.x > 0)", "result.list = [{\"x\": 1}, {\"x\": 2}]"},
      {"has(result.log) && has(result.gone)", "has(result.log) = true; has(result.gone) = false"},
      {"In('build') || In('test')", "In('build') = true"},
      {"In('te' + 'st')", "In('test') = false"},
      {"result.exit_code == 0 && result.log == 'x'", "result.exit_code = 3"},
      {"result.gone == 1 || params.limit == 2", "params.limit = 2"},
      {"result.?log.orValue('') == 'x'", "result.log = \"text\""},
      {"result.?gone.orValue(1) == 1", "has(result.gone) = false"},
      {"result[?'gone'].orValue(1) == 1", "has(result.gone) = false"},
      {"[1, 2].all(i, i < params.limit)", "params.limit = 2"},
  }));
  INFO(source);
  CHECK(shown(facts_of(source)) == expected);
}

TEST_CASE("evaluating over the recorded facts gives the same verdict", "[cel]") {
  const auto source = GENERATE(
      as<std::string>(), "result.exit_code == 3 && params.limit > 1", "result.list[1].x == 2",
      "result.list.exists(e, e.x == params.limit)", "has(result.log) && !has(result.gone)",
      "has(result.log) && result.log == 'text'", "In('build') && !In('test')",
      "result.?gone.orValue(1) == 1", "result.?log.orValue('') == 'text'",
      "result['a b'].c && has(result.list)", "result.gone == 1 || params.limit == 2",
      "size(result.list) == 2 && result.list[0].x == 1");
  INFO(source);
  const std::vector<Fact> facts = facts_of(source);
  const EvalResult again =
      compiled(source, environment()).evaluate(FactActivation(facts), EvalOptions());
  REQUIRE(again);
  CHECK(to_cel(*again) == "true");
}

TEST_CASE("paths that nobody recorded are absent", "[cel]") {
  const std::vector<Fact> facts = {{"result.exit_code", Value(3)}, {"not a path", Value(1)}};
  const FactActivation activation(facts);
  CHECK(activation.find("params") == nullptr);
  REQUIRE(activation.find("result") != nullptr);
  CHECK(to_cel(*activation.find("result")) == "{\"exit_code\": 3}");
  CHECK_FALSE(activation.in("build"));
}

TEST_CASE("a trace shows every part, what was skipped and what failed", "[cel]") {
  CHECK(shown(trace_of("result.exit_code == 0 && params.limit > 1")) ==
        "result.exit_code == 0 && params.limit > 1 -> false [result.exit_code == 0 -> false "
        "[result.exit_code -> 3]] [params.limit > 1 -> skipped]");
  CHECK(shown(trace_of("result.gone == 1 || true")) ==
        "result.gone == 1 || true -> true [result.gone == 1 -> error: no such key: 'gone' "
        "[result.gone -> error: no such key: 'gone']]");
  CHECK(shown(trace_of("params.limit > 1 ? 'a' : string(params.limit)")) ==
        "params.limit > 1 ? 'a' : string(params.limit) -> \"a\" [params.limit > 1 -> true "
        "[params.limit -> 2]] [string(params.limit) -> skipped]");
}

TEST_CASE("a trace leaves out what only has() looked into", "[cel]") {
  CHECK(shown(trace_of("has(result.log) && size([1, params.limit]) == 2")) ==
        "has(result.log) && size([1, params.limit]) == 2 -> true [has(result.log) -> true] "
        "[size([1, params.limit]) == 2 -> true [size([1, params.limit]) -> 2 "
        "[[1, params.limit] -> [1, 2] [params.limit -> 2]]]]");
  CHECK(shown(trace_of("result.?gone.orValue(1) == 1")) ==
        "result.?gone.orValue(1) == 1 -> true [result.?gone.orValue(1) -> 1 [result.?gone -> "
        "optional.none()]]");
}

TEST_CASE("a trace of a macro shows the first rounds", "[cel]") {
  std::string list = "[0";
  for (int i = 1; i < 100; ++i) list += ", " + std::to_string(i);
  const TraceNode root = trace_of(list + "].all(x, x >= 0)");
  CHECK(root.children.size() == 17);  // the list and 16 rounds
  CHECK(root.children.back().text == "x >= 0");
}

TEST_CASE("a trace of macros in macros stays small", "[cel]") {
  std::string source = "size('" + std::string(10'000, 'x') + "') > 0 && params.limit > 0";
  for (const char* name : {"a", "b", "c", "d"})
    source = "[1,2,3,4,5,6,7,8].all(" + std::string(name) + ", " + source + ")";
  const auto parts = [](const auto& self, const TraceNode& node) -> std::size_t {
    std::size_t count = 1;
    CHECK(node.text.size() <= 4'096);
    for (const TraceNode& child : node.children) count += self(self, child);
    return count;
  };
  const TraceNode root = trace_of(source);
  REQUIRE(root.value);
  CHECK(root.value->as_bool());
  CHECK(parts(parts, root) <= 4'001);
}

TEST_CASE("recording facts and a trace changes no result", "[cel]") {
  const VariableActivation values = variables();
  const Program program =
      compiled("result.list.map(e, e.x + params.limit) + [result.exit_code]", environment());
  std::vector<Fact> facts;
  TraceNode trace;
  EvalOptions options;
  options.facts = &facts;
  options.trace = &trace;
  CHECK(*program.evaluate(values, options) == *program.evaluate(values));
  REQUIRE(trace.value);
  CHECK(to_cel(*trace.value) == "[3, 4, 3]");
}

}  // namespace checkride::cel

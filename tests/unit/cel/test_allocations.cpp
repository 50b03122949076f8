// The scalar path allocates nothing: every operator new of this program counts.
#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/unit/cel/support.h"

namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

void* operator new(std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t bytes) {
  return ::operator new(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace checkride::cel {
namespace {

Environment environment() {
  return Environment()
      .variable("result", type("{exit_code: int, metrics: {ratio: double}, conflicts: "
                               "list<string>, log?: string, status: string}"))
      .variable("limit", Type::integer())
      .allow_in();
}

VariableActivation values() {
  VariableActivation activation;
  activation.set("result", json(R"({"exit_code": 0, "metrics": {"ratio": 1.01},
                                    "conflicts": [], "status": "a status of some length"})"));
  activation.set("limit", 3);
  return activation;
}

std::size_t allocations_of(const Program& program, const Activation& activation,
                           const EvalOptions& options = {}) {
  const std::size_t before = allocations.load();
  const EvalResult result = program.evaluate(activation, options);
  const std::size_t count = allocations.load() - before;
  CHECK(result.has_value());
  return count;
}

}  // namespace

TEST_CASE("the count of allocations sees what a string costs", "[cel]") {
  CHECK(allocations_of(compiled("string(limit) + ' of them and a few more'", environment()),
                       values()) > 0);
}

TEST_CASE("guards over scalars allocate nothing", "[cel]") {
  const auto source = GENERATE(
      as<std::string>(),
      "result.exit_code == 0 && result.metrics.ratio < 1.03 && size(result.conflicts) == 0",
      "result.exit_code + limit * 2 - 1 > 4 || limit % 2 == 0",
      "has(result.log) ? false : result.status == 'a status of some length'",
      "result.status.startsWith('a status') && !result.status.contains('failed')",
      "result.status.matches('^a .* length$')", "In('build') || limit in [1, 2, 3]",
      "limit == 3u && result.metrics.ratio >= 1", "-limit < 0 ? limit : 0");
  INFO(source);
  // A list literal is built each time; everything else is there already.
  const bool builds = source.find('[') != std::string::npos;
  const Program program = compiled(source, environment());
  const VariableActivation activation = values();
  static_cast<void>(program.evaluate(activation));  // RE2 builds its automaton on first use
  CHECK((allocations_of(program, activation) == 0) == !builds);
}

TEST_CASE("recording facts allocates their texts and one vector", "[cel]") {
  const Program program = compiled(
      "result.exit_code == 0 && result.metrics.ratio < 1.03 && size(result.conflicts) == 0",
      environment());
  const VariableActivation activation = values();
  std::vector<Fact> facts;
  EvalOptions options;
  options.facts = &facts;
  CHECK(allocations_of(program, activation, options) <= 4);
  CHECK(facts.size() == 3);
}

}  // namespace checkride::cel

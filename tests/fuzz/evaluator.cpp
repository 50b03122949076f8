#include "engine/base/assert.h"
#include "tests/fuzz/scene.h"
#include "tests/fuzz/targets.h"

namespace checkride::fuzz {
namespace {

constexpr std::uint64_t steps_max = 50'000;
constexpr std::size_t value_bytes_max = 1 << 20;
constexpr std::size_t printed_bytes_max = 2'000;

cel::EvalOptions bounded() {
  cel::EvalOptions options;
  options.steps_max = steps_max;
  options.value_bytes_max = value_bytes_max;
  return options;
}

void same(const cel::EvalResult& a, const cel::EvalResult& b) {
  CR_ASSERT(a.has_value() == b.has_value());
  if (a)
    CR_ASSERT(*a == *b, cel::to_cel(*a), cel::to_cel(*b));
  else
    CR_ASSERT(a.error().message == b.error().message, a.error().message, b.error().message);
}

// What to_cel prints evaluates to the value, where it is not too long for an expression.
void printed_reads_back(const cel::Value& value) {
  const std::string text = cel::to_cel(value);
  if (text.size() > printed_bytes_max) return;
  const auto program = cel::Program::compile(text, {}, cel::Program::Checking::untyped);
  CR_ASSERT(program.has_value(), text);
  const cel::EvalResult again = program->evaluate(cel::VariableActivation());
  CR_ASSERT(again.has_value() && *again == value, text);
}

}  // namespace

void evaluator(std::string_view text) {
  static const cel::Environment names = environment();
  static const Scene scene;
  auto program = cel::Program::compile(text, names);
  const bool typed = program.has_value();
  if (!typed) program = cel::Program::compile(text, names, cel::Program::Checking::untyped);
  if (!program) return;
  const cel::EvalResult bare = program->evaluate(scene, bounded());

  std::vector<cel::Fact> facts;
  cel::EvalOptions with_facts = bounded();
  with_facts.facts = &facts;
  same(bare, program->evaluate(scene, with_facts));

  cel::TraceNode trace;
  cel::EvalOptions with_trace = bounded();
  with_trace.trace = &trace;
  same(bare, program->evaluate(scene, with_trace));

  if (!bare) {
    CR_ASSERT(bare.error().position.offset <= text.size() && !bare.error().message.empty());
    return;
  }
  CR_ASSERT(cel::size_bytes(*bare) <= 4 * value_bytes_max);
  printed_reads_back(*bare);
  if (typed && bare->kind() == cel::Kind::boolean) {
    const cel::EvalResult again = program->evaluate(cel::FactActivation(facts), bounded());
    CR_ASSERT(again.has_value() && *again == *bare, text);
  }
}

}  // namespace checkride::fuzz

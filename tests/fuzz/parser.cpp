#include "engine/base/assert.h"
#include "engine/cel/program.h"
#include "tests/fuzz/targets.h"

namespace checkride::fuzz {
namespace {

void places_are_inside(const std::vector<cel::Diagnostic>& diagnostics, std::string_view text) {
  CR_ASSERT(!diagnostics.empty());
  for (const cel::Diagnostic& d : diagnostics) {
    CR_ASSERT(d.position.offset <= text.size(), d.position.offset);
    CR_ASSERT(d.position.line >= 1 && d.position.column >= 1);
    CR_ASSERT(!d.message.empty());
  }
}

}  // namespace

void parser(std::string_view text) {
  for (const bool macros : {true, false}) {
    cel::Environment environment;
    if (!macros) environment.disable_macros();
    const auto program = cel::Program::compile(text, environment, cel::Program::Checking::untyped);
    if (!program) {
      places_are_inside(program.error(), text);
      continue;
    }
    const auto again =
        cel::Program::compile(program->source(), environment, cel::Program::Checking::untyped);
    CR_ASSERT(again.has_value() && again->variables() == program->variables());
  }
  const auto filled = cel::Template::compile(text, cel::Environment());
  if (!filled) places_are_inside(filled.error(), text);
  if (const auto type = cel::parse_type(text)) {
    const auto again = cel::parse_type(cel::to_string(*type));
    CR_ASSERT(again.has_value() && *again == *type, cel::to_string(*type));
  }
  if (const auto value = cel::from_json(text))
    CR_ASSERT(cel::from_json(cel::to_json(*value)).has_value());
}

}  // namespace checkride::fuzz

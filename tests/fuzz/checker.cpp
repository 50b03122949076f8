#include "engine/base/assert.h"
#include "tests/fuzz/scene.h"
#include "tests/fuzz/targets.h"

namespace checkride::fuzz {

void checker(std::string_view text) {
  static const cel::Environment names = environment();
  const auto checked = cel::Program::compile(text, names);
  if (!checked) {
    CR_ASSERT(!checked.error().empty());
    for (const cel::Diagnostic& d : checked.error())
      CR_ASSERT(d.position.offset <= text.size() && !d.message.empty(), d.message);
    return;
  }
  CR_ASSERT(cel::Program::compile(text, names, cel::Program::Checking::untyped).has_value());
  CR_ASSERT(!cel::to_string(checked->type()).empty());
  for (const std::string& name : checked->variables())
    CR_ASSERT(names.data() != nullptr && !name.empty());
}

}  // namespace checkride::fuzz

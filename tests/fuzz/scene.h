// The variables that fuzzed expressions may read.
#pragma once

#include "engine/cel/program.h"

namespace checkride::fuzz {

cel::Environment environment();
// Values of those variables, of their declared types.
class Scene final : public cel::Activation {
 public:
  Scene();
  const cel::Value* find(std::string_view name) const override { return variables_.find(name); }
  bool in(std::string_view state_id) const override { return state_id == "build"; }

 private:
  cel::VariableActivation variables_;
};

}  // namespace checkride::fuzz

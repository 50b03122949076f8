// The values behind the names of environment.cpp, for one moment of one run. Maps are built when
// they are first read and forgotten when the state moves on.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "engine/cel/program.h"
#include "engine/decider/decide.h"

namespace checkride {

class RunActivation final : public cel::Activation {
 public:
  // `state` and `definition` are borrowed. `event` may be null.
  RunActivation(const RunState& state, const Definition& definition, Timestamp now,
                const statechart::ChartEvent* event,
                std::function<bool(statechart::StateIndex)> in = {});

  const cel::Value* find(std::string_view name) const override;
  bool in(std::string_view state_id) const override;

 private:
  const RunState& state_;
  const Definition& definition_;
  const statechart::ChartEvent* event_;
  std::function<bool(statechart::StateIndex)> in_;
  cel::Value now_;
  mutable std::optional<cel::Value> params_;
  mutable std::optional<cel::Value> data_;
  mutable std::optional<cel::Value> jobs_;
  mutable std::optional<cel::Value> run_;
  mutable std::optional<cel::Value> event_value_;
};

}  // namespace checkride

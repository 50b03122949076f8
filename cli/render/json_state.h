// A run's whole state as JSON and as text, for `show`.
#pragma once

#include "cli/render/json.h"
#include "cli/render/text.h"

namespace checkride::cli {

json::object state_json(const View& view, const RunState& state);
std::string state_text(const View& view, const RunState& state, const Style& style);

}  // namespace checkride::cli

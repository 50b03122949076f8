// What a case expects, held against what came to pass.
#pragma once

#include <string>
#include <vector>

#include "workflows/rehearsal/rehearse.h"

namespace checkride::rehearsal {

// One sentence for each thing that came out differently: what was expected, and what happened.
// `report` is the filled checklist as text.
std::vector<std::string> differences(const Case& one, const Rehearsed& rehearsed,
                                     const std::string& report);

}  // namespace checkride::rehearsal

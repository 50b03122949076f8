// The interpreter and the oracle side by side over one scenario.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/properties/statechart/coverage.h"
#include "tests/properties/statechart/scenario.h"

namespace checkride::statechart {

// Where the two part, or nothing.
std::optional<std::string> disagreement(const Scenario& scenario, Coverage& coverage);

// The first of the charts with seeds first, first + 1, ... on which they part: the seed, the
// smallest scenario found and the difference, for a person to read; nothing where they agree.
std::optional<std::string> first_disagreement(std::uint64_t first, std::uint64_t count,
                                              Coverage& coverage);

}  // namespace checkride::statechart

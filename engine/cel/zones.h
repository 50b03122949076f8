// UTC offsets of named time zones, out of the system's zone database. Only used where an
// environment allows named zones: their rules change with the machine, so guards of recorded runs
// may not.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace checkride::cel {

// Seconds east of UTC at `seconds` since 1970; nullopt for an unknown zone.
std::optional<std::int64_t> zone_offset(std::string_view zone, std::int64_t seconds);

}  // namespace checkride::cel

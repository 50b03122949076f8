// The processes that descend from this one, and the memory they hold, from /proc.
#pragma once

#include <cstdint>
#include <map>

namespace checkride::kernels::process {

// pid -> resident bytes; zombies are not among them. Empty where /proc cannot be read.
std::map<int, std::uint64_t> descendants();

}  // namespace checkride::kernels::process

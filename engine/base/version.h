// The build that decides: recorded in every record, so that a replay under another build can say
// so.
#pragma once

#include <string_view>

namespace checkride {

inline constexpr std::string_view build_version = "0.1.0";

}  // namespace checkride

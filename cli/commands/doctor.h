// `checkride doctor`: is this machine fit, is the store healthy. Each check says what was found
// and, where it is not good, what that means and what to do.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cli/context.h"

namespace checkride::cli {

struct DoctorOptions {
  // Words about who owns the store now ("pid 4711"), nothing when nobody does. May be empty.
  std::function<std::optional<std::string>()> owner;
  std::filesystem::path commentary = {};  // the owner's text log
};
// exit_ok when nothing failed; exit_engine when something that every run needs is missing.
int cmd_doctor(const Context& context, const DoctorOptions& options);

}  // namespace checkride::cli

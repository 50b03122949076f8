// `checkride doctor`: is this machine fit, is the store healthy. Each check says what was found
// and, where it is not good, what that means and what to do.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cli/context.h"

namespace checkride::cli {

// A unit of a resource that runs of the store may lease.
struct DoctorUnit {
  std::string resource;
  std::string unit;
};
// A lock file of a GPU, over all stores of the machine.
struct DoctorLock {
  std::string gpu;
  bool held = false;
};

struct DoctorOptions {
  // Words about who owns the store now ("pid 4711"), nothing when nobody does. May be empty.
  std::function<std::optional<std::string>()> owner;
  std::filesystem::path commentary = {};  // the owner's text log
  // What runs may lease, and the lock files of GPUs. May be empty.
  std::function<Result<std::vector<DoctorUnit>>()> units = {};
  std::function<Result<std::vector<DoctorLock>>()> locks = {};
};
// exit_ok when nothing failed; exit_engine when something that every run needs is missing.
int cmd_doctor(const Context& context, const DoctorOptions& options);

}  // namespace checkride::cli

// Machine-wide locks, one file per GPU, so that two stores (or two users) cannot use one by
// mistake. A lease says who may use a GPU within one store; the lock says it across all of them. It
// is held by the supervisor as long as it lives, and so ends with the attempt, whatever happens.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/base/result.h"
#include "engine/decider/job.h"

namespace checkride {

inline constexpr std::string_view gpu_resource = "gpu";

// $CHECKRIDE_LOCKS, else /run/lock/checkride where /run/lock is there, else a folder in /tmp.
std::filesystem::path gpu_lock_folder();

// A lock file as it is now.
struct GpuLockFile {
  std::string gpu;    // its name in the file's
  bool held = false;  // by the supervisor of an attempt, of this store or another
};
// Of all GPUs that were ever locked on this machine, sorted; empty where there is no folder.
Result<std::vector<GpuLockFile>> gpu_lock_files();

class GpuLocks {
 public:
  // Tries to lock every GPU among the units; keeps all or none. The name of one that somebody else
  // holds, or empty when all are held now.
  Result<std::string> take(const std::vector<LeasedUnit>& units);

 private:
  std::vector<FileDescriptor> files_;
};

}  // namespace checkride

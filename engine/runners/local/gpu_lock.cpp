#include "engine/runners/local/gpu_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace checkride {

namespace fs = std::filesystem;

namespace {

// Everybody may lock, so the folder and its files belong to nobody in particular.
Result<FileDescriptor> open_lock(const fs::path& folder, const std::string& name) {
  if (::mkdir(folder.c_str(), 01777) == 0)
    ::chmod(folder.c_str(), 01777);  // whatever the umask says
  else if (errno != EEXIST)
    return fail_errno("make", folder.native());
  std::string file = "gpu-";
  for (const char c : name) file += c == '/' ? '_' : c;
  const fs::path path = folder / (file + ".lock");
  // A file of another user in a sticky folder may be opened, but not with O_CREAT.
  for (int tries = 0; tries < 2; ++tries) {
    FileDescriptor there(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (there) return there;
    if (errno != ENOENT) break;
    FileDescriptor made(
        ::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444));
    if (made) {
      ::fchmod(made.get(), 0444);
      return made;
    }
    if (errno != EEXIST) break;
  }
  return fail_errno("open", path.native());
}

}  // namespace

fs::path gpu_lock_folder() {
  if (const char* chosen = std::getenv("CHECKRIDE_LOCKS"); chosen != nullptr && *chosen == '/')
    return chosen;
  struct stat info {};
  if (::stat("/run/lock", &info) == 0 && S_ISDIR(info.st_mode) && ::access("/run/lock", W_OK) == 0)
    return "/run/lock/checkride";
  return "/tmp/checkride-locks";
}

Result<std::string> GpuLocks::take(const std::vector<LeasedUnit>& units) {
  std::vector<FileDescriptor> taken;
  for (const LeasedUnit& unit : units) {
    if (unit.resource != gpu_resource) continue;
    CR_TRY(FileDescriptor lock, open_lock(gpu_lock_folder(), unit.name));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return unit.name;
      return fail_errno("lock", "GPU " + unit.name);
    }
    taken.push_back(std::move(lock));
  }
  files_ = std::move(taken);
  return std::string();
}

}  // namespace checkride

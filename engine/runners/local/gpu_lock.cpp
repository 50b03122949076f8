#include "engine/runners/local/gpu_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
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

// A shared lock for a moment tells; a supervisor that comes just then tries again.
Result<std::vector<GpuLockFile>> gpu_lock_files() {
  std::vector<GpuLockFile> all;
  std::error_code error;
  const fs::path folder = gpu_lock_folder();
  fs::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return all;
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (!name.starts_with("gpu-") || !name.ends_with(".lock")) continue;
    FileDescriptor file(::open(entry->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) return fail_errno("open", entry->path().native());
    const bool held = ::flock(file.get(), LOCK_SH | LOCK_NB) != 0;
    if (held && errno != EWOULDBLOCK) return fail_errno("lock", entry->path().native());
    all.push_back({name.substr(4, name.size() - 9), held});
  }
  if (error) return fail(ErrorCode::io, "cannot list " + folder.native() + ": " + error.message());
  std::sort(all.begin(), all.end(),
            [](const GpuLockFile& a, const GpuLockFile& b) { return a.gpu < b.gpu; });
  return all;
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

#include "store/rocksdb/store_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace checkride {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t owner_bytes_max = 4096;

int lock_now(int fd, int operation) {
  for (;;) {
    if (::flock(fd, operation | LOCK_NB) == 0) return 0;
    if (errno != EINTR) return errno;
  }
}

tl::unexpected<Error> owned(const fs::path& file, StoreLock::Kind kind, bool by_readers) {
  const std::string store = "the store '" + file.parent_path().native() + "'";
  if (by_readers)
    return fail(ErrorCode::locked, store + " is being read; try again when that is done");
  const std::string owner = lock_owner(file);
  static_cast<void>(kind);
  return fail(ErrorCode::locked, store + " is owned by another engine" +
                                     (owner.empty() ? "" : " (" + owner + ")") +
                                     "; send it the command, or wait until it ends");
}

}  // namespace

std::string lock_owner(const fs::path& file) {
  // An owner that was killed leaves its name, not its lock.
  const FileDescriptor probe(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!probe || lock_now(probe.get(), LOCK_SH) == 0) return {};
  const auto text = read_file(file, owner_bytes_max);
  if (!text || text->empty()) return {};
  return text->substr(0, text->find('\n'));
}

Result<StoreLock> StoreLock::acquire(const fs::path& path, Kind kind, const std::string& host,
                                     Duration wait) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file && kind == Kind::shared) file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno("open", path.native());

  const auto end = std::chrono::steady_clock::now() + wait;
  const int operation = kind == Kind::exclusive ? LOCK_EX : LOCK_SH;
  for (;;) {
    const int error = lock_now(file.get(), operation);
    if (error == 0) break;
    if (error != EWOULDBLOCK) {
      errno = error;
      return fail_errno("lock", path.native());
    }
    // A shared lock that can be had means that only readers are there; they end soon.
    bool readers = false;
    if (kind == Kind::exclusive) {
      const FileDescriptor probe(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      readers = probe && lock_now(probe.get(), LOCK_SH) == 0;
    }
    if (!readers || std::chrono::steady_clock::now() >= end) return owned(path, kind, readers);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (kind == Kind::exclusive) {
    const std::string text =
        "process " + std::to_string(::getpid()) + (host.empty() ? "" : " on " + host) + "\n";
    // For messages only: a lock without it is as good.
    if (::ftruncate(file.get(), 0) == 0)
      static_cast<void>(::pwrite(file.get(), text.data(), text.size(), 0) > 0);
  }
  return StoreLock(std::move(file), kind);
}

StoreLock::~StoreLock() {
  if (file_ && kind_ == Kind::exclusive) static_cast<void>(::ftruncate(file_.get(), 0) == 0);
}

Result<void> check_local_file_system(const fs::path& folder) {
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) return fail_errno("look at", folder.native());
  struct Known {
    unsigned long magic;
    std::string_view name;
  };
  // Numbers of linux/magic.h and the file systems' own headers.
  static constexpr Known network[] = {
      {0x6969, "NFS"},     {0x517B, "SMB"},        {0xFF534D42, "CIFS"},   {0xFE534D42, "SMB2"},
      {0x5346414F, "AFS"}, {0x00C36400, "Ceph"},   {0x0BD00BD0, "Lustre"}, {0x47504653, "GPFS"},
      {0x01021997, "9P"},  {0x19830326, "BeeGFS"}, {0x73757245, "Coda"},
  };
  const auto magic = static_cast<unsigned long>(info.f_type) & 0xFFFFFFFFUL;
  for (const auto& [number, name] : network)
    if (magic == number)
      return fail(ErrorCode::unsupported,
                  "'" + folder.native() + "' is on a network file system (" + std::string(name) +
                      "), where two engines could own the store at once; put it on a local disk, "
                      "or allow it outright");
  return {};
}

}  // namespace checkride

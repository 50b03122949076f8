// Files as the durable parts of checkride need them: whole reads with a bound, and writes that are
// either fully there after a crash or not there at all (write, fsync, rename, fsync of the folder).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace checkride {

// The whole file; an error if it is larger than `bytes_max`.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max);
// Atomic and durable. The temporary name is `path` + ".tmp." + pid; mode as given.
Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view contents,
                               unsigned mode = 0644);
// fsync of a folder, so that names created in it survive a crash.
Result<void> sync_folder(const std::filesystem::path& folder);
// Creates the folder and its parents, mode 0700 for those it makes, and syncs each parent.
Result<void> make_folders(const std::filesystem::path& folder);

// An open file descriptor with one owner.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { reset(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

}  // namespace checkride

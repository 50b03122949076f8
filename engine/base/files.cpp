#include "engine/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace checkride {

namespace fs = std::filesystem;

void FileDescriptor::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<std::string> read_file(const fs::path& path, std::size_t bytes_max) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno("open", path.native());
  std::string contents;
  std::array<char, 65536> block;
  for (;;) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read", path.native());
    if (got == 0) return contents;
    if (contents.size() + static_cast<std::size_t>(got) > bytes_max)
      return fail(ErrorCode::invalid_argument, "'" + path.native() + "' has more than " +
                                                   std::to_string(bytes_max) + " bytes");
    contents.append(block.data(), static_cast<std::size_t>(got));
  }
}

Result<void> sync_folder(const fs::path& folder) {
  const fs::path target = folder.empty() ? fs::path(".") : folder;
  FileDescriptor fd(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno("open the folder", target.native());
  if (::fsync(fd.get()) != 0) return fail_errno("sync the folder", target.native());
  return {};
}

Result<void> write_file_atomic(const fs::path& path, std::string_view contents, unsigned mode) {
  const fs::path temporary = path.native() + ".tmp." + std::to_string(::getpid());
  {
    FileDescriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, static_cast<mode_t>(mode)));
    if (!file) return fail_errno("create", temporary.native());
    const auto abandon = [&](std::string_view doing) {
      auto error = fail_errno(doing, temporary.native());
      ::unlink(temporary.c_str());
      return error;
    };
    std::size_t written = 0;
    while (written < contents.size()) {
      const ssize_t put =
          ::write(file.get(), contents.data() + written, contents.size() - written);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return abandon("write");
      written += static_cast<std::size_t>(put);
    }
    if (::fsync(file.get()) != 0) return abandon("sync");
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("rename to", path.native());
  return sync_folder(path.parent_path());
}

Result<void> make_folders(const fs::path& folder) {
  if (folder.empty() || folder == folder.root_path()) return {};
  struct stat info {};
  if (::stat(folder.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return {};
    return fail(ErrorCode::io, "'" + folder.native() + "' is not a folder");
  }
  CR_CHECK(make_folders(folder.parent_path()));
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno("create the folder", folder.native());
  return sync_folder(folder.parent_path());
}

}  // namespace checkride

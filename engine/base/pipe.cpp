#include "engine/base/pipe.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace checkride {

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("open", "a pipe");
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

Result<FileDescriptor> input_file(std::string_view text) {
  if (text.empty()) {
    FileDescriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null) return fail_errno("open", "/dev/null");
    return null;
  }
  FileDescriptor file(::memfd_create("checkride-input", MFD_CLOEXEC));
  if (!file) return fail_errno("create", "a file in memory");
  while (!text.empty()) {
    const ssize_t put = ::write(file.get(), text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("write", "a file in memory");
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno("rewind", "a file in memory");
  return file;
}

}  // namespace checkride

#include "engine/runners/local/claim.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "engine/runners/local/attempt_folder.h"

namespace checkride {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view void_mark = "void\n";

Result<FileDescriptor> create_claim(const fs::path& folder, std::string_view contents) {
  const fs::path path = folder / claim_file;
  const fs::path temporary = path.native() + ".tmp." + std::to_string(::getpid());
  ::unlink(temporary.c_str());  // of a process of the same pid that died here
  FileDescriptor file(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return fail_errno("create", temporary.native());
  const auto abandon = [&](std::string_view doing, const fs::path& about) {
    auto error = fail_errno(doing, about.native());
    ::unlink(temporary.c_str());
    return error;
  };
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return abandon("lock", temporary);
  if (::write(file.get(), contents.data(), contents.size()) !=
      static_cast<ssize_t>(contents.size()))
    return abandon("write", temporary);
  if (::fsync(file.get()) != 0) return abandon("sync", temporary);
  if (::link(temporary.c_str(), path.c_str()) != 0) return abandon("claim", path);
  ::unlink(temporary.c_str());
  CR_CHECK(sync_folder(folder));
  return file;
}

}  // namespace

Result<FileDescriptor> take_claim(const fs::path& folder, const ProcessIdentity& supervisor) {
  return create_claim(folder, identity_to_json(supervisor));
}

Result<void> void_claim(const fs::path& folder) {
  CR_CHECK(make_folders(folder));
  CR_CHECK(create_claim(folder, void_mark));
  return {};
}

Result<ClaimTrace> look_at_claim(const fs::path& folder) {
  ClaimTrace trace;
  const fs::path path = folder / claim_file;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return trace;
    return fail_errno("open", path.native());
  }
  CR_TRY(const std::string contents, read_file(path, attempt_file_bytes_max));
  if (contents == void_mark) {
    trace.state = ClaimState::voided;
    return trace;
  }
  auto supervisor = identity_from_json(contents);
  if (!supervisor) return fail(std::move(supervisor).error(), "'" + path.native() + "'");
  trace.supervisor = *std::move(supervisor);
  // A shared lock held for an instant hinders nobody: owners lock before the file has its name.
  if (::flock(file.get(), LOCK_SH | LOCK_NB) == 0)
    trace.state = ClaimState::unlocked;
  else if (errno == EWOULDBLOCK)
    trace.state = ClaimState::locked;
  else
    return fail_errno("look at the lock of", path.native());
  return trace;
}

}  // namespace checkride

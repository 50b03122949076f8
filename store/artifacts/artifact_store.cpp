#include "store/artifacts/artifact_store.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "engine/base/files.h"

namespace checkride {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t block_bytes = 256 << 10;

// Calls each(block) for the whole file.
template <class Each>
Result<void> read_blocks(int fd, const fs::path& path, Each&& each) {
  std::vector<char> block(block_bytes);
  for (;;) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read", path.native());
    if (got == 0) return {};
    CR_CHECK(each(std::string_view(block.data(), static_cast<std::size_t>(got))));
  }
}

Result<void> write_all(int fd, const fs::path& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("write", path.native());
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<StoredArtifact> hash_file(int fd, const fs::path& path) {
  if (::lseek(fd, 0, SEEK_SET) < 0) return fail_errno("read", path.native());
  Sha256 hash;
  StoredArtifact seen;
  CR_CHECK(read_blocks(fd, path, [&](std::string_view block) -> Result<void> {
    hash.update(block);
    seen.bytes += block.size();
    return {};
  }));
  seen.digest = hash.finish();
  return seen;
}

// The bytes of `source` in `target`, by sharing blocks where that works.
Result<void> copy_contents(int source, const fs::path& source_path, int target,
                           const fs::path& target_path) {
  if (::ioctl(target, FICLONE, source) == 0) return {};
  return read_blocks(source, source_path,
                     [&](std::string_view block) { return write_all(target, target_path, block); });
}

// Removes a temporary file that did not become an artifact.
class Leftover {
 public:
  explicit Leftover(fs::path path) : path_(std::move(path)) {}
  ~Leftover() { ::unlink(path_.c_str()); }
  Leftover(const Leftover&) = delete;
  Leftover& operator=(const Leftover&) = delete;

 private:
  fs::path path_;
};

std::optional<Digest> digest_of_name(const fs::path& file) {
  const auto digest =
      digest_from_hex(file.parent_path().filename().native() + file.filename().native());
  return digest ? std::optional<Digest>(*digest) : std::nullopt;
}

}  // namespace

ArtifactStore::ArtifactStore(fs::path folder, std::uint64_t quota_bytes)
    : folder_(std::move(folder)), quota_bytes_(quota_bytes) {}

fs::path ArtifactStore::path_of(const Digest& digest) const {
  const std::string hex = to_hex(digest);
  return folder_ / hex.substr(0, 2) / hex.substr(2);
}

fs::path ArtifactStore::temporary_name() const {
  return folder_ / "tmp" /
         (std::to_string(::getpid()) + "." + std::to_string(counter_.fetch_add(1)));
}

Result<void> ArtifactStore::make_room(std::uint64_t wanted) {
  if (quota_bytes_ == 0) return {};
  CR_TRY(const std::uint64_t kept, bytes());
  if (wanted > quota_bytes_ || kept > quota_bytes_ - wanted)
    return fail(ErrorCode::no_space, "the artifacts in '" + folder_.native() +
                                         "' would pass their quota of " +
                                         std::to_string(quota_bytes_) +
                                         " bytes; `checkride prune` removes what no run "
                                         "needs");
  return {};
}

Result<StoredArtifact> ArtifactStore::put(std::string_view contents) {
  const StoredArtifact made{sha256(contents), contents.size()};
  CR_CHECK(make_room(made.bytes));
  CR_CHECK(make_folders(folder_ / "tmp"));
  const fs::path temporary = temporary_name();
  FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  if (!file) return fail_errno("create", temporary.native());
  const Leftover leftover(temporary);
  CR_CHECK(write_all(file.get(), temporary, contents));
  if (::fsync(file.get()) != 0) return fail_errno("sync", temporary.native());
  return adopt(temporary, made);
}

Result<StoredArtifact> ArtifactStore::put_file(const fs::path& source, ArtifactTransfer transfer) {
  FileDescriptor in(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) return fail_errno("open", source.native());
  struct stat info {};
  if (::fstat(in.get(), &info) != 0) return fail_errno("look at", source.native());
  if (!S_ISREG(info.st_mode))
    return fail(ErrorCode::invalid_argument, "'" + source.native() + "' is no regular file");
  CR_CHECK(make_room(static_cast<std::uint64_t>(info.st_size)));
  CR_CHECK(make_folders(folder_ / "tmp"));
  const fs::path temporary = temporary_name();
  const Leftover leftover(temporary);

  if (transfer == ArtifactTransfer::link && ::link(source.c_str(), temporary.c_str()) == 0) {
    ::fchmod(in.get(), 0444);
    if (::fsync(in.get()) != 0) return fail_errno("sync", source.native());
    CR_TRY(const StoredArtifact made, hash_file(in.get(), source));
    return adopt(temporary, made);
  }
  FileDescriptor out(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  if (!out) return fail_errno("create", temporary.native());
  CR_CHECK(copy_contents(in.get(), source, out.get(), temporary));
  if (::fsync(out.get()) != 0) return fail_errno("sync", temporary.native());
  // The copy is hashed, not the source: somebody may still write to that.
  CR_TRY(const StoredArtifact made, hash_file(out.get(), temporary));
  return adopt(temporary, made);
}

Result<StoredArtifact> ArtifactStore::adopt(const fs::path& temporary, const StoredArtifact& made) {
  const fs::path target = path_of(made.digest);
  CR_CHECK(make_folders(target.parent_path()));
  struct stat info {};
  const bool known = ::stat(target.c_str(), &info) == 0;
  // A file that is there already is replaced by the same contents: that also heals a damaged one.
  if (::rename(temporary.c_str(), target.c_str()) != 0)
    return fail_errno("rename to", target.native());
  CR_CHECK(sync_folder(target.parent_path()));
  if (!known) {
    const std::lock_guard lock(mutex_);
    if (bytes_) *bytes_ += made.bytes;
  }
  return made;
}

Result<fs::path> ArtifactStore::find(const Digest& digest) const {
  fs::path path = path_of(digest);
  if (::access(path.c_str(), F_OK) == 0) return path;
  return fail_errno("find the artifact", path.native());
}

Result<std::uint64_t> ArtifactStore::verify(const Digest& digest) const {
  const fs::path path = path_of(digest);
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno("open the artifact", path.native());
  CR_TRY(const StoredArtifact seen, hash_file(file.get(), path));
  if (seen.digest != digest)
    return fail(ErrorCode::corrupt,
                "the artifact '" + path.native() +
                    "' is damaged: its contents have another hash than its name");
  return seen.bytes;
}

Result<std::vector<StoredArtifact>> ArtifactStore::list() const {
  std::vector<StoredArtifact> all;
  std::error_code error;
  for (auto folder = fs::directory_iterator(folder_, error);
       !error && folder != fs::directory_iterator(); folder.increment(error)) {
    if (folder->path().filename().native().size() != 2) continue;
    std::error_code inner;
    for (auto file = fs::directory_iterator(folder->path(), inner);
         !inner && file != fs::directory_iterator(); file.increment(inner)) {
      const auto digest = digest_of_name(file->path());
      if (!digest) continue;
      std::error_code sizing;
      const std::uint64_t bytes = file->file_size(sizing);
      if (!sizing) all.push_back(StoredArtifact{*digest, bytes});
    }
    if (inner)
      return fail(ErrorCode::io,
                  "cannot list '" + folder->path().native() + "': " + inner.message());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return fail(ErrorCode::io, "cannot list '" + folder_.native() + "': " + error.message());
  std::sort(all.begin(), all.end(),
            [](const StoredArtifact& a, const StoredArtifact& b) { return a.digest < b.digest; });
  return all;
}

Result<std::uint64_t> ArtifactStore::bytes() const {
  const std::lock_guard lock(mutex_);
  if (!bytes_) {
    CR_TRY(const std::vector<StoredArtifact> all, list());
    std::uint64_t total = 0;
    for (const StoredArtifact& one : all) total += one.bytes;
    bytes_ = total;
  }
  return *bytes_;
}

Result<void> ArtifactStore::remove(const Digest& digest) {
  const fs::path path = path_of(digest);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return fail_errno("find the artifact", path.native());
  if (::unlink(path.c_str()) != 0) return fail_errno("remove", path.native());
  CR_CHECK(sync_folder(path.parent_path()));
  const std::lock_guard lock(mutex_);
  if (bytes_) *bytes_ -= std::min(*bytes_, static_cast<std::uint64_t>(info.st_size));
  return {};
}

Result<void> ArtifactStore::remove_leftovers() {
  std::error_code error;
  for (auto file = fs::directory_iterator(folder_ / "tmp", error);
       !error && file != fs::directory_iterator(); file.increment(error)) {
    std::error_code ignored;
    fs::remove(file->path(), ignored);
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return fail(ErrorCode::io,
                "cannot clean '" + (folder_ / "tmp").native() + "': " + error.message());
  return {};
}

}  // namespace checkride

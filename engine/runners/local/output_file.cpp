#include "engine/runners/local/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

namespace checkride {

namespace {

constexpr std::size_t copy_bytes = 1 << 20;

Result<std::string> read_at(int file, std::uint64_t offset, std::size_t bytes,
                            const std::string& path) {
  std::string block(bytes, '\0');
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t n =
        ::pread(file, block.data() + got, bytes - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read", path);
    if (n == 0) return fail(ErrorCode::io, "'" + path + "' became shorter while it was written");
    got += static_cast<std::size_t>(n);
  }
  return block;
}

}  // namespace

Result<OutputFile> OutputFile::create(const std::filesystem::path& path, std::uint64_t bytes_max) {
  OutputFile output;
  output.path_ = path;
  output.head_max_ = bytes_max / 2;
  output.ring_max_ = std::max<std::uint64_t>(1, bytes_max - output.head_max_);
  output.file_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!output.file_) return fail_errno("create", path.native());
  output.head_digest_ = std::make_unique<Sha256>();
  output.whole_digest_ = std::make_unique<Sha256>();
  return output;
}

Result<void> OutputFile::write_at(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("write", path_.native());
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Result<void> OutputFile::append(std::string_view bytes) {
  if (seen_ < head_max_)
    head_digest_->update(bytes.substr(
        0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), head_max_ - seen_))));
  if (seen_ + bytes.size() <= head_max_ + ring_max_) whole_digest_->update(bytes);
  while (!bytes.empty()) {
    std::uint64_t offset = seen_;
    std::uint64_t room = head_max_ + ring_max_ - std::min(seen_, head_max_ + ring_max_);
    if (seen_ >= head_max_) {
      const std::uint64_t in_ring = (seen_ - head_max_) % ring_max_;
      offset = head_max_ + in_ring;
      room = ring_max_ - in_ring;
    }
    const auto part =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), room)));
    CR_CHECK(write_at(offset, part));
    seen_ += part.size();
    bytes.remove_prefix(part.size());
  }
  return {};
}

// Head, marker line, then the ring from its oldest byte on. The ring goes through a second file,
// because its two parts swap places.
Result<void> OutputFile::order_tail(std::uint64_t* kept) {
  const std::filesystem::path tail_path = path_.native() + ".tail";
  const std::string& name = tail_path.native();
  FileDescriptor tail(::open(tail_path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!tail) return fail_errno("create", name);
  ::unlink(tail_path.c_str());  // nobody else needs it, and it goes with us
  const std::uint64_t oldest = (seen_ - head_max_) % ring_max_;
  for (std::uint64_t done = 0; done < ring_max_;) {
    const std::uint64_t from = (oldest + done) % ring_max_;
    const auto bytes = static_cast<std::size_t>(
        std::min<std::uint64_t>({copy_bytes, ring_max_ - done, ring_max_ - from}));
    CR_TRY(const std::string block, read_at(file_.get(), head_max_ + from, bytes, path_.native()));
    if (::pwrite(tail.get(), block.data(), block.size(), static_cast<off_t>(done)) !=
        static_cast<ssize_t>(block.size()))
      return fail_errno("write", name);
    done += bytes;
  }
  const std::string marker =
      "\n[checkride: " + std::to_string(bytes_dropped()) + " bytes dropped here]\n";
  if (::ftruncate(file_.get(), static_cast<off_t>(head_max_)) != 0)
    return fail_errno("truncate", path_.native());
  CR_CHECK(write_at(head_max_, marker));
  head_digest_->update(marker);
  for (std::uint64_t done = 0; done < ring_max_;) {
    const auto bytes =
        static_cast<std::size_t>(std::min<std::uint64_t>(copy_bytes, ring_max_ - done));
    CR_TRY(const std::string block, read_at(tail.get(), done, bytes, name));
    CR_CHECK(write_at(head_max_ + marker.size() + done, block));
    head_digest_->update(block);
    done += bytes;
  }
  *kept = head_max_ + marker.size() + ring_max_;
  return {};
}

Result<Artifact> OutputFile::finish() {
  Artifact artifact;
  artifact.name = path_.filename().native();
  artifact.bytes = seen_;
  const bool whole = bytes_dropped() == 0;
  if (!whole) CR_CHECK(order_tail(&artifact.bytes));
  if (::fsync(file_.get()) != 0) return fail_errno("sync", path_.native());
  artifact.digest = whole ? whole_digest_->finish() : head_digest_->finish();
  return artifact;
}

}  // namespace checkride

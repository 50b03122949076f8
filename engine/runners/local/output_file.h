// One stream of a job on disk: appended as it comes, hashed while it passes, bounded. Of a stream
// that outgrows the bound the first and the last half are kept, with one line between them that
// says how many bytes are missing.
//
// The second half of the file serves as a ring once the bound is reached and is put in order by
// finish(), so disk use never exceeds the bound by more than that line and one copy of the tail.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include "engine/base/digest.h"
#include "engine/base/files.h"
#include "engine/base/result.h"
#include "engine/decider/job.h"

namespace checkride {

class OutputFile {
 public:
  // The file must not exist: an attempt writes its streams once.
  static Result<OutputFile> create(const std::filesystem::path& path, std::uint64_t bytes_max);

  // `no_space` or `io`; the stream is then damaged and finish() must not be called.
  Result<void> append(std::string_view bytes);
  // Puts the tail in order, syncs, and describes what was kept; name is the file's.
  Result<Artifact> finish();

  std::uint64_t bytes_seen() const { return seen_; }
  std::uint64_t bytes_dropped() const {
    return seen_ > head_max_ + ring_max_ ? seen_ - head_max_ - ring_max_ : 0;
  }

 private:
  OutputFile() = default;
  Result<void> write_at(std::uint64_t offset, std::string_view bytes);
  Result<void> order_tail(std::uint64_t* kept);

  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t head_max_ = 0;  // bytes of the first half
  std::uint64_t ring_max_ = 0;  // bytes of the second
  std::uint64_t seen_ = 0;
  std::unique_ptr<Sha256> head_digest_;   // of the first half, goes on when the tail is in order
  std::unique_ptr<Sha256> whole_digest_;  // of everything, while nothing is dropped
};

}  // namespace checkride

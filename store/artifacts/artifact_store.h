// Artifacts: files kept by the SHA-256 of their contents, STORE/artifacts/ab/cdef... (the first two
// digits name the folder). A file is written under a temporary name, synced, renamed, and its
// folder synced, before put returns; only then may an event name it. A crash leaves orphans, never
// a missing file. Files are made read-only.
//
// Errors: no_space when the disk or the quota is full, io otherwise. Threads: any; puts may run
// side by side.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/result.h"

namespace checkride {

struct StoredArtifact {
  Digest digest;
  std::uint64_t bytes = 0;
};

// How a file comes in. `copy`: its blocks are shared where the file system can (reflink), else
// copied; what happens to the source later does not matter. `link`: a hard link where possible; the
// caller promises that nobody writes to the source any more.
enum class ArtifactTransfer { copy, link };

class ArtifactStore {
 public:
  // `quota_bytes` 0: no quota. The folder is made by the first put.
  explicit ArtifactStore(std::filesystem::path folder, std::uint64_t quota_bytes = 0);

  Result<StoredArtifact> put(std::string_view contents);
  Result<StoredArtifact> put_file(const std::filesystem::path& source,
                                  ArtifactTransfer transfer = ArtifactTransfer::copy);

  // Where the file is or would be.
  std::filesystem::path path_of(const Digest& digest) const;
  // Its path; not_found when it is not kept here.
  Result<std::filesystem::path> find(const Digest& digest) const;
  // Reads the whole file again: its size, corrupt when the contents have changed, not_found.
  Result<std::uint64_t> verify(const Digest& digest) const;
  // Everything kept, by digest; names that are no artifacts are left out.
  Result<std::vector<StoredArtifact>> list() const;
  // Bytes of all artifacts; the first call reads the folders.
  Result<std::uint64_t> bytes() const;
  Result<void> remove(const Digest& digest);
  // Deletes temporary files that a crash left; only while nobody puts.
  Result<void> remove_leftovers();

 private:
  std::filesystem::path temporary_name() const;
  Result<void> make_room(std::uint64_t bytes);
  Result<StoredArtifact> adopt(const std::filesystem::path& temporary, const StoredArtifact& made);

  std::filesystem::path folder_;
  std::uint64_t quota_bytes_;
  mutable std::atomic<std::uint64_t> counter_{0};
  mutable std::mutex mutex_;                    // guards bytes_
  mutable std::optional<std::uint64_t> bytes_;  // known once counted
};

}  // namespace checkride

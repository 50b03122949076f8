// The last synced head of a store, kept outside it: $XDG_STATE_HOME/checkride-heads/STORE-ID. Two
// slots, written in turn after each sync of the log, so the file may lag behind the log but never
// leads it. A log behind this file has lost something that was acknowledged, and is refused.
//
// The file is written without a sync of its own: after a power cut it may lag by what the system
// had not yet written, which is allowed; it is synced when the store is opened and closed.
// docs/formats/ log.md has its bytes. One writer (the store's owner).
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/result.h"

namespace checkride {

struct HeadPosition {
  GlobalSequence global;  // of the newest acknowledged record
  Epoch epoch;
  Digest chain;  // of that record
  bool operator==(const HeadPosition&) const = default;
};

class HeadsFile {
 public:
  // Reads both slots; a missing file is one without positions. `writable` makes it. corrupt: both
  // slots are damaged, or the file is that of another store.
  static Result<HeadsFile> open(const std::filesystem::path& path, const std::string& store_id,
                                bool writable);

  std::optional<HeadPosition> newest() const;
  // Slots whose checksum fails: none, or one (a torn write, or damage).
  const std::vector<int>& damaged_slots() const { return damaged_; }
  const std::filesystem::path& path() const { return path_; }

  Result<void> write(const HeadPosition& position);
  Result<void> sync();
  // Forgets what it held; the next write begins anew.
  void forget();

  // Where it lies unless told otherwise: $XDG_STATE_HOME, else ~/.local/state; invalid_argument
  // where neither is set.
  static Result<std::filesystem::path> default_folder();

 private:
  struct Slot {
    std::uint64_t counter = 0;
    HeadPosition position;
  };
  std::filesystem::path path_;
  std::string store_id_;
  FileDescriptor file_;
  std::array<std::optional<Slot>, 2> slots_;
  std::vector<int> damaged_;
  std::uint64_t counter_ = 0;
};

}  // namespace checkride

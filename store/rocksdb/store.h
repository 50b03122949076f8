// A store: the folder that holds the log, its artifacts and its lock. Opening one takes the lock,
// checks that it is whole and that it has everything that was ever acknowledged, and gives the log
// to write (one owner) or to read (anybody, while there is no owner).
//
//   STORE/store       what this is, with its id          STORE/db/         RocksDB
//   STORE/lock        who owns it                        STORE/artifacts/  files by hash
//   HEADS/STORE-ID    the last acknowledged record, outside the store
//
// Errors of open(): not_found (no store, and not to be made); locked (another engine, named);
// corrupt (damage, or a log behind its heads file; says which file and how far the log is good);
// no_space; io (not writable); unsupported (network file system, later format).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/ports/event_log.h"
#include "store/artifacts/artifact_store.h"

namespace checkride {

enum class StoreMode { read_write, read_only };

struct StoreOptions {
  StoreMode mode = StoreMode::read_write;
  bool create = true;  // make the store if there is none (read_write)
  std::filesystem::path
      heads_folder;               // empty: $XDG_STATE_HOME/checkride-heads, else ~/.local/state
  std::string build = "unknown";  // version of the program, for StoreOpened
  std::string host;
  std::string boot_id;
  Timestamp now;                                 // zero: the system clock
  Duration lock_wait = std::chrono::seconds(2);  // for readers to end; never for another owner
  bool allow_network_file_system = false;
  // The store was put back from a backup, or its folder copied: it is taken as it is, with a new
  // id, so that the original's heads file no longer concerns it.
  bool restored = false;
  std::uint64_t artifact_quota_bytes = 0;        // 0: none
  std::uint64_t soft_free_bytes = 1ULL << 30;    // below: no new runs or attempts
  std::uint64_t hard_free_bytes = 256ULL << 20;  // below: only what ends things
};

// How much room the store's file system has, against the marks of StoreOptions.
struct FreeSpace {
  enum class Level { enough, below_soft, below_hard } level = Level::enough;
  std::uint64_t available_bytes = 0;
};

class Store {
 public:
  static Result<std::unique_ptr<Store>> open(const std::filesystem::path& path,
                                             const StoreOptions& options = {});
  // Ends the epoch, as far as the log still takes writes, and gives the lock back.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const std::string& id() const;
  const std::filesystem::path& path() const;
  const LogReader& reader() const;
  EventLog* log();  // null when opened read_only
  ArtifactStore& artifacts();

  // Reads everything again: records (checksums, chain, contiguity, contents), heads, numbering,
  // snapshots against the fold of their events, search rows, artifacts, and every file of RocksDB.
  // With a run: that run alone, and no files. Problems are in the report; an error is that
  // verifying itself failed. May run beside the writer.
  Result<VerifyReport> verify(const std::optional<RunId>& run = std::nullopt) const;

  Result<FreeSpace> free_space() const;
  // What a person should know though the store could be opened, one sentence each.
  const std::vector<std::string>& notices() const;

 private:
  struct Parts;
  explicit Store(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// $CHECKRIDE_STORE, else $XDG_STATE_HOME/checkride, else ~/.local/state/checkride; invalid_argument
// where none is set.
Result<std::filesystem::path> default_store_path();
// The id of the store at `path`, for finding its owner's socket; not_found when there is none.
Result<std::string> store_id(const std::filesystem::path& path);
// Who owns the store, such as "process 4711 on gh200"; empty where nobody does or it cannot be
// told.
std::string store_owner(const std::filesystem::path& path);

}  // namespace checkride

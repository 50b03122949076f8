// Who may use a store: one engine, or any number of readers. An advisory lock (flock) on
// STORE/lock, exclusive for the engine that owns the store, shared for readers; it ends with its
// process, however that ends. The file's text names the owner, for messages only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/base/files.h"
#include "engine/base/result.h"
#include "engine/base/time.h"

namespace checkride {

class StoreLock {
 public:
  enum class Kind { exclusive, shared };

  // Waits up to `wait` for readers to end, but never for another owner: locked names its process.
  static Result<StoreLock> acquire(const std::filesystem::path& file, Kind kind,
                                   const std::string& host, Duration wait);
  StoreLock(StoreLock&&) = default;
  StoreLock& operator=(StoreLock&&) = default;
  ~StoreLock();

 private:
  StoreLock(FileDescriptor file, Kind kind) : file_(std::move(file)), kind_(kind) {}
  FileDescriptor file_;
  Kind kind_;
};

// Who holds the lock as owner, such as "process 4711 on gh200"; empty where nobody does, or where it
// cannot be told.
std::string lock_owner(const std::filesystem::path& file);

// Refuses network file systems, whose locks do not hold between hosts: unsupported.
Result<void> check_local_file_system(const std::filesystem::path& folder);

}  // namespace checkride

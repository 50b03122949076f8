// The store as the command line opens it: for writing (its owner), or for reading (through the owner,
// else read-only).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "engine/ports/event_log.h"
#include "engine/runtime/runtime.h"
#include "store/rocksdb/store.h"

namespace checkride::cli {

// locked when another process owns it. Creates the store when there is none.
Result<std::unique_ptr<Store>> open_for_writing(const std::filesystem::path& store);

// Through the owner when there is one, else read-only. not_found when there is no store.
Result<std::unique_ptr<LogReader>> open_for_reading(const std::filesystem::path& store);

// Where the owner of this store listens; not_found when there is no store.
Result<std::filesystem::path> owner_socket(const std::filesystem::path& store);

// verify(), by the owner when there is one.
Result<VerifyReport> verify_store(const std::filesystem::path& store,
                                  const std::optional<RunId>& run);

// Copies an attempt's files into the artifact store.
class AttemptKeeper final : public ArtifactKeeper {
 public:
  AttemptKeeper(ArtifactStore& artifacts, std::filesystem::path attempts)
      : artifacts_(artifacts), attempts_(std::move(attempts)) {}
  Result<void> keep(const Token& token, const std::vector<Artifact>& artifacts) override;

 private:
  ArtifactStore& artifacts_;
  std::filesystem::path attempts_;
};

}  // namespace checkride::cli

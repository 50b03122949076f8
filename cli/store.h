// The store as the command line opens it: for writing (its owner), or for reading (through the owner,
// else read-only).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/ports/event_log.h"
#include "engine/runtime/runtime.h"

namespace checkride::cli {

// $CHECKRIDE_STORE, else $XDG_STATE_HOME/checkride, else ~/.local/state/checkride; absolute.
Result<std::filesystem::path> default_store();

struct OpenStore {
  std::unique_ptr<EventLog> log;
  std::function<Result<VerifyReport>(const std::optional<RunId>&)> verify;
  std::unique_ptr<ArtifactKeeper> keeper;
  std::filesystem::path socket;
};
// locked when another process owns it. Creates the store when there is none.
Result<OpenStore> open_for_writing(const std::filesystem::path& store);

// Through the owner when there is one, else read-only. not_found when there is no store.
Result<std::unique_ptr<LogReader>> open_for_reading(const std::filesystem::path& store);

// Where the owner of this store listens.
Result<std::filesystem::path> owner_socket(const std::filesystem::path& store);

Result<VerifyReport> verify_store(const std::filesystem::path& store,
                                  const std::optional<RunId>& run);

}  // namespace checkride::cli

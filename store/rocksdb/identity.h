// STORE/store: a few lines of text that say what the folder is: format and store id, with a
// checksum. A client reads it to find the owner's socket without opening the log.
#pragma once

#include <filesystem>
#include <string>

#include "engine/base/result.h"

namespace checkride {

inline constexpr int store_format = 1;

// 32 hexadecimal digits of the system's randomness.
Result<std::string> new_store_id();
// not_found when there is no store at `store`; unsupported for a later format; corrupt for damage, and
// where only the file with the id is gone.
Result<std::string> read_store_id(const std::filesystem::path& store);
Result<void> write_store_id(const std::filesystem::path& store, const std::string& id);

}  // namespace checkride

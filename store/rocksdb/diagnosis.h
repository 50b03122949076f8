// What a person is told when a store cannot be opened: the damaged file by name, and how far the
// log is good. Reads only.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace checkride {

// One sentence for each of RocksDB's files whose own checksums or form do not hold: CURRENT, the
// manifest, the write-ahead logs.
std::vector<std::string> damaged_database_files(const std::filesystem::path& folder);

// One sentence for each write-ahead log that ends within a record: what a crash leaves, or a cut.
std::vector<std::string> unfinished_logs(const std::filesystem::path& folder);

// `error` with what was found out about the database in `folder` added to its message: also damaged
// table files, for which it reads them all.
Error explain_damage(Error error, const std::filesystem::path& folder);

}  // namespace checkride

#include <algorithm>

#include "engine/base/files.h"
#include "store/rocksdb/diagnosis.h"
#include "store/rocksdb/identity.h"
#include "store/rocksdb/reader.h"
#include "store/rocksdb/verify.h"

namespace checkride {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t small_file_bytes_max = 4 << 20;

Result<void> verify_unchecked_files(const Database& database, VerifyReport& report) {
  return database.scan(
      Table::meta, file_row_prefix, std::string(file_row_prefix) + '\xFF',
      [&](std::string_view key, std::string_view value) -> Result<bool> {
        const fs::path path = database.folder() / key.substr(file_row_prefix.size());
        const auto contents = read_file(path, small_file_bytes_max);
        // RocksDB removes options files that newer ones have taken the place of, at its own time.
        const bool retired = !contents && contents.error().code == ErrorCode::not_found &&
                             path.filename().native().starts_with("OPTIONS-");
        if (retired) return true;
        if (!contents)
          add_problem(report, "the file '" + path.native() +
                                  "' cannot be read: " + contents.error().message);
        else if (to_hex(sha256(*contents)) != value)
          add_problem(report, "the file '" + path.native() +
                                  "' is damaged: it is not as it was when the store was opened; "
                                  "no record depends on it");
        return true;
      });
}

Result<void> verify_heads_file(const Database& database, const fs::path& store,
                               const fs::path& heads_path, VerifyReport& report) {
  const auto id = read_store_id(store);
  if (!id) {
    add_problem(report, id.error().text());
    return {};
  }
  CR_TRY(const std::optional<std::string> noted, database.get(Table::meta, "id"));
  if (noted != *id)
    add_problem(report, "the file '" + (store / "store").native() + "' is that of another store");
  // The log is read after the file: it may only be ahead.
  const auto heads = HeadsFile::open(heads_path, *id, false);
  if (!heads) {
    add_problem(report, heads.error().text());
    return {};
  }
  for (const int slot : heads->damaged_slots())
    add_problem(report, "slot " + std::to_string(slot) + " of the heads file '" +
                            heads_path.native() + "' is damaged");
  const auto position = heads->newest();
  if (!position) {
    add_problem(report, "there is no heads file at '" + heads_path.native() +
                            "', so a lost end of the log could not be noticed");
    return {};
  }
  const RocksDbReader reader(database);
  const auto record = reader.at_global(position->global);
  if (!record)
    add_problem(report, "record number " + std::to_string(position->global.value) +
                            ", which was acknowledged, cannot be read: " + record.error().text());
  else if (record->chain != position->chain)
    add_problem(report, "record number " + std::to_string(position->global.value) +
                            " is not the one that was acknowledged");
  return {};
}

}  // namespace

std::vector<std::pair<std::string, std::string>> unchecked_files(const fs::path& folder) {
  std::vector<std::pair<std::string, std::string>> files;
  std::error_code error;
  for (auto at = fs::directory_iterator(folder, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    const std::string name = at->path().filename().native();
    if (name != "IDENTITY" && !name.starts_with("OPTIONS-")) continue;
    const auto contents = read_file(at->path(), small_file_bytes_max);
    if (contents) files.emplace_back(name, to_hex(sha256(*contents)));
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<void> verify_files(const Database& database, const fs::path& store,
                          const fs::path& heads_path, VerifyReport& report) {
  for (std::string& sentence : damaged_database_files(database.folder()))
    add_problem(report, std::move(sentence));
  if (const auto tables = database.verify_table_files(); !tables)
    add_problem(report, tables.error().text());
  CR_CHECK(verify_unchecked_files(database, report));
  return verify_heads_file(database, store, heads_path, report);
}

}  // namespace checkride

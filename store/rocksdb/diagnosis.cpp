#include "store/rocksdb/diagnosis.h"

#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>

#include <algorithm>

#include "engine/base/files.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/reader.h"
#include "store/rocksdb/wal_format.h"

namespace checkride {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t current_bytes_max = 4096;

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (auto at = fs::directory_iterator(folder, error); !error && at != fs::directory_iterator();
       at.increment(error))
    files.push_back(at->path());
  std::sort(files.begin(), files.end());
  return files;
}

void check_current(const fs::path& folder, std::vector<std::string>& damaged) {
  const fs::path path = folder / "CURRENT";
  const auto text = read_file(path, current_bytes_max);
  if (!text) {
    damaged.push_back("the file '" + path.native() + "' cannot be read: " + text.error().message);
    return;
  }
  const bool formed = text->starts_with("MANIFEST-") && text->ends_with('\n');
  if (!formed || !fs::exists(folder / text->substr(0, text->size() - 1)))
    damaged.push_back("the file '" + path.native() + "' is damaged: it names no manifest");
}

// Table files that cannot be opened or whose blocks fail their checksums. Reads all of them, so
// only for a store that does not open, where RocksDB may blame the manifest that names the file.
std::vector<std::string> damaged_table_files(const fs::path& folder) {
  std::vector<std::string> damaged;
  for (const fs::path& file : files_of(folder)) {
    if (file.extension() != ".sst") continue;
    rocksdb::SstFileReader reader{rocksdb::Options()};
    rocksdb::Status status = reader.Open(file.native());
    if (status.ok()) status = reader.VerifyChecksum();
    if (!status.ok())
      damaged.push_back("the table file '" + file.native() + "' is damaged: " + status.ToString());
  }
  return damaged;
}

// How far the log can be read, as a sentence; empty where it cannot be told.
std::string last_good(const fs::path& folder) {
  const auto database = Database::open(folder, DatabaseMode::read_salvaged);
  if (!database) return {};
  const RocksDbReader reader(**database);
  const auto last = reader.last_global();
  if (!last) return {};
  if (last->value == 0) return "no record can be read";
  const auto record = reader.at_global(*last);
  if (!record) return {};
  return "the last good record is number " + std::to_string(last->value) + ", sequence " +
         std::to_string(record->last().value) + " of run '" + record->run.value + "'";
}

}  // namespace

std::vector<std::string> damaged_database_files(const fs::path& folder) {
  std::vector<std::string> damaged;
  check_current(folder, damaged);
  for (const fs::path& file : files_of(folder)) {
    const bool manifest = file.filename().native().starts_with("MANIFEST-");
    if (!manifest && file.extension() != ".log") continue;
    const auto check = check_log_file(file);
    const std::string what = manifest ? "manifest" : "write-ahead log";
    // An owner may drop a log it no longer needs while we look.
    if (!check && check.error().code == ErrorCode::not_found) continue;
    if (!check)
      damaged.push_back("the " + what + " '" + file.native() +
                        "' cannot be read: " + check.error().message);
    else if (!check->damage.empty())
      damaged.push_back("the " + what + " '" + file.native() + "' is damaged: " + check->damage);
    else if (manifest && check->unfinished_tail)
      damaged.push_back("the manifest '" + file.native() + "' is damaged: its last record is cut");
  }
  return damaged;
}

std::vector<std::string> unfinished_logs(const fs::path& folder) {
  std::vector<std::string> unfinished;
  for (const fs::path& file : files_of(folder)) {
    if (file.extension() != ".log") continue;
    const auto check = check_log_file(file);
    if (check && check->damage.empty() && check->unfinished_tail)
      unfinished.push_back("the write-ahead log '" + file.native() +
                           "' ends within a record, after byte " +
                           std::to_string(check->good_bytes));
  }
  return unfinished;
}

Error explain_damage(Error error, const fs::path& folder) {
  for (const std::string& sentence : damaged_database_files(folder))
    error.message += "; " + sentence;
  for (const std::string& sentence : damaged_table_files(folder)) error.message += "; " + sentence;
  const std::string good = last_good(folder);
  if (!good.empty()) error.message += "; " + good;
  return error;
}

}  // namespace checkride

#include "store/rocksdb/store.h"

#include <sys/statvfs.h>

#include <chrono>
#include <cstdlib>

#include "engine/base/files.h"
#include "store/rocksdb/diagnosis.h"
#include "store/rocksdb/identity.h"
#include "store/rocksdb/rocksdb_log.h"
#include "store/rocksdb/store_lock.h"
#include "store/rocksdb/verify.h"

namespace checkride {

namespace fs = std::filesystem;

namespace {

// Each opening adds a write-ahead log, and the next one reads them all. Past these bounds the
// tables' memory is written out: at the end of an owner, when there is time for it, so that what
// follows opens fast; at the start only if there have become too many.
constexpr std::size_t wal_files_at_end_max = 4;
constexpr std::uint64_t wal_bytes_at_end_max = 512 << 10;
constexpr std::size_t wal_files_at_start_max = 16;

Timestamp system_now() {
  return Timestamp{
      std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
          .count()};
}

}  // namespace

struct Store::Parts {
  // In the order they are made; destroyed in reverse.
  fs::path path;
  StoreOptions options;
  std::optional<StoreLock> lock;
  std::string id;
  fs::path heads_path;
  std::optional<HeadsFile> heads_file;
  std::unique_ptr<Database> database;
  std::unique_ptr<RocksDbReader> reader;
  std::unique_ptr<RocksDbLog> log;
  std::unique_ptr<ArtifactStore> artifacts;
  std::vector<std::string> notices;

  bool writing() const { return options.mode == StoreMode::read_write; }
  Result<void> prepare_folder();
  Result<void> find_id();
  Result<void> open_heads_file();
  Result<void> open_database();
  Result<void> check_id();
  Result<void> check_acknowledged();
  Result<void> begin_epoch();
};

Result<void> Store::Parts::prepare_folder() {
  if (!writing() || !options.create) {
    CR_CHECK(read_store_id(path));
  } else {
    CR_CHECK(make_folders(path));
  }
  if (!options.allow_network_file_system) CR_CHECK(check_local_file_system(path));
  const auto kind = writing() ? StoreLock::Kind::exclusive : StoreLock::Kind::shared;
  CR_TRY(lock, StoreLock::acquire(path / "lock", kind, options.host, options.lock_wait));
  return {};
}

Result<void> Store::Parts::find_id() {
  auto known = read_store_id(path);
  if (known) {
    id = *std::move(known);
    return {};
  }
  if (!writing() || known.error().code != ErrorCode::not_found)
    return tl::unexpected(std::move(known).error());
  // Something else's folder is not made a store by mistake.
  std::error_code error;
  for (auto at = fs::directory_iterator(path, error); !error && at != fs::directory_iterator();
       at.increment(error))
    if (const auto name = at->path().filename().native();
        name != "lock" && name != "artifacts" && name != "db" && !name.starts_with("store.tmp."))
      return fail(ErrorCode::invalid_argument, "'" + path.native() +
                                                   "' is no store and not empty ('" + name +
                                                   "' is in it); name an empty or new folder");
  CR_TRY(id, new_store_id());
  return write_store_id(path, id);
}

Result<void> Store::Parts::open_heads_file() {
  fs::path folder = options.heads_folder;
  if (folder.empty()) {
    CR_TRY(folder, HeadsFile::default_folder());
  }
  heads_path = folder / id;
  CR_TRY(heads_file, HeadsFile::open(heads_path, id, writing()));
  for (const int slot : heads_file->damaged_slots())
    notices.push_back("slot " + std::to_string(slot) + " of the heads file '" +
                      heads_path.native() + "' is damaged; the other one is used");
  return {};
}

Result<void> Store::Parts::open_database() {
  const fs::path folder = path / "db";
  auto opened =
      Database::open(folder, writing() ? DatabaseMode::read_write : DatabaseMode::read_only);
  if (!opened) {
    // RocksDB calls a missing file an i/o error; within a store it is damage all the same.
    Error error = std::move(opened).error();
    const bool damage = error.code == ErrorCode::corrupt ||
                        (error.code == ErrorCode::io && !damaged_database_files(folder).empty()) ||
                        error.message.find("No such file") != std::string::npos;
    if (!damage) return tl::unexpected(std::move(error));
    error.code = ErrorCode::corrupt;
    error = explain_damage(std::move(error), folder);
    if (const auto position = heads_file->newest())
      error.message +=
          "; it was acknowledged up to record number " + std::to_string(position->global.value);
    return tl::unexpected(std::move(error));
  }
  database = *std::move(opened);
  reader = std::make_unique<RocksDbReader>(*database);
  if (writing() && database->wal_size().files > wal_files_at_start_max) CR_CHECK(database->flush());
  return {};
}

Result<void> Store::Parts::check_id() {
  CR_TRY(const std::optional<std::string> noted, database->get(Table::meta, "id"));
  if (noted == id) return {};
  CR_TRY(const GlobalSequence last, reader->last_global());
  if (!noted && last.value == 0) return {};  // new, or its making was interrupted
  if (noted && options.restored) return {};
  return fail(ErrorCode::corrupt, "the store at '" + path.native() +
                                      "' is put together from two: its file 'store' and its log "
                                      "have different ids; restore both from one backup");
}

Result<void> Store::Parts::check_acknowledged() {
  const auto position = heads_file->newest();
  CR_TRY(const GlobalSequence last, reader->last_global());
  if (!position) {
    if (last.value != 0)
      notices.push_back("there was no heads file at '" + heads_path.native() +
                        "': a log that lost its end before this opening could not be noticed");
    return {};
  }
  const std::string acknowledged =
      "the log in '" + path.native() + "' was acknowledged up to record number " +
      std::to_string(position->global.value) + " (heads file '" + heads_path.native() + "')";
  const std::string_view advice =
      "; bring the newer store back, or, to go on from an older copy all the same, remove the heads "
      "file";
  if (last < position->global) {
    std::string ends = "ends at record number " + std::to_string(last.value);
    if (const auto record = reader->at_global(last); record && last.value != 0)
      ends += ", sequence " + std::to_string(record->last().value) + " of run '" +
              record->run.value + "'";
    for (const std::string& sentence : unfinished_logs(database->folder())) ends += "; " + sentence;
    return fail(ErrorCode::corrupt,
                acknowledged + " but " + ends + ": its end is lost" + std::string(advice));
  }
  auto record = reader->at_global(position->global);
  if (!record) return fail(std::move(record).error(), acknowledged);
  if (record->chain != position->chain)
    return fail(ErrorCode::corrupt, acknowledged +
                                        " but holds another record there: it is not the "
                                        "log that was written" +
                                        std::string(advice));
  return {};
}

Result<void> Store::Parts::begin_epoch() {
  RocksDbLog::Beginning beginning;
  beginning.host = options.host;
  beginning.boot_id = options.boot_id;
  beginning.build = options.build;
  beginning.time = options.now == Timestamp{} ? system_now() : options.now;
  beginning.meta.emplace_back("id", id);
  beginning.meta.emplace_back("format", std::to_string(store_format));
  // Files noted at an earlier opening keep that note, so that damage since then still shows.
  std::map<std::string, std::string> noted;
  CR_CHECK(database->scan(Table::meta, file_row_prefix, std::string(file_row_prefix) + '\xFF',
                          [&](std::string_view key, std::string_view value) -> Result<bool> {
                            noted.emplace(key, value);
                            return true;
                          }));
  for (const auto& [name, hash] : unchecked_files(database->folder())) {
    const auto row = noted.extract(std::string(file_row_prefix) + name);
    if (row.empty()) beginning.meta.emplace_back(std::string(file_row_prefix) + name, hash);
  }
  for (const auto& [gone, hash] : noted) beginning.meta_erased.push_back(gone);
  log = std::make_unique<RocksDbLog>(*database, *heads_file);
  return log->begin_epoch(beginning);
}

Store::Store(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Store>> Store::open(const fs::path& path, const StoreOptions& options) {
  auto parts = std::make_unique<Parts>();
  parts->path = fs::absolute(path).lexically_normal();
  parts->options = options;
  CR_CHECK(parts->prepare_folder());
  if (options.restored && parts->writing()) {
    CR_TRY(const std::string id, new_store_id());
    CR_CHECK(read_store_id(parts->path));
    CR_CHECK(write_store_id(parts->path, id));
  }
  CR_CHECK(parts->find_id());
  CR_CHECK(parts->open_heads_file());
  CR_CHECK(parts->open_database());
  CR_CHECK(parts->check_id());
  CR_CHECK(parts->check_acknowledged());
  if (parts->writing()) CR_CHECK(parts->begin_epoch());
  parts->artifacts =
      std::make_unique<ArtifactStore>(parts->path / "artifacts", options.artifact_quota_bytes);
  return std::unique_ptr<Store>(new Store(std::move(parts)));
}

Store::~Store() {
  if (!parts_->log) return;
  // What is acknowledged is durable already; if this fails the next opening says "not closed".
  if (!parts_->log->end_epoch()) return;
  const Database::WalSize wal = parts_->database->wal_size();
  if (wal.files > wal_files_at_end_max || wal.bytes > wal_bytes_at_end_max)
    static_cast<void>(parts_->database->flush().has_value());
}

const std::string& Store::id() const {
  return parts_->id;
}
const fs::path& Store::path() const {
  return parts_->path;
}
const LogReader& Store::reader() const {
  return *parts_->reader;
}
EventLog* Store::log() {
  return parts_->log.get();
}
ArtifactStore& Store::artifacts() {
  return *parts_->artifacts;
}
const std::vector<std::string>& Store::notices() const {
  return parts_->notices;
}

Result<VerifyReport> Store::verify(const std::optional<RunId>& run) const {
  const auto begin = std::chrono::steady_clock::now();
  VerifyReport report;
  const Database& database = *parts_->database;
  CR_TRY(const NumberingSum numbering, verify_records(database, run, report));
  CR_CHECK(verify_artifacts(database, *parts_->artifacts, run, report));
  if (!run) {
    CR_CHECK(verify_tables(database, numbering, report));
    CR_CHECK(verify_files(database, parts_->path, parts_->heads_path, report));
  }
  report.took = std::chrono::steady_clock::now() - begin;
  return report;
}

Result<FreeSpace> Store::free_space() const {
  struct statvfs info {};
  if (::statvfs(parts_->path.c_str(), &info) != 0)
    return fail_errno("look at the free space of", parts_->path.native());
  FreeSpace space;
  space.available_bytes = std::uint64_t{info.f_bavail} * std::uint64_t{info.f_frsize};
  if (space.available_bytes < parts_->options.hard_free_bytes)
    space.level = FreeSpace::Level::below_hard;
  else if (space.available_bytes < parts_->options.soft_free_bytes)
    space.level = FreeSpace::Level::below_soft;
  return space;
}

Result<fs::path> default_store_path() {
  const char* store = std::getenv("CHECKRIDE_STORE");
  if (store != nullptr && *store != '\0') return fs::absolute(store);
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return fs::path(state) / "checkride";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return fs::path(home) / ".local/state/checkride";
  return fail(ErrorCode::invalid_argument,
              "none of CHECKRIDE_STORE, XDG_STATE_HOME and HOME is set, so there is no place for "
              "the store; set one of them");
}

Result<std::string> store_id(const fs::path& path) {
  return read_store_id(path);
}
std::string store_owner(const fs::path& path) {
  return lock_owner(path / "lock");
}

}  // namespace checkride

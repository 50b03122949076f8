// RocksDB opened the way the log needs it: which tables, which settings, bounded reads, synced
// atomic writes. The settings and their reasons are in settings.cpp.
//
// Threads: RocksDB's: reads from any, write() from one.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "store/rocksdb/layout.h"

namespace checkride {

enum class DatabaseMode {
  read_write,     // makes what is missing
  read_only,      // as it stands now; later writes of others are not seen
  read_salvaged,  // read only, up to the first damaged place of the write-ahead log: for diagnosis
};

class Database {
 public:
  // corrupt names what RocksDB found; the caller finds out which file and how far the log is good.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& folder,
                                                DatabaseMode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<std::optional<std::string>> get(Table table, std::string_view key) const;

  using Each = std::function<Result<bool>(std::string_view key, std::string_view value)>;
  // Rows with lower <= key < upper, in order, until `each` says false. An empty `upper` is no
  // bound. `cached`: keep the blocks read; false for long walks, so that they do not push others
  // out.
  Result<void> scan(Table table, std::string_view lower, std::string_view upper, const Each& each,
                    bool cached = false) const;
  // The last row with lower <= key <= at_most.
  struct Row {
    std::string key;
    std::string value;
  };
  Result<std::optional<Row>> last(Table table, std::string_view lower,
                                  std::string_view at_most) const;

  void put(rocksdb::WriteBatch& batch, Table table, std::string_view key, std::string_view value);
  void erase(rocksdb::WriteBatch& batch, Table table, std::string_view key);
  // Atomic; on the device when it returns.
  Result<void> write(rocksdb::WriteBatch& batch);

  // Writes the tables' memory to files, so that the write-ahead logs before are not needed again.
  Result<void> flush();
  // The write-ahead logs that a next opening would read.
  struct WalSize {
    std::size_t files = 0;
    std::uint64_t bytes = 0;
  };
  WalSize wal_size() const;
  // Recomputes the checksum of every table file, whole.
  Result<void> verify_table_files() const;

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* handle(Table table) const {
    return handles_[static_cast<std::size_t>(table)];
  }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  Database() = default;
  std::filesystem::path folder_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, table_count> handles_{};
};

}  // namespace checkride

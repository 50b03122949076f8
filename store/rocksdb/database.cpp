#include "store/rocksdb/database.h"

#include <rocksdb/cache.h>

#include "engine/base/assert.h"
#include "store/rocksdb/settings.h"
#include "store/rocksdb/status.h"

namespace checkride {

namespace {

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view view(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

constexpr std::size_t block_cache_bytes = 32ULL << 20;

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& folder,
                                                 DatabaseMode mode) {
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(block_cache_bytes, 4);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (std::size_t i = 0; i < table_count; ++i)
    families.emplace_back(std::string(table_names[i]), table_options(static_cast<Table>(i), cache));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::DBOptions options = database_options(mode);
  const rocksdb::Status status =
      mode == DatabaseMode::read_write
          ? rocksdb::DB::Open(options, folder.native(), families, &handles, &db)
          : rocksdb::DB::OpenForReadOnly(options, folder.native(), families, &handles, &db);
  if (!status.ok()) return fail_rocksdb(status, "open the log in '" + folder.native() + "'");
  auto database = std::unique_ptr<Database>(new Database);
  database->folder_ = folder;
  database->db_.reset(db);
  CR_ASSERT(handles.size() == table_count, handles.size());
  for (std::size_t i = 0; i < table_count; ++i) database->handles_[i] = handles[i];
  return database;
}

Database::~Database() {
  for (rocksdb::ColumnFamilyHandle* handle : handles_)
    if (handle != nullptr) db_->DestroyColumnFamilyHandle(handle);
  if (db_) db_->Close();
}

Result<std::optional<std::string>> Database::get(Table table, std::string_view key) const {
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  std::string value;
  const rocksdb::Status status = db_->Get(options, handle(table), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok())
    return fail_rocksdb(
        status,
        "read from the table '" + std::string(table_names[static_cast<std::size_t>(table)]) + "'");
  return value;
}

Result<void> Database::scan(Table table, std::string_view lower, std::string_view upper,
                            const Each& each, bool cached) const {
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = cached;
  const rocksdb::Slice bound = slice(upper);
  if (!upper.empty()) options.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options, handle(table)));
  for (at->Seek(slice(lower)); at->Valid(); at->Next()) {
    CR_TRY(const bool more, each(view(at->key()), view(at->value())));
    if (!more) return {};
  }
  return to_result(
      at->status(),
      "read the table '" + std::string(table_names[static_cast<std::size_t>(table)]) + "'");
}

Result<std::optional<Database::Row>> Database::last(Table table, std::string_view lower,
                                                    std::string_view at_most) const {
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  const rocksdb::Slice bound = slice(lower);
  options.iterate_lower_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options, handle(table)));
  at->SeekForPrev(slice(at_most));
  CR_CHECK(to_result(
      at->status(),
      "read the table '" + std::string(table_names[static_cast<std::size_t>(table)]) + "'"));
  if (!at->Valid()) return std::nullopt;
  return Row{std::string(view(at->key())), std::string(view(at->value()))};
}

void Database::put(rocksdb::WriteBatch& batch, Table table, std::string_view key,
                   std::string_view value) {
  const rocksdb::Status status = batch.Put(handle(table), slice(key), slice(value));
  CR_ASSERT(status.ok(), status.ToString());  // fails only for a family of another database
}

void Database::erase(rocksdb::WriteBatch& batch, Table table, std::string_view key) {
  const rocksdb::Status status = batch.Delete(handle(table), slice(key));
  CR_ASSERT(status.ok(), status.ToString());
}

Result<void> Database::write(rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions options;
  options.sync = true;
  return to_result(db_->Write(options, &batch), "write the log in '" + folder_.native() + "'");
}

Result<void> Database::flush() {
  const std::vector<rocksdb::ColumnFamilyHandle*> all(handles_.begin(), handles_.end());
  return to_result(db_->Flush(rocksdb::FlushOptions(), all),
                   "write the tables in '" + folder_.native() + "'");
}

Database::WalSize Database::wal_size() const {
  rocksdb::VectorLogPtr files;
  WalSize size;
  if (!db_->GetSortedWalFiles(files).ok()) return size;
  for (const auto& file : files) {
    ++size.files;
    size.bytes += file->SizeFileBytes();
  }
  return size;
}

Result<void> Database::verify_table_files() const {
  return to_result(db_->VerifyFileChecksums(rocksdb::ReadOptions()), "trust a table file");
}

}  // namespace checkride

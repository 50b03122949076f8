#include "store/rocksdb/settings.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

namespace checkride {

namespace {

// The event log is history; RocksDB's own commentary is not kept, so that a reader writes no file.
class SilentLogger final : public rocksdb::Logger {
 public:
  SilentLogger() : Logger(rocksdb::InfoLogLevel::FATAL_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

}  // namespace

rocksdb::DBOptions database_options(DatabaseMode mode) {
  rocksdb::DBOptions options;
  options.create_if_missing = mode == DatabaseMode::read_write;
  options.create_missing_column_families = mode == DatabaseMode::read_write;
  options.paranoid_checks = true;
  options.info_log = std::make_shared<SilentLogger>();

  // An unfinished record at the end of the log is a write that nobody was told about; anything else
  // is damage. What this cannot see (a cut tail) the heads file does.
  options.wal_recovery_mode = mode == DatabaseMode::read_salvaged
                                  ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                  : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.recycle_log_file_num = 0;  // stale bytes of an older log must never look like records
  options.track_and_verify_wals_in_manifest = true;
  options.verify_sst_unique_id_in_manifest = true;
  options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();

  // Opening replays the log into memory and writes nothing: at most 4 MiB, some 20 ms.
  options.max_total_wal_size = 4ULL << 20;
  options.avoid_flush_during_recovery = true;
  options.avoid_flush_during_shutdown = true;  // everything is in the log already

  options.max_manifest_file_size = 16ULL << 20;  // read whole when it is checked

  // A page fault on vanished network storage would end the process with a bus error.
  options.allow_mmap_reads = false;
  options.allow_mmap_writes = false;
  options.use_fsync = false;  // fdatasync writes the size, which is all that changes

  // A store that could not write stops; it does not try again behind our back.
  options.max_bgerror_resume_count = 0;
  options.max_background_jobs = 2;
  options.max_open_files = 512;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  options.keep_log_file_num = 1;
  return options;
}

rocksdb::ColumnFamilyOptions table_options(Table table,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = 8ULL << 20;
  options.arena_block_size = 64 << 10;  // eight tables, most of them nearly empty
  options.target_file_size_base = 16ULL << 20;
  options.max_bytes_for_level_base = 64ULL << 20;
  options.level_compaction_dynamic_level_bytes = true;
  options.compression = rocksdb::kLZ4Compression;
  options.bottommost_compression = rocksdb::kZSTD;

  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = cache;
  blocks.cache_index_and_filter_blocks = true;
  blocks.pin_l0_filter_and_index_blocks_in_cache = true;
  blocks.block_size = 16 << 10;
  blocks.checksum = rocksdb::kXXH3;  // Debian's RocksDB has no CRC-32C instructions built in
  blocks.format_version = 5;
  if (table == Table::heads || table == Table::meta || table == Table::definitions)
    blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  return options;
}

}  // namespace checkride

// The event log on disk: EventLog over RocksDB, owned by one engine. One append() is one atomic
// batch and one sync; after it the heads file says how far the log was acknowledged. Opened by
// Store (store.h), which checks everything first.
#pragma once

#include <unordered_map>

#include "engine/ports/event_log.h"
#include "store/codec/stamp.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/heads_file.h"
#include "store/rocksdb/reader.h"

namespace checkride {

class RocksDbLog final : public EventLog {
 public:
  // Both are borrowed and outlive the log. begin_epoch() comes before anything is written.
  RocksDbLog(Database& database, HeadsFile& heads_file);

  // Counts this opening, notes it in the stream "@store", and writes `meta` rows with it.
  struct Beginning {
    std::string host;
    std::string boot_id;
    std::string build;
    Timestamp time;
    std::vector<std::pair<std::string, std::string>> meta;
    std::vector<std::string> meta_erased;
  };
  Result<void> begin_epoch(const Beginning& beginning);
  // Notes that the owner ended properly. Nothing is written after it, or after a failure.
  Result<void> end_epoch();

  Result<std::vector<RunHead>> heads() const override { return reader_.heads(); }
  Result<std::optional<RunHead>> head(const RunId& run) const override { return reader_.head(run); }
  Result<void> read(const RunId& run, Sequence from,
                    const std::function<bool(const Record&)>& each) const override {
    return reader_.read(run, from, each);
  }
  Result<std::optional<Snapshot>> snapshot(const RunId& run, Sequence at_most) const override {
    return reader_.snapshot(run, at_most);
  }
  Result<std::optional<StoredDefinition>> definition(const Digest& hash) const override {
    return reader_.definition(hash);
  }
  Result<std::vector<SearchRow>> find(const std::string& fact_type,
                                      std::size_t count_max) const override {
    return reader_.find(fact_type, count_max);
  }
  Result<std::vector<Committed>> append(std::span<Append> batch) override;
  Result<void> store_definition(const StoredDefinition& definition) override;
  Epoch epoch() const override { return epoch_; }

 private:
  struct Staged;
  Result<codec::Tail> tail_of(const RunId& run);
  Result<std::uint32_t> build_number(const std::string& build, Staged& staged);
  Result<Staged> stage(std::span<Append> batch);
  Result<void> commit(rocksdb::WriteBatch& batch);
  Result<std::vector<Committed>> write_records(std::span<Append> batch, const Beginning* beginning);
  Result<void> refuse_after_failure() const;

  Database& database_;
  HeadsFile& heads_file_;
  RocksDbReader reader_;
  Epoch epoch_;
  GlobalSequence global_;  // of the newest record
  // Ends of the runs written lately; emptied when it is full. Only what is durable is in here.
  std::unordered_map<RunId, codec::Tail> tails_;
  std::unordered_map<std::string, std::uint32_t> builds_;
  bool failed_ = false;
  bool ended_ = false;
};

}  // namespace checkride

// LogReader over an open database; the same for the store's owner and for readers of a store nobody
// owns. Threads: any.
#pragma once

#include <map>
#include <mutex>

#include "engine/ports/event_log.h"
#include "store/rocksdb/database.h"

namespace checkride {

class RocksDbReader final : public LogReader {
 public:
  // `database` is borrowed and outlives the reader.
  explicit RocksDbReader(const Database& database) : database_(database) {}

  Result<std::vector<RunHead>> heads() const override;
  Result<std::optional<RunHead>> head(const RunId& run) const override;
  Result<void> read(const RunId& run, Sequence from,
                    const std::function<bool(const Record&)>& each) const override;
  Result<std::optional<Snapshot>> snapshot(const RunId& run, Sequence at_most) const override;
  Result<std::optional<StoredDefinition>> definition(const Digest& hash) const override;
  Result<std::vector<SearchRow>> find(const std::string& fact_type,
                                      std::size_t count_max) const override;

  // The newest record's place among all; zero for an empty log.
  Result<GlobalSequence> last_global() const;
  // The record with this number; not_found when there is none.
  Result<Record> at_global(GlobalSequence global) const;
  // The program that decided a record, by its number; corrupt for a number nobody noted.
  Result<std::string> build(std::uint32_t number) const;

 private:
  const Database& database_;
  mutable std::mutex mutex_;  // guards builds_
  mutable std::map<std::uint32_t, std::string> builds_;
};

std::string build_key(std::uint32_t number);  // in the meta table

}  // namespace checkride

// The event log in memory, for tests and simulation: the same records, hashes, checks and errors as
// store/rocksdb, without a disk. It can be told to fail the next append, and to be opened again, as
// after a crash of its engine. It keeps encoded bytes and decodes them when read, so that a test
// over it goes through the codec.
//
// Threads: as EventLog says, one writer; readers may run beside it.
#pragma once

#include <map>
#include <mutex>

#include "engine/ports/event_log.h"
#include "store/codec/stamp.h"

namespace checkride {

class MemoryLog final : public EventLog {
 public:
  MemoryLog();

  Result<std::vector<RunHead>> heads() const override;
  Result<std::optional<RunHead>> head(const RunId& run) const override;
  Result<void> read(const RunId& run, Sequence from,
                    const std::function<bool(const Record&)>& each) const override;
  Result<std::optional<Snapshot>> snapshot(const RunId& run, Sequence at_most) const override;
  Result<std::optional<StoredDefinition>> definition(const Digest& hash) const override;
  Result<std::vector<SearchRow>> find(const std::string& fact_type,
                                      std::size_t count_max) const override;
  Result<std::vector<Committed>> append(std::span<Append> batch) override;
  Result<void> store_definition(const StoredDefinition& definition) override;
  Epoch epoch() const override;

  // What a failing device leaves behind: nothing of the batch, or all of it (the write arrived, its
  // confirmation did not).
  enum class Leaves { nothing, everything };
  // The next append fails with this code, and all after it until reopen().
  void fail_next(ErrorCode code, Leaves leaves = Leaves::nothing);
  // As a new process would find it: a new epoch, failures forgotten.
  void reopen(bool clean = false);
  // Changes one byte of the stored record, to see that readers notice.
  void damage(const RunId& run, Sequence first, std::size_t offset);
  // Bytes of all records.
  std::uint64_t bytes() const;

 private:
  using Records = std::map<Sequence, std::string>;  // by first sequence, encoded
  struct Staged {
    codec::Stamped stamped;
    std::optional<std::string> snapshot;
  };
  Result<std::vector<Staged>> stage(std::span<Append> batch);
  void apply(std::span<Append> batch, std::vector<Staged> staged);
  std::uint32_t build_number(const std::string& build);

  mutable std::mutex mutex_;  // guards all below
  std::map<RunId, Records> records_;
  std::map<RunId, RunHead> heads_;
  std::map<RunId, std::map<Sequence, std::string>> snapshots_;  // encoded
  std::map<Digest, StoredDefinition> definitions_;
  std::map<std::string, std::vector<SearchRow>> search_;
  std::vector<std::string> builds_;
  GlobalSequence global_;
  Epoch epoch_;
  std::optional<std::pair<ErrorCode, Leaves>> fail_next_;
  bool failed_ = false;
};

}  // namespace checkride

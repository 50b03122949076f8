#include "store/rocksdb/rocksdb_log.h"

#include "store/codec/codec.h"

namespace checkride {

namespace {

constexpr std::size_t tails_max = 65'536;
constexpr std::uint32_t builds_max = 1'000'000;

std::string_view view_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

}  // namespace

// A batch worked out, not yet written: nothing of it touches the log's own fields.
struct RocksDbLog::Staged {
  rocksdb::WriteBatch batch;
  std::vector<Committed> committed;
  std::unordered_map<RunId, codec::Tail> tails;
  std::map<std::string, std::uint32_t> builds;  // new ones
};

RocksDbLog::RocksDbLog(Database& database, HeadsFile& heads_file)
    : database_(database), heads_file_(heads_file), reader_(database) {}

Result<void> RocksDbLog::refuse_after_failure() const {
  if (failed_)
    return fail(ErrorCode::io,
                "the log takes no more records: an earlier write failed; start again");
  if (ended_) return fail(ErrorCode::io, "the log takes no more records: it was closed");
  return {};
}

Result<void> RocksDbLog::begin_epoch(const Beginning& beginning) {
  CR_TRY(global_, reader_.last_global());
  CR_TRY(const std::optional<std::string> epoch, database_.get(Table::meta, "epoch"));
  if (epoch && epoch->size() != 8) return fail(ErrorCode::corrupt, "the store's epoch is damaged");
  epoch_ = Epoch(epoch ? from_big_endian(*epoch) : 0).next();
  CR_TRY(const std::optional<std::string> clean, database_.get(Table::meta, "clean"));
  CR_TRY(const codec::Tail tail, tail_of(codec::store_stream));
  StoreOpened opened{epoch_, beginning.host, beginning.boot_id, beginning.build,
                     !epoch || clean.value_or("") == "yes"};
  Append opening = codec::opening_of(opened, tail.last.next(), beginning.time);
  CR_CHECK(write_records(std::span(&opening, 1), &beginning));
  return heads_file_.sync();
}

Result<void> RocksDbLog::end_epoch() {
  CR_CHECK(refuse_after_failure());
  ended_ = true;
  rocksdb::WriteBatch batch;
  database_.put(batch, Table::meta, "clean", "yes");
  CR_CHECK(database_.write(batch));
  return heads_file_.sync();
}

Result<codec::Tail> RocksDbLog::tail_of(const RunId& run) {
  if (const auto found = tails_.find(run); found != tails_.end()) return found->second;
  CR_TRY(const std::optional<RunHead> head, reader_.head(run));
  return head ? codec::tail_of(*head) : codec::Tail{};
}

Result<std::uint32_t> RocksDbLog::build_number(const std::string& build, Staged& staged) {
  if (const auto found = builds_.find(build); found != builds_.end()) return found->second;
  if (const auto found = staged.builds.find(build); found != staged.builds.end())
    return found->second;
  // Once for each build of the store's life, so looking through all is cheap enough.
  for (std::uint32_t number = 1; number < builds_max; ++number) {
    CR_TRY(const std::optional<std::string> name, database_.get(Table::meta, build_key(number)));
    if (name) {
      builds_.emplace(*name, number);
      if (*name == build) return number;
      continue;
    }
    const std::uint32_t free = number + static_cast<std::uint32_t>(staged.builds.size());
    database_.put(staged.batch, Table::meta, build_key(free), build);
    staged.builds.emplace(build, free);
    return free;
  }
  return fail(ErrorCode::unsupported, "the store knows too many builds");
}

Result<RocksDbLog::Staged> RocksDbLog::stage(std::span<Append> batch) {
  Staged staged;
  GlobalSequence global = global_;
  for (Append& append : batch) {
    Record& record = append.record;
    auto tail = staged.tails.find(record.run);
    if (tail == staged.tails.end()) {
      CR_TRY(const codec::Tail stored, tail_of(record.run));
      tail = staged.tails.emplace(record.run, stored).first;
    }
    CR_TRY(const std::uint32_t build, build_number(record.build, staged));
    global = global.next();
    CR_TRY(const codec::Stamped stamped, codec::stamp(append, tail->second, global, epoch_, build));
    tail->second = codec::tail_of(stamped.head);

    const std::string key = run_key(record.run, record.first);
    database_.put(staged.batch, Table::records, key, stamped.value);
    CR_TRY(const std::string head, codec::encode_head(stamped.head));
    database_.put(staged.batch, Table::heads, record.run.value, head);
    database_.put(staged.batch, Table::global, big_endian(global.value), key);
    std::uint32_t number = 0;
    for (const JobFact& fact : append.facts) {
      CR_TRY(const std::string row, codec::encode_search_row(codec::search_row_of(record, fact)));
      database_.put(staged.batch, Table::search, search_key(fact.type, global, number++), row);
    }
    for (const auto& [sequence, artifact] : codec::artifacts_of(record))
      database_.put(staged.batch, Table::artifacts,
                    artifact_key(artifact.digest, record.run, sequence), "");
    if (append.snapshot) {
      CR_TRY(const std::string snapshot, codec::encode_snapshot(*append.snapshot, record.chain));
      database_.put(staged.batch, Table::snapshots, run_key(record.run, record.last()), snapshot);
    }
    staged.committed.push_back(Committed{global, record.chain});
  }
  return staged;
}

Result<void> RocksDbLog::commit(rocksdb::WriteBatch& batch) {
  auto written = database_.write(batch);
  if (!written) failed_ = true;
  return written;
}

Result<std::vector<Committed>> RocksDbLog::write_records(std::span<Append> batch,
                                                         const Beginning* beginning) {
  CR_TRY(Staged staged, stage(batch));
  if (beginning != nullptr) {
    database_.put(staged.batch, Table::meta, "epoch", big_endian(epoch_.value));
    database_.put(staged.batch, Table::meta, "clean", "no");
    for (const auto& [name, value] : beginning->meta)
      database_.put(staged.batch, Table::meta, name, value);
    for (const std::string& name : beginning->meta_erased)
      database_.erase(staged.batch, Table::meta, name);
  }
  CR_CHECK(commit(staged.batch));
  global_ = staged.committed.back().global;
  if (tails_.size() + staged.tails.size() > tails_max) tails_.clear();
  for (auto& [run, tail] : staged.tails) tails_.insert_or_assign(run, tail);
  builds_.insert(staged.builds.begin(), staged.builds.end());
  // The log has the records; without this the next opening could not tell if it lost them again.
  auto noted = heads_file_.write(HeadPosition{global_, epoch_, staged.committed.back().chain});
  if (!noted) {
    failed_ = true;
    return tl::unexpected(std::move(noted).error());
  }
  return std::move(staged.committed);
}

Result<std::vector<Committed>> RocksDbLog::append(std::span<Append> batch) {
  CR_CHECK(refuse_after_failure());
  if (batch.empty()) return std::vector<Committed>{};
  return write_records(batch, nullptr);
}

Result<void> RocksDbLog::store_definition(const StoredDefinition& definition) {
  CR_CHECK(refuse_after_failure());
  CR_TRY(const std::optional<std::string> known,
         database_.get(Table::definitions, view_of(definition.hash)));
  if (known) return {};
  CR_TRY(const std::string value, codec::encode_definition(definition));
  rocksdb::WriteBatch batch;
  database_.put(batch, Table::definitions, view_of(definition.hash), value);
  return commit(batch);
}

}  // namespace checkride

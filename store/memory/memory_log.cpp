#include "store/memory/memory_log.h"

#include "engine/base/assert.h"
#include "store/codec/codec.h"
#include "store/codec/walk.h"

namespace checkride {

MemoryLog::MemoryLog() {
  reopen(true);
}

Result<std::vector<RunHead>> MemoryLog::heads() const {
  const std::lock_guard lock(mutex_);
  std::vector<RunHead> heads;
  for (const auto& [run, head] : heads_)
    if (codec::is_run(run)) heads.push_back(head);
  return heads;
}

Result<std::optional<RunHead>> MemoryLog::head(const RunId& run) const {
  const std::lock_guard lock(mutex_);
  const auto found = heads_.find(run);
  if (found == heads_.end()) return std::nullopt;
  return found->second;
}

Result<void> MemoryLog::read(const RunId& run, Sequence from,
                             const std::function<bool(const Record&)>& each) const {
  // Copies what it walks over: the callback may call back into the log.
  std::vector<std::pair<Sequence, std::string>> values;
  std::vector<std::string> builds;
  RunHead head;
  {
    const std::lock_guard lock(mutex_);
    const auto found = heads_.find(run);
    if (found == heads_.end())
      return fail(ErrorCode::not_found, "there is no run '" + run.value + "' here");
    head = found->second;
    const Records& records = records_.at(run);
    auto at = records.upper_bound(from);
    if (at != records.begin()) --at;
    values.assign(at, records.end());
    builds = builds_;
  }
  if (from > head.last) return {};
  codec::Walk walk(head);
  for (const auto& [first, value] : values) {
    CR_TRY(codec::DecodedRecord decoded, walk.next(first, value));
    if (decoded.build < builds.size()) decoded.record.build = builds[decoded.build];
    if (decoded.record.last() < from) continue;
    if (!each(decoded.record)) return walk.finish(false);
  }
  return walk.finish(true);
}

Result<std::optional<Snapshot>> MemoryLog::snapshot(const RunId& run, Sequence at_most) const {
  const std::lock_guard lock(mutex_);
  const auto of_run = snapshots_.find(run);
  if (of_run == snapshots_.end()) return std::nullopt;
  auto at = of_run->second.upper_bound(at_most);
  if (at == of_run->second.begin()) return std::nullopt;
  --at;
  CR_TRY(Snapshot snapshot, codec::decode_snapshot(at->second, run, at->first));
  return snapshot;
}

Result<std::optional<StoredDefinition>> MemoryLog::definition(const Digest& hash) const {
  const std::lock_guard lock(mutex_);
  const auto found = definitions_.find(hash);
  if (found == definitions_.end()) return std::nullopt;
  return found->second;
}

Result<std::vector<SearchRow>> MemoryLog::find(const std::string& fact_type,
                                               std::size_t count_max) const {
  const std::lock_guard lock(mutex_);
  const auto found = search_.find(fact_type);
  if (found == search_.end()) return std::vector<SearchRow>{};
  const auto& rows = found->second;
  const std::size_t count = std::min(count_max, rows.size());
  return std::vector<SearchRow>(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count));
}

std::uint32_t MemoryLog::build_number(const std::string& build) {
  for (std::size_t i = 0; i < builds_.size(); ++i)
    if (builds_[i] == build) return static_cast<std::uint32_t>(i);
  builds_.push_back(build);
  return static_cast<std::uint32_t>(builds_.size() - 1);
}

Result<std::vector<MemoryLog::Staged>> MemoryLog::stage(std::span<Append> batch) {
  std::vector<Staged> staged;
  std::map<RunId, codec::Tail> tails;
  GlobalSequence global = global_;
  for (Append& append : batch) {
    const RunId& run = append.record.run;
    const auto head = heads_.find(run);
    codec::Tail& tail =
        tails.try_emplace(run, head == heads_.end() ? codec::Tail{} : codec::tail_of(head->second))
            .first->second;
    global = global.next();
    Staged one;
    CR_TRY(one.stamped,
           codec::stamp(append, tail, global, epoch_, build_number(append.record.build)));
    if (append.snapshot) {
      CR_TRY(one.snapshot, codec::encode_snapshot(*append.snapshot, append.record.chain));
    }
    tail = codec::tail_of(one.stamped.head);
    staged.push_back(std::move(one));
  }
  return staged;
}

void MemoryLog::apply(std::span<Append> batch, std::vector<Staged> staged) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Record& record = batch[i].record;
    records_[record.run].emplace(record.first, std::move(staged[i].stamped.value));
    heads_.insert_or_assign(record.run, std::move(staged[i].stamped.head));
    if (staged[i].snapshot)
      snapshots_[record.run].insert_or_assign(record.last(), *std::move(staged[i].snapshot));
    for (const JobFact& fact : batch[i].facts)
      search_[fact.type].push_back(codec::search_row_of(record, fact));
    global_ = record.global;
  }
}

Result<std::vector<Committed>> MemoryLog::append(std::span<Append> batch) {
  const std::lock_guard lock(mutex_);
  if (failed_)
    return fail(ErrorCode::io,
                "the log takes no more records: an earlier write failed; start again");
  CR_TRY(std::vector<Staged> staged, stage(batch));
  if (fail_next_) {
    const auto [code, leaves] = *fail_next_;
    fail_next_.reset();
    failed_ = true;
    if (leaves == Leaves::everything) apply(batch, std::move(staged));
    return fail(code, "the log cannot be written: a failure was asked for");
  }
  apply(batch, std::move(staged));
  std::vector<Committed> committed;
  for (const Append& append : batch)
    committed.push_back(Committed{append.record.global, append.record.chain});
  return committed;
}

Result<void> MemoryLog::store_definition(const StoredDefinition& definition) {
  const std::lock_guard lock(mutex_);
  if (failed_)
    return fail(ErrorCode::io,
                "the log takes no more records: an earlier write failed; start again");
  definitions_.try_emplace(definition.hash, definition);
  return {};
}

Epoch MemoryLog::epoch() const {
  const std::lock_guard lock(mutex_);
  return epoch_;
}

void MemoryLog::fail_next(ErrorCode code, Leaves leaves) {
  const std::lock_guard lock(mutex_);
  fail_next_ = {code, leaves};
}

void MemoryLog::reopen(bool clean) {
  Sequence next(1);
  StoreOpened opened;
  {
    const std::lock_guard lock(mutex_);
    failed_ = false;
    fail_next_.reset();
    epoch_ = epoch_.next();
    const auto head = heads_.find(codec::store_stream);
    if (head != heads_.end()) next = head->second.last.next();
    opened.epoch = epoch_;
    opened.clean = clean;
  }
  Append opening = codec::opening_of(opened, next, Timestamp{});
  const auto appended = append(std::span(&opening, 1));
  CR_ASSERT(appended.has_value(), appended ? std::string() : appended.error().text());
}

void MemoryLog::damage(const RunId& run, Sequence first, std::size_t offset) {
  const std::lock_guard lock(mutex_);
  std::string& value = records_.at(run).at(first);
  CR_ASSERT(offset < value.size(), offset, value.size());
  value[offset] = static_cast<char>(value[offset] ^ 0x01);
}

std::uint64_t MemoryLog::bytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& [run, records] : records_)
    for (const auto& [first, value] : records) bytes += value.size();
  return bytes;
}

}  // namespace checkride

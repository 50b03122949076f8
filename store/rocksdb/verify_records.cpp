#include "engine/decider/decide.h"
#include "store/codec/codec.h"
#include "store/codec/stamp.h"
#include "store/rocksdb/reader.h"
#include "store/rocksdb/verify.h"

namespace checkride {

namespace {

std::string place(const RunId& run, Sequence sequence) {
  return "sequence " + std::to_string(sequence.value) + " of run '" + run.value + "'";
}

// One run's records in order. After a damaged record the next one is taken as it comes, so that one
// damage is reported once.
class RunCheck {
 public:
  RunCheck(const Database& database, const RocksDbReader& reader, RunId run, bool alone,
           NumberingSum& numbering, VerifyReport& report)
      : database_(database),
        reader_(reader),
        run_(std::move(run)),
        alone_(alone),
        numbering_(numbering),
        report_(report) {}

  Result<void> begin();
  Result<void> record(Sequence first, std::string_view value);
  Result<void> end();

  const RunId& run() const { return run_; }
  Sequence last() const { return last_; }

 private:
  void problem(const std::string& sentence) { add_problem(report_, sentence); }
  void check_links(const Record& record);
  Result<void> check_place(const Record& record, Sequence first);
  Result<void> check_snapshot(const Record& record);

  const Database& database_;
  const RocksDbReader& reader_;
  RunId run_;
  bool alone_;  // nobody compares the numbering as a whole
  NumberingSum& numbering_;
  VerifyReport& report_;
  std::optional<RunHead> head_;
  bool trusted_ = true;  // last_ and chain_ are those of the record before
  Sequence last_;
  Digest chain_;
  Sequence newest_first_;
  GlobalSequence newest_global_;
  std::uint64_t records_ = 0;
  bool folding_ = false;  // the run has snapshots, and no record before was damaged
  RunState state_;
  std::uint64_t snapshots_seen_ = 0;
};

Result<void> RunCheck::begin() {
  if (!run_.value.starts_with('@')) ++report_.runs;  // `@store` is no run
  auto head = reader_.head(run_);
  if (!head)
    problem(head.error().text());
  else if (!*head)
    problem("run '" + run_.value + "' has records but no head");
  else
    head_ = **head;
  CR_TRY(const std::optional<Database::Row> snapshot,
         database_.last(Table::snapshots, run_key(run_, Sequence(0)),
                        run_key(run_, Sequence(UINT64_MAX))));
  folding_ = snapshot.has_value();
  return {};
}

void RunCheck::check_links(const Record& record) {
  if (!trusted_) return;
  if (record.first != last_.next())
    problem("a gap: after " + place(run_, last_) + " comes sequence " +
            std::to_string(record.first.value));
  else if (record.previous != chain_)
    problem("the chain is broken: the record at " + place(run_, record.first) +
            " does not carry the hash of the one before");
}

Result<void> RunCheck::check_place(const Record& record, Sequence first) {
  const std::string expected = run_key(run_, first);
  numbering_.add(record.global, expected);
  if (!alone_) return {};
  CR_TRY(const std::optional<std::string> key,
         database_.get(Table::global, big_endian(record.global.value)));
  if (key != expected)
    problem("the record at " + place(run_, first) + " says that it is number " +
            std::to_string(record.global.value) + ", but the numbering disagrees");
  return {};
}

Result<void> RunCheck::check_snapshot(const Record& record) {
  if (!folding_) return {};
  evolve(state_, record);
  CR_TRY(const std::optional<std::string> value,
         database_.get(Table::snapshots, run_key(run_, record.last())));
  if (!value) return {};
  ++report_.snapshots;
  ++snapshots_seen_;
  const auto snapshot = codec::decode_snapshot(*value, run_, record.last());
  if (!snapshot)
    problem(snapshot.error().text());
  else if (snapshot->chain != record.chain)
    problem("the snapshot at " + place(run_, record.last()) + " is not of this chain");
  else if (!(snapshot->state == state_))
    problem("the snapshot at " + place(run_, record.last()) +
            " is not what the events up to there give");
  return {};
}

Result<void> RunCheck::record(Sequence first, std::string_view value) {
  ++report_.records;
  ++records_;
  report_.bytes += value.size();
  auto decoded = codec::decode_record(value, run_, first);
  if (!decoded) {
    problem(decoded.error().text() +
            (last_.value == 0 || !trusted_
                 ? std::string()
                 : "; the last good one before it is " + place(run_, last_)));
    trusted_ = false;
    folding_ = false;
    return {};
  }
  const Record& record = decoded->record;
  report_.events += record.events.size();
  check_links(record);
  if (const auto build = reader_.build(decoded->build); !build)
    problem("the record at " + place(run_, first) + ": " + build.error().text());
  CR_CHECK(check_place(record, first));
  CR_CHECK(check_snapshot(record));
  trusted_ = true;
  last_ = record.last();
  chain_ = record.chain;
  newest_first_ = first;
  newest_global_ = record.global;
  return {};
}

Result<void> RunCheck::end() {
  if (!head_ || !trusted_) return {};
  // The head was read first; a writer may have gone on since.
  if (head_->last > last_)
    problem("run '" + run_.value + "' ends at sequence " + std::to_string(last_.value) +
            " but its head is at " + std::to_string(head_->last.value));
  else if (head_->last == last_ && (head_->chain != chain_ || head_->record != newest_first_ ||
                                    head_->global != newest_global_ || head_->records != records_))
    problem("the head of run '" + run_.value + "' disagrees with its newest record, at " +
            place(run_, newest_first_));
  else if (head_->last < last_ && head_->records >= records_)
    problem("the head of run '" + run_.value + "' lags behind its records");
  if (!folding_) return {};
  std::uint64_t snapshots = 0;
  CR_CHECK(database_.scan(Table::snapshots, run_key(run_, Sequence(0)), run_key(run_, last_) + '\0',
                          [&](std::string_view, std::string_view) -> Result<bool> {
                            ++snapshots;
                            return true;
                          }));
  if (snapshots != snapshots_seen_)
    problem("run '" + run_.value + "' has snapshots that stand at no record's end");
  return {};
}

}  // namespace

void add_problem(VerifyReport& report, std::string sentence) {
  if (report.problems.size() < problems_max)
    report.problems.push_back(std::move(sentence));
  else if (report.problems.size() == problems_max)
    report.problems.push_back("there are more problems than are listed here");
}

void NumberingSum::add(GlobalSequence global, std::string_view record_key) {
  // splitmix64's last steps over both, so that no simple exchange of numbers keeps the sum.
  std::uint64_t mixed =
      std::hash<std::string_view>()(record_key) + global.value * 0x9E3779B97F4A7C15ULL;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  sum_ += mixed ^ (mixed >> 31);
  ++count_;
}

Result<NumberingSum> verify_records(const Database& database, const std::optional<RunId>& run,
                                    VerifyReport& report) {
  const RocksDbReader reader(database);
  NumberingSum numbering;
  std::optional<RunCheck> check;
  const auto each = [&](std::string_view key, std::string_view value) -> Result<bool> {
    const auto at = parse_run_key(key);
    if (!at) {
      add_problem(report,
                  "the table of records has a damaged key" +
                      (check ? " after " + place(check->run(), check->last()) : std::string()));
      return true;
    }
    if (!check || check->run() != at->first) {
      if (check) CR_CHECK(check->end());
      check.emplace(database, reader, at->first, run.has_value(), numbering, report);
      CR_CHECK(check->begin());
    }
    CR_CHECK(check->record(at->second, value));
    return true;
  };
  auto scanned =
      run ? database.scan(Table::records, run_key(*run, Sequence(0)), run_key_end(*run), each)
          : database.scan(Table::records, "", "", each);
  if (!scanned && scanned.error().code == ErrorCode::corrupt) {
    add_problem(report, (check ? "after " + place(check->run(), check->last())
                               : std::string("at the first record")) +
                            ": " + scanned.error().text());
    return numbering;
  }
  CR_CHECK(std::move(scanned));
  if (check) CR_CHECK(check->end());
  if (!run || check) return numbering;
  CR_TRY(const std::optional<RunHead> head, reader.head(*run));
  if (!head)
    return fail(ErrorCode::not_found,
                "there is no run '" + run->value + "' here; `checkride ls` lists them");
  add_problem(report, "run '" + run->value + "' has a head but no records");
  return numbering;
}

}  // namespace checkride

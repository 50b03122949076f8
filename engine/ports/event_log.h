// The event log: the truth. Reading is split from writing because another process reads through the
// owner's socket, or read-only, with the same verbs. docs/formats/log.md. Implementations:
// store/rocksdb (and its read-only form), store/memory; the socket client is a LogReader too. One
// behaviour suite runs over all (tests/support/event_log_suite.h).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/decider/event.h"
#include "engine/decider/state.h"

namespace checkride {

// Where a run's log stands, and what a list shows of it.
struct RunHead {
  RunId run;
  Sequence last;          // of its newest event
  Sequence record;        // first sequence of its newest record
  GlobalSequence global;  // of its newest record
  Digest chain;           // of its newest record
  std::uint64_t records = 0;
  RunSummary summary;
  bool operator==(const RunHead&) const = default;
};

struct Snapshot {
  RunId run;
  Sequence last;        // the state is the fold up to here, the end of a macrostep
  Digest chain;         // of the record that ends here
  Digest state_digest;  // SHA-256 of the state's canonical bytes
  RunState state;
};

struct StoredDefinition {
  Digest hash;
  std::string name;
  std::string source_name;
  std::string source;  // the YAML text; loading it again gives the hash
  Timestamp stored;
};

// A typed fact of a job, with where it stands.
struct SearchRow {
  RunId run;
  Sequence sequence;
  Timestamp time;
  JobFact fact;
};

// What verify() found. Every problem is a sentence that names run and sequence, or the file and the
// last good sequence.
struct VerifyReport {
  std::uint64_t runs = 0;
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t artifacts = 0;
  Duration took{};
  std::vector<std::string> problems;
};

class LogReader {
 public:
  virtual ~LogReader() = default;
  virtual Result<std::vector<RunHead>> heads() const = 0;  // by run id
  virtual Result<std::optional<RunHead>> head(const RunId& run) const = 0;
  // Records in order, from the one that holds `from`; stops when the callback says false. Checks
  // checksums, contiguity and chain links of what it reads: corrupt names run and sequence.
  virtual Result<void> read(const RunId& run, Sequence from,
                            const std::function<bool(const Record&)>& each) const = 0;
  // The newest snapshot at or before `at_most`.
  virtual Result<std::optional<Snapshot>> snapshot(const RunId& run, Sequence at_most) const = 0;
  virtual Result<std::optional<StoredDefinition>> definition(const Digest& hash) const = 0;
  // Facts of a type, oldest first, at most `count_max`.
  virtual Result<std::vector<SearchRow>> find(const std::string& fact_type,
                                              std::size_t count_max) const = 0;
};

// What one macrostep adds.
struct Append {
  Record record;               // without global, previous, chain, epoch: the log gives them
  RunSummary summary;          // of the state after it
  std::vector<JobFact> facts;  // of its JobFinished
  // The state after it, when a snapshot is due; written in the same batch.
  std::shared_ptr<const RunState> snapshot;
};

struct Committed {
  GlobalSequence global;
  Digest chain;
};

class EventLog : public LogReader {
 public:
  // One atomic batch, one sync, for records of any runs, in order. Blocking; one caller at a time
  // (the writer thread). A record whose `first` is not the run's next sequence is refused
  // (corrupt). After an io or no_space error nothing of the batch may be released and the log takes
  // no more appends.
  virtual Result<std::vector<Committed>> append(std::span<Append> batch) = 0;
  // Durable when it returns; storing the same hash again changes nothing.
  virtual Result<void> store_definition(const StoredDefinition& definition) = 0;
  virtual Epoch epoch() const = 0;
};

// Replays a run from its newest usable snapshot. not_found if there is no such run.
Result<RunState> load_state(const LogReader& log, const RunId& run,
                            std::optional<Sequence> at_most = std::nullopt);

}  // namespace checkride

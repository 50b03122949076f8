// What every log does with an Append before it writes: checks that it continues its run, gives it
// its place and its chain hash, and makes the run's new head. Shared by the logs so that they
// agree.
#pragma once

#include <utility>
#include <vector>

#include "engine/ports/event_log.h"

namespace checkride::codec {

// Where a run's log ends; all zero for a run without records.
struct Tail {
  Sequence last;
  Sequence record;
  Digest chain;
  std::uint64_t records = 0;
};
Tail tail_of(const RunHead& head);

struct Stamped {
  std::string value;  // of the record
  RunHead head;
};

// Sets global, previous, chain and epoch in `append.record`. A record that does not continue the
// run, has no events, or has a snapshot of another place is corrupt.
Result<Stamped> stamp(Append& append, const Tail& tail, GlobalSequence global, Epoch epoch,
                      std::uint32_t build);

// The stream of the store's own events; streams whose id begins with '@' are no runs.
inline const RunId store_stream{"@store"};
inline bool is_run(const RunId& id) {
  return !id.value.empty() && id.value.front() != '@';
}

// The StoreOpened record that begins an epoch, as an Append.
Append opening_of(const StoreOpened& opened, Sequence next, Timestamp time);

// Every artifact that an event of the record names, with the event's sequence.
std::vector<std::pair<Sequence, Artifact>> artifacts_of(const Record& record);

// The row for a fact of the record: it stands at the record's input.
SearchRow search_row_of(const Record& record, const JobFact& fact);

}  // namespace checkride::codec

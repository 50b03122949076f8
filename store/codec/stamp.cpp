#include "store/codec/stamp.h"

#include "store/codec/codec.h"

namespace checkride::codec {

namespace {

// The outcome an event brings, if it brings one.
struct OutcomeOf {
  const JobOutcome* operator()(const JobFinished& e) const { return &e.command.outcome; }
  const JobOutcome* operator()(const StaleResultRejected& e) const { return &e.command.outcome; }
  const JobOutcome* operator()(const IncidentResolved& e) const {
    return e.command.outcome ? &*e.command.outcome : nullptr;
  }
  template <class Other>
  const JobOutcome* operator()(const Other&) const {
    return nullptr;
  }
};

}  // namespace

Tail tail_of(const RunHead& head) {
  return Tail{head.last, head.record, head.chain, head.records};
}

Result<Stamped> stamp(Append& append, const Tail& tail, GlobalSequence global, Epoch epoch,
                      std::uint32_t build) {
  Record& record = append.record;
  const auto refused = [&](const std::string& why) {
    return fail(ErrorCode::corrupt, "a record for sequence " + std::to_string(record.first.value) +
                                        " of run '" + record.run.value + "' was refused: " + why);
  };
  if (record.events.empty()) return refused("it holds no event");
  if (record.first != tail.last.next())
    return refused("the run's next sequence is " + std::to_string(tail.last.next().value));
  if (append.snapshot &&
      (append.snapshot->run != record.run || append.snapshot->last != record.last()))
    return refused("its snapshot is that of another place");
  record.global = global;
  record.previous = tail.chain;
  record.epoch = epoch;
  CR_TRY(EncodedRecord encoded, encode_record(record, build));
  record.chain = encoded.chain;
  Stamped stamped;
  stamped.value = std::move(encoded.value);
  stamped.head = RunHead{record.run,   record.last(),    record.first,  global,
                         record.chain, tail.records + 1, append.summary};
  return stamped;
}

Append opening_of(const StoreOpened& opened, Sequence next, Timestamp time) {
  Append append;
  Record& record = append.record;
  record.run = store_stream;
  record.first = next;
  record.build = opened.build;
  record.command = CommandId("open." + std::to_string(opened.epoch.value));
  record.time = time;
  record.events.emplace_back(opened);
  append.summary.root = store_stream;
  append.summary.updated = time;
  return append;
}

std::vector<std::pair<Sequence, Artifact>> artifacts_of(const Record& record) {
  std::vector<std::pair<Sequence, Artifact>> found;
  std::uint64_t sequence = record.first.value;
  for (const Event& event : record.events) {
    if (const JobOutcome* outcome = std::visit(OutcomeOf{}, event))
      for (const Artifact& artifact : outcome->artifacts)
        found.emplace_back(Sequence(sequence), artifact);
    ++sequence;
  }
  return found;
}

SearchRow search_row_of(const Record& record, const JobFact& fact) {
  return SearchRow{record.run, record.first, record.time, fact};
}

}  // namespace checkride::codec

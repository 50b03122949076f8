// The behaviour every EventLog must have, run over each implementation from its own test program,
// so that the one in memory stays honest. Catch2 sections: call event_log_suite() from one
// TEST_CASE.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "engine/decider/decide.h"
#include "engine/ports/event_log.h"

namespace checkride::testing {

// A log and what its test may do to it beside appending.
class LogUnderTest {
 public:
  virtual ~LogUnderTest() = default;
  virtual EventLog& log() = 0;
  virtual void reopen() = 0;  // as after a proper end of the engine
};

// A record that continues `run` at `first` with as many events; the input is a cancel or, where
// there are facts, a finished job.
inline Append plain_append(const std::string& run, std::uint64_t first, std::size_t events = 2,
                           std::vector<JobFact> facts = {}) {
  Append append;
  Record& record = append.record;
  record.run = RunId(run);
  record.first = Sequence(first);
  record.build = "test 1";
  record.command = CommandId("c" + std::to_string(first));
  record.actor = Actor{Actor::Kind::local, "ada"};
  record.time = Timestamp{static_cast<std::int64_t>(1'000'000'000 + first)};
  record.monotonic = Duration(first);
  if (facts.empty()) {
    record.events.emplace_back(RunCancelRequested{CancelRun{"because " + std::to_string(first)}});
  } else {
    JobFinished finished;
    finished.command.token = Token(run + ".1");
    finished.command.outcome.facts = facts;
    record.events.emplace_back(finished);
  }
  while (record.events.size() < events)
    record.events.emplace_back(
        DataAssigned{"x" + std::to_string(record.events.size()), cel::Value(std::int64_t{7})});
  append.summary.definition_name = "suite";
  append.summary.root = record.run;
  append.summary.mode = RunMode::running;
  append.summary.updated = record.time;
  append.facts = std::move(facts);
  return append;
}

inline std::vector<Record> records_of(const LogReader& log, const std::string& run,
                                      std::uint64_t from = 1) {
  std::vector<Record> records;
  const auto read = log.read(RunId(run), Sequence(from), [&](const Record& record) {
    records.push_back(record);
    return true;
  });
  INFO((read ? std::string() : read.error().text()));
  REQUIRE(read.has_value());
  return records;
}

inline Committed append_one(EventLog& log, Append& append) {
  const auto committed = log.append(std::span(&append, 1));
  INFO((committed ? std::string() : committed.error().text()));
  REQUIRE(committed.has_value());
  REQUIRE(committed->size() == 1);
  return committed->front();
}

inline void event_log_suite(LogUnderTest& under_test) {
  SECTION("a record comes back as it was given, with what the log added") {
    Append append = plain_append("r", 1, 3);
    const Committed committed = append_one(under_test.log(), append);
    const auto records = records_of(under_test.log(), "r");
    REQUIRE(records.size() == 1);
    CHECK(records[0] == append.record);
    CHECK(records[0].global == committed.global);
    CHECK(records[0].chain == committed.chain);
    CHECK(records[0].epoch == under_test.log().epoch());
    CHECK(records[0].build == "test 1");
    CHECK(records[0].previous.zero());
    CHECK(!records[0].chain.zero());
  }

  SECTION("records of a run are chained and numbered without gaps, across runs and openings") {
    std::vector<Append> batch;
    batch.push_back(plain_append("a", 1, 2));
    batch.push_back(plain_append("b", 1, 1));
    batch.push_back(plain_append("a", 3, 4));
    const auto committed = under_test.log().append(batch);
    REQUIRE(committed.has_value());
    REQUIRE(committed->size() == 3);
    CHECK((*committed)[1].global.value == (*committed)[0].global.value + 1);
    CHECK((*committed)[2].global.value == (*committed)[1].global.value + 1);
    under_test.reopen();
    Append next = plain_append("a", 7);
    append_one(under_test.log(), next);
    const auto records = records_of(under_test.log(), "a");
    REQUIRE(records.size() == 3);
    CHECK(records[1].previous == records[0].chain);
    CHECK(records[2].previous == records[1].chain);
    CHECK(records[2].epoch == under_test.log().epoch());
    CHECK(records[2].epoch > records[1].epoch);
    CHECK(records[2].global > records[1].global);
  }

  SECTION("a batch with one record that does not continue its run changes nothing") {
    std::vector<Append> first;
    first.push_back(plain_append("a", 1, 2));
    REQUIRE(under_test.log().append(first).has_value());
    for (const std::uint64_t wrong : {1ULL, 2ULL, 4ULL}) {
      std::vector<Append> batch;
      batch.push_back(plain_append("b", 1));
      batch.push_back(plain_append("a", wrong));
      const auto refused = under_test.log().append(batch);
      REQUIRE(!refused.has_value());
      CHECK(refused.error().code == ErrorCode::corrupt);
      CHECK(refused.error().text().find("'a'") != std::string::npos);
      CHECK(under_test.log().head(RunId("b")).value() == std::nullopt);
    }
    // A refusal is no failure: the log goes on.
    Append next = plain_append("a", 3);
    append_one(under_test.log(), next);
  }

  SECTION("a record without events, or with a snapshot of another place, is refused") {
    Append empty = plain_append("a", 1);
    empty.record.events.clear();
    CHECK(under_test.log().append(std::span(&empty, 1)).error().code == ErrorCode::corrupt);
    Append wrong = plain_append("a", 1, 2);
    RunState state;
    state.run = RunId("a");
    state.last = Sequence(1);
    wrong.snapshot = std::make_shared<const RunState>(state);
    CHECK(under_test.log().append(std::span(&wrong, 1)).error().code == ErrorCode::corrupt);
  }

  SECTION("an empty batch is nothing") {
    const auto committed = under_test.log().append({});
    REQUIRE(committed.has_value());
    CHECK(committed->empty());
  }

  SECTION("heads say where runs stand, by run id, and leave out the store's own stream") {
    std::vector<Append> batch;
    batch.push_back(plain_append("b", 1, 2));
    batch.push_back(plain_append("a", 1, 1));
    batch.push_back(plain_append("b", 3, 2));
    batch[2].summary.outcome = RunOutcome::failed;
    batch[2].summary.next_due = Timestamp{77};
    const auto committed = under_test.log().append(batch);
    REQUIRE(committed.has_value());
    under_test.reopen();
    const auto heads = under_test.log().heads();
    REQUIRE(heads.has_value());
    REQUIRE(heads->size() == 2);
    CHECK((*heads)[0].run.value == "a");
    const RunHead& b = (*heads)[1];
    CHECK(b.run.value == "b");
    CHECK(b.last == Sequence(4));
    CHECK(b.record == Sequence(3));
    CHECK(b.records == 2);
    CHECK(b.global == committed->back().global);
    CHECK(b.chain == committed->back().chain);
    CHECK(b.summary == batch[2].summary);
    CHECK(under_test.log().head(RunId("b")).value() == b);
    CHECK(under_test.log().head(RunId("c")).value() == std::nullopt);
  }

  SECTION("every opening is counted and noted in the store's own stream") {
    const Epoch before = under_test.log().epoch();
    under_test.reopen();
    CHECK(under_test.log().epoch() == before.next());
    const auto records = records_of(under_test.log(), "@store");
    REQUIRE(!records.empty());
    const auto* opened = std::get_if<StoreOpened>(&records.back().events.front());
    REQUIRE(opened != nullptr);
    CHECK(opened->epoch == under_test.log().epoch());
    CHECK(opened->clean);
  }

  SECTION("reading begins with the record that holds the sequence, and stops when told to") {
    std::uint64_t first = 1;
    for (int i = 0; i < 10; ++i, first += 3) {
      Append append = plain_append("a", first, 3);
      append_one(under_test.log(), append);
    }
    Append other = plain_append("a.4", 1);  // a child's id begins with its parent's
    append_one(under_test.log(), other);
    const auto from_five = records_of(under_test.log(), "a", 5);
    REQUIRE(from_five.size() == 9);
    CHECK(from_five.front().first == Sequence(4));
    CHECK(from_five.back().first == Sequence(28));
    CHECK(records_of(under_test.log(), "a", 30).size() == 1);
    CHECK(records_of(under_test.log(), "a", 31).empty());
    CHECK(records_of(under_test.log(), "a", 0).size() == 10);
    int seen = 0;
    REQUIRE(under_test.log()
                .read(RunId("a"), Sequence(1), [&](const Record&) { return ++seen < 3; })
                .has_value());
    CHECK(seen == 3);
    const auto missing =
        under_test.log().read(RunId("z"), Sequence(1), [](const Record&) { return true; });
    REQUIRE(!missing.has_value());
    CHECK(missing.error().code == ErrorCode::not_found);
  }

  SECTION("the callback of a read may use the log") {
    Append append = plain_append("a", 1);
    append_one(under_test.log(), append);
    bool found = false;
    REQUIRE(under_test.log()
                .read(RunId("a"), Sequence(1),
                      [&](const Record& record) {
                        found = under_test.log().head(record.run).value().has_value();
                        return true;
                      })
                .has_value());
    CHECK(found);
  }

  SECTION("the newest snapshot at or before a sequence is found") {
    RunState state;
    state.run = RunId("a");
    for (std::uint64_t i = 0; i < 4; ++i) {
      Append append = plain_append("a", 1 + 2 * i, 2);
      evolve(state, append.record);
      if (i % 2 == 1) append.snapshot = std::make_shared<const RunState>(state);
      append_one(under_test.log(), append);
    }
    under_test.reopen();
    const LogReader& log = under_test.log();
    CHECK(log.snapshot(RunId("a"), Sequence(3)).value() == std::nullopt);
    const auto early = log.snapshot(RunId("a"), Sequence(7)).value();
    REQUIRE(early.has_value());
    CHECK(early->last == Sequence(4));
    const auto late = log.snapshot(RunId("a"), Sequence(100)).value();
    REQUIRE(late.has_value());
    CHECK(late->last == Sequence(8));
    CHECK(late->state == state);
    CHECK(late->chain == log.head(RunId("a")).value()->chain);
    CHECK(!late->state_digest.zero());
    CHECK(log.snapshot(RunId("b"), Sequence(100)).value() == std::nullopt);
    // With a snapshot or without, the state is the same.
    const auto loaded = load_state(log, RunId("a"), Sequence(7));
    REQUIRE(loaded.has_value());
    CHECK(loaded->last == Sequence(7));
    CHECK(load_state(log, RunId("a")).value() == state);
    CHECK(load_state(log, RunId("b")).error().code == ErrorCode::not_found);
  }

  SECTION("a definition is stored once, under its hash") {
    StoredDefinition definition;
    definition.hash = sha256("canonical");
    definition.name = "flow";
    definition.source_name = "flow.yaml";
    definition.source = std::string("checkride: 1\n\0odd", 17);
    definition.stored = Timestamp{5};
    REQUIRE(under_test.log().store_definition(definition).has_value());
    StoredDefinition again = definition;
    again.stored = Timestamp{9};
    REQUIRE(under_test.log().store_definition(again).has_value());
    under_test.reopen();
    const auto found = under_test.log().definition(definition.hash).value();
    REQUIRE(found.has_value());
    CHECK(found->source == definition.source);
    CHECK(found->stored == Timestamp{5});
    CHECK(!under_test.log().definition(sha256("other")).value().has_value());
  }

  SECTION("facts are found by type, oldest first") {
    const auto fact = [](const std::string& type, std::int64_t n) {
      JobFact f;
      f.type = type;
      f.fields.set("n", cel::Value(n));
      return f;
    };
    Append a = plain_append("b", 1, 1, {fact("test.passed", 1), fact("test.passed", 2)});
    append_one(under_test.log(), a);
    Append b = plain_append("a", 1, 1, {fact("test.passed", 3), fact("test", 4)});
    append_one(under_test.log(), b);
    under_test.reopen();
    const auto rows = under_test.log().find("test.passed", 100).value();
    REQUIRE(rows.size() == 3);
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(rows[i].fact == fact("test.passed", static_cast<std::int64_t>(i) + 1));
    CHECK(rows[0].run.value == "b");
    CHECK(rows[2].run.value == "a");
    CHECK(rows[2].sequence == Sequence(1));
    CHECK(rows[2].time == b.record.time);
    CHECK(under_test.log().find("test.passed", 2).value().size() == 2);
    CHECK(under_test.log().find("test", 100).value().size() == 1);
    CHECK(under_test.log().find("te", 100).value().empty());
  }

  SECTION("a value that could not be read back is refused, and the log goes on") {
    cel::Value deep{1};
    for (int i = 0; i < 1000; ++i) deep = cel::Value(cel::List{deep});
    Append append = plain_append("a", 1);
    append.record.events.emplace_back(DataAssigned{"deep", deep});
    const auto refused = under_test.log().append(std::span(&append, 1));
    REQUIRE(!refused.has_value());
    CHECK(refused.error().code == ErrorCode::invalid_argument);
    Append next = plain_append("a", 1);
    append_one(under_test.log(), next);
  }
}

}  // namespace checkride::testing

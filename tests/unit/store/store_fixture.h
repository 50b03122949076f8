// A store in a folder of its own, with its heads file beside it, for tests over the real thing.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "store/rocksdb/store.h"
#include "temporary_folder.h"
#include "tests/support/event_log_suite.h"

namespace checkride::testing {

struct StoreFixture {
  TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "store";
  std::filesystem::path heads = folder.path() / "heads";

  StoreOptions options(StoreMode mode = StoreMode::read_write) const {
    StoreOptions options;
    options.mode = mode;
    options.heads_folder = heads;
    options.build = "test 1";
    options.host = "here";
    options.lock_wait = Duration(0);
    return options;
  }
  Result<std::unique_ptr<Store>> try_open(StoreMode mode = StoreMode::read_write) const {
    return Store::open(path, options(mode));
  }
  std::unique_ptr<Store> open(StoreMode mode = StoreMode::read_write) const {
    auto store = try_open(mode);
    INFO((store ? std::string() : store.error().text()));
    REQUIRE(store.has_value());
    return *std::move(store);
  }
};

inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// What a person hears about the store: the error of opening it, or what verify finds.
inline std::vector<std::string> problems_of(const StoreFixture& fixture) {
  const auto store = fixture.try_open(StoreMode::read_only);
  if (!store) return {store.error().text()};
  const auto report = (*store)->verify();
  if (!report) return {report.error().text()};
  return report->problems;
}

// Records of several runs, one of them with snapshots that are the fold of its events, facts and an
// artifact.
inline void fill_store(Store& store, std::uint64_t rounds) {
  EventLog& log = *store.log();
  const auto artifact = store.artifacts().put("the evidence of " + std::to_string(rounds));
  REQUIRE(artifact.has_value());
  RunState state;
  const auto head = log.head(RunId("folded")).value();
  std::uint64_t next = head ? head->last.value + 1 : 1;
  if (head) state = load_state(log, RunId("folded")).value();
  for (std::uint64_t i = 0; i < rounds; ++i, next += 2) {
    JobFact fact;
    fact.type = "test.passed";
    std::vector<Append> batch;
    batch.push_back(plain_append("folded", next, 2, {fact}));
    std::get<JobFinished>(batch[0].record.events[0]).command.outcome.artifacts = {
        Artifact{"stdout", artifact->digest, artifact->bytes}};
    batch.push_back(plain_append("other", next, 2));
    if (next == 1) batch[0].record.events[1] = RunStarted{};
    evolve(state, batch[0].record);
    if (i % 4 == 3) batch[0].snapshot = std::make_shared<const RunState>(state);
    REQUIRE(log.append(batch).has_value());
  }
  StoredDefinition definition;
  definition.hash = sha256("definition");
  definition.name = "flow";
  definition.source = "checkride: 1";
  REQUIRE(log.store_definition(definition).has_value());
}

}  // namespace checkride::testing

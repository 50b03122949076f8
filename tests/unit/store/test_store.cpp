#include <catch2/catch.hpp>
#include <fstream>

#include "engine/base/files.h"
#include "store_fixture.h"

using namespace checkride;
using namespace checkride::testing;
namespace fs = std::filesystem;

namespace {

class RocksDbUnderTest final : public LogUnderTest {
 public:
  RocksDbUnderTest() : store_(fixture_.open()) {}
  EventLog& log() override { return *store_->log(); }
  void reopen() override {
    store_.reset();
    store_ = fixture_.open();
  }

 private:
  StoreFixture fixture_;
  std::unique_ptr<Store> store_;
};

}  // namespace

TEST_CASE("the log on disk behaves as an event log", "[store][rocksdb]") {
  RocksDbUnderTest under_test;
  event_log_suite(under_test);
}

TEST_CASE("a store keeps its id, and what was written, over openings", "[store][rocksdb]") {
  const StoreFixture fixture;
  std::string id;
  for (std::uint64_t round = 0; round < 25; ++round) {
    const auto store = fixture.open();
    if (round == 0) id = store->id();
    CHECK(store->id() == id);
    CHECK(store->notices().empty());
    CHECK(store->log()->epoch() == Epoch(round + 1));
    Append append = plain_append("a", 1 + 2 * round);
    append_one(*store->log(), append);
  }
  CHECK(id.size() == 32);
  CHECK(store_id(fixture.path).value() == id);
  const auto reader = fixture.open(StoreMode::read_only);
  CHECK(reader->log() == nullptr);
  CHECK(records_of(reader->reader(), "a").size() == 25);
  const auto report = reader->verify();
  REQUIRE(report.has_value());
  CHECK(joined(report->problems) == "");
  CHECK(report->records == 50);
}

TEST_CASE("verify counts what it read and finds nothing wrong with a whole store",
          "[store][rocksdb]") {
  const StoreFixture fixture;
  const auto store = fixture.open();
  fill_store(*store, 20);
  const auto report = store->verify();
  REQUIRE(report.has_value());
  CHECK(joined(report->problems) == "");
  CHECK(report->runs == 2);
  CHECK(report->records == 41);
  CHECK(report->events == 81);
  CHECK(report->snapshots == 5);
  CHECK(report->artifacts == 1);
  CHECK(report->bytes > 5000);
  const auto one = store->verify(RunId("folded"));
  REQUIRE(one.has_value());
  CHECK(joined(one->problems) == "");
  CHECK(one->records == 20);
  CHECK(store->verify(RunId("nobody")).error().code == ErrorCode::not_found);
}

TEST_CASE("a snapshot that is not the fold of its events is found", "[store][rocksdb]") {
  const StoreFixture fixture;
  const auto store = fixture.open();
  Append append = plain_append("a", 1);
  RunState state;
  state.run = RunId("a");
  evolve(state, append.record);
  state.outcome_reason = "not what happened";
  append.snapshot = std::make_shared<const RunState>(state);
  append_one(*store->log(), append);
  const auto report = store->verify();
  REQUIRE(report.has_value());
  REQUIRE(report->problems.size() == 1);
  CHECK(contains(report->problems[0], "snapshot at sequence 2 of run 'a'"));
}

TEST_CASE("a store has one owner, and no reader beside it", "[store][rocksdb]") {
  const StoreFixture fixture;
  {
    const auto store = fixture.open();
    for (const StoreMode mode : {StoreMode::read_write, StoreMode::read_only}) {
      const auto second = fixture.try_open(mode);
      REQUIRE(!second.has_value());
      CHECK(second.error().code == ErrorCode::locked);
      CHECK(contains(second.error().text(), "process " + std::to_string(::getpid()) + " on here"));
    }
    CHECK(contains(store_owner(fixture.path), "process"));
  }
  CHECK(store_owner(fixture.path).empty());
  std::ofstream(fixture.path / "lock")
      << "process 4711 on here\n";  // as one that was killed leaves it
  CHECK(store_owner(fixture.path).empty());
  const auto reader = fixture.open(StoreMode::read_only);
  const auto another = fixture.open(StoreMode::read_only);
  const auto writer = fixture.try_open();
  REQUIRE(!writer.has_value());
  CHECK(writer.error().code == ErrorCode::locked);
  CHECK(contains(writer.error().text(), "being read"));
}

TEST_CASE("where there is no store, opening says so and makes none", "[store][rocksdb]") {
  const StoreFixture fixture;
  CHECK(fixture.try_open(StoreMode::read_only).error().code == ErrorCode::not_found);
  StoreOptions options = fixture.options();
  options.create = false;
  CHECK(Store::open(fixture.path, options).error().code == ErrorCode::not_found);
  CHECK(!fs::exists(fixture.path));
  CHECK(store_id(fixture.path).error().code == ErrorCode::not_found);
}

TEST_CASE("a folder with other things in it does not become a store", "[store][rocksdb]") {
  const StoreFixture fixture;
  fs::create_directories(fixture.path);
  std::ofstream(fixture.path / "thesis.tex") << "mine";
  const auto store = fixture.try_open();
  REQUIRE(!store.has_value());
  CHECK(store.error().code == ErrorCode::invalid_argument);
}

TEST_CASE("a store of a later format is refused politely", "[store][rocksdb]") {
  const StoreFixture fixture;
  fixture.open();
  const std::string text = "checkride store\nformat 2\nid " + std::string(32, 'a') + "\n";
  const std::uint32_t checksum = crc32c(std::as_bytes(std::span(text)));
  char line[32];
  std::snprintf(line, sizeof line, "checksum %08x\n", checksum);
  REQUIRE(write_file_atomic(fixture.path / "store", text + line).has_value());
  CHECK(fixture.try_open().error().code == ErrorCode::unsupported);
}

TEST_CASE("a log behind its heads file is refused, and taken when it was restored",
          "[store][rocksdb]") {
  const StoreFixture fixture;
  {
    const auto store = fixture.open();
    Append append = plain_append("a", 1);
    append_one(*store->log(), append);
  }
  const fs::path backup = fixture.folder.path() / "backup";
  fs::copy(fixture.path, backup, fs::copy_options::recursive);
  std::string id;
  {
    const auto store = fixture.open();
    id = store->id();
    Append append = plain_append("a", 3);
    append_one(*store->log(), append);
  }
  fs::remove_all(fixture.path);
  fs::copy(backup, fixture.path, fs::copy_options::recursive);
  for (const StoreMode mode : {StoreMode::read_write, StoreMode::read_only}) {
    const auto refused = fixture.try_open(mode);
    REQUIRE(!refused.has_value());
    CHECK(refused.error().code == ErrorCode::corrupt);
    CHECK(contains(refused.error().text(), "acknowledged up to record number 4"));
    CHECK(contains(refused.error().text(), "ends at record number 2, sequence 2 of run 'a'"));
    CHECK(contains(refused.error().text(), (fixture.heads / id).native()));
  }
  StoreOptions options = fixture.options();
  options.restored = true;
  {
    const auto restored = Store::open(fixture.path, options);
    INFO((restored ? std::string() : restored.error().text()));
    REQUIRE(restored.has_value());
    CHECK((*restored)->id() != id);
    CHECK(records_of((*restored)->reader(), "a").size() == 1);
  }
  const auto store = fixture.open();
  CHECK(joined(store->verify()->problems) == "");
}

TEST_CASE("a log that is another one than was written is refused", "[store][rocksdb]") {
  const StoreFixture fixture;
  { fixture.open(); }
  const fs::path fork = fixture.folder.path() / "fork";
  fs::copy(fixture.path, fork, fs::copy_options::recursive);
  const auto write = [&](const std::string& why) {
    const auto store = fixture.open();
    Append append = plain_append("a", 1);
    std::get<RunCancelRequested>(append.record.events[0]).command.reason = why;
    append_one(*store->log(), append);
  };
  write("as it was");
  // The same store, from before, goes another way without this heads file knowing.
  const fs::path heads_kept = fixture.folder.path() / "heads-kept";
  fs::copy(fixture.heads, heads_kept, fs::copy_options::recursive);
  fs::remove_all(fixture.path);
  fs::remove_all(fixture.heads);
  fs::rename(fork, fixture.path);
  write("as somebody would like it");
  fs::remove_all(fixture.heads);
  fs::rename(heads_kept, fixture.heads);
  const auto refused = fixture.try_open();
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code == ErrorCode::corrupt);
  CHECK(contains(refused.error().text(), "not the log that was written"));
}

TEST_CASE("without its heads file a store opens and says what cannot be known",
          "[store][rocksdb]") {
  const StoreFixture fixture;
  { fixture.open(); }
  fs::remove_all(fixture.heads);
  {
    const auto store = fixture.open(StoreMode::read_only);
    REQUIRE(store->notices().size() == 1);
    CHECK(contains(store->notices()[0], "no heads file"));
  }
  { CHECK(fixture.open()->notices().size() == 1); }
  CHECK(fixture.open()->notices().empty());
}

TEST_CASE("free space is told against the marks", "[store][rocksdb]") {
  const StoreFixture fixture;
  StoreOptions options = fixture.options();
  SECTION("enough") {
    options.soft_free_bytes = options.hard_free_bytes = 1;
    CHECK(Store::open(fixture.path, options).value()->free_space()->level ==
          FreeSpace::Level::enough);
  }
  SECTION("below the soft mark") {
    options.soft_free_bytes = UINT64_MAX;
    options.hard_free_bytes = 1;
    CHECK(Store::open(fixture.path, options).value()->free_space()->level ==
          FreeSpace::Level::below_soft);
  }
  SECTION("below the hard mark") {
    options.soft_free_bytes = options.hard_free_bytes = UINT64_MAX;
    CHECK(Store::open(fixture.path, options).value()->free_space()->level ==
          FreeSpace::Level::below_hard);
  }
}

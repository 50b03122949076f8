#include <catch2/catch.hpp>
#include <fstream>
#include <set>

#include "engine/base/files.h"
#include "store/rocksdb/database.h"
#include "store_fixture.h"

using namespace checkride;
using namespace checkride::testing;
namespace fs = std::filesystem;

namespace {

void flip(const fs::path& file, std::uint64_t offset, char mask) {
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write, fs::perm_options::add);
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  REQUIRE(stream.good());
  char byte = 0;
  stream.seekg(static_cast<std::streamoff>(offset)).read(&byte, 1);
  byte = static_cast<char>(byte ^ mask);
  stream.seekp(static_cast<std::streamoff>(offset)).write(&byte, 1);
  REQUIRE(stream.good());
}

// All kinds of files at once: tables, a write-ahead log with records of its own, artifacts.
void make_full_store(const StoreFixture& fixture) {
  {
    const auto store = fixture.open();
    fill_store(*store, 40);
  }
  {
    const auto database = Database::open(fixture.path / "db", DatabaseMode::read_write);
    REQUIRE(database.has_value());
    REQUIRE((*database)->flush().has_value());
  }
  const auto store = fixture.open();
  fill_store(*store, 12);
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("a flipped byte in any file of a store is noticed, and the file is named",
          "[store][rocksdb][damage]") {
  const StoreFixture fixture;
  make_full_store(fixture);
  REQUIRE(joined(problems_of(fixture)) == "");
  std::set<std::string> kinds;
  auto files = files_below(fixture.path);
  for (const fs::path& file : files_below(fixture.heads)) files.push_back(file);
  for (const fs::path& file : files) {
    const std::uint64_t size = fs::file_size(file);
    const std::string name = file.filename().native();
    if (size == 0) continue;  // locks of the store and of RocksDB hold nothing
    kinds.insert(name.substr(0, 3) + file.extension().native());
    // Every byte of a small file would take minutes; the ends and a spread find every section.
    const std::uint64_t step = std::max<std::uint64_t>(1, size / 40);
    for (std::uint64_t at = 0; at < size; at += step) {
      for (const std::uint64_t offset : {at, size - 1 - at}) {
        const char mask = offset % 2 == 0 ? 0x01 : static_cast<char>(0x80);
        flip(file, offset, mask);
        const std::string heard = joined(problems_of(fixture));
        flip(file, offset, mask);
        CAPTURE(file, offset, size, heard);
        CHECK(heard != "");
        const std::string hash_name =
            file.parent_path().filename().native() + file.filename().native();
        CHECK((contains(heard, name) || contains(heard, hash_name)));
      }
    }
  }
  CHECK(joined(problems_of(fixture)) == "");
  CAPTURE(joined({kinds.begin(), kinds.end()}));
  CHECK(kinds.size() >= 8);
}

TEST_CASE(
    "an owner does not open a store with a damaged write-ahead log, and says how far it is "
    "good",
    "[store][rocksdb][damage]") {
  const StoreFixture fixture;
  {
    const auto store = fixture.open();
    for (std::uint64_t i = 0; i < 50; ++i) {
      Append append = plain_append("a", 1 + 2 * i);
      append_one(*store->log(), append);
    }
  }
  fs::path wal;
  for (const fs::path& file : files_below(fixture.path / "db"))
    if (file.extension() == ".log" && fs::file_size(file) > 1000) wal = file;
  REQUIRE(!wal.empty());
  const std::uint64_t size = fs::file_size(wal);
  flip(wal, size / 2, 0x10);
  const auto opened = fixture.try_open();
  REQUIRE(!opened.has_value());
  CHECK(opened.error().code == ErrorCode::corrupt);
  CHECK(contains(opened.error().text(), wal.filename().native()));
  CHECK(contains(opened.error().text(), "the last good record is number"));
  CHECK(contains(opened.error().text(), "of run 'a'"));
  flip(wal, size / 2, 0x10);
  CHECK(fixture.try_open().has_value());
}

TEST_CASE("a write-ahead log that lost its end is refused", "[store][rocksdb][damage]") {
  const StoreFixture fixture;
  {
    const auto store = fixture.open();
    for (std::uint64_t i = 0; i < 5; ++i) {
      Append append = plain_append("a", 1 + 2 * i);
      append_one(*store->log(), append);
    }
  }
  for (const fs::path& file : files_below(fixture.path / "db"))
    if (file.extension() == ".log" && fs::file_size(file) > 1000)
      fs::resize_file(file, fs::file_size(file) - 400);
  for (const StoreMode mode : {StoreMode::read_only, StoreMode::read_write}) {
    const auto opened = fixture.try_open(mode);
    REQUIRE(!opened.has_value());
    CHECK(opened.error().code == ErrorCode::corrupt);
    CHECK(contains(opened.error().text(), "its end is lost"));
  }
}

TEST_CASE("one changed byte of any stored record is found, by run and sequence",
          "[store][rocksdb][damage]") {
  const StoreFixture fixture;
  {
    const auto store = fixture.open();
    fill_store(*store, 8);
  }
  struct Stored {
    std::string key;
    std::string value;
    RunId run;
    Sequence first;
  };
  std::vector<Stored> records;
  const auto change = [&](const Stored& record, const std::string& value) {
    const auto database = Database::open(fixture.path / "db", DatabaseMode::read_write);
    REQUIRE(database.has_value());
    rocksdb::WriteBatch batch;
    (*database)->put(batch, Table::records, record.key, value);
    REQUIRE((*database)->write(batch).has_value());
  };
  {
    const auto database = Database::open(fixture.path / "db", DatabaseMode::read_only);
    REQUIRE(database.has_value());
    REQUIRE((*database)
                ->scan(Table::records, "", "",
                       [&](std::string_view key, std::string_view value) -> Result<bool> {
                         const auto place = parse_run_key(key).value();
                         records.push_back(Stored{std::string(key), std::string(value), place.first,
                                                  place.second});
                         return true;
                       })
                .has_value());
  }
  REQUIRE(records.size() == 17);
  std::size_t at = 0;
  for (const Stored& record : records) {
    std::string damaged = record.value;
    at = (at + 31) % damaged.size();
    damaged[at] = static_cast<char>(damaged[at] ^ 0x04);
    change(record, damaged);
    const std::string heard = joined(problems_of(fixture));
    CAPTURE(at, heard);
    CHECK(contains(heard, "sequence " + std::to_string(record.first.value) + " of run '" +
                              record.run.value + "'"));
    change(record, record.value);
  }
  { fixture.open(); }  // notes anew which small files RocksDB has; change() made it replace some
  CHECK(joined(problems_of(fixture)) == "");
}

TEST_CASE("a missing record, head, number or artifact is found", "[store][rocksdb][damage]") {
  const StoreFixture fixture;
  {
    const auto store = fixture.open();
    fill_store(*store, 8);
  }
  const auto erase = [&](Table table, const std::string& key) {
    const auto database = Database::open(fixture.path / "db", DatabaseMode::read_write);
    REQUIRE(database.has_value());
    rocksdb::WriteBatch batch;
    (*database)->erase(batch, table, key);
    REQUIRE((*database)->write(batch).has_value());
  };
  SECTION("a record in the middle") {
    erase(Table::records, run_key(RunId("other"), Sequence(5)));
    const std::string heard = joined(problems_of(fixture));
    CHECK(contains(heard, "after sequence 4 of run 'other' comes sequence 7"));
    const auto store = fixture.open();
    const auto read =
        store->reader().read(RunId("other"), Sequence(1), [](const Record&) { return true; });
    REQUIRE(!read.has_value());
    CHECK(read.error().code == ErrorCode::corrupt);
  }
  SECTION("the newest record") {
    erase(Table::records, run_key(RunId("folded"), Sequence(15)));
    const std::string heard = joined(problems_of(fixture));
    CHECK(contains(heard, "ends at sequence 14 but its head is at 16"));
    const auto store = fixture.open();
    CHECK(store->reader()
              .read(RunId("folded"), Sequence(1), [](const Record&) { return true; })
              .error()
              .code == ErrorCode::corrupt);
  }
  SECTION("a whole run") {
    for (std::uint64_t first = 1; first < 17; first += 2)
      erase(Table::records, run_key(RunId("other"), Sequence(first)));
    CHECK(contains(joined(problems_of(fixture)), "of run 'other'"));
  }
  SECTION("a head") {
    erase(Table::heads, "other");
    CHECK(contains(joined(problems_of(fixture)), "run 'other' has records but no head"));
  }
  SECTION("a number") {
    erase(Table::global, big_endian(5));
    CHECK(contains(joined(problems_of(fixture)), "record number 5 is missing from the numbering"));
  }
  SECTION("an artifact") {
    for (const fs::path& file : files_below(fixture.path / "artifacts")) fs::remove(file);
    const std::string heard = joined(problems_of(fixture));
    CHECK(contains(heard, "needed by sequence 1 of run 'folded'"));
  }
}

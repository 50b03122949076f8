#include <catch2/catch.hpp>

#include "store/memory/memory_log.h"
#include "tests/support/event_log_suite.h"

using namespace checkride;
using namespace checkride::testing;

namespace {

class MemoryUnderTest final : public LogUnderTest {
 public:
  EventLog& log() override { return log_; }
  void reopen() override { log_.reopen(true); }

 private:
  MemoryLog log_;
};

}  // namespace

TEST_CASE("the log in memory behaves as an event log", "[store][memory]") {
  MemoryUnderTest under_test;
  event_log_suite(under_test);
}

TEST_CASE("a failing log takes no more records until it is opened again", "[store][memory]") {
  MemoryLog log;
  Append first = plain_append("a", 1);
  append_one(log, first);
  const auto leaves = GENERATE(MemoryLog::Leaves::nothing, MemoryLog::Leaves::everything);
  log.fail_next(ErrorCode::no_space, leaves);
  Append second = plain_append("a", 3);
  CHECK(log.append(std::span(&second, 1)).error().code == ErrorCode::no_space);
  CHECK(log.append(std::span(&second, 1)).error().code == ErrorCode::io);
  log.reopen();
  const bool there = leaves == MemoryLog::Leaves::everything;
  CHECK(records_of(log, "a").size() == (there ? 2U : 1U));
  Append next = plain_append("a", there ? 5 : 3);
  append_one(log, next);
}

TEST_CASE("damage in memory is noticed when it is read", "[store][memory]") {
  MemoryLog log;
  for (std::uint64_t first = 1; first < 9; first += 2) {
    Append append = plain_append("a", first);
    append_one(log, append);
  }
  log.damage(RunId("a"), Sequence(5), 60);
  std::uint64_t last = 0;
  const auto read = log.read(RunId("a"), Sequence(1), [&](const Record& record) {
    last = record.last().value;
    return true;
  });
  REQUIRE(!read.has_value());
  CHECK(read.error().code == ErrorCode::corrupt);
  CHECK(read.error().text().find("sequence 5 of run 'a'") != std::string::npos);
  CHECK(last == 4);
}

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <random>

#include "store_fixture.h"

using namespace checkride;
using namespace checkride::testing;

namespace {

// Runs the writer until it has acknowledged `groups` groups, kills it, and gives the number of the
// last record it acknowledged (what it printed after the kill is counted too: it was acknowledged).
std::uint64_t write_and_kill(const StoreFixture& fixture, std::size_t group, int groups) {
  int fds[2];
  REQUIRE(::pipe(fds) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(fds[1], 1);
    ::close(fds[0]);
    ::close(fds[1]);
    const std::string size = std::to_string(group);
    ::execl(STORE_WRITER, STORE_WRITER, fixture.path.c_str(), fixture.heads.c_str(), size.c_str(),
            static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(fds[1]);
  std::string output;
  bool killed = false;
  char block[4096];
  for (;;) {
    const ssize_t got = ::read(fds[0], block, sizeof block);
    if (got <= 0) break;
    output.append(block, static_cast<std::size_t>(got));
    if (!killed && std::count(output.begin(), output.end(), '\n') >= groups) {
      ::kill(child, SIGKILL);
      killed = true;
    }
  }
  ::close(fds[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(killed);
  REQUIRE(WIFSIGNALED(status));
  output.resize(output.rfind('\n') + 1);
  const std::size_t line = output.rfind('\n', output.size() - 2);
  return std::stoull(output.substr(line == std::string::npos ? 0 : line + 1));
}

}  // namespace

TEST_CASE("what was acknowledged before kill -9 is there afterwards", "[store][rocksdb][crash]") {
  const StoreFixture fixture;
  std::mt19937 random(7);
  for (int round = 0; round < 25; ++round) {
    CAPTURE(round);
    const std::size_t group = round % 3 == 0 ? 1 : 64;
    const int groups = 1 + static_cast<int>(random() % 60);
    const std::uint64_t acknowledged = write_and_kill(fixture, group, groups);
    const auto store = fixture.open(StoreMode::read_only);
    CHECK(store->notices().empty());
    std::uint64_t newest = 0;
    const auto heads = store->reader().heads();
    REQUIRE(heads.has_value());
    for (const RunHead& head : *heads) newest = std::max(newest, head.global.value);
    CHECK(newest >= acknowledged);
    if (round % 8 == 7) {
      const auto report = store->verify();
      REQUIRE(report.has_value());
      CHECK(joined(report->problems) == "");
      CHECK(report->records >= acknowledged);
    }
  }
  // The next owner knows that the one before did not end properly.
  const auto store = fixture.open();
  const auto records = records_of(store->reader(), "@store");
  CHECK(!std::get<StoreOpened>(records.back().events.front()).clean);
}

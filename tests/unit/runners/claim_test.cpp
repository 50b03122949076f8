#include "engine/runners/local/claim.h"

#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "engine/runners/local/attempt_folder.h"
#include "engine/runners/local/process_identity.h"
#include "engine/runners/local/settle.h"
#include "tests/unit/runners/harness.h"

namespace checkride {

namespace {

const Token token("run.1");

ProcessIdentity me() {
  return own_identity(Timestamp{5}).value();
}

}  // namespace

TEST_CASE("a claim can be taken once, and shows its owner while it is held", "[runners]") {
  const TemporaryFolder folder;
  CHECK(look_at_claim(folder.path())->state == ClaimState::absent);
  auto claim = take_claim(folder.path(), me());
  REQUIRE(claim);
  CHECK(look_at_claim(folder.path())->state == ClaimState::locked);
  CHECK(look_at_claim(folder.path())->supervisor == me());
  CHECK(take_claim(folder.path(), me()).error().code == ErrorCode::already_exists);
  CHECK(void_claim(folder.path()).error().code == ErrorCode::already_exists);
  claim->reset();
  CHECK(look_at_claim(folder.path())->state == ClaimState::unlocked);
  CHECK(take_claim(folder.path(), me()).error().code == ErrorCode::already_exists);
}

TEST_CASE("a void claim keeps everybody from starting", "[runners]") {
  const TemporaryFolder folder;
  REQUIRE(void_claim(folder / "deep/er"));
  CHECK(look_at_claim(folder / "deep/er")->state == ClaimState::voided);
  CHECK(take_claim(folder / "deep/er", me()).error().code == ErrorCode::already_exists);
  CHECK(void_claim(folder / "deep/er").error().code == ErrorCode::already_exists);
}

TEST_CASE("a damaged claim is an error, and its attempt unknown", "[runners]") {
  const TemporaryFolder folder;
  std::ofstream(folder / "claim") << "{}";
  CHECK(look_at_claim(folder.path()).error().code == ErrorCode::corrupt);
  CHECK(look_at_attempt(folder.path(), token).trace == AttemptTrace::unknown);
  CHECK(settle_attempt(folder.path(), token).kind == Settlement::Kind::unknown);
}

TEST_CASE("a damaged manifest makes an attempt unknown, never finished or lost", "[runners]") {
  const TemporaryFolder folder;
  { const auto claim = take_claim(folder.path(), me()); }
  std::ofstream(folder / "manifest.json") << R"({"checkride_outcome": 1)";
  const AttemptFindings findings = look_at_attempt(folder.path(), token);
  CHECK(findings.trace == AttemptTrace::unknown);
  CHECK(findings.text.find("manifest") != std::string::npos);
  CHECK(settle_attempt(folder.path(), token).kind == Settlement::Kind::unknown);
}

TEST_CASE("of two supervisors of one attempt one starts the job", "[runners]") {
  for (int round = 0; round < 10; ++round) {
    const TemporaryFolder folder;
    const auto attempt = folder / "attempt";
    REQUIRE(prepare_attempt(attempt, shell_spec(folder.path(), "echo ran >> count")));
    std::vector<pid_t> supervisors;
    for (int i = 0; i < 4; ++i)
      supervisors.push_back(start_process({test_supervisor(), "supervise", attempt.native()}));
    for (const pid_t pid : supervisors) CHECK(await_process(pid) == 0);
    CHECK(read_file(folder / "count", 100).value() == "ran\n");
    const auto outcome = read_outcome(attempt, manifest_file, token);
    REQUIRE(outcome);
    CHECK(outcome->completed);
  }
}

TEST_CASE("a late supervisor leaves a voided attempt alone", "[runners]") {
  const TemporaryFolder folder;
  const auto attempt = folder / "attempt";
  REQUIRE(prepare_attempt(attempt, shell_spec(folder.path(), "echo ran >> count")));
  const Settlement settlement = settle_attempt(attempt, token);
  CHECK(settlement.kind == Settlement::Kind::ended);
  CHECK(settlement.outcome.never_started);
  const pid_t late = start_process({test_supervisor(), "supervise", attempt.native()});
  CHECK(await_process(late) == 0);
  CHECK_FALSE(std::filesystem::exists(folder / "count"));
  CHECK_FALSE(std::filesystem::exists(attempt / "manifest.json"));
  CHECK(look_at_attempt(attempt, token).trace == AttemptTrace::voided);
}

TEST_CASE("a claim of an earlier boot of this machine is lost, of another machine unknown",
          "[runners]") {
  const TemporaryFolder folder;
  ProcessIdentity identity = me();
  identity.boot_id = "00000000-0000-0000-0000-000000000000";
  SECTION("this machine, rebooted") {
    { const auto claim = take_claim(folder.path(), identity); }
    CHECK(look_at_attempt(folder.path(), token).trace == AttemptTrace::lost);
    const Settlement settlement = settle_attempt(folder.path(), token);
    REQUIRE(settlement.kind == Settlement::Kind::ended);
    CHECK(settlement.outcome.failure == FailureClass::lost);
    CHECK(settlement.outcome.message.find("rebooted") != std::string::npos);
  }
  SECTION("another machine") {
    identity.host = "elsewhere";
    { const auto claim = take_claim(folder.path(), identity); }
    CHECK(look_at_attempt(folder.path(), token).trace == AttemptTrace::unknown);
    const Settlement settlement = settle_attempt(folder.path(), token);
    CHECK(settlement.kind == Settlement::Kind::unknown);
    CHECK(settlement.findings.find("elsewhere") != std::string::npos);
  }
  SECTION("the identity decides where there is one") {
    { const auto claim = take_claim(folder.path(), me()); }
    identity.job_pid = 1;
    REQUIRE(write_identity(folder.path(), identity));
    CHECK(look_at_attempt(folder.path(), token).trace == AttemptTrace::lost);
  }
}

TEST_CASE("a process is known by pid and start time, not by pid alone", "[runners]") {
  const ProcessIdentity self = me();
  CHECK(is_alive(self.pid, self.start_ticks));
  CHECK_FALSE(is_alive(self.pid, self.start_ticks + 1));
  CHECK(open_process(self.pid, self.start_ticks));
  CHECK_FALSE(open_process(self.pid, self.start_ticks + 1));
  const pid_t child = start_process({"true"});
  const auto stat = process_stat(child);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  if (stat) CHECK_FALSE(is_alive(child, stat->start_ticks));  // a zombie is not alive
  await_process(child);
}

}  // namespace checkride

// Leases over the whole shell: order, restarts, other runs' holders, and what is never granted
// twice.
#include <random>
#include <set>

#include "engine/runtime/lease_allocator.h"
#include "tests/unit/runtime/engine.h"

namespace checkride {
namespace {

using namespace test;

const char* const one_gpu = R"(
states:
  use: {invoke: {job: safe, needs: {gpu: 1}}, on: {done: end, error: bad}}
  end: {type: final}
  bad: {type: final, outcome: failed}
)";

void two_gpus(Machine& m, std::vector<std::string> gpus = {"a", "b"}) {
  m.units_of = [gpus](const std::string& resource) {
    return resource == "gpu" ? gpus : std::vector<std::string>();
  };
  m.world.holds = [](const JobSpec&) { return true; };
  m.boot();
}

std::string running(const Machine& m) {
  std::string text;
  for (const JobSpec& spec : m.world.started())
    if (m.world.look(spec.token) == AttemptTrace::running)
      text += (text.empty() ? "" : " ") + spec.run.value + ":" + spec.leased.at(0).name;
  return text;
}

// It comes to that, and stays so.
void expect_running(Machine& m, const std::string& expected) {
  m.until([&] { return running(m) == expected; });
  m.settle();
  CHECK(running(m) == expected);
}

TEST_CASE("attempts take units in the order of their intents, and wait for the rest") {
  Machine m(one_gpu);
  two_gpus(m);
  for (const char* run : {"r1", "r2", "r3", "r4"}) m.start(run);
  expect_running(m, "r1:a r2:b");
  CHECK_FALSE(m.runtime().at_rest(RunId("r3")));
  m.world.release(m.world.started().at(1).token);
  expect_running(m, "r1:a r3:b");
  m.world.release(m.world.started().at(0).token);
  expect_running(m, "r3:b r4:a");
  CHECK(m.world.double_starts().empty());
}

TEST_CASE("a request for much is not overtaken by later ones for little") {
  Machine m(R"(
params: {n: {type: int, default: 1}}
states:
  pick: {always: [{guard: params.n == 2, target: both}, {target: use}]}
  both: {invoke: {job: safe, needs: {gpu: 2}}, on: {done: end, error: bad}}
  use: {invoke: {job: safe, needs: {gpu: 1}}, on: {done: end, error: bad}}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  two_gpus(m);
  m.start("r1");
  CommandBody big = m.start_command("r2");
  std::get<StartRun>(big).params.set("n", cel::Value(std::int64_t{2}));
  REQUIRE(m.submit(big, "r2").accepted);
  REQUIRE(m.runtime().drive(RunId("r2")));
  m.start("r3");
  expect_running(m, "r1:a");  // b is free, and kept for r2
  m.world.release(m.world.started().at(0).token);
  expect_running(m, "r2:a");
  m.world.release(m.world.started().at(1).token);
  expect_running(m, "r3:a");
}

TEST_CASE("a need that can never be met ends the attempt unavailable, with a sentence") {
  Machine m(R"(
states:
  use:
    invoke: {job: safe, needs: {gpu: 3}}
    on: {done: end, error: [{target: bad, guard: "error.class == 'unavailable'"}, {target: other}]}
  end: {type: final}
  bad: {type: final, outcome: failed}
  other: {type: final, outcome: cancelled}
)");
  two_gpus(m);
  m.start("r");
  m.until_rest("r");
  CHECK(m.state("r").outcome == RunOutcome::failed);
  CHECK(m.world.started().empty());
}

TEST_CASE("after a kill the holders are known before anybody is given anything") {
  Machine m(one_gpu);
  two_gpus(m);
  for (const char* run : {"r1", "r2", "r3"}) m.start(run);
  expect_running(m, "r1:a r2:b");
  m.boot();
  // Only r3 is driven: the others' attempts are watched all the same, for they hold what it needs.
  REQUIRE(m.runtime().drive(RunId("r3")));
  expect_running(m, "r1:a r2:b");
  CHECK_FALSE(m.runtime().at_rest(RunId("r3")));
  m.world.release(m.world.started().at(0).token);
  expect_running(m, "r2:b r3:a");
  CHECK(m.world.double_starts().empty());
}

TEST_CASE("units held by an attempt whose end is unknown are kept, and the wait is for a person") {
  Machine m(one_gpu);
  two_gpus(m, {"a"});
  m.start("r1");
  m.start("r2");
  expect_running(m, "r1:a");
  const Token held = m.started("use");
  m.boot();
  m.world.forget(held);
  REQUIRE(m.runtime().drive(RunId("r1")));
  REQUIRE(m.runtime().drive(RunId("r2")));
  m.until([&] { return m.state("r1").parked() && m.runtime().at_rest(RunId("r2")); });
  CHECK(m.state("r1").leases.size() == 1);
  CHECK(m.runtime().at_rest(RunId("r2")));
  SECTION("until a person says that it is gone") {
    ResolveIncident resolve;
    resolve.how = ResolveIncident::How::lost;
    resolve.reason = "looked";
    REQUIRE(m.submit(resolve, "r1").accepted);
    expect_running(m, "r2:a");
  }
  SECTION("until the machine has been rebooted") {
    m.boot_id = "another boot";
    m.boot();
    REQUIRE(m.runtime().drive(RunId("r2")));
    expect_running(m, "r2:a");
    CHECK(m.happened("LeaseReleased"));
  }
}

TEST_CASE("a granted attempt that never started gives its units back when nobody drives it") {
  Machine m(one_gpu);
  two_gpus(m, {"a"});
  m.world.swallows = [](const JobSpec& spec) { return spec.run == RunId("r1"); };
  m.start("r1");
  m.until([&] { return m.state("r1").leases.size() == 1; });
  m.settle();
  m.boot();
  m.start("r2");
  expect_running(m, "r2:a");
  CHECK(m.state("r1").leases.empty());
  CHECK(m.state("r1").jobs.size() == 1);  // it waits, and starts when somebody drives it
}

TEST_CASE("a paused run starts nothing, and its children with it") {
  Machine m(R"(
machines:
  part:
    states:
      first: {invoke: {job: safe}, on: {done: second, error: bad}}
      second: {invoke: {job: safe}, on: {done: end, error: bad}}
      end: {type: final}
      bad: {type: final, outcome: failed}
states:
  parts: {invoke: {machine: part}, on: {done: end, error: bad}}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  m.world.holds = [](const JobSpec& spec) { return spec.state == "first"; };
  m.start("r");
  m.until([&] { return m.world.started_count("first") == 1; });
  REQUIRE(m.submit(PauseRun{"lunch", false}, "r").accepted);
  const RunId child(m.state("r").jobs.begin()->first.value);
  m.until([&] { return m.state(child.value).paused.has_value(); });
  m.world.release(m.started("first"));
  m.until_rest("r");
  CHECK(m.world.started_count("second") == 0);
  REQUIRE(m.submit(ResumeRun{"", false}, "r").accepted);
  m.until_rest("r");
  CHECK(m.state("r").outcome == RunOutcome::succeeded);
}

// Any number of runs, kills at any moment, ends in any order: no unit has two holders, nobody is
// passed over, and in the end everybody had what he asked for.
TEST_CASE("random histories never give a unit twice and lose no grant over a restart") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 12));
  std::mt19937_64 dice(seed);
  INFO("seed " << seed);
  Machine m(R"(
params: {n: int}
states:
  pick:
    always:
      - {guard: params.n == 0, target: one}
      - {guard: params.n == 1, target: two}
      - {guard: params.n == 2, target: alone}
      - {target: both}
  one: {invoke: {job: safe, needs: {gpu: 1}}, on: {done: end, error: bad}}
  two: {invoke: {job: safe, needs: {gpu: 2}}, on: {done: end, error: bad}}
  alone: {invoke: {job: safe, needs: {gpu: 1, exclusive: true}}, on: {done: end, error: bad}}
  both: {invoke: {job: safe, needs: {gpu: 1, port: 1}}, on: {done: end, error: bad}}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  m.units_of = [](const std::string& resource) {
    return resource == "gpu"    ? std::vector<std::string>{"a", "b", "c"}
           : resource == "port" ? std::vector<std::string>{"8001"}
                                : std::vector<std::string>();
  };
  m.world.holds = [](const JobSpec&) { return true; };
  m.boot();
  constexpr int runs = 10;
  int started = 0;
  const auto live = [&] {
    std::vector<JobSpec> all;
    for (const JobSpec& spec : m.world.started())
      if (m.world.look(spec.token) == AttemptTrace::running) all.push_back(spec);
    return all;
  };
  const auto check = [&] {
    std::set<LeasedUnit> held;
    std::map<std::string, int> holders;
    bool exclusive = false;
    for (const JobSpec& spec : live()) {
      std::map<std::string, std::uint32_t> given;
      for (const LeasedUnit& unit : spec.leased) {
        CHECK(held.insert(unit).second);
        ++given[unit.resource];
      }
      CHECK(given == spec.needs.units);
      if (given.contains("gpu")) ++holders["gpu"];
      exclusive = exclusive || spec.needs.exclusive;
    }
    CHECK((!exclusive || holders["gpu"] == 1));
  };
  const auto drive_all = [&] {
    for (int i = 0; i < started; ++i) REQUIRE(m.runtime().drive(RunId("r" + std::to_string(i))));
  };
  for (int step = 0; step < 400; ++step) {
    const std::uint64_t what = dice() % 10;
    if (what < 4 && started < runs) {
      const std::string run = "r" + std::to_string(started++);
      CommandBody start = m.start_command(run);
      std::get<StartRun>(start).params.set("n", cel::Value(static_cast<std::int64_t>(dice() % 4)));
      REQUIRE(m.submit(start, run).accepted);
      REQUIRE(m.runtime().drive(RunId(run)));
    } else if (what < 8) {
      const auto all = live();
      if (!all.empty()) m.world.release(all[dice() % all.size()].token);
      if (all.empty() && started == runs) break;
    } else if (what == 8) {
      for (int i = 0; i < 3; ++i) m.engine->io.poll_one();
      m.boot();
      drive_all();
    }
    if (dice() % 2 == 0) m.settle();
    check();
  }
  const auto finished = [&] {
    for (int i = 0; i < started; ++i) {
      const auto head = m.log.head(RunId("r" + std::to_string(i)));
      if ((*head)->summary.mode != RunMode::finished) return false;
    }
    return true;
  };
  while (!finished()) {
    m.until([&] { return !live().empty() || finished(); });
    check();
    if (const auto all = live(); !all.empty()) m.world.release(all.front().token);
  }
  for (int i = 0; i < started; ++i)
    CHECK((*m.log.head(RunId("r" + std::to_string(i))))->summary.outcome == RunOutcome::succeeded);
  CHECK(m.world.double_starts().empty());
}

}  // namespace
}  // namespace checkride

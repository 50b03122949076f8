// The runner around the supervisor: inline kinds, bad supervisors, shutting down.
#include <catch2/catch.hpp>
#include <fstream>

#include "engine/runners/local/attempt_folder.h"
#include "engine/runners/local/claim.h"
#include "engine/runners/local/process_identity.h"
#include "tests/unit/runners/harness.h"

namespace checkride {

TEST_CASE("an inline kind runs on the pool, without claim or process", "[runners]") {
  LocalMachine machine;
  const JobOutcome outcome = machine.outcome_of(inline_spec(machine.folder.path(), "echo", "hi"));
  CHECK(outcome.completed);
  CHECK(outcome.result.string_or("echo", "") == "hi");
  CHECK(outcome.started.ns > 0);
  CHECK(machine.log.starts.empty());
  CHECK(machine.runner->look(Token("run.1")) == AttemptTrace::absent);

  machine.log.ends.clear();
  machine.runner->recover(inline_spec(machine.folder.path(), "echo", "again"));  // safe to repeat
  REQUIRE(machine.await_end());
  CHECK(machine.log.ends[0].outcome.result.string_or("echo", "") == "again");
}

TEST_CASE("an inline kind that throws or gives a wrong result is a bug of the kind", "[runners]") {
  LocalMachine machine;
  const JobOutcome threw = machine.outcome_of(inline_spec(machine.folder.path(), "throw"));
  CHECK(threw.failure == FailureClass::code);
  CHECK(threw.message == "bug of the kind test.inline: it threw no reason");
  const JobOutcome misfit =
      machine.outcome_of(inline_spec(machine.folder.path(), "misfit", "", "run.2"));
  CHECK(misfit.failure == FailureClass::code);
  JobSpec expects = inline_spec(machine.folder.path(), "echo", "", "run.3");
  expects.expect.files = {"nowhere"};
  CHECK_FALSE(machine.outcome_of(expects).completed);
}

TEST_CASE("a blocked inline job can be cancelled or time out, and reports once", "[runners]") {
  const TemporaryFolder place;
  const Fifo fifo(place / "fifo");  // outlives the machine, whose pool reads from it to the end
  LocalMachine machine;
  JobSpec spec = inline_spec(machine.folder.path(), "block");
  spec.inputs.set("fifo", cel::Value(fifo.path()));
  SECTION("cancelled") {
    machine.runner->start(spec);
    machine.runner->cancel(spec.token);
    machine.runner->cancel(spec.token);
    REQUIRE(machine.await_end());
    CHECK(machine.log.ends.at(0).outcome.cancelled);
  }
  SECTION("timed out") {
    spec.limits.run_timeout = std::chrono::milliseconds(20);
    machine.runner->start(spec);
    REQUIRE(machine.await_end());
    CHECK(machine.log.ends.at(0).outcome.failure == FailureClass::timeout);
  }
  fifo.tell();
  const JobOutcome next =
      machine.outcome_of(inline_spec(machine.folder.path(), "echo", "next", "run.2"));
  CHECK(next.completed);
  CHECK(machine.log.ends.size() == 1);
}

TEST_CASE("a supervisor that cannot run is infra, not asked for again and again", "[runners]") {
  LocalMachine machine;
  const auto outcome_with = [&](std::vector<std::string> command, const std::string& token) {
    machine.runner = std::make_unique<LocalRunner>(machine.io, machine.log, machine.catalog,
                                                   machine.folder / "attempts", std::move(command));
    return machine.outcome_of(shell_spec(machine.folder.path(), "true", token));
  };
  const JobOutcome absent = outcome_with({"/no/such/supervisor"}, "run.1");
  CHECK(absent.failure == FailureClass::infra);
  CHECK_FALSE(absent.never_started);
  const JobOutcome broken = outcome_with({"sh", "-c", "echo no luck >&2; exit 1"}, "run.2");
  CHECK(broken.failure == FailureClass::infra);
  CHECK(broken.message.find("no luck") != std::string::npos);
  CHECK(broken.never_started);
  CHECK(machine.runner->look(Token("run.2")) == AttemptTrace::voided);
}

TEST_CASE("an attempts folder that cannot be made is infra", "[runners]") {
  LocalMachine machine;
  std::ofstream(machine.folder / "attempts") << "a file";
  const JobOutcome outcome = machine.outcome_of(shell_spec(machine.folder.path(), "true"));
  CHECK(outcome.failure == FailureClass::infra);
}

TEST_CASE("a start that finds the attempt running elsewhere follows it", "[runners]") {
  LocalMachine machine;
  const Fifo ready(machine.folder / "ready");
  const Fifo go(machine.folder / "go");
  const JobSpec spec =
      shell_spec(machine.folder.path(), "echo ran >> count; echo > " + ready.path() +
                                            "; read x < " + go.path() + "; echo done");
  REQUIRE(prepare_attempt(machine.attempt(), spec));
  const pid_t other = start_process({test_supervisor(), "supervise", machine.attempt().native()});
  REQUIRE(ready.await());
  machine.runner->start(spec);
  REQUIRE(run_until(machine.io, [&] { return !machine.log.starts.empty(); }));
  CHECK(machine.log.starts[0].adopted);
  // `other` is the guard; the supervisor is its child.
  CHECK(process_stat(static_cast<pid_t>(machine.log.starts[0].identity.pid))->parent == other);
  go.tell();
  REQUIRE(machine.await_end());
  CHECK(machine.log.ends[0].outcome.completed);
  await_process(other);
  CHECK(read_file(machine.folder / "count", 100).value() == "ran\n");
}

TEST_CASE("an attempt of another machine that left no result is unknown", "[runners]") {
  LocalMachine machine;
  ProcessIdentity identity = own_identity(Timestamp{1}).value();
  identity.boot_id = "another";
  identity.host = "another";
  REQUIRE(make_folders(machine.attempt()));
  { const auto claim = take_claim(machine.attempt(), identity); }
  machine.runner->recover(shell_spec(machine.folder.path(), "true"));
  REQUIRE(machine.await_end());
  REQUIRE(machine.log.unknowns.size() == 1);
  CHECK(machine.log.ends.empty());
}

TEST_CASE("a runner with starts and jobs under way can be destroyed at once", "[runners]") {
  LocalMachine machine;
  for (int i = 0; i < 20; ++i)
    machine.runner->start(shell_spec(machine.folder.path(), "true", "run." + std::to_string(i)));
  machine.io.run_one();
  machine.restart();
  // Whatever had been reached: each attempt ends, or is known never to have started.
  for (int i = 0; i < 20; ++i)
    machine.runner->recover(shell_spec(machine.folder.path(), "true", "run." + std::to_string(i)));
  REQUIRE(run_until(machine.io, [&] { return machine.log.ends.size() == 20; }));
  for (const auto& end : machine.log.ends)
    CHECK((end.outcome.completed || end.outcome.never_started));
}

TEST_CASE("many jobs at once all end", "[runners]") {
  LocalMachine machine;
  constexpr int count = 40;
  for (int i = 0; i < count; ++i)
    machine.runner->start(
        shell_spec(machine.folder.path(), "echo " + std::to_string(i), "run." + std::to_string(i)));
  REQUIRE(run_until(machine.io, [&] { return machine.log.ends.size() == count; }));
  CHECK(machine.log.starts.size() == count);
  for (int i = 0; i < count; ++i)
    CHECK(machine.file("stdout", "run." + std::to_string(i)) == std::to_string(i) + "\n");
}

}  // namespace checkride

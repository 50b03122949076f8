// Engine, supervisor, or both killed with KILL while a job runs, and what the next engine finds.
#include <signal.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "engine/runners/local/attempt_folder.h"
#include "engine/runners/local/process_identity.h"
#include "tests/unit/runners/harness.h"

namespace checkride {

namespace {

const Token token("run.1");

// An engine of its own process, with one attempt that has reached the word on its fifo.
struct Engine {
  Engine(LocalMachine& machine, const JobSpec& spec, const Fifo& ready) {
    const auto spec_path = machine.folder / "the-spec.json";
    std::ofstream(spec_path) << spec_to_json(spec);
    pid = start_process(
        {test_supervisor(), "engine", (machine.folder / "attempts").native(), spec_path.native()});
    REQUIRE(ready.await());
    identity = read_identity(machine.attempt()).value();
  }
  pid_t pid = -1;
  ProcessIdentity identity;
};

// Prints lines, says that it is half way, waits for the go, prints the rest. Beside it two
// processes that would run for ever, one of them in a session of its own.
std::string counting(const Fifo& ready, const Fifo& go) {
  return "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); "
         "if [ $i = 1000 ]; then echo > " +
         ready.path() + "; read x < " + go.path() + "; fi; done";
}
std::string with_children(const Fifo& ready) {
  return "echo begun; sleep 1000 & setsid sleep 1000 & env -i setsid -w sleep 1000 & echo > " +
         ready.path() + "; wait";
}

std::string all_lines() {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

std::vector<pid_t> job_pids(const ProcessIdentity& identity) {
  std::vector<pid_t> pids;
  for (const ProcessStat& stat : attempt_processes(identity, token)) pids.push_back(stat.pid);
  return pids;
}

}  // namespace

TEST_CASE("a killed engine leaves its job running; the next one adopts it without a gap",
          "[runners][crash]") {
  LocalMachine machine;
  const Fifo ready(machine.folder / "ready");
  const Fifo go(machine.folder / "go");
  const JobSpec spec = shell_spec(machine.folder.path(), counting(ready, go));
  const Engine engine(machine, spec, ready);
  kill_process(engine.pid);

  CHECK(is_alive(engine.identity.pid, engine.identity.start_ticks));
  CHECK(is_alive(engine.identity.job_pid, engine.identity.job_start_ticks));
  CHECK(machine.runner->look(token) == AttemptTrace::running);
  machine.runner->recover(spec);
  REQUIRE(run_until(machine.io, [&] { return !machine.log.starts.empty(); }));
  CHECK(machine.log.starts[0].adopted);
  CHECK(machine.log.starts[0].identity == engine.identity);
  CHECK(machine.log.ends.empty());
  go.tell();
  REQUIRE(machine.await_end());
  const JobOutcome& outcome = machine.log.ends.at(0).outcome;
  CHECK(outcome.completed);
  CHECK(outcome.started == engine.identity.started);
  CHECK(machine.file("stdout") == all_lines());
  CHECK(outcome.artifacts.at(0).digest == sha256(all_lines()));
}

TEST_CASE("a job that ends while no engine lives is collected later", "[runners][crash]") {
  LocalMachine machine;
  const Fifo ready(machine.folder / "ready");
  const Fifo go(machine.folder / "go");
  const JobSpec spec = shell_spec(machine.folder.path(), counting(ready, go));
  const Engine engine(machine, spec, ready);
  kill_process(engine.pid);
  go.tell();
  REQUIRE(await_gone({static_cast<pid_t>(engine.identity.pid)}));
  CHECK(machine.runner->look(token) == AttemptTrace::finished);
  machine.runner->recover(spec);
  REQUIRE(machine.await_end());
  CHECK(machine.log.ends.at(0).outcome.completed);
  CHECK(machine.log.ends.at(0).outcome.started == engine.identity.started);
  CHECK(machine.file("stdout") == all_lines());
}

TEST_CASE("an adopted job can be cancelled", "[runners][crash]") {
  LocalMachine machine;
  const Fifo ready(machine.folder / "ready");
  const JobSpec spec = shell_spec(machine.folder.path(), with_children(ready));
  const Engine engine(machine, spec, ready);
  kill_process(engine.pid);
  machine.runner->recover(spec);
  machine.runner->cancel(token);
  REQUIRE(machine.await_end());
  CHECK(machine.log.ends.at(0).outcome.cancelled);
  CHECK(job_pids(engine.identity).empty());
}

TEST_CASE("a killed supervisor takes its job with it, and the attempt is lost",
          "[runners][crash]") {
  LocalMachine machine;
  const Fifo ready(machine.folder / "ready");
  const JobSpec spec =
      shell_spec(machine.folder.path(),
                 "echo begun; sleep 1000 & setsid sleep 1000 & echo > " + ready.path() + "; wait");
  machine.runner->start(spec);
  REQUIRE(ready.await());
  REQUIRE(run_until(machine.io, [&] { return !machine.log.starts.empty(); }));
  const ProcessIdentity identity = machine.log.starts[0].identity;
  const auto stdout_path = machine.attempt() / "stdout";
  ::kill(static_cast<pid_t>(identity.pid), SIGKILL);
  REQUIRE(machine.await_end());
  REQUIRE(machine.log.ends.size() == 1);
  const JobOutcome& outcome = machine.log.ends[0].outcome;
  CHECK(outcome.failure == FailureClass::lost);
  CHECK(outcome.status == JobStatus::error);
  CHECK_FALSE(outcome.completed);
  CHECK(outcome.started == identity.started);
  CHECK(job_pids(identity).empty());
  CHECK_FALSE(is_alive(identity.job_pid, identity.job_start_ticks));
  REQUIRE_FALSE(outcome.artifacts.empty());
  CHECK(outcome.artifacts[0].digest == sha256(machine.file("stdout")));
  CHECK(machine.runner->look(token) == AttemptTrace::lost);
}

TEST_CASE("an adopted job whose supervisor is killed then is lost", "[runners][crash]") {
  LocalMachine machine;
  const Fifo ready(machine.folder / "ready");
  const JobSpec spec = shell_spec(machine.folder.path(), with_children(ready));
  const Engine engine(machine, spec, ready);
  const std::vector<pid_t> before = job_pids(engine.identity);
  kill_process(engine.pid);
  machine.runner->recover(spec);
  REQUIRE(run_until(machine.io, [&] { return !machine.log.starts.empty(); }));
  ::kill(static_cast<pid_t>(engine.identity.pid), SIGKILL);
  REQUIRE(machine.await_end());
  CHECK(machine.log.ends.at(0).outcome.failure == FailureClass::lost);
  CHECK(await_gone(before));
}

TEST_CASE("a killed guard is not missed", "[runners][crash]") {
  LocalMachine machine;
  const Fifo ready(machine.folder / "ready");
  const Fifo go(machine.folder / "go");
  const JobSpec spec = shell_spec(machine.folder.path(), counting(ready, go));
  machine.runner->start(spec);
  REQUIRE(ready.await());
  const ProcessIdentity identity = read_identity(machine.attempt()).value();
  ::kill(process_stat(static_cast<pid_t>(identity.pid))->parent, SIGKILL);
  go.tell();
  REQUIRE(machine.await_end());
  CHECK(machine.log.ends.at(0).outcome.completed);
  CHECK(machine.file("stdout") == all_lines());
}

TEST_CASE("when engine and supervisor are both killed nothing runs on unseen, and it is lost",
          "[runners][crash]") {
  LocalMachine machine;
  const Fifo ready(machine.folder / "ready");
  const JobSpec spec = shell_spec(machine.folder.path(), with_children(ready));
  const Engine engine(machine, spec, ready);
  const std::vector<pid_t> before = job_pids(engine.identity);
  REQUIRE(before.size() >= 3);
  kill_process(engine.pid);
  ::kill(static_cast<pid_t>(engine.identity.pid), SIGKILL);
  // Before any engine comes back: the guard sees to it.
  CHECK(await_gone(before));
  CHECK(job_pids(engine.identity).empty());

  machine.runner->recover(spec);
  REQUIRE(machine.await_end());
  CHECK(machine.log.ends.at(0).outcome.failure == FailureClass::lost);
  CHECK(machine.log.starts.empty());
}

TEST_CASE("survivors of a dead supervisor and guard are ended before the attempt is called lost",
          "[runners][crash]") {
  LocalMachine machine;
  const Fifo ready(machine.folder / "ready");
  const JobSpec spec =
      shell_spec(machine.folder.path(), "setsid sleep 1000 & echo > " + ready.path() + "; wait");
  const Engine engine(machine, spec, ready);
  kill_process(engine.pid);
  const auto supervisor = process_stat(static_cast<pid_t>(engine.identity.pid));
  REQUIRE(supervisor);
  ::kill(supervisor->parent, SIGKILL);  // the guard
  ::kill(static_cast<pid_t>(engine.identity.pid), SIGKILL);
  REQUIRE(await_gone({static_cast<pid_t>(engine.identity.pid)}));
  machine.runner->recover(spec);
  REQUIRE(machine.await_end());
  CHECK(machine.log.ends.at(0).outcome.failure == FailureClass::lost);
  CHECK(job_pids(engine.identity).empty());
}

TEST_CASE("ending an attempt spares another store's attempt of the same token",
          "[runners][crash]") {
  LocalMachine machine;
  LocalMachine other;
  const Fifo ready(machine.folder / "ready");
  const Fifo other_ready(other.folder / "ready");
  const Fifo go(other.folder / "go");
  other.runner->start(shell_spec(other.folder.path(), counting(other_ready, go)));
  REQUIRE(other_ready.await());
  machine.runner->start(shell_spec(machine.folder.path(), with_children(ready)));
  REQUIRE(ready.await());
  const ProcessIdentity identity = read_identity(machine.attempt()).value();
  ::kill(static_cast<pid_t>(identity.pid), SIGKILL);
  REQUIRE(machine.await_end());
  CHECK(machine.log.ends.at(0).outcome.failure == FailureClass::lost);
  go.tell();
  REQUIRE(other.await_end());
  CHECK(other.log.ends.at(0).outcome.completed);
}

TEST_CASE("a reboot makes a running attempt lost, whatever its pids name now", "[runners][crash]") {
  LocalMachine machine;
  const Fifo ready(machine.folder / "ready");
  const JobSpec spec = shell_spec(machine.folder.path(), with_children(ready));
  const Engine engine(machine, spec, ready);
  const std::vector<pid_t> before = job_pids(engine.identity);
  kill_process(engine.pid);
  ::kill(static_cast<pid_t>(engine.identity.pid), SIGKILL);
  REQUIRE(await_gone(before));
  ProcessIdentity earlier = engine.identity;
  earlier.boot_id = "00000000-0000-0000-0000-000000000000";
  earlier.pid = ::getpid();  // reused by somebody who must not be touched
  earlier.job_pid = ::getpid();
  REQUIRE(write_identity(machine.attempt(), earlier));
  machine.runner->recover(spec);
  REQUIRE(machine.await_end());
  CHECK(machine.log.ends.at(0).outcome.failure == FailureClass::lost);
  CHECK(machine.log.ends.at(0).outcome.message.find("rebooted") != std::string::npos);
}

TEST_CASE("an engine killed at any moment of a start leaves an attempt that ran at most once",
          "[runners][crash]") {
  for (int round = 0; round < 30; ++round) {
    LocalMachine machine;
    const JobSpec spec = shell_spec(machine.folder.path(), "echo ran >> count");
    const auto spec_path = machine.folder / "the-spec.json";
    std::ofstream(spec_path) << spec_to_json(spec);
    const pid_t engine = start_process(
        {test_supervisor(), "engine", (machine.folder / "attempts").native(), spec_path.native()});
    // Moments from before its first instruction to after the job's end; the yield is the clock.
    for (int i = 0; i < round * 400; ++i) ::sched_yield();
    kill_process(engine);
    machine.runner->recover(spec);
    REQUIRE(machine.await_end());
    REQUIRE(machine.log.ends.size() == 1);
    const JobOutcome& outcome = machine.log.ends[0].outcome;
    CHECK((outcome.completed || outcome.never_started));
    const std::string count = read_file(machine.folder / "count", 100).value_or("");
    CHECK(count == (outcome.completed ? "ran\n" : ""));
  }
}

}  // namespace checkride

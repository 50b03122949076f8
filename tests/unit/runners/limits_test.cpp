// Limits beside the run timeout (start, silence), and machine-wide locks of leased GPUs.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "engine/runners/local/attempt_folder.h"
#include "engine/runners/local/gpu_lock.h"
#include "tests/unit/runners/harness.h"

namespace checkride {
namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Locks in a folder of the test's own.
struct LockFolder {
  explicit LockFolder(const std::filesystem::path& path) {
    ::setenv("CHECKRIDE_LOCKS", path.c_str(), 1);
  }
  ~LockFolder() { ::unsetenv("CHECKRIDE_LOCKS"); }
};

TEST_CASE("a job that prints nothing for too long is ended, and says which limit", "[runners]") {
  LocalMachine machine;
  JobSpec spec = shell_spec(machine.folder.path(), "echo begun; sleep 1000");
  spec.limits.silence_timeout = std::chrono::milliseconds(300);
  spec.limits.run_timeout = std::chrono::hours(1);
  const JobOutcome outcome = machine.outcome_of(spec);
  CHECK(outcome.failure == FailureClass::timeout);
  CHECK(outcome.limit == TimeLimit::silence);
  CHECK_FALSE(outcome.completed);
  CHECK(contains(outcome.message, "it printed nothing for its silence timeout of 300ms"));
  CHECK(machine.file("stdout") == "begun\n");
}

TEST_CASE("a job that goes on printing is not silent", "[runners]") {
  LocalMachine machine;
  JobSpec spec = shell_spec(machine.folder.path(),
                            "for i in 1 2 3 4 5 6 7 8 9 10; do echo $i >&2; sleep 0.2; done");
  spec.limits.silence_timeout = std::chrono::milliseconds(1500);
  const JobOutcome outcome = machine.outcome_of(spec);
  CHECK(outcome.completed);
  CHECK(outcome.limit == TimeLimit::none);
}

TEST_CASE("the run timeout names itself", "[runners]") {
  LocalMachine machine;
  JobSpec spec = shell_spec(machine.folder.path(), "sleep 1000");
  spec.limits.run_timeout = std::chrono::milliseconds(100);
  CHECK(machine.outcome_of(spec).limit == TimeLimit::run);
}

TEST_CASE("a supervisor that never claims is given up, and can start nothing later", "[runners]") {
  LocalMachine machine;
  machine.runner.reset();
  machine.runner = std::make_unique<LocalRunner>(
      machine.io, machine.log, machine.catalog, machine.folder / "attempts",
      std::vector<std::string>{"sh", "-c", "sleep 1000"});
  JobSpec spec = shell_spec(machine.folder.path(), "echo never");
  spec.limits.start_timeout = std::chrono::milliseconds(200);
  const JobOutcome outcome = machine.outcome_of(spec);
  CHECK(outcome.failure == FailureClass::timeout);
  CHECK(outcome.limit == TimeLimit::start);
  CHECK(outcome.message == "it did not start within its start timeout of 200ms");
  CHECK_FALSE(outcome.never_started);  // or it would be asked for again without being counted
  CHECK(machine.runner->look(spec.token) == AttemptTrace::voided);
}

TEST_CASE("a start within its limit goes on as long as it likes", "[runners]") {
  LocalMachine machine;
  // It runs past the limit: a limit that counted on would end it.
  JobSpec spec = shell_spec(machine.folder.path(), "sleep 3; echo done");
  spec.limits.start_timeout = std::chrono::milliseconds(2500);
  CHECK(machine.outcome_of(spec).completed);
}

TEST_CASE("a job sees the units it leased and no others", "[runners]") {
  LocalMachine machine;
  const LockFolder locks(machine.folder / "locks");
  JobSpec spec = shell_spec(machine.folder.path(),
                            "echo $CUDA_VISIBLE_DEVICES $CHECKRIDE_PORT $CHECKRIDE_GPU");
  spec.leased = {{"gpu", "GPU-1"}, {"gpu", "GPU-7"}, {"port", "8001"}};
  REQUIRE(machine.outcome_of(spec).completed);
  CHECK(machine.file("stdout") == "GPU-1,GPU-7 8001 GPU-1,GPU-7\n");
}

TEST_CASE("a GPU that another store uses is waited for", "[runners]") {
  LocalMachine machine;
  const LockFolder folder(machine.folder / "locks");
  GpuLocks other;
  REQUIRE(other.take({{"gpu", "GPU-1"}}).value().empty());
  GpuLocks second;
  CHECK(second.take({{"gpu", "GPU-0"}, {"gpu", "GPU-1"}}).value() == "GPU-1");
  CHECK(second.take({{"gpu", "GPU-0"}}).value().empty());

  JobSpec spec = shell_spec(machine.folder.path(), "echo ran");
  spec.leased = {{"gpu", "GPU-1"}, {"port", "1"}};
  const auto waits = [&] {
    return contains(machine.file("supervisor.log"), "waiting for GPU GPU-1");
  };
  SECTION("until it is free") {
    machine.runner->start(spec);
    REQUIRE(run_until(machine.io, waits));
    CHECK(machine.runner->look(spec.token) == AttemptTrace::running);
    CHECK(machine.log.starts.empty());
    other = GpuLocks();
    REQUIRE(machine.await_end());
    CHECK(machine.log.ends.at(0).outcome.completed);
  }
  SECTION("up to the start timeout") {
    spec.limits.start_timeout = std::chrono::milliseconds(300);
    const JobOutcome outcome = machine.outcome_of(spec);
    CHECK(outcome.failure == FailureClass::timeout);
    CHECK(outcome.limit == TimeLimit::start);
    CHECK(machine.log.starts.empty());
  }
  SECTION("or a cancel") {
    machine.runner->start(spec);
    REQUIRE(run_until(machine.io, waits));
    machine.runner->cancel(spec.token);
    REQUIRE(machine.await_end());
    CHECK(machine.log.ends.at(0).outcome.cancelled);
    CHECK(machine.log.starts.empty());
  }
}

}  // namespace
}  // namespace checkride

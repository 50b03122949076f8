// One attempt, carried out by a real supervisor: what a job's end becomes.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "engine/runners/local/attempt_folder.h"
#include "engine/runners/local/process_identity.h"
#include "tests/unit/runners/harness.h"

namespace checkride {

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a program that passes is completed, with its output as artifacts", "[runners]") {
  LocalMachine machine;
  const JobOutcome outcome =
      machine.outcome_of(shell_spec(machine.folder.path(), "echo out; echo err >&2; pwd"));
  CHECK(outcome.completed);
  CHECK(outcome.status == JobStatus::pass);
  CHECK(outcome.failure == FailureClass::none);
  CHECK(outcome.message.empty());
  CHECK(outcome.exit_code == 0);
  CHECK_FALSE(outcome.signal);
  const std::string out = "out\n" + machine.folder.path().native() + "\n";
  REQUIRE(outcome.artifacts.size() == 2);
  CHECK(outcome.artifacts[0] == Artifact{"stdout", sha256(out), out.size()});
  CHECK(outcome.artifacts[1] == Artifact{"stderr", sha256("err\n"), 4});
  CHECK(machine.file("stdout") == out);
  CHECK(machine.file("stderr") == "err\n");
  CHECK(machine.file("supervisor.log").empty());
  CHECK_FALSE(std::filesystem::exists(machine.attempt() / "reserve"));
  CHECK(outcome.started.ns > 0);
  CHECK(outcome.started <= outcome.ended);
  REQUIRE(machine.log.starts.size() == 1);
  CHECK(machine.log.starts[0].identity.started == outcome.started);
  CHECK(machine.log.starts[0].identity.job_pid > 0);
}

TEST_CASE("an exit code nobody expected is a failure of class code", "[runners]") {
  LocalMachine machine;
  const JobOutcome failed = machine.outcome_of(shell_spec(machine.folder.path(), "exit 3"));
  CHECK_FALSE(failed.completed);
  CHECK(failed.status == JobStatus::fail);
  CHECK(failed.failure == FailureClass::code);
  CHECK(failed.exit_code == 3);
  CHECK(failed.message == "it exited with 3, expected 0");

  JobSpec expected = shell_spec(machine.folder.path(), "exit 3", "run.2");
  expected.expect.exit_codes = {0, 3};
  CHECK(machine.outcome_of(expected).completed);

  const JobOutcome signalled =
      machine.outcome_of(shell_spec(machine.folder.path(), "kill -SEGV $$", "run.3"));
  CHECK_FALSE(signalled.completed);
  CHECK(signalled.signal == 11);
  CHECK_FALSE(signalled.exit_code);
  CHECK(contains(signalled.message, "SIGSEGV"));
}

TEST_CASE("log and file expectations decide beside the exit code", "[runners]") {
  LocalMachine machine;
  JobSpec spec = shell_spec(machine.folder.path(), "printf 'all '; printf passed >&2; touch made");
  spec.expect.log_contains = {"all ", "passed"};
  spec.expect.log_lacks = {"all passed"};
  spec.expect.files = {"made"};
  CHECK(machine.outcome_of(spec).completed);

  spec.token = Token("run.2");
  spec.expect.files = {"made", "never/made"};
  spec.expect.log_lacks = {"passed"};
  const JobOutcome outcome = machine.outcome_of(spec);
  CHECK_FALSE(outcome.completed);
  CHECK(outcome.failure == FailureClass::code);
  CHECK(outcome.message ==
        "the output contains 'passed'; the expected file 'never/made' is not there");
}

TEST_CASE("parsed values reach the kind", "[runners]") {
  LocalMachine machine;
  JobSpec spec = shell_spec(machine.folder.path(), "echo 't=1.5 ms'; echo '{\"n\": 7}' > r.json");
  spec.parse = {{"t", cel::Type::floating(), "t=(\\S+) ms", "", ""},
                {"n", cel::Type::integer(), "", "r.json", "/n"}};
  const JobOutcome outcome = machine.outcome_of(spec);
  REQUIRE(outcome.completed);
  CHECK(cel::to_json(*outcome.result.field("values")) == R"({"n":7,"t":1.5})");
}

TEST_CASE("standard input is what the kind gives, else empty", "[runners]") {
  LocalMachine machine;
  const JobOutcome closed = machine.outcome_of(
      shell_spec(machine.folder.path(), "if read x; then echo got; else echo eof; fi"));
  CHECK(closed.result.string_or("output", "") == "eof\n");
  JobSpec spec = shell_spec(machine.folder.path(), "wc -c", "run.2");
  spec.inputs.set("input", cel::Value(std::string(300'000, 'i')));
  CHECK(machine.outcome_of(spec).result.string_or("output", "") == "300000\n");
}

TEST_CASE("what is not here is unavailable, said in one sentence", "[runners]") {
  LocalMachine machine;
  JobSpec spec = shell_spec(machine.folder.path(), "echo fine");
  std::string named;
  SECTION("a program") {
    spec.kind = "test.exec";
    spec.inputs.set("argv", cel::Value(cel::List{cel::Value("no-such-program-anywhere")}));
    named = "no-such-program-anywhere";
  }
  SECTION("a program that cannot be executed") {
    std::ofstream(machine.folder / "plain") << "no program\n";
    spec.kind = "test.exec";
    spec.inputs.set("argv", cel::Value(cel::List{cel::Value((machine.folder / "plain").native())}));
    named = "plain";
  }
  SECTION("what the kind itself misses") {
    spec.kind = "test.exec";
    spec.inputs.set("argv", cel::Value(cel::List{}));
    named = "no device";
  }
  SECTION("a kind") {
    spec.kind = "no.kind";
    named = "no.kind";
  }
  SECTION("a version of a kind") {
    spec.kind_version = 2;
    named = "version 2";
  }
  SECTION("a secret") {
    ::unsetenv("CHECKRIDE_TEST_SECRET");
    spec.secrets = {"CHECKRIDE_TEST_SECRET"};
    named = "CHECKRIDE_TEST_SECRET";
  }
  const JobOutcome outcome = machine.outcome_of(spec);
  CHECK(outcome.status == JobStatus::unavailable);
  CHECK(outcome.failure == FailureClass::unavailable);
  CHECK_FALSE(outcome.completed);
  CHECK_FALSE(outcome.exit_code);
  CHECK(contains(outcome.message, named));
}

TEST_CASE("a shell's exit code 127 is the script's, not a missing program", "[runners]") {
  LocalMachine machine;
  const JobOutcome outcome =
      machine.outcome_of(shell_spec(machine.folder.path(), "no-such-program-anywhere"));
  CHECK(outcome.failure == FailureClass::code);
  CHECK(outcome.exit_code == 127);
}

TEST_CASE("a working folder that does not exist is named", "[runners]") {
  LocalMachine machine;
  JobSpec spec = shell_spec(machine.folder.path(), "true");
  spec.inputs.set("folder", cel::Value("/no/such/folder"));
  const JobOutcome outcome = machine.outcome_of(spec);
  CHECK(outcome.failure == FailureClass::infra);
  CHECK(contains(outcome.message, "/no/such/folder"));
}

TEST_CASE("secrets reach the job and leave it masked", "[runners]") {
  ::setenv("CHECKRIDE_TEST_SECRET", "s3cr3t-value", 1);
  LocalMachine machine;
  // Two writes: the value lies across two reads of the supervisor.
  JobSpec spec = shell_spec(machine.folder.path(),
                            "printf 'key s3cr3t-'; sleep 0.1; printf 'value\\n'; "
                            "test \"$CHECKRIDE_TEST_SECRET\" = s3cr3t-''value && echo same; "
                            "echo \"$CHECKRIDE_TEST_SECRET\" >&2");
  spec.secrets = {"CHECKRIDE_TEST_SECRET"};
  spec.parse = {{"key", cel::Type::string(), "key (.*)", "", ""}};
  const JobOutcome outcome = machine.outcome_of(spec);
  ::unsetenv("CHECKRIDE_TEST_SECRET");
  CHECK(outcome.completed);
  CHECK(machine.file("stdout") == "key ***\nsame\n");
  CHECK(machine.file("stderr") == "***\n");
  CHECK(outcome.artifacts.at(0).digest == sha256("key ***\nsame\n"));
  for (const char* name : {"manifest.json", "identity.json", "claim", "supervisor.log"})
    CHECK_FALSE(contains(machine.file(name), "s3cr3t-value"));
}

TEST_CASE("the environment of a job is the allow-list, and no other variable is recorded anywhere",
          "[runners]") {
  std::vector<std::string> names;
  for (int i = 0; i < 50; ++i) {
    names.push_back("CR_STRAY_" + std::to_string(i * 7919));
    ::setenv(names.back().c_str(), ("stray-value-" + std::to_string(i)).c_str(), 1);
  }
  ::setenv("LC_TEST", "kept", 1);
  LocalMachine machine;
  const JobOutcome outcome = machine.outcome_of(shell_spec(machine.folder.path(), "env"));
  for (const std::string& name : names) ::unsetenv(name.c_str());
  ::unsetenv("LC_TEST");
  CHECK(outcome.completed);
  CHECK(contains(machine.file("stdout"), "LC_TEST=kept\n"));
  CHECK(contains(machine.file("stdout"), "CHECKRIDE_TOKEN=run.1\n"));
  CHECK(contains(machine.file("stdout"), "CHECKRIDE_RUN=run\n"));
  for (const auto& entry : std::filesystem::directory_iterator(machine.attempt())) {
    INFO(entry.path());
    const std::string text = read_file(entry.path(), 1 << 24).value();
    CHECK_FALSE(contains(text, "stray-value-"));
    CHECK_FALSE(contains(text, "CR_STRAY_"));
  }
}

TEST_CASE("a job that runs too long is ended, class timeout", "[runners]") {
  LocalMachine machine;
  JobSpec spec = shell_spec(machine.folder.path(), "echo begun; sleep 1000");
  spec.limits.run_timeout = std::chrono::milliseconds(200);
  const JobOutcome outcome = machine.outcome_of(spec);
  CHECK(outcome.failure == FailureClass::timeout);
  CHECK(outcome.status == JobStatus::error);
  CHECK_FALSE(outcome.completed);
  CHECK_FALSE(outcome.cancelled);
  CHECK(outcome.signal == 15);
  CHECK(contains(outcome.message, "200ms"));
  CHECK(machine.file("stdout") == "begun\n");
}

TEST_CASE("a cancelled job may clean up within its grace", "[runners]") {
  LocalMachine machine;
  const Fifo fifo(machine.folder / "fifo");
  JobSpec spec =
      shell_spec(machine.folder.path(), "trap 'echo cleaned; exit 0' TERM; echo > " + fifo.path() +
                                            "; while :; do sleep 0.01; done");
  spec.limits.grace = std::chrono::seconds(30);
  machine.runner->start(spec);
  REQUIRE(fifo.await());
  machine.runner->cancel(spec.token);
  REQUIRE(machine.await_end());
  const JobOutcome& outcome = machine.log.ends.at(0).outcome;
  CHECK(outcome.cancelled);
  CHECK_FALSE(outcome.completed);
  CHECK(machine.file("stdout") == "cleaned\n");
}

TEST_CASE("a job that ignores TERM is killed after its grace, with all it started", "[runners]") {
  LocalMachine machine;
  const Fifo fifo(machine.folder / "fifo");
  machine.runner->start(shell_spec(
      machine.folder.path(),
      "trap '' TERM; sleep 1000 & setsid sleep 1000 & echo > " + fifo.path() + "; wait"));
  REQUIRE(fifo.await());
  REQUIRE(run_until(machine.io, [&] { return !machine.log.starts.empty(); }));
  machine.runner->cancel(Token("run.1"));
  REQUIRE(machine.await_end());
  CHECK(machine.log.ends.at(0).outcome.cancelled);
  CHECK(machine.log.ends.at(0).outcome.signal == 9);
  CHECK(attempt_processes(machine.log.starts[0].identity, Token("run.1")).empty());
}

TEST_CASE("a cancel right after the start ends the attempt, started or not", "[runners]") {
  LocalMachine machine;
  for (int i = 0; i < 10; ++i) {
    const std::string token = "run." + std::to_string(i);
    machine.log.ends.clear();
    machine.runner->start(shell_spec(machine.folder.path(), "sleep 1000", token));
    if (i % 2 == 1) machine.io.run_one();
    machine.runner->cancel(Token(token));
    REQUIRE(machine.await_end());
    CHECK(machine.log.ends[0].outcome.cancelled);
  }
}

TEST_CASE("what a finished job leaves behind is ended and noted", "[runners]") {
  LocalMachine machine;
  const JobOutcome outcome = machine.outcome_of(shell_spec(
      machine.folder.path(), "(trap '' TERM; sleep 1000) & setsid sleep 1000 & echo done"));
  CHECK(outcome.completed);
  CHECK(contains(outcome.message, "left behind"));
  CHECK(contains(machine.file("supervisor.log"), "left behind"));
  CHECK(attempt_processes(machine.log.starts.at(0).identity, Token("run.1")).empty());
}

TEST_CASE("children that finish shortly after the job keep their output", "[runners]") {
  LocalMachine machine;
  JobSpec spec = shell_spec(machine.folder.path(), "(sleep 0.05; echo late) & echo early");
  spec.limits.grace = std::chrono::seconds(10);
  const JobOutcome outcome = machine.outcome_of(spec);
  CHECK(outcome.completed);
  CHECK(outcome.message.empty());
  CHECK(machine.file("stdout") == "early\nlate\n");
}

TEST_CASE("an output beyond its bound is matched whole and kept in part", "[runners]") {
  LocalMachine machine;
  JobSpec spec = shell_spec(machine.folder.path(),
                            "echo first; seq 100000; echo middle=7; seq 100000; echo last");
  spec.limits.output_bytes_max = 4096;
  spec.expect.log_contains = {"middle"};
  spec.parse = {{"m", cel::Type::integer(), "middle=(.*)", "", ""}};
  const JobOutcome outcome = machine.outcome_of(spec);
  CHECK(outcome.completed);
  CHECK(cel::to_json(*outcome.result.field("values")) == R"({"m":7})");
  const std::string kept = machine.file("stdout");
  CHECK(kept.size() < 4200);
  CHECK(kept.starts_with("first\n1\n"));
  CHECK(kept.ends_with("100000\nlast\n"));
  CHECK(contains(kept, " bytes dropped here]"));
  CHECK(outcome.artifacts.at(0) == Artifact{"stdout", sha256(kept), kept.size()});
}

TEST_CASE("where the whole output could not be matched the attempt ends resource", "[runners]") {
  LocalMachine machine;
  JobSpec spec = shell_spec(machine.folder.path(), "head -c 2000000 /dev/zero; echo; echo n=1");
  spec.parse = {{"n", cel::Type::integer(), "n=(.*)", "", ""}};
  const JobOutcome outcome = machine.outcome_of(spec);
  CHECK_FALSE(outcome.completed);
  CHECK(outcome.failure == FailureClass::resource);
}

TEST_CASE("a full disk ends the attempt resource, with a manifest", "[runners]") {
  LocalMachine machine;
  const auto disk = machine.folder / "disk";
  std::filesystem::create_directory(disk);
  JobSpec spec = shell_spec("/", "trap '' TERM; yes");
  std::ofstream(machine.folder / "spec.json") << spec_to_json(spec);
  // A disk of its own, seen by nobody else; needs user namespaces.
  const std::string base = machine.folder.path().native();
  const pid_t small =
      start_process({"unshare", "-Urm", "sh", "-c",
                     "mount -t tmpfs -o size=1m none " + base + "/disk || exit 77; cp " + base +
                         "/spec.json " + base + "/disk; " + test_supervisor() + " supervise " +
                         base + "/disk; cp " + base + "/disk/manifest.json " + base});
  const int status = await_process(small);
  if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 1) {
    WARN("no user namespaces here: the full disk was not tried");
    return;
  }
  const auto outcome = read_outcome(machine.folder.path(), manifest_file, spec.token);
  REQUIRE(outcome);
  CHECK_FALSE(outcome->completed);
  CHECK(outcome->failure == FailureClass::resource);
  CHECK(contains(outcome->message, "No space left"));
}

TEST_CASE("a kind of our own runs in the job's process and gives its result", "[runners]") {
  LocalMachine machine;
  const JobOutcome outcome =
      machine.outcome_of(own_spec(machine.folder.path(), "print", "hello from within"));
  CHECK(outcome.completed);
  CHECK(outcome.result.string_or("echo", "") == "hello from within");
  REQUIRE(outcome.facts.size() == 1);
  CHECK(outcome.facts[0].type == "test.passed");
  CHECK(machine.file("stdout") == "hello from within\n");
  CHECK_FALSE(outcome.exit_code);

  const JobOutcome token =
      machine.outcome_of(own_spec(machine.folder.path(), "token", "", "run.2"));
  CHECK(token.result.string_or("echo", "") == "run.2");
  const JobOutcome skipped =
      machine.outcome_of(own_spec(machine.folder.path(), "skip", "", "run.3"));
  CHECK(skipped.status == JobStatus::skipped);
  CHECK_FALSE(skipped.completed);
}

TEST_CASE("a kind of our own that breaks is a failure of the job alone", "[runners]") {
  LocalMachine machine;
  struct Case {
    const char* what;
    FailureClass failure;
    const char* message;
  };
  const auto broken = GENERATE(values<Case>({
      {"throw", FailureClass::code, "bug of the kind test.own: it threw no reason"},
      {"misfit", FailureClass::code, "bug of the kind test.own"},
      {"abort", FailureClass::code, "SIGABRT"},
      {"kill", FailureClass::resource, "SIGKILL"},
      {"huge", FailureClass::resource, "262144"},
  }));
  const JobOutcome outcome = machine.outcome_of(own_spec(machine.folder.path(), broken.what));
  CHECK_FALSE(outcome.completed);
  CHECK(outcome.status == JobStatus::error);
  CHECK(outcome.failure == broken.failure);
  CHECK(contains(outcome.message, broken.message));
  CHECK(outcome.result.is_null());
}

TEST_CASE("log expectations hold for kinds of our own too", "[runners]") {
  LocalMachine machine;
  JobSpec spec = own_spec(machine.folder.path(), "print", "something else");
  spec.expect.log_contains = {"success"};
  const JobOutcome outcome = machine.outcome_of(spec);
  CHECK_FALSE(outcome.completed);
  CHECK(outcome.failure == FailureClass::code);
}

TEST_CASE("descriptors and signal settings of the engine do not reach the job", "[runners]") {
  LocalMachine machine;
  const int leaky = ::dup(1);  // without close-on-exec
  const JobOutcome outcome = machine.outcome_of(shell_spec(
      machine.folder.path(), "ls /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status"));
  ::close(leaky);
  const std::string text = outcome.result.string_or("output", "");
  CHECK(text.starts_with("0\n1\n2\n3\nSigBlk"));  // 3: the folder that ls reads
  CHECK(contains(text, "SigBlk:\t0000000000000000\n"));
  INFO(text);
  // Signals 32 and 33 are the C library's own; posix_spawn leaves them ignored.
  const std::size_t ignored = text.find("SigIgn:\t");
  REQUIRE(ignored != std::string::npos);
  CHECK((std::stoull(text.substr(ignored + 8), nullptr, 16) & 0x7fffffff) == 0);
}

}  // namespace checkride

// One behaviour suite over the real runner and over its fake, so that the fake stays honest.
#include "tests/support/runner_suite.h"

#include "engine/ports/job_kind.h"
#include "tests/support/scripted_runner.h"
#include "tests/unit/runners/harness.h"

namespace checkride {

namespace {

struct LocalWorld : LocalMachine {
  JobRunner& runner() { return *LocalMachine::runner; }
  JobSpec passing(const Token& token) {
    return shell_spec(folder.path(), "echo fine", token.value);
  }
  JobSpec failing(const Token& token) { return shell_spec(folder.path(), "exit 3", token.value); }
  JobSpec waiting(const Token& token) {
    return shell_spec(folder.path(), "exec sleep 1000", token.value);
  }
};

struct ScriptedMachine {
  ScriptedMachine()
      : world([](const JobSpec& spec) {
          return spec.state == "failing"
                     ? not_completed(JobStatus::fail, FailureClass::code, "it said no")
                     : completed({});
        }) {
    world.holds = [](const JobSpec& spec) { return spec.state == "waiting"; };
    restart();
  }
  JobRunner& runner() { return *scripted; }
  void restart() {
    scripted.reset();
    scripted = std::make_unique<ScriptedRunner>(io, log, world);
  }
  JobSpec spec(const Token& token, const std::string& state) {
    JobSpec made;
    made.token = token;
    made.state = state;
    return made;
  }
  JobSpec passing(const Token& token) { return spec(token, "passing"); }
  JobSpec failing(const Token& token) { return spec(token, "failing"); }
  JobSpec waiting(const Token& token) { return spec(token, "waiting"); }

  boost::asio::io_context io;
  RunnerLog log;
  ScriptedWorld world;
  std::unique_ptr<ScriptedRunner> scripted;
};

}  // namespace

TEST_CASE("the local runner does what the port says", "[runners]") {
  runner_suite<LocalWorld>();
}

TEST_CASE("the scripted runner does what the port says", "[runners]") {
  runner_suite<ScriptedMachine>();
}

TEST_CASE("the scripted world notices a second start of a token", "[runners]") {
  ScriptedMachine machine;
  const Token token("run.1");
  machine.runner().start(machine.waiting(token));
  machine.restart();
  machine.runner().start(machine.waiting(token));
  CHECK(machine.world.started().size() == 1);
  CHECK(machine.world.double_starts() == std::vector<Token>{token});
}

TEST_CASE("the scripted world loses and forgets attempts on demand", "[runners]") {
  ScriptedMachine machine;
  machine.runner().start(machine.waiting(Token("run.1")));
  machine.runner().start(machine.waiting(Token("run.2")));
  machine.world.lose(Token("run.1"));
  machine.world.forget(Token("run.2"));
  REQUIRE(run_until(machine.io,
                    [&] { return !machine.log.ends.empty() && !machine.log.unknowns.empty(); }));
  CHECK(machine.log.ends[0].outcome.failure == FailureClass::lost);
  CHECK(machine.log.unknowns[0].first == Token("run.2"));
}

}  // namespace checkride

// Runs start, jobs end well or badly, are tried again, and are left behind.
#include <catch2/catch.hpp>

#include "tests/support/given.h"

namespace checkride {
namespace {

using namespace test;

const char* const one_job = R"(
params: {n: {type: int, default: 1}}
result: {n: int}
states:
  a:
    title: A
    invoke: {job: work, with: {n: "${params.n}"}}
    on:
      done: [{guard: result.n > 0, target: end}, {target: bad}]
      error: bad
  end: {type: final, output: {n: "${jobs.a.n + 1}"}}
  bad: {type: final, outcome: failed}
)";

TEST_CASE("a start enters the chart and intends the first job with its inputs") {
  Given g(one_job);
  const Decision d = g.start();
  CHECK(names(d) == "RunStarted TransitionTaken InvocationStarted JobIntended");
  CHECK(g.active() == "a");
  const JobIntended& intent = g.intent("a");
  CHECK(intent.spec.inputs.find("n")->as_int() == 1);
  CHECK(intent.spec.token == token_of(g.run, Sequence(4)));
  CHECK(intent.digest == spec_digest(intent.spec));
  const auto owed = outstanding(g.state);
  REQUIRE(owed.size() == 1);
  CHECK(std::get<RunJob>(owed[0]).intent->spec.token == intent.spec.token);
}

TEST_CASE("a start with a wrong parameter is refused and leaves no run") {
  Given g(one_job);
  cel::Map params;
  params.set("n", cel::Value("seven"));
  const Decision d = g.start(params);
  CHECK_FALSE(d.accepted);
  CHECK(find<CommandRejected>(d)->code == RejectionCode::bad_params);
  CHECK(d.reason.find("'n'") != std::string::npos);
  CHECK(d.next.mode == RunMode::absent);
  params = cel::Map();
  params.set("m", cel::Value(1));
  CHECK(find<CommandRejected>(g.start(params))->code == RejectionCode::bad_params);
}

TEST_CASE("a start of another definition, and a second start, are refused") {
  Given g(one_job);
  StartRun start;
  start.definition = sha256("another");
  CHECK(find<CommandRejected>(g.when(start))->code == RejectionCode::definition_mismatch);
  g.start();
  CHECK(find<CommandRejected>(g.start())->code == RejectionCode::run_already_started);
}

TEST_CASE("commands to a run that never was, or has ended, are refused") {
  Given g(one_job);
  CHECK(find<CommandRejected>(g.when(CancelRun{"why"}))->code == RejectionCode::run_unknown);
  g.start();
  g.finish("a", passed(1));
  CHECK(find<CommandRejected>(g.when(CancelRun{"why"}))->code == RejectionCode::run_finished);
}

TEST_CASE("a result goes to the done handler, and the run ends with its output") {
  Given g(one_job);
  g.start();
  const Decision d = g.finish("a", passed(4));
  CHECK(names(d) ==
        "JobFinished InvocationFinished GuardEvaluated VerdictGiven TransitionTaken RunFinished");
  CHECK(g.state.outcome == RunOutcome::succeeded);
  CHECK(g.state.output.int_or("n", 0) == 5);
  CHECK(g.verdict("a") == "passed");
  const GuardEvaluated& guards = *find<GuardEvaluated>(d);
  CHECK(guards.trigger == "done.invoke.a");
  REQUIRE(guards.candidates.size() == 1);
  CHECK(guards.candidates[0].holds);
  REQUIRE(guards.candidates[0].facts.size() == 1);
  CHECK(guards.candidates[0].facts[0].path == "result.n");
  CHECK(guards.candidates[0].facts[0].value->as_int() == 4);
}

TEST_CASE("an attempt without a result goes to the error handler") {
  Given g(one_job);
  g.start();
  g.finish("a", failed(FailureClass::code));
  CHECK(g.state.outcome == RunOutcome::failed);
  CHECK(g.verdict("a") == "failed");
}

const char* const retrying = R"(
data: {attempts: {type: int, default: 0}, why: {type: string, default: ""}}
states:
  a:
    invoke:
      job: work
      retry:
        infra: {max: 2, backoff: 1s, factor: 2, jitter: 0.5}
        flaky: {max: 1}
    on:
      done: end
      error: {target: bad, actions: [{assign: {attempts: error.attempts, why: error.class}}]}
  end: {type: final}
  bad: {type: final, outcome: failed}
)";

TEST_CASE("an attempt is tried again after its class's backoff, the same on replay") {
  std::vector<Timestamp> dues[2];
  for (auto& due : dues) {
    Given g(retrying);
    g.start();
    for (int attempt = 1; attempt <= 2; ++attempt) {
      const Decision d = g.finish("a", failed(FailureClass::infra));
      CHECK(names(d) == "JobFinished RetryScheduled TimerSet");
      const RetryScheduled& retry = *find<RetryScheduled>(d);
      CHECK(retry.attempt == static_cast<std::uint32_t>(attempt) + 1);
      const Duration wait = retry.due - g.now;
      CHECK(wait >= std::chrono::milliseconds(500) * attempt);
      CHECK(wait <= std::chrono::milliseconds(1500) * attempt);
      CHECK(wait != std::chrono::seconds(attempt));  // spread
      due.push_back(retry.due);
      CHECK(outstanding(g.state).size() == 1);
      CHECK(names(g.fire("retry.")) == "TimerFired JobIntended");
      CHECK(g.intent("a").attempt == static_cast<std::uint32_t>(attempt) + 1);
    }
    g.finish("a", failed(FailureClass::infra));
    CHECK(g.active() == "bad");
    CHECK(g.data("attempts").as_int() == 3);
    CHECK(g.data("why").as_string() == "infra");
  }
  CHECK(dues[0] == dues[1]);
}

TEST_CASE("a class without a rule is not tried again") {
  Given g(retrying);
  g.start();
  g.finish("a", failed(FailureClass::code));
  CHECK(g.active() == "bad");
  CHECK(g.data("attempts").as_int() == 1);
}

TEST_CASE("an attempt that never started is asked for again and not counted") {
  Given g(retrying);
  g.start();
  const Token first = g.token("a");
  for (int i = 0; i < 5; ++i)
    CHECK(names(g.finish("a", never_started())) == "JobFinished JobIntended");
  CHECK(g.token("a") != first);
  CHECK(g.intent("a").attempt == 1);
}

TEST_CASE("a timer that is not set, or was set for another time, does not fire") {
  Given g(retrying);
  g.start();
  CHECK(find<CommandRejected>(g.when(FireTimer{TimerId("x"), g.now}))->code ==
        RejectionCode::timer_not_set);
  g.finish("a", failed(FailureClass::infra));
  const auto [id, timer] = *g.state.timers.begin();
  CHECK(find<CommandRejected>(g.when(FireTimer{id, timer.due + std::chrono::seconds(1)}))->code ==
        RejectionCode::timer_not_set);
  CHECK(g.when(FireTimer{id, timer.due}).accepted);
  CHECK_FALSE(g.when(FireTimer{id, timer.due}).accepted);
}

TEST_CASE("a second result of an attempt, and one of nobody, go nowhere") {
  Given g(retrying);
  g.start();
  const Token token = g.token("a");
  CHECK(names(g.finish(Token("r.77"), passed())) == "StaleResultRejected");
  CHECK(g.active() == "a");
  g.finish(token, passed());
  CHECK(names(g.finish(token, failed(FailureClass::code))) == "StaleResultRejected");
  CHECK(g.state.outcome == RunOutcome::succeeded);
}

TEST_CASE("leaving a state cancels its job, and what follows waits for its end") {
  Given g(R"(
states:
  a:
    invoke: {job: work}
    on: {done: bad, error: bad}
    after: {10s: b}
  b:
    invoke: {job: work}
    on: {done: end, error: bad}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  g.start();
  const Token left = g.token("a");
  CHECK(outstanding(g.state).size() == 2);
  const Decision d = g.fire("after.");
  CHECK(names(d) == "TimerFired JobCancelRequested TransitionTaken InvocationStarted JobIntended");
  auto owed = outstanding(g.state);
  REQUIRE(owed.size() == 1);
  CHECK(std::get<StopJob>(owed[0]).intent->spec.token == left);
  // Too late: it counts for nothing, but its end lets the next one start.
  CHECK(names(g.finish(left, passed())) == "StaleResultRejected");
  owed = outstanding(g.state);
  REQUIRE(owed.size() == 1);
  CHECK(std::get<RunJob>(owed[0]).intent->spec.state == "b");
  g.finish("b", passed());
  CHECK(g.state.outcome == RunOutcome::succeeded);
}

TEST_CASE("a run is finished only when no attempt of it lives") {
  Given g(R"(
states:
  a:
    invoke: {job: work}
    on: {done: end, error: end}
    after: {10s: end}
  end: {type: final}
)");
  g.start();
  const Token token = g.token("a");
  CHECK(names(g.fire("after.")) == "TimerFired JobCancelRequested TransitionTaken");
  CHECK(g.active() == "end");
  CHECK_FALSE(g.state.finished());
  CHECK(names(g.finish(token, failed(FailureClass::none))) == "StaleResultRejected RunFinished");
  CHECK(g.state.outcome == RunOutcome::succeeded);
}

TEST_CASE("that a job started or was adopted is recorded and changes nothing else") {
  Given g(one_job);
  g.start();
  const Token token = g.token("a");
  g.when(MarkJobStarted{token, {}});
  CHECK(g.state.jobs.at(token).phase == JobPhase::started);
  g.when(AdoptJob{token, {}});
  CHECK(g.state.jobs.at(token).phase == JobPhase::started);
  CHECK(outstanding(g.state).size() == 1);
}

}  // namespace
}  // namespace checkride

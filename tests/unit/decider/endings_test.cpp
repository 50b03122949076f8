// How runs end: incomplete, cancelled, rolled back; and what they say about themselves.
#include <catch2/catch.hpp>

#include "tests/support/given.h"

namespace checkride {
namespace {

using namespace test;
using How = ResolveIncident::How;

Given line(const std::string& transition, const std::string& more = "") {
  Given g(R"(
states:
  a:
    title: A
)" + more +
          R"(
    invoke: {job: work}
    on:
      done: )" +
          transition + R"(
      error: {target: end, verdict: passed, note: "not so bad: ${error.class}"}
  end: {type: final}
)");
  g.start();
  return g;
}

TEST_CASE("a run that reaches its end with an unsatisfied required state is incomplete") {
  Given g = line("end");
  SECTION("skipped") {
    g.finish("a", passed(0, JobStatus::skipped));
    CHECK(g.verdict("a") == "skipped");
  }
  SECTION("unavailable") {
    g.finish("a", passed(0, JobStatus::unavailable));
    CHECK(g.verdict("a") == "unavailable");
  }
  SECTION("failed") {
    g.finish("a", passed(0, JobStatus::fail));
    CHECK(g.verdict("a") == "failed");
  }
  CHECK(g.state.outcome == RunOutcome::incomplete);
  CHECK(g.state.unsatisfied == std::vector{g.index("a")});
  CHECK(g.state.outcome_reason.find("a (") != std::string::npos);
}

TEST_CASE("an optional state makes no run incomplete") {
  Given g = line("end", "    optional: true\n");
  g.finish("a", passed(0, JobStatus::skipped));
  CHECK(g.state.outcome == RunOutcome::succeeded);
}

TEST_CASE("a verdict given by the procedure never turns skipped or unavailable into passed") {
  Given g = line("{target: end, verdict: passed}");
  SECTION("skipped stays") {
    g.finish("a", passed(0, JobStatus::skipped));
    CHECK(g.verdict("a") == "skipped");
  }
  SECTION("unavailable stays") {
    g.finish("a", passed(0, JobStatus::unavailable));
    CHECK(g.verdict("a") == "unavailable");
  }
  SECTION("an error for want of a device stays unavailable") {
    g.finish("a", failed(FailureClass::unavailable));
    CHECK(g.verdict("a") == "unavailable");
  }
  CHECK(g.state.outcome == RunOutcome::incomplete);
}

TEST_CASE("a verdict given by the procedure overrides a failure, with its note") {
  Given g = line("end");
  g.finish("a", failed(FailureClass::code));
  CHECK(g.verdict("a") == "passed");
  CHECK(g.state.verdicts.at(g.index("a")).note == "not so bad: code");
  CHECK(g.state.outcome == RunOutcome::succeeded);
}

TEST_CASE("a state that was never reached counts as unsatisfied") {
  Given g(R"(
states:
  a:
    invoke: {job: work}
    on: {done: end, error: b}
  b:
    title: B
    invoke: {job: work}
    on: {done: end, error: end}
  end: {type: final}
)");
  g.start();
  g.finish("a", passed());
  CHECK(g.state.outcome == RunOutcome::incomplete);
  CHECK(g.state.outcome_reason.find("never reached") != std::string::npos);
}

TEST_CASE("cancelling stops jobs, gates and timers, and ends when the last job has") {
  Given g = line("end");
  const Token token = g.token("a");
  CHECK(names(g.when(CancelRun{"enough"})) == "RunCancelRequested JobCancelRequested");
  CHECK(g.state.mode == RunMode::cancelling);
  REQUIRE(outstanding(g.state).size() == 1);
  CHECK(std::holds_alternative<StopJob>(outstanding(g.state)[0]));
  g.when(CancelRun{"really"});
  CHECK(names(g.finish(token, failed(FailureClass::none))) == "StaleResultRejected RunFinished");
  CHECK(g.state.outcome == RunOutcome::cancelled);
  CHECK(g.state.outcome_reason == "really");
}

const char* const steps = R"(
data: {n: {type: int, default: 0}}
states:
  one:
    invoke: {job: work, with: {n: 1}}
    undo: {job: work, with: {n: "${jobs.one.n}"}}
    on: {done: two, error: bad}
  two:
    invoke: {job: work, with: {n: 2}}
    undo: {job: safe, with: {n: "${jobs.two.n}"}}
    on: {done: three, error: bad}
  three:
    invoke: {job: work, with: {n: 3}}
    undo: {job: work}
    on: {done: end, error: undone}
  end: {type: final}
  bad: {type: final, outcome: failed}
  undone: {type: final, outcome: rolled-back}
)";

Given at_three() {
  Given g(steps);
  g.start();
  g.finish("one", passed(11));
  g.finish("two", passed(22));
  return g;
}

// Rolled back while three was at work, and three is undone.
Given undone_to_two() {
  Given g = at_three();
  g.when(RollbackRun{"back"});
  g.finish("three", failed(FailureClass::none));
  g.finish("three", passed());
  return g;
}

TEST_CASE("a rollback undoes what was done or begun, newest first, one at a time") {
  Given g = at_three();
  CHECK(names(g.when(RollbackRun{"back"})) == "RollbackRequested JobCancelRequested");
  CHECK(names(g.finish("three", failed(FailureClass::none))) ==
        "StaleResultRejected CompensationStarted JobIntended");
  CHECK(g.intent("three").purpose == JobPurpose::undo);
  CHECK(names(g.finish("three", passed())) ==
        "JobFinished CompensationFinished CompensationStarted JobIntended");
  CHECK(g.intent("two").purpose == JobPurpose::undo);
  CHECK(g.intent("two").spec.inputs.find("n")->as_int() == 22);
  CHECK(g.tokens("one").empty());
  CHECK(names(g.finish("two", passed())) ==
        "JobFinished CompensationFinished CompensationStarted JobIntended");
  CHECK(g.intent("one").spec.inputs.find("n")->as_int() == 11);
  CHECK_FALSE(g.when(CancelRun{"x"}).accepted);
  CHECK_FALSE(g.when(RollbackRun{"x"}).accepted);
  CHECK(names(g.finish("one", passed())) == "JobFinished CompensationFinished RunFinished");
  CHECK(g.state.outcome == RunOutcome::rolled_back);
  CHECK_FALSE(g.when(RollbackRun{"x"}).accepted);
}

TEST_CASE("a finished run can be rolled back") {
  Given g = at_three();
  g.finish("three", passed());
  REQUIRE(g.state.outcome == RunOutcome::succeeded);
  g.when(RollbackRun{"back"});
  for (const char* state : {"three", "two", "one"}) g.finish(state, passed());
  CHECK(g.state.outcome == RunOutcome::rolled_back);
}

TEST_CASE("a cancelled run can be rolled back, the state at work included") {
  Given g = at_three();
  g.when(CancelRun{"enough"});
  g.finish("three", failed(FailureClass::none));
  REQUIRE(g.state.outcome == RunOutcome::cancelled);
  g.when(RollbackRun{"back"});
  for (const char* state : {"three", "two", "one"}) g.finish(state, passed());
  CHECK(g.state.outcome == RunOutcome::rolled_back);
}

TEST_CASE("a procedure can end by rolling itself back") {
  Given g = at_three();
  g.finish("three", failed(FailureClass::code));
  CHECK(g.state.mode == RunMode::rolling_back);
  g.finish("two", passed());
  g.finish("one", passed());
  CHECK(g.state.outcome == RunOutcome::rolled_back);
}

TEST_CASE("a parked run can be rolled back without an answer to its incident") {
  Given g = at_three();
  g.finish("three", lost());
  REQUIRE(g.state.parked());
  CHECK(names(g.when(RollbackRun{"back"})) == "RollbackRequested CompensationStarted JobIntended");
  CHECK_FALSE(g.state.parked());
  CHECK(g.intent("three").purpose == JobPurpose::undo);  // how much it did, nobody knows
}

TEST_CASE("an undo that fails asks a person") {
  Given g = undone_to_two();
  g.finish("two", failed(FailureClass::code, "no such branch"));
  CHECK(g.incident().kind == IncidentKind::undo_failed);
  CHECK(g.state.jobs.empty());

  SECTION("retry undoes it again") {
    CHECK(names(g.resolve(How::retry)) == "IncidentResolved CompensationStarted JobIntended");
    g.finish("two", passed());
  }
  SECTION("give-up leaves it to the person and goes on") {
    g.resolve(How::give_up);
  }
  SECTION("goto is no way out of a rollback") {
    CHECK_FALSE(g.resolve(How::jump, "one").accepted);
    g.resolve(How::give_up);
  }
  CHECK(g.intent("one").purpose == JobPurpose::undo);
  g.finish("one", passed());
  CHECK(g.state.outcome == RunOutcome::rolled_back);
}

TEST_CASE("an undo that is lost is repeated where that is safe, else a person is asked") {
  Given g = undone_to_two();
  g.finish("two", never_started());
  CHECK(g.intent("two").attempt == 1);
  g.finish("two", lost());
  CHECK(g.intent("two").attempt == 2);
  g.finish("two", passed());
  g.finish("one", lost());
  CHECK(g.incident().kind == IncidentKind::undo_failed);
}

TEST_CASE("an undo whose end is unknown is settled by a person") {
  Given g = undone_to_two();
  const Token token = g.token("two");
  g.when(ReportJobUnknown{token, "no answer"});
  CHECK(g.incident().kind == IncidentKind::job_unknown);
  SECTION("retry") {
    g.resolve(How::retry);
    CHECK(g.intent("two").purpose == JobPurpose::undo);
    CHECK(g.token("two") != token);
    g.finish("two", passed());
  }
  SECTION("finished") {
    g.resolve(How::finished, {}, passed());
  }
  SECTION("lost, then given up") {
    g.resolve(How::lost);
    CHECK(g.incident().kind == IncidentKind::undo_failed);
    g.resolve(How::give_up);
  }
  SECTION("given up") {
    g.resolve(How::give_up);
  }
  CHECK(g.intent("one").purpose == JobPurpose::undo);
}

TEST_CASE("a summary shows what a list of runs needs") {
  Given g = line("end");
  RunSummary summary = summarize(g.state);
  CHECK(summary.owes_work);
  CHECK(summary.jobs == 1);
  CHECK(summary.definition == g.definition->hash);
  g.finish("a", passed());
  summary = summarize(g.state);
  CHECK_FALSE(summary.owes_work);
  CHECK(summary.outcome == RunOutcome::succeeded);
}

TEST_CASE("a snapshot and the records after it fold to the same state as all records") {
  Given g = at_three();
  g.finish("three", passed());
  for (std::size_t cut = 0; cut <= g.records.size(); ++cut) {
    RunState state;
    for (std::size_t i = 0; i < cut; ++i) evolve(state, g.records[i]);
    RunState resumed = state;  // what a snapshot holds
    for (std::size_t i = cut; i < g.records.size(); ++i) evolve(resumed, g.records[i]);
    CHECK(resumed == g.state);
  }
}

}  // namespace
}  // namespace checkride

// Attempts that are gone or out of sight: repeated, looked into by a probe, or asked about.
#include <catch2/catch.hpp>

#include "tests/support/given.h"

namespace checkride {
namespace {

using namespace test;
using How = ResolveIncident::How;

Given with_kind(const std::string& invoke) {
  return Given(
      "data: {n: {type: int, default: 0}}\n"
      "states:\n"
      "  a:\n"
      "    title: A\n"
      "    invoke: " +
      invoke + R"(
    undo: {job: work}
    on:
      done: {target: hold, actions: [{assign: {n: result.n}}]}
      error: bad
  hold:
    invoke: {job: gate, with: {question: "go on?"}}
    on: {answer: end}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
}

TEST_CASE("a lost attempt that is safe to repeat starts again, three times in all") {
  Given g = with_kind("{job: safe}");
  g.start();
  for (std::uint32_t attempt = 2; attempt <= 3; ++attempt) {
    CHECK(names(g.finish("a", lost())) == "JobFinished JobIntended");
    CHECK(g.intent("a").attempt == attempt);
  }
  g.finish("a", lost());
  CHECK(g.active() == "bad");
}

TEST_CASE("a lost attempt that is not safe to repeat is never repeated silently") {
  Given g = with_kind("{job: work}");
  g.start();
  CHECK(names(g.finish("a", lost())) == "JobFinished IncidentRaised");
  CHECK(g.incident().kind == IncidentKind::job_lost);
  CHECK(outstanding(g.state).empty());
  CHECK(waits_for_person(g.state));

  SECTION("retry starts it again") {
    CHECK(names(g.resolve(How::retry)) == "IncidentResolved JobIntended");
    CHECK(g.intent("a").attempt == 2);
    g.finish("a", passed(3));
    CHECK(g.active() == "hold");
  }
  SECTION("finished gives the result a person found") {
    g.resolve(How::finished, {}, passed(9));
    CHECK(g.active() == "hold");
    CHECK(g.data("n").as_int() == 9);
    CHECK(g.verdict("a") == "passed");
  }
  SECTION("finished without a result, or with one of another type, is refused") {
    CHECK_FALSE(g.resolve(How::finished).accepted);
    JobOutcome wrong = passed();
    wrong.result = cel::Value("text");
    CHECK_FALSE(g.resolve(How::finished, {}, wrong).accepted);
    CHECK(g.state.parked());
  }
  SECTION("finished with a failure goes to the error handler") {
    g.resolve(How::finished, {}, failed(FailureClass::code));
    CHECK(g.active() == "bad");
  }
  SECTION("lost and give-up go to the error handler") {
    const bool lost_it = GENERATE(true, false);
    g.resolve(lost_it ? How::lost : How::give_up);
    CHECK(g.active() == "bad");
  }
  SECTION("started is no answer: it is known to be gone") {
    CHECK(find<CommandRejected>(g.resolve(How::started))->code ==
          RejectionCode::resolution_not_applicable);
  }
  SECTION("goto enters the state") {
    g.resolve(How::jump, "hold");
    CHECK(g.active() == "hold");
    CHECK(g.state.gates.size() == 1);
  }
  SECTION("an answer needs a reason, and an incident that is open") {
    ResolveIncident resolve;
    CHECK(find<CommandRejected>(g.when(resolve))->code == RejectionCode::reason_missing);
    resolve.reason = "why";
    resolve.incident = IncidentId("i999");
    CHECK(find<CommandRejected>(g.when(resolve))->code == RejectionCode::incident_not_open);
  }
}

TEST_CASE("an attempt whose end is unknown parks the run until a person says what became of it") {
  Given g = with_kind("{job: safe}");
  g.start();
  const Token token = g.token("a");
  CHECK(names(g.when(ReportJobUnknown{token, "no answer"})) == "JobUnknown IncidentRaised");
  CHECK(g.incident().kind == IncidentKind::job_unknown);
  CHECK(g.state.jobs.at(token).phase == JobPhase::unknown);
  CHECK(outstanding(g.state).empty());
  CHECK(waits_for_person(g.state));

  SECTION("started: it is looked for again") {
    CHECK(names(g.resolve(How::started)) == "IncidentResolved");
    const auto owed = outstanding(g.state);
    REQUIRE(owed.size() == 1);
    CHECK(std::get<RunJob>(owed[0]).intent->spec.token == token);
    g.when(ReportJobUnknown{token, "still no answer"});
    CHECK(g.incident().kind == IncidentKind::job_unknown);
  }
  SECTION("retry: the old one counts as ended and a new one starts") {
    g.resolve(How::retry);
    CHECK(g.tokens("a").size() == 1);
    CHECK(g.token("a") != token);
    CHECK(names(g.finish(token, passed())) == "StaleResultRejected");
  }
  SECTION("finished and lost end the invocation") {
    g.resolve(How::finished, {}, passed(2));
    CHECK(g.active() == "hold");
    CHECK(g.state.jobs.empty());
  }
  SECTION("lost") {
    g.resolve(How::lost);
    CHECK(g.active() == "bad");
    CHECK(g.state.finished());
  }
  SECTION("its end comes after all: nobody is asked any more") {
    g.finish(token, passed(5));
    CHECK_FALSE(g.state.parked());
    CHECK(g.active() == "hold");
  }
  SECTION("cancelled: it is looked for once more, and the run waits for its end") {
    g.when(CancelRun{"enough"});
    CHECK_FALSE(g.state.finished());
    REQUIRE(outstanding(g.state).size() == 1);
    CHECK(std::holds_alternative<StopJob>(outstanding(g.state)[0]));
    g.when(ReportJobUnknown{token, "again"});
    CHECK(g.state.incidents.size() == 1);
    SECTION("a person says it is lost") {
      CHECK(names(g.resolve(How::lost)) == "IncidentResolved RunFinished");
    }
    SECTION("a person says it runs: it is told to stop again") {
      g.resolve(How::started);
      REQUIRE(outstanding(g.state).size() == 1);
      CHECK(std::holds_alternative<StopJob>(outstanding(g.state)[0]));
      g.finish(token, lost());
    }
    CHECK(g.state.outcome == RunOutcome::cancelled);
  }
  SECTION("rolled back: nothing is undone before its end is known") {
    g.when(RollbackRun{"back"});
    g.when(ReportJobUnknown{token, "again"});
    CHECK(names(g.resolve(How::retry)) == "IncidentResolved CompensationStarted JobIntended");
    g.finish("a", passed());
    CHECK(g.state.outcome == RunOutcome::rolled_back);
  }
}

TEST_CASE("an unknown attempt of a state that was left says nothing about the state's new one") {
  Given g(R"(
states:
  a:
    invoke: {job: work}
    budget: 3
    exhausted: bad
    on: {done: end, error: bad}
    after: {10s: {target: a}}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  g.start();
  const Token old = g.token("a");
  g.fire("after.");
  REQUIRE(g.tokens("a").size() == 2);
  const Token fresh = g.token("a");
  g.when(ReportJobUnknown{old, "no answer"});
  g.resolve(GENERATE(How::retry, How::lost, How::give_up));
  CHECK(g.tokens("a") == std::vector<Token>{fresh});
  g.finish(fresh, passed());
  CHECK(g.state.outcome == RunOutcome::succeeded);
}

TEST_CASE("the probe of a lost attempt decides what follows") {
  Given g = with_kind("{job: probed, probe: {job: look}}");
  g.start();
  const Token token = g.token("a");
  CHECK(names(g.finish("a", lost())) == "JobFinished JobIntended");
  CHECK(g.intent("a").purpose == JobPurpose::probe);
  CHECK(g.intent("a").about == token);
  CHECK(g.intent("a").spec.kind == "look");

  SECTION("rerun") {
    g.finish("a", looked("rerun"));
    CHECK(g.intent("a").purpose == JobPurpose::invoke);
    CHECK(g.intent("a").attempt == 2);
    g.finish("a", passed(1));
    CHECK(g.active() == "hold");
  }
  SECTION("finished, with the result") {
    g.finish("a", looked("finished", 7));
    CHECK(g.active() == "hold");
    CHECK(g.data("n").as_int() == 7);
  }
  SECTION("finished without a result is not believed") {
    g.finish("a", looked("finished"));
    CHECK(g.incident().kind == IncidentKind::job_lost);
  }
  SECTION("unknown asks a person, with all that was found") {
    g.finish("a", looked("unknown"));
    CHECK(g.incident().message.find("one; two") != std::string::npos);
    CHECK(g.incident().job == token);
    g.resolve(How::retry);
    CHECK(g.intent("a").purpose == JobPurpose::invoke);
  }
  SECTION("a probe that is lost or never started looks again") {
    g.finish("a", lost());
    g.finish("a", never_started());
    CHECK(g.intent("a").purpose == JobPurpose::probe);
    g.finish("a", looked("finished", 1));
    CHECK(g.active() == "hold");
  }
  SECTION("a probe that always gets lost does not go on for ever") {
    for (int i = 0; i < 40 && !g.state.parked(); ++i) g.finish("a", lost());
    CHECK(g.incident().kind == IncidentKind::job_lost);
  }
  SECTION("a probe that fails asks a person") {
    g.finish("a", failed(FailureClass::code, "cannot look"));
    CHECK(g.incident().message.find("cannot look") != std::string::npos);
  }
}

}  // namespace
}  // namespace checkride

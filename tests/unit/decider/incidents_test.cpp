// What parks a run, what waits meanwhile, and how it goes on.
#include <catch2/catch.hpp>

#include "tests/support/given.h"

namespace checkride {
namespace {

using namespace test;
using How = ResolveIncident::How;

// The guard divides by zero until a minute after the start.
const char* const failing_guard = R"(
data: {n: {type: int, default: 0}}
states:
  a:
    entry: [{assign: {n: data.n + 1}}]
    invoke: {job: work}
    on:
      done:
        - guard: "1 / (now < timestamp('2023-11-14T22:14:20Z') ? 0 : 1) == result.n"
          target: end
        - bad
      error: bad
  end: {type: final}
  bad: {type: final, outcome: failed}
)";

TEST_CASE("a failing guard throws the macrostep away, and retry decides its input again") {
  Given g(failing_guard);
  g.start();
  const Decision d = g.finish("a", passed(1));
  CHECK(names(d) == "JobFinished InvocationFinished GuardEvaluated IncidentRaised");
  CHECK(find<GuardEvaluated>(d)->candidates[0].error != "");
  CHECK(g.incident().kind == IncidentKind::execution_error);
  CHECK(g.incident().state == g.index("a"));
  REQUIRE(g.state.queue.size() == 1);
  CHECK(g.state.queue[0].name == "done.invoke.a");
  CHECK(waits_for_person(g.state));

  SECTION("still failing") {
    CHECK(names(g.resolve(How::retry)) ==
          "IncidentResolved EventTaken GuardEvaluated IncidentRaised");
    CHECK(g.state.queue.size() == 1);
  }
  SECTION("right later") {
    g.now = g.now + std::chrono::hours(1);
    CHECK(names(g.resolve(How::retry)) ==
          "IncidentResolved EventTaken GuardEvaluated TransitionTaken RunFinished");
    CHECK(g.state.outcome == RunOutcome::succeeded);
  }
  SECTION("goto drops the result of the visit that was left") {
    g.resolve(How::jump, "a");
    CHECK(g.active() == "a");
    CHECK(g.tokens("a").size() == 1);
    CHECK(g.state.queue.empty());
    CHECK(g.data("n").as_int() == 2);
  }
  SECTION("give-up cancels the run") {
    g.resolve(How::give_up);
    CHECK(g.state.outcome == RunOutcome::cancelled);
    CHECK(g.state.outcome_reason == "given up: because");
  }
  SECTION("answers about a job do not apply") {
    for (const How how : {How::started, How::finished, How::lost})
      CHECK(find<CommandRejected>(g.resolve(how))->code ==
            RejectionCode::resolution_not_applicable);
    CHECK(find<CommandRejected>(g.resolve(How::jump, "nowhere"))->code ==
          RejectionCode::state_unknown);
  }
  SECTION("cancel and roll back need no answer first") {
    if (GENERATE(true, false))
      g.when(CancelRun{"x"});
    else
      g.when(RollbackRun{"x"});
    CHECK(g.state.finished());
    CHECK(g.state.incidents.empty());
  }
}

TEST_CASE("with `errors: event` a failing guard counts as false and raises error.execution") {
  Given g(R"(
errors: event
data: {n: {type: int, default: 0}}
states:
  a:
    invoke: {job: work}
    on:
      done: [{guard: 1 / data.n == 1, target: end}, {}]
      error: bad
      error.execution: end
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  g.start();
  const Decision d = g.finish("a", passed());
  CHECK_FALSE(g.state.parked());
  CHECK(g.state.outcome == RunOutcome::succeeded);
  CHECK(find<GuardEvaluated>(d)->candidates[0].error != "");
}

TEST_CASE("inputs that cannot be evaluated park the run before anything begins") {
  Given g(R"(
data: {n: {type: int, default: 0}}
states:
  a:
    invoke: {job: work, with: {n: "${1 / data.n}"}}
    on: {done: end, error: bad}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  CHECK(names(g.start()) == "RunStarted DataAssigned TransitionTaken IncidentRaised");
  CHECK(names(g.resolve(How::retry)) == "IncidentResolved IncidentRaised");
  g.resolve(How::jump, "end");
  CHECK(g.state.finished());
}

TEST_CASE("with `errors: event` such inputs raise error.execution") {
  Given g(R"(
errors: event
data: {n: {type: int, default: 0}}
states:
  a:
    invoke: {job: work, with: {n: "${1 / data.n}"}}
    on: {done: end, error: bad, error.execution: end}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  g.start();
  CHECK(g.active() == "end");
  CHECK(g.state.finished());
}

TEST_CASE("a start whose first macrostep fails is started again by retry") {
  Given g(R"(
data: {n: {type: int, default: 0}}
states:
  a:
    entry:
      - assign:
          n: "1 / (now < timestamp('2023-11-14T22:14:20Z') ? 0 : 1) "
    invoke: {job: work}
    on: {done: end, error: end}
  end: {type: final}
)");
  CHECK(names(g.start()) == "RunStarted DataAssigned IncidentRaised");
  CHECK(g.active() == "");
  SECTION("retry") {
    g.now = g.now + std::chrono::hours(1);
    g.resolve(How::retry);
    CHECK(g.active() == "a");
    CHECK(g.data("n").as_int() == 1);
  }
  SECTION("goto") {
    g.resolve(How::jump, "end");
    CHECK(g.state.finished());
  }
}

const char* const two_regions = R"(
data: {log: {type: string, default: ""}}
states:
  both:
    type: parallel
    on: {done: end}
    states:
      one:
        states:
          a:
            invoke: {job: work}
            on:
              done: {target: a2, actions: [{assign: {log: data.log + 'a'}}]}
              error: a2
          a2:
            invoke: {job: work}
            on: {done: a3, error: a3}
          a3: {type: final}
      two:
        states:
          b:
            invoke: {job: work, retry: {infra: {max: 1, backoff: 1s}}}
            on:
              done: {target: b2, actions: [{assign: {log: data.log + 'b'}}]}
              error: b2
          b2: {type: final}
      three:
        states:
          c:
            invoke: {job: work}
            on: {done: c2, error: c2}
          c2: {type: final}
  end: {type: final}
)";

TEST_CASE("a parked run goes on with its jobs, queues what comes and takes it in order") {
  Given g(two_regions);
  g.start();
  g.finish("c", lost());
  REQUIRE(g.state.parked());
  CHECK(outstanding(g.state).size() == 2);  // running jobs go on
  CHECK_FALSE(waits_for_person(g.state));
  CHECK(names(g.finish("b", passed())) == "JobFinished InvocationFinished EventQueued");
  CHECK(names(g.finish("a", passed())) == "JobFinished InvocationFinished EventQueued");
  CHECK(g.active() == "a b c");
  CHECK(waits_for_person(g.state));
  g.resolve(How::lost);
  CHECK(g.data("log").as_string() == "ba");
  CHECK(g.active() == "a2 b2 c2");
  g.finish("a2", passed());
  CHECK(g.state.outcome == RunOutcome::succeeded);
}

TEST_CASE("timers of a parked run wait") {
  Given g(two_regions);
  g.start();
  g.finish("b", failed(FailureClass::infra));
  CHECK(outstanding(g.state).size() == 3);
  g.finish("c", lost());
  CHECK(outstanding(g.state).size() == 1);
  g.resolve(How::retry);
  CHECK(outstanding(g.state).size() == 3);
}

TEST_CASE("of several incidents one must be named, and the run goes on after the last") {
  Given g(two_regions);
  g.start();
  g.finish("a", lost());
  g.finish("c", lost());
  CHECK(find<CommandRejected>(g.resolve(How::retry))->code == RejectionCode::incident_ambiguous);
  ResolveIncident first;
  first.incident = g.state.incidents.begin()->first;
  first.how = How::lost;
  first.reason = "because";
  g.when(first);
  CHECK(g.state.parked());
  CHECK(g.state.queue.size() == 1);
  g.resolve(How::lost);
  CHECK(g.active() == "a2 b c2");
}

TEST_CASE("goto leaves every region and cancels what runs there") {
  Given g(two_regions);
  g.start();
  g.finish("c", lost());
  CHECK_FALSE(g.resolve(How::jump, "a").events.empty());
  CHECK(g.active() == "a b c");
  CHECK(g.state.jobs.size() == 5);  // two end, three wait
  CHECK(outstanding(g.state).size() == 2);
}

Given looping(const std::string& exhausted) {
  return Given(R"(
states:
  loop:
    initial: a
    on: {done: end}
    states:
      a:
        budget: 2
        exhausted: )" +
               exhausted + R"(
        invoke: {job: work}
        on: {done: out, error: {target: a}}
      out: {type: final}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
}

TEST_CASE("a budget that is used up takes the exhausted transition") {
  Given g = looping("bad");
  g.start();
  g.finish("a", failed(FailureClass::code));
  CHECK(g.active() == "a");
  const Decision d = g.finish("a", failed(FailureClass::code));
  CHECK(g.active() == "bad");
  CHECK(count<JobIntended>(d) == 0);
}

TEST_CASE("without such a transition it asks a person, and retry allows one more") {
  Given g = looping("incident");
  g.start();
  g.finish("a", failed(FailureClass::code));
  for (int i = 0; i < 3; ++i) {
    const Decision d = g.finish("a", failed(FailureClass::code));
    CHECK(count<JobIntended>(d) == 0);
    CHECK(g.incident().kind == IncidentKind::budget_exhausted);
    CHECK(g.active() == "a");
    CHECK(names(g.resolve(How::retry)) ==
          "IncidentResolved BudgetExtended InvocationStarted JobIntended");
  }
  g.finish("a", passed());
  CHECK(g.state.finished());
}

TEST_CASE("a run that nothing can wake is stuck, and says so") {
  Given g(R"(
data: {n: {type: int, default: 0}}
states:
  a:
    entry: [{if: [{guard: data.n > 0, actions: [{raise: go}]}]}]
    on: {go: end}
  end: {type: final}
)");
  g.start();
  CHECK(g.incident().kind == IncidentKind::stuck);
  g.resolve(How::retry);
  CHECK(g.incident().kind == IncidentKind::stuck);
  g.resolve(How::jump, "end");
  CHECK(g.state.finished());
}

TEST_CASE("what a chart sends itself without end raises an incident and loses nothing") {
  Given g(R"(
data: {n: {type: int, default: 0}}
states:
  a:
    entry: [{send: {event: again}}]
    on:
      again:
        - {guard: data.n > 10010, target: end}
        - actions: [{assign: {n: data.n + 1}}, {send: {event: again}}]
  end: {type: final}
)");
  g.start();
  CHECK(g.incident().kind == IncidentKind::limit);
  REQUIRE(g.state.queue.size() == 1);
  g.resolve(How::retry);
  CHECK(g.state.finished());
}

}  // namespace
}  // namespace checkride

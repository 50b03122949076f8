// Delayed transitions and delayed sends, on durable timers: due times come from the command that
// set them, and a fresh process owes the same timers.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/given.h"

namespace checkride {
namespace {

using namespace test;
using std::chrono::seconds;

std::vector<Timestamp> awaited(const RunState& state) {
  std::vector<Timestamp> due;
  for (const Obligation& owed : outstanding(state))
    if (const auto* timer = std::get_if<AwaitTimer>(&owed)) due.push_back(timer->due);
  std::sort(due.begin(), due.end());
  return due;
}

TEST_CASE("after: sets a timer on entry, fires once, and is cancelled by leaving") {
  Given g(R"(
states:
  p:
    type: parallel
    states:
      fast:
        states:
          a: {after: {10s: b}}
          b: {after: {30s: f}}
          f: {type: final}
      slow:
        after: {15s: end}
        states:
          c: {}
  end: {type: final}
)");
  const Decision started = g.start();
  CHECK(count<TimerSet>(started) == 2);
  const Timestamp begun = g.now;
  CHECK(awaited(g.state) == std::vector<Timestamp>{begun + seconds(10), begun + seconds(15)});

  const Decision d = g.fire("after.a");
  CHECK(find<TimerFired>(d) != nullptr);
  CHECK(g.active() == "b c");
  // Of a state entered by a timer: from the time it fired, not from the start.
  CHECK(awaited(g.state) == std::vector<Timestamp>{begun + seconds(15), g.now + seconds(30)});

  const Decision left = g.fire("after.slow");
  CHECK(g.state.finished());
  CHECK(awaited(g.state).empty());
  CHECK(g.state.timers.empty());
  CHECK(left.accepted);
}

TEST_CASE("a timer that fires late is recorded with its due and observed time") {
  Given g(R"(
states:
  a: {after: {10s: b}}
  b: {after: {10s: end}}
  end: {type: final}
)");
  g.start();
  const Timestamp due = awaited(g.state).at(0);
  g.now = due + seconds(1000);
  g.fire("after.a");
  CHECK(g.active() == "b");
  // The next delay counts from when it was seen.
  CHECK(awaited(g.state).at(0) > due + seconds(1000));
}

TEST_CASE("a guard chooses among delayed transitions, and the first that holds wins") {
  Given g(R"(
data: {n: {type: int, default: 0}}
states:
  a:
    after:
      10s:
        - {guard: data.n > 1, target: end}
        - {target: a, actions: {assign: {n: data.n + 1}}}
    budget: 5
    exhausted: bad
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  g.start();
  g.fire("after.a");
  CHECK(g.data("n").as_int() == 1);
  g.fire("after.a");
  CHECK(g.active() == "a");
  g.fire("after.a");
  CHECK(g.state.outcome == RunOutcome::succeeded);
}

TEST_CASE("a delayed send comes as an external event unless it is cancelled by its id") {
  Given g(R"(
states:
  a:
    entry:
      - {send: {event: tick, delay: 5s, id: t}}
      - {send: {event: tock, delay: 7s, id: u}}
    on:
      tick: {actions: {cancel: u}}
      tock: bad
    after: {1m: end}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  g.start();
  CHECK(awaited(g.state).size() == 3);
  g.fire("t#");
  CHECK(awaited(g.state).size() == 1);
  g.fire("after.");
  CHECK(g.state.outcome == RunOutcome::succeeded);
}

TEST_CASE("what fails under a timer parks the run, and the retry takes the timer's event again") {
  Given g(R"(
params: {list: {type: list<int>, default: [1]}}
states:
  a:
    after: {10s: [{guard: "params.list[3] == 1", target: end}, {target: end}]}
  end: {type: final}
)");
  g.start();
  const Decision d = g.fire("after.a");
  REQUIRE(g.state.parked());
  CHECK(g.incident().kind == IncidentKind::execution_error);
  CHECK(g.active() == "a");
  // The guard's trace is kept, the rest of the macrostep is not.
  CHECK(find<GuardEvaluated>(d) != nullptr);
  CHECK(find<TransitionTaken>(d) == nullptr);
  REQUIRE(g.state.queue.size() == 1);
  CHECK(g.state.queue.front().name == "after.a.0");
}

TEST_CASE("with errors: event the same failure is an event of the chart") {
  Given g(R"(
errors: event
params: {list: {type: list<int>, default: [1]}}
states:
  a:
    after: {10s: [{guard: "params.list[3] == 1", target: bad}, {target: b}]}
  b:
    on: {error.execution: end}
    after: {1h: bad}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  g.start();
  g.fire("after.a");
  CHECK_FALSE(g.state.parked());
  CHECK(g.state.outcome == RunOutcome::succeeded);
}

}  // namespace
}  // namespace checkride

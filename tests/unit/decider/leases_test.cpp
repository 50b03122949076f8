// Leases and limits of the wait for them: what may start, who is told, and that replay agrees.
#include <catch2/catch.hpp>

#include "tests/support/given.h"

namespace checkride {
namespace {

using namespace test;

const char* const benchmark = R"(
states:
  prepare:
    invoke: {job: work}
    on: {done: measure, error: bad}
  measure:
    invoke: {job: work, needs: {gpu: 2}, timeout: {queue: 10m}, retry: {timeout: {max: 1, backoff: 1s}}}
    on:
      done: end
      error:
        - {guard: "error.class == 'timeout' && has(error.limit) && error.limit == 'queue'", target: busy}
        - {target: bad}
  busy: {type: final, outcome: cancelled}
  end: {type: final}
  bad: {type: final, outcome: failed}
)";

LeaseOffer gpus(std::initializer_list<const char*> names, bool whole = true) {
  LeaseOffer offer;
  offer.boot_id = "boot";
  for (const char* name : names) offer.free.insert({"gpu", name});
  if (whole) offer.whole = {"gpu"};
  return offer;
}

Decision finish_with_offer(Given& g, const std::string& state, LeaseOffer offer) {
  Command command = g.command(FinishJob{g.token(state), passed(), {}, {}});
  command.offer = std::move(offer);
  return g.when(command);
}

GrantLease grant(const Token& token, std::initializer_list<const char*> names) {
  GrantLease lease{token, {}, false, "boot"};
  for (const char* name : names) lease.units.push_back({"gpu", name});
  return lease;
}

TEST_CASE("units that are free are granted in the record of the intent") {
  Given g(benchmark);
  g.start();
  const Decision decision = finish_with_offer(g, "prepare", gpus({"a", "b", "c"}));
  const LeaseGranted* granted = find<LeaseGranted>(decision);
  REQUIRE(granted != nullptr);
  CHECK(granted->command.units == std::vector<LeasedUnit>{{"gpu", "a"}, {"gpu", "b"}});
  CHECK(count<TimerSet>(decision) == 0);
  CHECK(std::holds_alternative<RunJob>(outstanding(g.state).at(0)));
  CHECK(summarize(g.state).leases == 1);
}

TEST_CASE("an attempt that must wait is not started before its grant") {
  Given g(benchmark);
  g.start();
  const Decision decision = finish_with_offer(g, "prepare", gpus({"a"}));
  CHECK(find<LeaseGranted>(decision) == nullptr);
  const Token token = g.token("measure");
  REQUIRE(std::holds_alternative<AwaitLease>(outstanding(g.state).at(0)));
  CHECK(find<TimerSet>(decision)->purpose == TimerPurpose::queue_limit);
  CHECK_FALSE(g.when(grant(token, {"a"})).accepted);  // not all it needs
  CHECK(names(g.when(grant(token, {"a", "b"}))) == "LeaseGranted TimerCancelled");
  CHECK(std::holds_alternative<RunJob>(outstanding(g.state).at(0)));
  CHECK_FALSE(g.when(grant(token, {"c", "d"})).accepted);  // it has what it needs
}

TEST_CASE("the end of an attempt gives its units back, however it ends") {
  Given g(benchmark);
  g.start();
  finish_with_offer(g, "prepare", gpus({"a", "b"}));
  REQUIRE(g.state.leases.size() == 1);
  SECTION("with a result") {
    const Decision done = g.finish("measure", passed());
    CHECK(count<LeaseReleased>(done) == 1);
    CHECK(g.state.finished());
  }
  SECTION("lost, and a person says so") {
    const Decision gone = g.finish("measure", lost());
    CHECK(count<LeaseReleased>(gone) == 1);
  }
  SECTION("not while its end is unknown, but when the machine has been rebooted") {
    g.when(ReportJobUnknown{g.token("measure"), "no answer"});
    CHECK(g.state.leases.size() == 1);
    CHECK(names(g.when(ReleaseLease{g.token("measure"), "rebooted"})) == "LeaseReleased");
    CHECK(g.state.leases.empty());
  }
  SECTION("cancelled: when its end is known, not before") {
    const Token token = g.token("measure");
    g.when(CancelRun{"enough"});
    CHECK(g.state.leases.size() == 1);
    g.finish(token, failed(FailureClass::none));
    CHECK(g.state.leases.empty());
    CHECK(g.state.finished());
  }
}

TEST_CASE("a wait has its limit, and its end says which") {
  Given g(benchmark);
  g.start();
  g.finish("prepare", passed());  // nobody drives: no offer
  const Decision first = g.fire("queue.");
  const JobFinished* ended = find<JobFinished>(first);
  REQUIRE(ended != nullptr);
  CHECK(ended->command.outcome.failure == FailureClass::timeout);
  CHECK(ended->command.outcome.limit == TimeLimit::queue);
  CHECK(ended->command.outcome.message == "it waited longer than its queue timeout of 10m 00s");
  CHECK(count<RetryScheduled>(first) == 1);
  g.fire("retry.");
  g.fire("queue.");
  CHECK(g.state.outcome == RunOutcome::cancelled);  // the guard read error.limit
}

TEST_CASE("a limit on the wait alone needs a go-ahead without units") {
  Given g(R"(
states:
  a: {invoke: {job: work, timeout: {queue: 1m}}, on: {done: end, error: bad}}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  g.start();
  CHECK(std::holds_alternative<AwaitLease>(outstanding(g.state).at(0)));
  CHECK(g.when(GrantLease{g.token("a"), {}, false, "boot"}).accepted);
  CHECK(g.state.timers.empty());
}

TEST_CASE("an exclusive attempt wants its resource to itself") {
  ResourceNeeds one{{{"gpu", 1}}, false};
  ResourceNeeds alone{{{"gpu", 1}}, true};
  LeaseOffer offer = gpus({"a", "b"});
  SECTION("nobody else gets in beside it") {
    CHECK(take(offer, alone)->front().name == "a");
    CHECK_FALSE(take(offer, one));
  }
  SECTION("it does not get in beside anybody") {
    CHECK(take(offer, one));
    CHECK_FALSE(take(offer, alone));
    CHECK(take(offer, one)->front().name == "b");
  }
  SECTION("who cannot be served is not overtaken") {
    const LeaseOffer before = offer;
    CHECK_FALSE(take(offer, ResourceNeeds{{{"gpu", 3}}, false}));
    CHECK(offer == before);
    block(offer, ResourceNeeds{{{"gpu", 3}}, false});
    CHECK_FALSE(take(offer, one));
  }
}

TEST_CASE("a paused run starts nothing, queues what comes, and its clocks stand still") {
  Given g(R"(
states:
  a:
    invoke: {job: work}
    after: {10s: late}
    on: {done: b, error: bad}
  b: {invoke: {job: work}, on: {done: end, error: bad}}
  late: {type: final, outcome: failed}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  g.start();
  const TimerId timer = g.state.timers.begin()->first;
  const Timestamp due = g.state.timers.begin()->second.due;
  CHECK(names(g.when(PauseRun{"lunch", false})) == "RunPaused");
  CHECK(find<CommandRejected>(g.when(PauseRun{"again", false}))->code ==
        RejectionCode::already_paused);
  for (const Obligation& owed : outstanding(g.state))
    CHECK_FALSE(std::holds_alternative<AwaitTimer>(owed));
  CHECK_FALSE(g.when(FireTimer{timer, due}).accepted);
  const Timestamp paused = g.state.paused->since;
  g.finish("a", passed());
  CHECK(g.active() == "a");
  CHECK(g.state.queue.size() == 1);
  g.now = g.now + std::chrono::minutes(5);
  const Decision resumed = g.when(ResumeRun{"", false});
  CHECK(find<RunResumed>(resumed)->due.at(0).second == due + (g.now - paused));
  CHECK(g.active() == "b");
  CHECK(g.state.queue.empty());
  CHECK(find<CommandRejected>(g.when(ResumeRun{"", false}))->code == RejectionCode::not_paused);
  g.when(PauseRun{"once more", false});
  g.when(CancelRun{"enough"});
  CHECK_FALSE(g.state.paused.has_value());
}

}  // namespace
}  // namespace checkride

// The shell: what is durable before it acts, what a restart finds, who moves and who waits.
#include <algorithm>

#include "tests/unit/runtime/engine.h"

namespace checkride {
namespace {

using namespace test;

const char* const two_steps = R"(
states:
  a:
    invoke: {job: work}
    on: {done: b, error: bad}
  b:
    invoke: {job: work}
    on: {done: end, error: bad}
  end: {type: final}
  bad: {type: final, outcome: failed}
)";

TEST_CASE("nothing is answered, shown or started before it is durable") {
  Machine m(two_steps);
  REQUIRE(m.runtime().drive(RunId("r")));
  m.log.hold();
  std::optional<CommandReply> reply;
  m.runtime().submit(m.command(m.start_command()), [&](const CommandReply& r) { reply = r; });
  for (int i = 0; i < 50; ++i) m.engine->io.poll();
  CHECK_FALSE(reply);
  CHECK(m.seen.empty());
  CHECK(m.world.started().empty());
  m.log.let_go();
  m.until([&] { return reply.has_value(); });
  CHECK(reply->accepted);
  m.until_rest();
  CHECK(m.state().outcome == RunOutcome::succeeded);
  CHECK(m.world.started().size() == 2);
  CHECK(m.world.double_starts().empty());
}

TEST_CASE("commands that wait for a sync share the next one") {
  Machine m(two_steps);
  m.log.hold();
  int replies = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string run = "r" + std::to_string(i);
    m.runtime().submit(m.command(m.start_command(run), run),
                       [&](const CommandReply& r) { replies += r.accepted ? 1 : 0; });
  }
  m.log.let_go();
  m.until([&] { return replies == 20; });
  CHECK(m.runtime().syncs() <= 2);
}

TEST_CASE("a failing append ends the engine and releases nothing") {
  Machine m(two_steps);
  REQUIRE(m.runtime().drive(RunId("r")));
  const auto leaves = GENERATE(MemoryLog::Leaves::nothing, MemoryLog::Leaves::everything);
  m.log.inner.fail_next(ErrorCode::io, leaves);
  bool replied = false;
  m.runtime().submit(m.command(m.start_command()), [&](const CommandReply&) { replied = true; });
  m.until([&] { return m.runtime().fatal().has_value(); });
  CHECK(m.engine->io.stopped());
  CHECK_FALSE(replied);
  CHECK(m.seen.empty());
  CHECK(m.world.started().empty());
  CHECK(m.submit(CancelRun{"x"}).error.has_value());

  // The next process finds out what is there.
  m.boot();
  const bool there = m.log.head(RunId("r"))->has_value();
  CHECK(there == (leaves == MemoryLog::Leaves::everything));
  if (!there) return;
  REQUIRE(m.runtime().drive(RunId("r")));
  m.until_rest();
  CHECK(m.state().outcome == RunOutcome::succeeded);
  CHECK(m.world.double_starts().empty());
}

TEST_CASE("refusals and repeats are answered") {
  Machine m(two_steps);
  CHECK(m.submit(CancelRun{"x"}).error.has_value());  // no such run
  const Command start = m.command(m.start_command());
  int replies = 0;
  CommandReply last;
  const auto keep = [&](const CommandReply& r) {
    ++replies;
    last = r;
  };
  m.runtime().submit(start, keep);
  m.until([&] { return replies == 1; });
  m.runtime().submit(start, keep);
  m.until([&] { return replies == 2; });
  CHECK(last.repeated);
  CHECK(last.accepted);
  CHECK(last.sequence == Sequence(1));
  const CommandReply second = m.submit(m.start_command());
  CHECK_FALSE(second.accepted);
  CHECK_FALSE(second.reason.empty());

  StartRun wrong = std::get<StartRun>(m.start_command("w"));
  wrong.params.set("none", cel::Value(1));
  CHECK_FALSE(m.submit(wrong, "w").accepted);
  CHECK_FALSE(m.log.head(RunId("w"))->has_value());
}

TEST_CASE("a run that nobody drives starts nothing until somebody does") {
  Machine m(two_steps);
  REQUIRE(m.submit(m.start_command()).accepted);
  m.settle();
  CHECK(m.world.started().empty());
  REQUIRE(m.runtime().drive(RunId("r")));
  m.until_rest();
  CHECK(m.state().finished());
}

TEST_CASE("on opening, what ended meanwhile is collected and nothing is started") {
  Machine m(two_steps);
  m.world.holds = [](const JobSpec&) { return true; };
  m.start();
  m.until([&] { return m.happened("JobStarted"); });
  const Token a = m.started("a");
  m.halt();
  m.world.release(a);
  m.boot();
  m.until([&] { return m.happened("JobFinished"); });
  m.settle();
  CHECK(m.world.started().size() == 1);
  CHECK(m.state().jobs.size() == 1);  // b is intended
  m.world.holds = {};
  REQUIRE(m.runtime().drive(RunId("r")));
  m.until_rest();
  CHECK(m.state().outcome == RunOutcome::succeeded);
  CHECK(m.world.started().size() == 2);
}

TEST_CASE("a job that outlived its engine is adopted, not started again") {
  Machine m(two_steps);
  m.world.holds = [](const JobSpec& spec) { return spec.state == "a"; };
  m.start();
  m.until([&] { return m.happened("JobStarted"); });
  const Token a = m.started("a");
  m.boot();
  m.settle();
  CHECK_FALSE(m.happened("JobAdopted"));
  REQUIRE(m.runtime().drive(RunId("r")));
  m.until([&] { return m.happened("JobAdopted"); });
  CHECK_FALSE(m.runtime().at_rest(RunId("r")));
  m.world.release(a);
  m.until_rest();
  CHECK(m.state().outcome == RunOutcome::succeeded);
  CHECK(m.world.started_count("a") == 1);
  CHECK(m.world.double_starts().empty());
}

TEST_CASE("a start that was lost with its engine is voided and asked for again") {
  Machine m(two_steps);
  m.world.swallows = [](const JobSpec& spec) { return spec.state == "a"; };
  m.start();
  m.settle();
  CHECK(m.world.started().empty());
  m.world.swallows = {};
  m.boot();
  REQUIRE(m.runtime().drive(RunId("r")));
  m.until_rest();
  CHECK(m.state().outcome == RunOutcome::succeeded);
  CHECK(m.world.started_count("a") == 1);
}

TEST_CASE("a lost job parks the run, which is then at rest") {
  Machine m(two_steps);
  m.world.holds = [](const JobSpec&) { return true; };
  m.start();
  m.until([&] { return !m.world.started().empty(); });
  CHECK_FALSE(m.runtime().at_rest(RunId("r")));
  m.world.lose(m.started("a"));
  m.until_rest();
  CHECK(m.state().parked());
  ResolveIncident resolve;
  resolve.reason = "try again";
  m.world.holds = {};
  CHECK(m.submit(resolve).accepted);
  m.until_rest();
  CHECK(m.state().outcome == RunOutcome::succeeded);
}

TEST_CASE("a job out of sight can be said to run, and is found again") {
  Machine m(two_steps);
  m.world.holds = [](const JobSpec&) { return true; };
  m.start();
  m.until([&] { return m.happened("JobStarted"); });
  m.world.forget(m.started("a"));
  m.until_rest();
  CHECK(m.state().incidents.begin()->second.kind == IncidentKind::job_unknown);
  ResolveIncident resolve;
  resolve.how = ResolveIncident::How::started;
  resolve.reason = "ps shows it";
  const std::size_t before = m.seen.size();
  CHECK(m.submit(resolve).accepted);
  m.until([&] {
    return std::find(m.seen.begin() + static_cast<std::ptrdiff_t>(before), m.seen.end(),
                     "JobUnknown") != m.seen.end();
  });
  CHECK(m.world.double_starts().empty());
}

TEST_CASE("cancel stops the job and the run ends when it has") {
  Machine m(two_steps);
  m.world.holds = [](const JobSpec&) { return true; };
  m.start();
  m.until([&] { return m.happened("JobStarted"); });
  CHECK(m.submit(CancelRun{"enough"}).accepted);
  m.until_rest();
  CHECK(m.state().outcome == RunOutcome::cancelled);
  CHECK(m.world.cancelled() == std::vector{m.started("a")});
}

TEST_CASE("cancelling before anything was started starts nothing") {
  Machine m(two_steps);
  REQUIRE(m.submit(m.start_command()).accepted);
  CHECK(m.submit(CancelRun{"no"}).accepted);
  m.until([&] { return m.state().finished(); });
  REQUIRE(m.runtime().drive(RunId("r")));
  m.settle();
  CHECK(m.world.started().empty());
}

const char* const with_children = R"(
params: {items: {type: list<int>, default: [1, 2, 3]}}
machines:
  child:
    params: {item: int}
    states:
      work:
        invoke: {job: work}
        on: {done: ask, error: bad}
      ask:
        invoke: {job: gate, with: {question: "?"}}
        always: {guard: params.item != 2, target: end}
        on: {answer: end}
      end: {type: final}
      bad: {type: final, outcome: failed}
states:
  each:
    invoke: {machine: child, each: "${params.items}", as: item, concurrency: 2}
    on: {done: end, error: bad}
  end: {type: final}
  bad: {type: final, outcome: failed}
)";

// The child that waits at its gate.
const RunState* asking(Machine& m) {
  const auto heads = m.log.heads();
  for (const RunHead& head : *heads)
    if (const RunState* state = m.runtime().state(head.run))
      if (!state->gates.empty()) return state;
  return nullptr;
}

TEST_CASE("children run to their end, and a tree is at rest when only a person can move it") {
  Machine m(with_children);
  m.start();
  m.until_rest();
  CHECK_FALSE(m.state().finished());
  CHECK(m.world.started_count("work") == 3);
  CHECK(m.log.heads()->size() == 4);
  const RunState* child = asking(m);
  REQUIRE(child != nullptr);
  CHECK(child->start.root == RunId("r"));

  SECTION("an answer to the child's gate ends it all") {
    const auto [gate, open] = *child->gates.begin();
    CHECK(m.submit(AnswerGate{gate, open.opened_at, "approve", ""}, child->run.value).accepted);
    m.until_rest();
    CHECK(m.state().outcome == RunOutcome::succeeded);
  }
  SECTION("a cancel goes down") {
    CHECK(m.submit(CancelRun{"enough"}).accepted);
    m.until_rest();
    CHECK(m.state().outcome == RunOutcome::cancelled);
    CHECK(m.runtime().state(child->run)->outcome == RunOutcome::cancelled);
  }
  SECTION("after a restart the tree is as it was") {
    const RunId run = child->run;
    m.boot();
    REQUIRE(m.runtime().drive(RunId("r")));
    m.settle();
    CHECK(m.runtime().at_rest(RunId("r")));
    const auto [gate, open] = *m.state(run.value).gates.begin();
    CHECK(m.submit(AnswerGate{gate, open.opened_at, "approve", ""}, run.value).accepted);
    m.until_rest();
    CHECK(m.state().outcome == RunOutcome::succeeded);
    CHECK(m.world.started().size() == 3);
  }
}

TEST_CASE("a kill at any commit of a tree loses nothing and starts nothing twice") {
  std::uint64_t records = 0;
  for (std::uint64_t kill_at = 1; kill_at < 60; ++kill_at) {
    Machine m(R"(
params: {items: {type: list<int>, default: [1, 2, 3]}}
machines:
  child:
    params: {item: int}
    states:
      work:
        invoke: {job: work}
        on: {done: end, error: bad}
      end: {type: final}
      bad: {type: final, outcome: failed}
states:
  each:
    invoke: {machine: child, each: "${params.items}", as: item, concurrency: 2}
    on: {done: end, error: bad}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
    REQUIRE(m.submit(m.start_command()).accepted);
    REQUIRE(m.runtime().drive(RunId("r")));
    m.until([&] { return m.runtime().records_committed() >= kill_at || m.state().finished(); });
    const bool over = m.runtime().at_rest(RunId("r"));
    records = m.runtime().records_committed();
    m.boot();
    REQUIRE(m.runtime().drive(RunId("r")));
    INFO("killed after " << kill_at << " records");
    m.until([&] {
      const auto head = m.log.head(RunId("r"));
      return (*head)->summary.mode == RunMode::finished;
    });
    CHECK((*m.log.head(RunId("r")))->summary.outcome == RunOutcome::succeeded);
    CHECK(m.world.double_starts().empty());
    CHECK(m.world.started_count("work") == 3);
    CHECK(m.log.heads()->size() == 4);
    if (over) break;
  }
  CHECK(records > 5);
}

const char* const waiting = R"(
states:
  a:
    after: {10ms: b}
  b:
    invoke: {job: work, retry: {infra: {max: 1, backoff: 10ms}}}
    on: {done: end, error: bad}
  end: {type: final}
  bad: {type: final, outcome: failed}
)";

TEST_CASE("timers fire in a run that is driven") {
  Machine m(waiting);
  int tries = 0;
  m.world.script = [&](const JobSpec&) {
    return ++tries == 1 ? failed(FailureClass::infra) : passed(1);
  };
  m.start();
  CHECK_FALSE(m.runtime().at_rest(RunId("r")));
  m.until_rest();
  CHECK(m.state().outcome == RunOutcome::succeeded);
  CHECK(tries == 2);
}

TEST_CASE("without a driver no timer fires, but what is due on opening is recorded") {
  Machine m(R"(
states:
  a: {after: {1m: b}}
  b:
    invoke: {job: work}
    on: {done: end, error: end}
  end: {type: final}
)");
  REQUIRE(m.submit(m.start_command()).accepted);
  REQUIRE(m.state().timers.size() == 1);
  m.boot();
  m.clock.ahead = std::chrono::hours(1);
  m.settle();
  m.boot();
  m.until([&] { return m.happened("TimerFired"); });
  m.settle();
  CHECK(m.state().jobs.size() == 1);
  CHECK(m.world.started().empty());
}

TEST_CASE("overdue timers go in the order they fell due, before new commands") {
  Machine m(R"(
messages: {go: }
states:
  a:
    entry: [{send: {event: tick, delay: 1h, id: z}}, {send: {event: tock, delay: 1h, id: b}}]
    after: {2h: late}
    on: {tick: b, tock: late, message.go: late}
  b: {on: {message.go: end, tock: c, tick: late}}
  c: {on: {message.go: end}}
  late: {type: final, outcome: failed}
  end: {type: final}
)");
  REQUIRE(m.submit(m.start_command()).accepted);
  m.clock.ahead = std::chrono::hours(3);
  m.boot();
  REQUIRE(m.submit(SignalRun{"go", {}, "now"}).accepted);
  CHECK(m.state().outcome == RunOutcome::succeeded);
  CHECK(std::count(m.seen.begin(), m.seen.end(), "TimerFired") == 2);
}

TEST_CASE("on opening, a job and a timer count by when they ended and fell due") {
  Machine m(R"(
states:
  a:
    invoke: {job: work}
    on: {done: end, error: bad}
    after: {1h: late}
  late: {type: final, outcome: failed}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  const Duration took = GENERATE(Duration(std::chrono::minutes(59)), std::chrono::minutes(61));
  m.world.holds = [](const JobSpec&) { return true; };
  const Timestamp began = m.clock.now();
  m.world.script = [&](const JobSpec&) {
    JobOutcome outcome = passed(1);
    outcome.ended = began + took;
    return outcome;
  };
  m.start();
  m.until([&] { return m.happened("JobStarted"); });
  const Token a = m.started("a");
  m.halt();
  m.world.release(a);
  m.clock.ahead = std::chrono::hours(2);
  m.boot();
  m.until([&] { return m.state().finished(); });
  const bool in_time = took < std::chrono::hours(1);
  CHECK(m.state().outcome == (in_time ? RunOutcome::succeeded : RunOutcome::failed));
  m.until([&] { return m.happened(in_time ? "JobFinished" : "StaleResultRejected"); });
}

TEST_CASE("when the last follower leaves, timers stop") {
  Machine m(R"(
states:
  a: {after: {10h: end}}
  end: {type: final}
)");
  m.start();
  m.runtime().stop_driving(RunId("r"));
  m.clock.ahead = std::chrono::hours(11);
  m.settle();
  CHECK_FALSE(m.state().finished());
  REQUIRE(m.runtime().drive(RunId("r")));
  m.until_rest();
  CHECK(m.state().finished());
}

}  // namespace
}  // namespace checkride

// Messages: received, kept until a transition wants them, taken once, given up in time.
#include <catch2/catch.hpp>

#include "tests/support/given.h"

namespace checkride {
namespace {

using namespace test;

const char* const release = R"(
messages:
  release: {type: {tag: string, "urgent?": bool}, ttl: 1h, title: A release is out}
  stop: {}
states:
  build:
    invoke: {job: work}
    on: {done: wait, error: bad, message.stop: bad}
  wait:
    on:
      message.release:
        - {guard: "event.data.tag == 'v2'", target: end}
  end: {type: final}
  bad: {type: final, outcome: failed}
)";

cel::Value tag(const std::string& name) {
  cel::Map map;
  map.set("tag", cel::Value(name));
  return cel::Value(std::move(map));
}

SignalRun release_of(const std::string& name) {
  return SignalRun{"release", tag(name), "it is out"};
}

std::string refused(const Decision& decision) {
  CHECK_FALSE(decision.accepted);
  return decision.reason;
}

TEST_CASE("a message that a transition wants is taken at once") {
  Given g(release);
  g.start();
  g.finish("build", passed());
  REQUIRE(g.active() == "wait");
  const Decision decision = g.when(release_of("v2"));
  CHECK(names(decision) ==
        "MessageReceived TimerSet GuardEvaluated MessageConsumed TimerCancelled TransitionTaken "
        "RunFinished");
  CHECK(g.state.outcome == RunOutcome::succeeded);
}

TEST_CASE("a run that waits for a message is not stuck and waits for somebody") {
  Given g(release);
  g.start();
  g.finish("build", passed());
  CHECK(g.state.incidents.empty());
  CHECK(waits_for_person(g.state));
  CHECK(outstanding(g.state).empty());
}

TEST_CASE("a message waits until a state listens to it") {
  Given g(release);
  g.start();
  const Decision early = g.when(release_of("v2"));
  CHECK(names(early) == "MessageReceived TimerSet");
  REQUIRE(g.state.messages.size() == 1);
  CHECK(g.active() == "build");
  const Decision done = g.finish("build", passed());
  CHECK(count<MessageConsumed>(done) == 1);
  CHECK(g.state.outcome == RunOutcome::succeeded);
  CHECK(g.state.messages.empty());
}

TEST_CASE("a message whose guard does not hold goes on waiting and leaves one trace") {
  Given g(release);
  g.start();
  g.finish("build", passed());
  const Decision other = g.when(release_of("v1"));
  CHECK(names(other) == "MessageReceived TimerSet GuardEvaluated");
  CHECK(g.state.messages.size() == 1);
  // Tried again with every input, without writing so each time.
  const Decision wanted = g.when(release_of("v2"));
  CHECK(count<GuardEvaluated>(wanted) == 1);
  REQUIRE(find<MessageConsumed>(wanted) != nullptr);
  CHECK(find<MessageConsumed>(wanted)->message == find<MessageReceived>(wanted)->message);
  CHECK(g.state.outcome == RunOutcome::succeeded);
  CHECK(count<MessageExpired>(wanted) == 1);  // what is left goes with the run
}

TEST_CASE("messages are taken in the order they came") {
  Given g(R"(
messages: {add: {type: int}}
data: {seen: {type: list<int>, default: []}}
states:
  busy: {invoke: {job: work}, on: {done: collect, error: bad}}
  collect:
    on:
      message.add:
        - {guard: "event.data == 0", target: end}
        - {actions: [{assign: {seen: "data.seen + [event.data]"}}]}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  g.start();
  for (const int n : {3, 1, 2}) g.when(SignalRun{"add", cel::Value(std::int64_t{n}), "because"});
  CHECK(g.state.messages.size() == 3);
  g.finish("busy", passed());
  CHECK(cel::to_cel(g.data("seen")) == "[3, 1, 2]");
  CHECK(g.state.messages.empty());
  g.when(SignalRun{"add", cel::Value(std::int64_t{0}), "because"});
  CHECK(g.state.finished());
}

TEST_CASE("a message that nobody wants expires after its time, and only then") {
  Given g(release);
  g.start();
  g.when(release_of("v2"));
  const Decision fired = g.fire("message.");
  CHECK(names(fired) == "TimerFired MessageExpired");
  CHECK(g.state.messages.empty());
  g.finish("build", passed());
  CHECK(g.active() == "wait");
}

TEST_CASE("a message past its time is not taken, even if its timer never fired") {
  Given g(release);
  g.start();
  g.when(release_of("v2"));
  g.now = g.now + std::chrono::hours(2);
  const Decision done = g.finish("build", passed());
  CHECK(count<MessageExpired>(done) == 1);
  CHECK(count<MessageConsumed>(done) == 0);
  CHECK(g.active() == "wait");
  CHECK(g.state.timers.empty());
}

TEST_CASE("signals that cannot be meant are rejected") {
  Given g(release);
  g.start();
  CHECK(refused(g.when(SignalRun{"relaese", tag("v1"), "x"})) ==
        "workflow 't' declares no message 'relaese'; it has release, stop; did you mean "
        "'release'?");
  CHECK(refused(g.when(SignalRun{"release", cel::Value("v2"), "x"})).find("must be {tag: string") !=
        std::string::npos);
  CHECK(refused(g.when(SignalRun{"release", {}, "x"})).find("must be") != std::string::npos);
  CHECK(refused(g.when(SignalRun{"stop", {}, ""})) == "a message needs a reason; add --why");
  CHECK(g.state.messages.empty());
  g.when(SignalRun{"stop", {}, "enough"});
  g.finish("build", passed());  // its end goes nowhere
  REQUIRE(g.state.finished());
  const Decision late = g.when(SignalRun{"stop", {}, "again"});
  CHECK(find<CommandRejected>(late)->code == RejectionCode::run_finished);
}

TEST_CASE("a run holds a bounded number of messages") {
  Given g(release);
  g.start();
  for (std::size_t i = 0; i < messages_max; ++i) REQUIRE(g.when(release_of("v1")).accepted);
  CHECK(find<CommandRejected>(g.when(release_of("v1")))->code == RejectionCode::queue_full);
}

TEST_CASE("a repeated signal is told what the first was told") {
  Given g(release);
  g.start();
  const Command command = g.command(release_of("v1"));
  const Decision first = g.when(command);
  const Decision again = g.when(command);
  CHECK(again.repeated);
  CHECK(again.accepted);
  CHECK(again.sequence == first.sequence);
  CHECK(g.state.messages.size() == 1);
}

TEST_CASE("messages wait while the run is parked, and one whose guard fails parks it") {
  Given g(R"(
messages: {go: {type: int}}
states:
  wait:
    on:
      message.go: {guard: "10 / event.data > 1", target: end}
  end: {type: final}
)");
  g.start();
  const Decision zero = g.when(SignalRun{"go", cel::Value(std::int64_t{0}), "x"});
  CHECK(count<MessageConsumed>(zero) == 0);
  CHECK(g.incident().kind == IncidentKind::execution_error);
  g.when(SignalRun{"go", cel::Value(std::int64_t{2}), "x"});
  CHECK(g.state.messages.size() == 2);
  CHECK(g.active() == "wait");
  g.resolve(ResolveIncident::How::retry);  // the same message, the same failure
  CHECK(g.state.parked());
  g.resolve(ResolveIncident::How::jump, "end");
  CHECK(g.state.finished());
}

TEST_CASE("an error handler of a chart with errors: event takes no message with it") {
  Given g(R"(
errors: event
messages: {go: {type: int}}
data: {errors: {type: int, default: 0}}
on: {error.execution: {actions: [{assign: {errors: data.errors + 1}}]}}
states:
  wait:
    on:
      message.go: {guard: "10 / event.data > 1", target: end}
  end: {type: final}
)");
  g.start();
  g.when(SignalRun{"go", cel::Value(std::int64_t{0}), "x"});
  CHECK(cel::to_cel(g.data("errors")) == "1");
  CHECK(g.state.messages.size() == 1);
  g.when(SignalRun{"go", cel::Value(std::int64_t{2}), "x"});
  CHECK(g.state.finished());
  CHECK(cel::to_cel(g.data("errors")) == "1");
}

}  // namespace
}  // namespace checkride

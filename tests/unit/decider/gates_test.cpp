// Gates: who may answer, with what, about what they saw; reminders and expiry.
#include <catch2/catch.hpp>

#include "tests/support/given.h"

namespace checkride {
namespace {

using namespace test;

Given asking(const std::string& more = "") {
  Given g(R"(
data: {why: {type: string, default: ""}, said: {type: string, default: ""}}
states:
  ask:
    title: Asked
    invoke:
      job: gate
      options: [later]
      with: {question: "go on?", evidence: [one]}
)" + more +
          R"(
    on:
      answer.approve: end
      answer: {target: bad, actions: [{assign: {why: result.reason, said: result.decision}}]}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  g.start();
  return g;
}

RejectionCode refused(const Decision& decision) {
  const auto* rejected = find<CommandRejected>(decision);
  REQUIRE(rejected != nullptr);
  return rejected->code;
}

TEST_CASE("a gate opens with its question and evidence, and the run waits for a person") {
  Given g = asking();
  REQUIRE(g.state.gates.size() == 1);
  const GateRecord& gate = g.state.gates.begin()->second;
  CHECK(gate.question == "go on?");
  CHECK(gate.options == std::vector<std::string>{"approve", "reject", "waive", "later"});
  CHECK(gate.inputs.find("evidence") != nullptr);
  CHECK(outstanding(g.state).empty());
  CHECK(waits_for_person(g.state));
}

TEST_CASE("an answer is an event of its own, with who gave it and why") {
  Given g = asking();
  SECTION("approve needs no reason") {
    CHECK(names(g.answer("approve", "")) ==
          "GateAnswered GateClosed InvocationFinished VerdictGiven TransitionTaken RunFinished");
    CHECK(g.state.outcome == RunOutcome::succeeded);
    CHECK(g.verdict("ask") == "passed");
    const ResultRecord& result = g.state.results.at(g.index("ask"));
    CHECK(cel::conforms(result.value, gate_result_type()));
    CHECK(result.value.string_or("actor", "") == "ada");
  }
  SECTION("reject") {
    g.answer("reject");
    CHECK(g.verdict("ask") == "failed");
    CHECK(g.data("why").as_string() == "because");
  }
  SECTION("waive") {
    g.answer("waive");
    CHECK(g.verdict("ask") == "waived");
  }
  SECTION("an option stands in decision") {
    g.answer("later");
    CHECK(g.data("said").as_string() == "later");
    CHECK(g.verdict("ask") == "passed");
  }
}

TEST_CASE("wrong answers are refused and recorded") {
  Given g = asking("      who: [ada, bo]\n");
  const auto [token, gate] = *g.state.gates.begin();
  const auto answer = [&](Token about, Sequence seen, std::string decision, std::string why) {
    return refused(g.when(AnswerGate{about, seen, std::move(decision), std::move(why)}));
  };
  CHECK(answer(Token("r.99"), gate.opened_at, "approve", "") == RejectionCode::gate_not_open);
  CHECK(answer(token, gate.opened_at.next(), "approve", "") == RejectionCode::gate_seen_stale);
  CHECK(answer(token, gate.opened_at, "perhaps", "x") == RejectionCode::option_unknown);
  CHECK(answer(token, gate.opened_at, "reject", "") == RejectionCode::reason_missing);
  g.actor = Actor{Actor::Kind::claimed, "eve"};
  CHECK(answer(token, gate.opened_at, "approve", "") == RejectionCode::answer_not_allowed);
  CHECK(g.active() == "ask");
  CHECK(g.records.size() == 6);
  g.actor = Actor{Actor::Kind::local, "bo"};
  g.answer("approve");
  CHECK(g.state.finished());
}

TEST_CASE("a reminder repeats, and expiry takes the answer the procedure names") {
  Given g = asking("      reminder: 1h\n      expiry: {after: 3h, answer: reject}\n");
  for (int i = 0; i < 2; ++i) {
    const Decision d = g.fire("reminder.");
    CHECK(names(d) == "TimerFired TimerSet");
    CHECK(find<TimerSet>(d)->due == g.now + std::chrono::hours(1));
    CHECK(waits_for_person(g.state));
  }
  const Decision d = g.fire("expiry.");
  CHECK(find<GateClosed>(d)->outcome == "expired: reject");
  CHECK(g.data("said").as_string() == "reject");
  CHECK(g.state.outcome == RunOutcome::failed);
  CHECK(g.state.timers.empty());
}

TEST_CASE("an answered gate takes no second answer, and its clocks stop") {
  Given g = asking("      reminder: 1h\n      expiry: {after: 3h, answer: reject}\n");
  const auto [token, gate] = *g.state.gates.begin();
  CHECK(count<TimerCancelled>(g.answer("approve")) == 2);
  CHECK(refused(g.when(AnswerGate{token, gate.opened_at, "approve", ""})) ==
        RejectionCode::run_finished);
}

TEST_CASE("a gate whose state is left is withdrawn") {
  Given g(R"(
states:
  ask:
    invoke: {job: gate, with: {question: "?"}, reminder: 1h}
    on: {answer: end}
    after: {10s: end}
  end: {type: final}
)");
  g.start();
  const Decision d = g.fire("after.");
  CHECK(find<GateClosed>(d)->outcome == "withdrawn");
  CHECK(g.state.gates.empty());
  CHECK(g.state.finished());
}

}  // namespace
}  // namespace checkride

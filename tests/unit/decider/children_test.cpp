// A state that invokes another statechart, once or once per element.
#include <catch2/catch.hpp>

#include "tests/support/given.h"

namespace checkride {
namespace {

using namespace test;
using How = ResolveIncident::How;

Given parent(const std::string& invoke) {
  Given g(R"(
params: {items: {type: list<int>, default: [10, 20, 30]}}
data:
  passed: {type: int, default: -1}
  runs: {type: list<string>, default: []}
machines:
  child:
    params: {item: int}
    result: {n: int}
    states:
      work:
        title: Work
        invoke: {job: work, with: {n: "${params.item}"}}
        on: {done: end, error: bad}
      end: {type: final, output: {n: "${jobs.work.n}"}}
      bad: {type: final, outcome: failed}
states:
  each:
    title: Each
    invoke: )" +
          invoke + R"(
    on:
      done:
        target: end
        actions:
          - assign:
              passed: result.passed
              runs: result.children.map(c, c.outcome)
      error: bad
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  g.start();
  return g;
}

std::shared_ptr<const Definition> machine_of(const Given& g) {
  REQUIRE(g.definition->machines.size() == 1);
  return g.definition->machines.begin()->second;
}

// Runs the parent's child for `item` to its end and tells the parent.
Decision run_child(Given& g, std::uint32_t item, JobOutcome outcome) {
  for (const Token& token : g.tokens("each")) {
    const JobIntended intent = *g.state.jobs.at(token).intent;
    if (intent.item != item) continue;
    Given child(machine_of(g));
    child.start_as_child(g, intent);
    child.finish("work", std::move(outcome));
    REQUIRE(child.state.finished());
    return g.finish_child("each", child);
  }
  FAIL("no child for item " << item);
  return {};
}

TEST_CASE("children are started in order, as many at once as allowed") {
  Given g = parent("{machine: child, each: \"${params.items}\", as: item, concurrency: 2}");
  CHECK(g.tokens("each").size() == 2);
  const auto owed = outstanding(g.state);
  REQUIRE(owed.size() == 2);
  const JobIntended& first = *std::get<StartChild>(owed[0]).intent;
  CHECK(first.machine == machine_of(g)->hash);
  CHECK(first.spec.inputs.find("item")->as_int() == 10);
  run_child(g, 1, passed(20));
  CHECK(g.tokens("each").size() == 2);
  run_child(g, 2, passed(30));
  const Decision d = run_child(g, 0, passed(10));
  CHECK(g.data("passed").as_int() == 3);
  CHECK(g.verdict("each") == "passed");
  const cel::List& children = find<InvocationFinished>(d)->result->field("children")->as_list();
  REQUIRE(children.size() == 3);
  CHECK(children[2].field("output")->int_or("n", 0) == 30);
  CHECK(children[2].int_or("item", 0) == 30);
}

TEST_CASE("a child's end tells the parent how its log stood") {
  Given g = parent("{machine: child, each: \"${params.items}\", as: item}");
  const JobIntended intent = g.intent("each");
  Given child(machine_of(g));
  child.start_as_child(g, intent);
  CHECK(child.run.value == intent.spec.token.value);
  child.finish("work", passed(1));
  const FinishJob finish = finish_of_child(child.state, *child.definition, sha256("head"));
  CHECK(finish.token == intent.spec.token);
  CHECK(finish.child_sequence == child.state.last);
  CHECK(finish.child_chain == sha256("head"));
  CHECK(cel::conforms(finish.outcome.result, machine_result_type(child.definition->output, false)));
  CHECK_FALSE(child.when(RollbackRun{"only the root is rolled back"}).accepted);
}

TEST_CASE("one at a time stops at the first child without a result") {
  Given g = parent("{machine: child, each: \"${params.items}\", as: item, concurrency: 1}");
  run_child(g, 0, passed(1));
  run_child(g, 1, failed(FailureClass::code));
  CHECK(g.state.outcome == RunOutcome::failed);
  CHECK(g.verdict("each") == "failed");
}

TEST_CASE("the error of a machine for each item tells what every child said") {
  const auto ended = [](const char* again) {
    Given g(std::string(R"(
machines:
  child:
    params: {item: int}
    result: {"again?": bool}
    states:
      work: {invoke: {job: work, with: {n: "${params.item}"}}, on: {done: end, error: bad}}
      end: {type: final}
      bad: {type: final, outcome: failed, output: {again: )") +
            again + R"(}}
states:
  each:
    invoke: {machine: child, each: "${[1, 2]}", as: item, concurrency: 1}
    on:
      done: bad
      error:
        - guard: has(error.children) && error.children.exists(c, has(c.output) && c.output.again && c.item == 2)
          target: good
        - {target: bad}
  good: {type: final}
  bad: {type: final, outcome: failed}
)");
    g.start();
    run_child(g, 0, passed(1));
    run_child(g, 1, failed(FailureClass::code));
    return g.state.outcome;
  };
  CHECK(ended("true") == RunOutcome::succeeded);
  CHECK(ended("false") == RunOutcome::failed);
}

TEST_CASE("join all with several at once lets the others end") {
  Given g = parent("{machine: child, each: \"${params.items}\", as: item, concurrency: 3}");
  run_child(g, 1, failed(FailureClass::code));
  run_child(g, 0, passed(1));
  CHECK_FALSE(g.state.finished());
  run_child(g, 2, passed(1));
  CHECK(g.state.outcome == RunOutcome::failed);
}

TEST_CASE("joins that are decided early cancel the rest and wait for their end") {
  Given g = [] {
    if (GENERATE(true, false))
      return parent(
          "{machine: child, each: \"${params.items}\", as: item, concurrency: 3, join: any}");
    return parent(
        "{machine: child, each: \"${params.items}\", as: item, concurrency: 2, join: n, "
        "join_count: 1}");
  }();
  const Decision d = run_child(g, 1, passed(1));
  CHECK(count<JobCancelRequested>(d) == g.state.jobs.size());
  CHECK_FALSE(g.state.finished());
  for (const Token& token : g.tokens("each")) {
    JobOutcome outcome = failed(FailureClass::none);
    outcome.cancelled = true;
    g.finish(token, outcome);
  }
  CHECK(g.state.outcome == RunOutcome::succeeded);
  CHECK(g.data("passed").as_int() == 1);
}

TEST_CASE("join first_failure ends with the first child that did not pass") {
  Given g = parent(
      "{machine: child, each: \"${params.items}\", as: item, concurrency: 2, join: first_failure}");
  run_child(g, 0, passed(1));
  run_child(g, 1, failed(FailureClass::code));
  REQUIRE(g.tokens("each").size() == 1);
  g.finish("each", failed(FailureClass::none));
  CHECK(g.state.outcome == RunOutcome::failed);
}

TEST_CASE("no elements are done at once") {
  Given g = parent("{machine: child, each: \"${params.items.filter(i, i < 0)}\", as: item}");
  CHECK(g.state.outcome == RunOutcome::succeeded);
  CHECK(g.data("passed").as_int() == 0);
}

TEST_CASE("a child that ended incomplete is done, and never passed") {
  Given g = parent("{machine: child, each: \"${params.items}\", as: item, concurrency: 3}");
  for (std::uint32_t item = 0; item < 3; ++item)
    run_child(g, item, item == 1 ? passed(0, JobStatus::skipped) : passed(1));
  CHECK(g.data("passed").as_int() == 2);
  CHECK(g.data("runs").as_list()[1].as_string() == "incomplete");
  CHECK(g.verdict("each") == "skipped");
  CHECK(g.state.outcome == RunOutcome::incomplete);
}

TEST_CASE("an empty list in a parallel state disturbs no other region") {
  Given g(R"(
params: {items: {type: list<int>, default: []}}
machines:
  child:
    params: {item: int}
    states:
      end: {type: final}
states:
  both:
    type: parallel
    on: {done: end}
    states:
      one:
        states:
          a:
            invoke: {machine: child, each: "${params.items}", as: item}
            on: {done: out, error: out}
          a2: {type: final}
      two:
        states:
          b:
            invoke: {job: work}
            on: {done: b2, error: b2}
          b2: {type: final}
  out:
    invoke: {job: gate, with: {question: "?"}}
    on: {answer: end}
  end: {type: final}
)");
  const Decision d = g.start();
  CHECK(g.active() == "out");
  // The job of the other region was intended by the first macrostep and cancelled by the second.
  CHECK(count<JobIntended>(d) == count<JobCancelRequested>(d));
  CHECK(g.state.gates.size() == 1);
}

TEST_CASE("a parked parent starts the next child only when it goes on") {
  Given g(R"(
params: {items: {type: list<int>, default: [1, 2]}}
machines:
  child:
    params: {item: int}
    states:
      work:
        invoke: {job: work}
        on: {done: end, error: end}
      end: {type: final}
states:
  both:
    type: parallel
    on: {done: end}
    states:
      one:
        states:
          each:
            invoke: {machine: child, each: "${params.items}", as: item}
            on: {done: a2, error: bad}
          a2: {type: final}
      two:
        states:
          b:
            invoke: {job: work}
            on: {done: b2, error: b2}
          b2: {type: final}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  g.start();
  g.finish("b", lost());
  run_child(g, 0, passed());
  CHECK(g.tokens("each").empty());
  g.resolve(How::lost);
  REQUIRE(g.tokens("each").size() == 1);
  run_child(g, 1, passed());
  CHECK(g.state.outcome == RunOutcome::succeeded);
}

}  // namespace
}  // namespace checkride

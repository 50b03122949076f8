// What comes to pass in a rehearsal, and what is said when it is not what was expected.
#include <catch2/catch.hpp>

#include "tests/unit/rehearsal/stage.h"

namespace checkride::test {
namespace {

using Catch::Contains;

// Everything goes well; each test lays its own over it.
const std::string well = R"(
params: {repo: /src}
usual:
  outcomes:
    build: {result: {ok: true, count: 3}}
    parts: {outcomes: {work: {result: {ok: true, count: 1}}}}
    rest: {result: {ok: true, count: 0}}
  undo: {build: {result: {ok: true, count: 0}}}
cases:
- name: the case
)";

TEST_CASE("a run that goes well, with its children", "[rehearsal]") {
  const auto played = play(well + R"(
  expect:
    outcome: succeeded
    exit_code: 0
    visits: [build, parts, rest, good]
    avoids: [ask, bad]
    verdicts: {build: passed, parts: passed}
    data: {seen: 3}
    children: {parts: {one: {outcome: succeeded, visits: [work, fine]}, "#2": {outcome: succeeded}}}
)");
  CHECK(played->rehearsed.problem == "");
  CHECK(played->differences() == "");
  CHECK(played->unused() == "");
  CHECK(played->rehearsed.runs.size() == 3);
  CHECK(rehearsal::path_text(played->rehearsed.top()) == "build > parts > rest > good");
  // The records are those of real runs: state is their fold.
  for (const rehearsal::RehearsedRun& run : played->rehearsed.runs) {
    const auto folded = load_state(played->log, run.state.run);
    REQUIRE(folded.has_value());
    CHECK(*folded == run.state);
  }
}

TEST_CASE("each expectation that does not hold is told", "[rehearsal]") {
  const auto played = play(well + R"(
  expect:
    outcome: failed
    exit_code: 1
    visits: [parts, build]
    avoids: [rest]
    verdicts: {build: failed}
    data: {seen: 4}
    incidents: [stuck]
    report: [no such line]
    children: {parts: {one: {outcome: failed, visits: [poor]}, three: {outcome: succeeded}}}
)");
  const std::string all = played->differences("a report\n");
  CHECK_THAT(all, Contains("expected failed, it ended succeeded"));
  CHECK_THAT(all, Contains("expected exit code 1, it was 0"));
  CHECK_THAT(all,
             Contains("state 'build' was visited, but not in the order expected (parts, build)"));
  CHECK_THAT(all, Contains("state 'rest' was to be avoided and was visited"));
  CHECK_THAT(all, Contains("the verdict of 'build' was to be failed and is passed (3 built)"));
  CHECK_THAT(all, Contains("data.seen was to be 4 and is 3"));
  CHECK_THAT(all, Contains("the incidents were to be stuck and are none"));
  CHECK_THAT(all, Contains("no line of the report holds: no such line"));
  CHECK_THAT(all, Contains("parts/one: expected failed, it ended succeeded"));
  CHECK_THAT(all, Contains("parts/one: state 'poor' was to be visited and was not"));
  CHECK_THAT(all, Contains("parts/three: no child was started"));
}

TEST_CASE("a job that runs needs an outcome, and the message says what to add", "[rehearsal]") {
  const auto top = play("params: {repo: /src}\n");
  CHECK(top->rehearsed.problem ==
        "state 'build' of 'stage' runs check, and no outcome says how that ends; add under "
        "`outcomes`: build: {result: {ok: false, count: 0}}");
  CHECK(top->rehearsed.exit_code() == 2);
  const auto child =
      play("params: {repo: /src}\noutcomes: {build: {result: {ok: true, count: 1}}, parts: {}}\n");
  CHECK_THAT(child->rehearsed.problem,
             Contains("state 'work' of 'stage/part' (child of 'parts' for 'one') runs check") &&
                 Contains("add under `outcomes`: parts: {outcomes: {work: {result: "));
  const auto twice = play(well + R"(
  outcomes:
    build: [{but: {ok: false}}]
    ask: {choose: again, why: once more}
)");
  CHECK_THAT(twice->rehearsed.problem,
             Contains("(visit 2)") && Contains("add one to the list of 'build'"));
  const auto gate = play(well + "  outcomes: {build: {but: {ok: false}}}\n");
  CHECK_THAT(gate->rehearsed.problem, Contains("asks a person") && Contains("ask: {approve: WHY}"));
}

TEST_CASE("outcomes that did not come to pass are told with their line", "[rehearsal]") {
  const auto played = play(well + R"(
  outcomes:
    build: [usual, {but: {ok: false}}]
    ask: {approve: never asked}
    parts:
      items: {one: {outcomes: {work: {but: {count: 2}}}}, four: {outcomes: {work: usual}}}
  incidents: [{retry: never raised}]
)");
  CHECK(played->rehearsed.outcome() == "succeeded");
  CHECK(played->unused() ==
        "15: outcomes.ask\n14: outcomes.build #2\n17: outcomes.parts.items.four.outcomes.work\n"
        "18: incidents #1\n");
}

TEST_CASE("missing params stop it before it begins", "[rehearsal]") {
  const auto played = play("outcomes: {build: {result: {ok: true, count: 1}}}\n");
  CHECK(played->rehearsed.runs.empty());
  CHECK_THAT(played->rehearsed.problem, Contains("StartRun was refused") && Contains("repo"));
  CHECK(played->rehearsed.exit_code() == 2);
}

TEST_CASE("time is virtual: retries, timeouts and expiries come in their order", "[rehearsal]") {
  const auto retried = play(well + R"(
  outcomes: {build: [{error: {class: infra, message: no disk}}, usual]}
  expect: {outcome: succeeded}
)");
  CHECK(retried->differences() == "");
  const auto& top = retried->rehearsed.top().state;
  CHECK(top.updated - top.started >= std::chrono::seconds(30));

  const auto late = play(well + R"(
  outcomes: {rest: {but: {}, takes: 11m}}
  expect: {outcome: failed, visits: [rest, bad]}
)");
  CHECK(late->differences() == "");
  const auto in_time = play(well + "  outcomes: {rest: {but: {}, takes: 9m}}\n");
  CHECK(in_time->rehearsed.outcome() == "succeeded");
  const auto hangs = play(well + "  outcomes: {rest: wait}\n  expect: {outcome: failed}\n");
  CHECK(hangs->differences() == "");
  CHECK(hangs->rehearsed.top().state.jobs.empty());  // it was stopped, and its end came

  const auto expired = play(well + R"(
  outcomes: {build: {but: {ok: false}}, ask: wait}
  expect: {outcome: failed, visits: [ask, bad]}
)");
  CHECK(expired->differences() == "");
}

TEST_CASE("lost jobs are probed, unknown ones wait for a person", "[rehearsal]") {
  const auto found = play(well + R"(
  outcomes: {build: {error: {class: lost, message: power}}}
  probes: {build: {result: {verdict: finished, result: {ok: true, count: 9}}}}
  expect: {outcome: succeeded, data: {seen: 9}}
)");
  CHECK(found->differences() == "");
  const auto unknown = play(well + R"(
  outcomes: {build: {unknown: its machine is gone}}
  expect: {outcome: waiting, exit_code: 3, incidents: [job_unknown]}
)");
  CHECK(unknown->differences() == "");
  CHECK_THAT(unknown->rehearsed.waits_for, Contains("its machine is gone"));
  const auto runs = play(well + R"(
  outcomes: {build: [{unknown: its machine is gone}, usual]}
  incidents: {started: it hums}
  expect: {outcome: succeeded}
)");
  CHECK(runs->differences() == "");
  const auto lost = play(well + R"(
  outcomes: {build: {unknown: gone}, ask: {approve: fine without}}
  incidents: [{lost: it burnt}]
  expect: {outcome: incomplete}
)");
  CHECK(lost->differences() == "");
}

TEST_CASE("incidents are resolved in order, or leave the run waiting", "[rehearsal]") {
  const std::string again = R"(
  outcomes:
    build: {but: {ok: false}}
    ask: [{choose: again, why: x}, {choose: again, why: x}, {reject: enough}]
)";
  const auto extended = play(well + again + R"(
  incidents: [{retry: one more}]
  expect: {outcome: failed, incidents: [budget_exhausted]}
)");
  CHECK(extended->differences() == "");
  const auto jumped = play(well + R"(
  outcomes: {build: {but: {ok: false}}, ask: [{choose: again, why: x}, {choose: again, why: x}]}
  incidents: [{goto: rest, why: leave it}]
  expect: {visits: [ask, rest, good], outcome: incomplete}
)");
  CHECK(jumped->differences() == "");
  const auto open = play(well + R"(
  outcomes: {build: {but: {ok: false}}, ask: [{choose: again, why: x}, {choose: again, why: x}]}
  incidents: wait
  expect: {outcome: waiting}
)");
  CHECK(open->differences() == "");
  const auto given_up = play(well + R"(
  outcomes: {build: {but: {ok: false}}, ask: [{choose: again, why: x}, {choose: again, why: x}]}
  incidents: [{give-up: no use}]
  expect: {outcome: cancelled, exit_code: 1}
)");
  CHECK(given_up->differences() == "");
}

TEST_CASE("a person cancels or rolls back", "[rehearsal]") {
  const auto cancelled = play(well + R"(
  cancel: {in: parts, why: enough}
  expect: {outcome: cancelled, avoids: [rest]}
)");
  CHECK(cancelled->differences() == "");
  const auto rolled_back = play(well + R"(
  rollback: {why: a mistake}
  expect: {outcome: rolled-back, visits: [good]}
)");
  CHECK(rolled_back->differences() == "");
  const auto never = play(well + "  cancel: {in: ask}\n");
  CHECK_THAT(never->differences(), Contains("`cancel` never came to pass: state 'ask'"));
}

TEST_CASE("a child that fails ends the sequence, by item or by position", "[rehearsal]") {
  const auto by_name = play(well + R"(
  outcomes: {parts: {items: {one: {outcomes: {work: {but: {ok: false}, status: fail}}}}}}
  expect: {outcome: failed, children: {parts: {one: {outcome: failed, verdicts: {work: failed}}}}}
)");
  CHECK(by_name->differences() == "");
  CHECK(by_name->rehearsed.runs.size() == 2);  // the second was never started
  const auto by_position = play(well + R"(
  outcomes: {parts: {items: {"#2": {outcomes: {work: {error: {class: code}}}}}}}
  expect: {outcome: failed, children: {parts: {one: {outcome: succeeded}, two: {outcome: failed}}}}
)");
  CHECK(by_position->differences() == "");
}

TEST_CASE("a list of outcomes of a machine holds one visit each", "[rehearsal]") {
  const auto failed = play(well + R"(
  outcomes: {parts: [{outcomes: {work: {error: {class: code}}}}, usual]}
  expect: {outcome: failed, children: {parts: {one: {outcome: failed}}}}
)");
  CHECK(failed->differences() == "");
  CHECK(failed->unused() == "13: outcomes.parts #2\n");

  const auto definition = load_stage(R"(checkride: 1
workflow: stage
states:
  a:
    budget: 5
    exhausted: b
    invoke: {machine: part}
    on: {done: a, error: b}
  b: {type: final}
machines:
  part:
    states:
      work: {invoke: {job: check}, on: {done: fine, error: fine}}
      fine: {type: final}
)");
  const auto read = rehearsal::read_cases(
      "rehearsal: 1\noutcomes: {a: [{outcomes: {work: {error: {class: code}}}}]}\n", "c.yaml",
      *definition);
  REQUIRE(read.file != nullptr);
  MemoryLog log;
  rehearsal::Coverage coverage(definition);
  const auto again =
      rehearsal::rehearse(definition, *read.file, read.file->cases.front(), log, coverage, {});
  REQUIRE(again.has_value());
  CHECK_THAT(again->problem, Contains("state 'a'") && Contains("(visit 2)") &&
                                 Contains("add one to the list of 'a'"));
  CHECK(again->runs.size() == 2);  // the top and its only child
}

TEST_CASE("coverage counts what a document writes and names the rest by line", "[rehearsal]") {
  const auto played = play(well);
  const auto rows = played->coverage->rows();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].name == "stage");
  CHECK(rows[0].states_total == 6);
  CHECK(rows[0].states_reached == 4);
  CHECK(rows[0].transitions_total == 12);
  CHECK(rows[0].transitions_reached == 4);
  CHECK(rows[1].name == "stage/part");
  CHECK(rows[1].states_reached == 2);
  CHECK(rows[1].states_total == 3);
  CHECK(rows[1].transitions_reached == 1);
  CHECK(rows[1].transitions_total == 3);
  bool found = false;
  for (const rehearsal::Unreached& left : rows[0].unreached)
    if (left.what == "state 'ask'") {
      found = true;
      CHECK(left.place.line == 26);
    }
  CHECK(found);
  const rehearsal::CoverageRow total = played->coverage->total();
  CHECK(total.states_reached == 6);
  CHECK_FALSE(rehearsal::covers(total, 100));
  CHECK(rehearsal::covers(total, 25));
  CHECK_FALSE(rehearsal::covers(total, 35));  // 5 of 15 transitions
}

TEST_CASE("a chart that goes round for ever is stopped", "[rehearsal]") {
  const auto definition = load_stage(R"(checkride: 1
workflow: stage
errors: event
states:
  a:
    budget: 100000
    exhausted: b
    invoke: {job: check}
    on: {done: a, error: b}
  b: {type: final, outcome: failed}
)");
  const auto read = rehearsal::read_cases(
      "rehearsal: 1\noutcomes: {a: {result: {ok: true, count: 1}}}\n", "c.yaml", *definition);
  REQUIRE(read.file != nullptr);
  MemoryLog log;
  rehearsal::Coverage coverage(definition);
  const auto rehearsed =
      rehearsal::rehearse(definition, *read.file, read.file->cases.front(), log, coverage, {});
  REQUIRE(rehearsed.has_value());
  CHECK_THAT(rehearsed->problem, Contains("more than 10000 steps"));
}

}  // namespace
}  // namespace checkride::test

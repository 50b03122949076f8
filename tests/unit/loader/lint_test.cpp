// Rules about paths: what could get stuck, loop for ever or fall through.
#include <catch2/catch.hpp>

#include "tests/unit/loader/sample.h"

namespace checkride::test {
namespace {

std::string findings_of(std::string_view states) {
  return findings(load(with_states(states)));
}

const std::string status = "invoke: {job: git.status, with: {repo: x}}";

TEST_CASE("a state that cannot be left is a dead end", "[loader][lint]") {
  CHECK(
      findings_of("  s: {title: x, verdict: passed}\n") ==
      "t.yaml:7:3: error: state 's' can never be left; add a transition, or make it 'type: final' "
      "[dead-end]\n"
      "t.yaml:8:3: warning: no transition leads to state 'end'; remove it or give it a way in "
      "[unreachable]\n"
      "t.yaml:9:3: warning: no transition leads to state 'failed'; remove it or give it a way in "
      "[unreachable]\n");
  CHECK(findings_of("  s: {on: {go: end}}\n").find("7:3: error: state 's' can never be left") !=
        std::string::npos);
  CHECK(findings_of("  s: {on: {go: end}}\n")
            .find("7:16: warning: nothing raises the event 'go' [event-never-raised]") !=
        std::string::npos);
  CHECK(findings_of("  p: {states: {a: {}}, on: {done: end}}\n")
            .find("state 'a' can never be left") != std::string::npos);
}

TEST_CASE("a state that another region can end is no dead end", "[loader][lint]") {
  load_good(
      with_states("  p:\n"
                  "    type: parallel\n"
                  "    states:\n"
                  "      watch: {states: {idle: {}}}\n"
                  "      work: {states: {w: {" +
                  status + ", on: {done: end, error: failed}}}}\n"));
}

TEST_CASE("a state that is done must lead on", "[loader][lint]") {
  const std::string ends = "states: {a: {always: z}, z: {type: final}}";
  CHECK(findings_of("  p: {" + ends + "}\n")
            .find("7:3: error: when 'z' is reached, nothing leads on from state 'p'; add 'done: "
                  "TARGET' under its 'on' [dead-end]") != std::string::npos);
  CHECK(findings_of("  p: {" + ends + ", on: {done: {actions: []}}}\n").find("[dead-end]") !=
        std::string::npos);
  CHECK(
      findings_of("  p: {" + ends + ", on: {done: {guard: data.n > 0, target: end}}}\n")
          .find(
              "7:3: error: when 'z' is reached and no guard holds, state 'p' can never be left") !=
      std::string::npos);
  const std::string regions =
      "type: parallel, states: {r: {states: {a: {always: z}, z: {type: final}}}, "
      "q: {states: {b: {always: y}, y: {type: final}}}}";
  CHECK(findings_of("  p: {" + regions + "}\n").find("when 'z' is reached, nothing leads on") !=
        std::string::npos);
  CHECK(findings_of("  o: {states: {p: {" + regions +
                    "}, end_of_o: {type: final}}, on: {done: end}}\n")
            .find("when 'z' is reached, nothing leads on") != std::string::npos);
  SECTION("by its own end, that of a state in it, or something around it") {
    load_good(with_states("  p: {" + ends + ", on: {done: end}}\n"));
    load_good(with_states("  p: {" + ends + ", after: {1h: end}}\n"));
    load_good(with_states("  o: {on: {done.state.p: end}, states: {p: {" + ends + "}}}\n"));
    load_good(with_states("  p: {" + regions + ", on: {done: end}}\n"));
    load_good(with_states("  p: {" + regions + ", on: {done.state.r: end}}\n"));
    load_good(with_states("  p: {" + ends +
                          ", on: {done: [{guard: data.n > 0, target: end}, failed]}}\n"));
  }
  SECTION("which a region of a parallel state need not") {
    load_good(
        with_states("  p: {type: parallel, on: {done: end}, states: {\n"
                    "      r: {" +
                    ends +
                    "},\n"
                    "      q: {states: {b: {after: {1s: y}}, y: {type: final}}}}}\n"));
  }
  SECTION("and which holds for no end that is not reached") {
    CHECK(findings_of("  p: {states: {a: {after: {1s: end}}, z: {type: final}}}\n")
              .find("nothing leads on") == std::string::npos);
  }
}

TEST_CASE("an event raised by an action keeps its listeners alive", "[loader][lint]") {
  load_good(with_states("  s: {entry: {send: {event: go, delay: 1s}}, on: {go: end}}\n"));
}

TEST_CASE("both ends of an invocation need a handler and a fallback", "[loader][lint]") {
  CHECK(findings_of("  s: {" + status + ", on: {done: end}}\n")
            .find("7:3: error: nothing handles 'error' of state 's'; add it under 'on' "
                  "[no-error-handler]") != std::string::npos);
  CHECK(findings_of("  s: {" + status + ", on: {error: end}}\n").find("[no-done-handler]") !=
        std::string::npos);
  CHECK(
      findings_of("  s: {" + status +
                  ", on: {done: {guard: data.n > 0, target: end}, error: end}}\n")
          .find(
              "t.yaml:7:62: error: when no guard holds, 'done' of state 's' goes nowhere; end the "
              "branches with one without guard [missing-fallback]") != std::string::npos);
  SECTION("which an ancestor may have") {
    load_good(
        with_states("  p:\n"
                    "    on: {error.invoke.s: failed}\n"
                    "    states:\n"
                    "      s: {" +
                    status + ", on: {done: end}}\n"));
  }
  SECTION("and which must leave, unless something else does") {
    CHECK(findings_of("  s: {" + status + ", on: {done: {actions: []}, error: end}}\n")
              .find("after the event 'done.invoke.s' state 's' could stay for ever") !=
          std::string::npos);
    load_good(with_states("  s: {" + status +
                          ", on: {done: {actions: []}, error: end}, after: {1h: end}}\n"));
  }
}

TEST_CASE("a choice needs a branch without guard", "[loader][lint]") {
  CHECK(findings_of("  s: {always: [{guard: data.n > 0, target: end}, {guard: data.n < 0, target: "
                    "failed}]}\n")
            .find("7:3: error: when no guard holds, state 's' can never be left") !=
        std::string::npos);
  CHECK(findings_of("  s: {after: {1s: {guard: data.n > 0, target: end}}}\n")
            .find("[missing-fallback]") != std::string::npos);
}

TEST_CASE("a required line of the report needs something that ticks it", "[loader][lint]") {
  CHECK(findings_of("  s: {title: x, always: end}\n")
            .find("7:3: error: state 's' reports and is "
                  "required, but nothing of its own gives it "
                  "a verdict") != std::string::npos);
  load_good(with_states("  s: {title: x, optional: true, always: end}\n"));
  load_good(with_states("  s: {title: x, always: {target: end, verdict: skipped}}\n"));
  load_good(with_states("  s: {title: x, " + status + ", on: {done: end, error: failed}}\n"));
}

TEST_CASE("a loop of states needs a budget", "[loader][lint]") {
  const auto loops = [](const std::string& states) {
    return findings_of(states).find("[loop-without-budget]") != std::string::npos;
  };
  SECTION("of one state") {
    CHECK(
        findings_of("  s: {" + status + ", on: {done: end, error: s}}\n")
            .find("7:3: error: state 's' can follow itself without end; give one of them 'budget: "
                  "N' and 'exhausted: TARGET' [loop-without-budget]") != std::string::npos);
    CHECK_FALSE(
        loops("  s: {budget: 2, exhausted: failed, " + status + ", on: {done: end, error: s}}\n"));
  }
  SECTION("of several") {
    const std::string a = "  a: {" + status + ", on: {done: b, error: failed}}\n";
    CHECK(findings_of(a + "  b: {" + status + ", on: {done: end, error: a}}\n")
              .find("7:3: error: the states 'a', 'b' can repeat without end") != std::string::npos);
    CHECK_FALSE(loops(a + "  b: {budget: 3, exhausted: incident, " + status +
                      ", on: {done: end, error: a}}\n"));
  }
  SECTION("even through timers") {
    CHECK(loops("  s: {after: {1h: s, 2h: end}}\n"));
  }
  SECTION("through compound states and history") {
    const std::string work =
        "  work:\n"
        "    on: {stop: repair}\n"
        "    states:\n"
        "      w: {entry: {send: {event: stop}}, " +
        status +
        ", on: {done: end, error: repair}}\n"
        "      h: {type: history, history: deep, target: w}\n";
    CHECK(loops(work + "  repair: {" + status + ", on: {done: h, error: failed}}\n"));
    CHECK_FALSE(loops(work + "  repair: {budget: 2, exhausted: failed, " + status +
                      ", on: {done: h, error: failed}}\n"));
  }
  SECTION("a budget inside a state that the loop enters again starts anew") {
    const std::string states =
        "  p:\n"
        "    states:\n"
        "      a: {budget: 2, exhausted: failed, " +
        status +
        ", on: {done: b, error: failed}}\n"
        "      b: {" +
        status +
        ", on: {done: end, error: TARGET}}\n"
        "  out: {" +
        status + ", on: {done: p, error: failed}}\n";
    const auto with = [&](const std::string& target) {
      std::string text = states;
      return text.replace(text.find("TARGET"), 6, target);
    };
    CHECK_FALSE(loops(with("a")));
    CHECK(loops(with("out")));
  }
  SECTION("an exhausted transition that leads back is no bound") {
    CHECK(loops("  a: {" + status +
                ", on: {done: b, error: failed}}\n"
                "  b: {budget: 2, exhausted: a, " +
                status + ", on: {done: end, error: a}}\n"));
  }
  SECTION("a nested budget bounds the inner loop and an outer one the outer loop") {
    CHECK_FALSE(
        loops("  p:\n"
              "    budget: 2\n"
              "    exhausted: failed\n"
              "    on: {again: p}\n"
              "    states:\n"
              "      a: {budget: 3, exhausted: retry, " +
              status +
              ", on: {done: end, error: a}}\n"
              "      retry: {entry: {raise: again}}\n"));
  }
  SECTION("a person is not a loop without end, unless the gate answers itself") {
    const std::string work = "  a: {" + status + ", on: {done: end, error: ask}}\n";
    const std::string on = ", on: {answer.approve: a, answer: failed}}\n";
    CHECK_FALSE(loops(work + "  ask: {invoke: {job: gate, with: {question: q}}" + on));
    CHECK(loops(
        work +
        "  ask: {invoke: {job: gate, with: {question: q}, expiry: {after: 1d, answer: approve}}" +
        on));
    CHECK_FALSE(loops(
        work +
        "  ask: {invoke: {job: gate, with: {question: q}, expiry: {after: 1d, answer: reject}}" +
        on));
  }
  SECTION("regions of a parallel state are told apart") {
    CHECK_FALSE(
        loops("  p:\n"
              "    type: parallel\n"
              "    on: {done: end}\n"
              "    states:\n"
              "      l: {states: {a: {" +
              status +
              ", on: {done: b, error: b}}, b: {type: final}}}\n"
              "      r: {states: {c: {" +
              status + ", on: {done: d, error: d}}, d: {type: final}}}\n"));
  }
}

TEST_CASE("a long chain of states is checked in bounded time", "[loader][lint]") {
  std::string states;
  for (int i = 0; i < 3000; ++i)
    states += "  s" + std::to_string(i) +
              ": {after: {1s: " + (i == 2999 ? std::string("end") : "s" + std::to_string(i + 1)) +
              "}}\n";
  load_good(with_states(states));
}

}  // namespace
}  // namespace checkride::test

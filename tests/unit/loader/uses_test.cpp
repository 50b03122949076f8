// Rules about expressions and actions that need the whole chart.
#include <catch2/catch.hpp>

#include "tests/unit/loader/sample.h"

namespace checkride::test {
namespace {

const std::string scan = "invoke: {job: log.scan, with: {text: x}}";

std::string findings_of(const std::string& states) {
  return findings(load(with_states(states)));
}

TEST_CASE("a time zone that a param's default names is refused at load", "[loader][errors]") {
  const auto with_default = [](const std::string& zone) {
    return "checkride: 1\nworkflow: w\nparams: {zone: {type: string, default: '" + zone +
           "'}}\nstates:\n  a:\n    always:\n      - {guard: now.getHours(params.zone) > 7, "
           "target: "
           "b}\n      - b\n  b: {type: final}\n";
  };
  CHECK_THAT(
      findings(load(with_default("Europe/Berlin"))),
      Catch::Contains("t.yaml:7:9: error: params.zone is used as a time zone, and its default "
                      "'Europe/Berlin' is a named one"));
  CHECK(findings(load(with_default("+01:00"))) == "");
}

TEST_CASE("a result is read only where its state can have run", "[loader][lint]") {
  const std::string b = "  b: {" + scan + ", on: {done: end, error: failed}}\n";
  SECTION("never before: an error") {
    CHECK(findings_of("  a: {always: [{guard: jobs.b.hits > 0, target: b}, end]}\n" + b)
              .find("7:16: error: jobs.b is read in state 'a', but no path leads through state 'b' "
                    "first") != std::string::npos);
  }
  SECTION("never before, but asked for: a warning") {
    const std::string found =
        findings_of("  a: {always: [{guard: 'has(jobs.b.hits)', target: b}, end]}\n" + b);
    CHECK(found.find("warning: jobs.b is read") != std::string::npos);
    CHECK(found.find("error:") == std::string::npos);
  }
  SECTION("its own inputs, the first time") {
    CHECK(findings_of("  b: {invoke: {job: log.scan, with: {text: '${string(jobs.b.hits)}'}}, on: "
                      "{done: end, error: failed}}\n")
              .find("error: jobs.b is read in state 'b'") != std::string::npos);
  }
  SECTION("entry actions of its parent") {
    CHECK(findings_of("  p: {entry: {assign: {n: jobs.b.hits}}, states: {b: {" + scan +
                      ", on: {done: end, error: failed}}}}\n")
              .find("error: jobs.b is read in state 'p'") != std::string::npos);
  }
  SECTION("behind it, all is well") {
    load_good(
        with_states("  b: {" + scan +
                    ", on: {done: [{guard: jobs.b.hits > 0, target: c}, end], error: failed}}\n"
                    "  c: {always: [{guard: jobs.b.hits > 1, target: end}, failed]}\n"));
  }
  SECTION("in a loop, through history, and from another region, it may have run") {
    load_good(with_states(
        "  a: {budget: 3, exhausted: end, after: {1s: [{guard: 'In(\"a\") && jobs.b.hits > 0', "
        "target: end}, b]}}\n"
        "  b: {" +
        scan + ", on: {done: a, error: failed}}\n"));
    load_good(
        with_states("  p:\n"
                    "    type: parallel\n"
                    "    on: {done: end}\n"
                    "    states:\n"
                    "      l: {states: {b: {" +
                    scan +
                    ", on: {done: b1, error: b1}}, b1: {type: final}}}\n"
                    "      r: {states: {c: {after: {1h: [{guard: jobs.b.hits > 0, target: d}, "
                    "d]}}, d: {type: final}}}\n"));
    load_good(
        with_states("  w:\n"
                    "    on: {stop: repair}\n"
                    "    states:\n"
                    "      one: {entry: {send: {event: stop, delay: 1h}}, after: {1s: two}}\n"
                    "      two: {entry: {send: {event: stop}}, after: {2s: three}}\n"
                    "      three: {invoke: {job: log.scan, with: {text: "
                    "'${string(jobs.repair.hits)}'}}, on: {done: end, error: failed}}\n"
                    "      h: {type: history, history: deep, target: one}\n"
                    "  repair: {budget: 2, exhausted: failed, " +
                    scan + ", on: {done: h, error: failed}}\n"));
  }
}

TEST_CASE("a time zone is an offset", "[loader][lint]") {
  const auto guard = [](const std::string& zone) {
    return "  s: {always: [{guard: 'now.getHours(\"" + zone + "\") > 1', target: end}, failed]}\n";
  };
  CHECK(
      findings_of(guard("Europe/Berlin"))
          .find("the time zone \"Europe/Berlin\" is named; only UTC and offsets such as +02:00 are "
                "allowed here [expression]") != std::string::npos);
  load_good(with_states(guard("UTC")));
  load_good(with_states(guard("-03:30")));
}

TEST_CASE("sends and events meet", "[loader][lint]") {
  CHECK(findings_of("  s: {entry: [{send: {event: go, id: late, delay: 1h}}, {cancel: laet}], on: "
                    "{go: end}, after: {1s: failed}}\n")
            .find("7:3: warning: no 'send' has the id 'laet'; did you mean 'late'? "
                  "[unknown-send]") != std::string::npos);
  CHECK(findings_of("  s: {always: {target: end, actions: {if: [{actions: {raise: a.b}}]}}}\n")
            .find("7:15: warning: nothing listens to the event 'a.b' [event-unheard]") !=
        std::string::npos);
  CHECK(findings(load(
            with_states("  s: {entry: {raise: a.b}, on: {a: end}, after: {1h: failed}}\n"))) == "");
}

TEST_CASE("a title may show a param that has a default", "[loader]") {
  const auto result = load(
      "checkride: 1\nworkflow: w\ntitle: On ${params.branch}\n"
      "params: {branch: {type: string, default: main}}\n"
      "states:\n"
      "  s: {title: '${params.branch}', section: 'A ${params.branch}', verdict: passed, always: "
      "e}\n"
      "  e: {type: final}\n");
  CHECK(findings(result) == "");
}

}  // namespace
}  // namespace checkride::test

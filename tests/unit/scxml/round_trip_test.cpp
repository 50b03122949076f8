// A definition that goes out as SCXML and comes back is the same definition.
#include <catch2/catch.hpp>

#include "cli/kernels/kinds.h"
#include "workflows/definitions/shipped.h"
#include "workflows/loader/load.h"
#include "workflows/scxml/scxml.h"

namespace checkride {
namespace {

std::shared_ptr<const Definition> load(const std::string& yaml) {
  static const JobCatalog catalog = cli::all_jobs();
  LoadOptions options;
  options.signatures = catalog.signatures();
  const LoadResult result = load_definition(yaml, "chart.yaml", options);
  std::string found;
  for (const LoadDiagnostic& diagnostic : result.diagnostics)
    if (diagnostic.severity == LoadDiagnostic::Severity::error)
      found += to_string(diagnostic) + "\n";
  INFO(yaml << "\n" << found);
  REQUIRE(result.definition != nullptr);
  return result.definition;
}

void check_round_trip(const std::string& yaml) {
  const auto out = export_scxml(yaml, "chart.yaml");
  REQUIRE(out.has_value());
  INFO(out->scxml);
  const auto back = import_scxml(out->scxml, "other");
  REQUIRE(back.has_value());
  for (const ScxmlRemark& remark : back->remarks) FAIL(remark.message);
  CHECK(to_hex(load(yaml)->hash) == to_hex(load(back->yaml)->hash));
  // The first way puts keys in the order of the import; from then on nothing moves.
  const auto again = export_scxml(back->yaml, "chart.yaml");
  REQUIRE(again.has_value());
  const auto settled = import_scxml(again->scxml, "other");
  REQUIRE(settled.has_value());
  CHECK(export_scxml(settled->yaml, "chart.yaml")->scxml == again->scxml);
}

TEST_CASE("the shipped procedures come back with their hash", "[scxml]") {
  REQUIRE_FALSE(shipped_definitions().empty());
  for (const Shipped& shipped : shipped_definitions()) {
    INFO(shipped.name);
    check_round_trip(std::string(shipped.source));
  }
}

TEST_CASE("every part of the language comes back", "[scxml]") {
  check_round_trip(R"(checkride: 1
workflow: all
title: "All of \"it\" <&> ${params.n}"
errors: event
params: {n: {type: string, title: "How many?"}, "name": {type: string, default: "1.10"}}
data:
  count: {type: int, default: 0}
  list: {type: list<string>, default: [a, "b c", "true"]}
  free: {type: dyn, default: null}
result: {"count?": int}
initial: one
on:
  halt: {actions: [{raise: late}]}
entry: {assign: {count: "1"}}
states:
  one:
    title: First
    section: "A: x"
    verdict: passed
    note: "n is ${params.n}"
    entry:
      - {raise: {event: halfway, data: {n: "${data.count}", s: ["x", 1]}}}
      - {send: {event: tick, delay: 1m30s, id: t, data: "x"}}
      - if:
          - {guard: "data.count > 1 && data.list[0] == \"<a>\"", actions: {assign: {count: 5}}}
          - {guard: "data.count < 0", actions: []}
          - {actions: [{assign: {list: [x, y], count: data.count + 1}}, {cancel: t}]}
    exit: {cancel: t}
    on:
      halfway: {actions: {assign: {count: data.count + 1}}}
      "tick late":
        - {guard: "In('one') && data.count > 2", target: both}
        - {target: work, verdict: warned, note: "late"}
      "*": both
    after:
      1m: {guard: data.count > 100, target: bad}
      60s: bad
  work:
    budget: 2
    exhausted: {target: bad, actions: {raise: gone}}
    invoke:
      job: shell
      repeat: safe
      with: {script: 'echo "$N"', env: {N: "${params.n}"}}
      retry: {infra: {max: 2, backoff: 30s}}
    on:
      done:
        - {guard: result.exit_code == 0, target: both}
        - ask
      error: {target: h, note: "${error.class}"}
    title: Work
  ask:
    invoke: {job: gate, with: {question: "Go on?"}, options: [later]}
    on:
      answer.approve: work
      "answer.later answer.waive": [{guard: "result.reason == 'x'", target: both}, both]
      answer: {target: [l1, r2]}
  both:
    type: parallel
    always: {guard: data.count > 1000, target: end}
    after: {500ms: end}
    on: {done: end}
    states:
      left:
        initial: l2
        states:
          h: {type: history, history: deep, target: l1}
          l1: {on: {go: {target: "#l2", internal: true}}}
          l2: {on: {back: {}, end: lf}}
          lf: {type: final}
      right:
        on: {turn: {actions: {raise: go}}}
        states:
          r1: {on: {end: rf, back: {}}}
          r2: {on: {end: rf}}
          rf: {type: final}
  end: {type: final, output: {count: "${data.count}"}}
  bad: {type: final, outcome: failed}
)");
}

}  // namespace
}  // namespace checkride

// The canonical form and its hash: what changes it and what does not.
#include "workflows/loader/canonical.h"

#include <catch2/catch.hpp>

#include "tests/unit/loader/sample.h"

namespace checkride::test {
namespace {

constexpr std::string_view original = R"(checkride: 1
workflow: w
params: {a: int, b: {type: string, default: x}}
data: {n: {type: int, default: 0}}
states:
  s:
    title: a step
    invoke:
      job: exec
      repeat: safe
      with: {argv: [make, "${params.b}"], env: {X: y, A: b}}
    on: {done: {target: end, guard: result.exit_code == 0}, error: {target: end}, done.invoke.s: end}
  end: {type: final}
)";

Digest hash_of(std::string_view text) {
  return load_good(text)->hash;
}

std::string replaced(std::string_view from, std::string_view to) {
  std::string text(original);
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("comments, layout and quotes do not change the hash", "[loader][canonical]") {
  const std::string other = R"(# A comment.
checkride: 1
workflow: "w"

data:
  n: {default: 0, type: int}
params:
  b:
    default: 'x'
    type: "string"
    secret: false
  a: int
errors: park
initial: s
states:
  s:
    optional: false
    title: 'a step'
    on:
      done:
        - guard: |
            result.exit_code == 0
          target: "#end"
      error: end      # the short form
      done.invoke.s: [end]
    invoke:
      job: exec
      with:
        env: {A: "b", X: "y"}
        argv:
          - make
          - ${params.b}
      repeat: safe
      grace: 10s
      output_max: 256MiB
      expect: {exit_code: 0}
  end: {type: final, outcome: succeeded}
)";
  CHECK(hash_of(original) == hash_of(other));
}

TEST_CASE("a change of meaning changes the hash", "[loader][canonical]") {
  const Digest before = hash_of(original);
  const std::pair<std::string_view, std::string_view> changes[] = {
      {"workflow: w", "workflow: v"},
      {"a: int", "a: double"},
      {"default: x", "default: z"},
      {"default: 0", "default: 1"},
      {"a step", "another step"},
      {"repeat: safe", "repeat: ask"},
      {"[make, ", "[make, all, "},
      {"X: y", "X: z"},
      {"exit_code == 0", "exit_code != 1"},
      {"target: end, guard", "target: end, verdict: warned, guard"},
      {"end: {type: final}", "end: {type: final, outcome: failed}"},
      {"title: a step", "title: a step\n    section: S"},
      {"repeat: safe", "repeat: safe\n      timeout: 5s"},
      {"checkride: 1", "checkride: 1\nerrors: event"},
  };
  for (const auto& [from, to] : changes) {
    INFO(from << " -> " << to);
    CHECK(hash_of(replaced(from, to)) != before);
  }
}

TEST_CASE("the order of states and of transitions is part of the meaning", "[loader][canonical]") {
  const auto text = [](std::string_view states) {
    return "checkride: 1\nworkflow: w\ninitial: a\nstates:\n" + std::string(states);
  };
  const std::string a =
      "  a: {on: {x: end, y: end}, after: {1s: end}, entry: [{raise: x}, {raise: y}]}\n";
  const std::string swapped =
      "  a: {on: {y: end, x: end}, after: {1s: end}, entry: [{raise: x}, {raise: y}]}\n";
  const std::string end = "  end: {type: final}\n";
  CHECK(hash_of(text(a + end)) != hash_of(text(end + a)));
  CHECK(hash_of(text(a + end)) != hash_of(text(swapped + end)));
}

TEST_CASE("the schema of a job kind is part of the hash", "[loader][canonical]") {
  const Digest before = hash_of(original);
  JobSignature newer;
  for (const JobSignature* kind : kinds())
    if (kind->name == "exec") newer = *kind;
  newer.version = 2;
  LoadOptions with_newer;
  with_newer.signatures = {&newer};
  const LoadResult result = load_definition(original, "t.yaml", with_newer);
  REQUIRE(result.definition != nullptr);
  CHECK(result.definition->hash != before);
}

TEST_CASE("the hash of a machine is part of the hash of what invokes it", "[loader][canonical]") {
  const auto text = [](std::string_view title) {
    return "checkride: 1\nworkflow: w\nmachines:\n  m:\n    title: " + std::string(title) +
           "\n    states: {e: {type: final}}\nstates:\n  s: {invoke: {machine: m}, on: {done: end, "
           "error: end}}\n  end: {type: final}\n";
  };
  CHECK(hash_of(text("one")) != hash_of(text("two")));
}

TEST_CASE("the canonical form of a small workflow is written down", "[loader][canonical]") {
  const auto d = load_good("checkride: 1\nworkflow: w\nstates: {e: {type: final, title: \"\"}}\n");
  const std::string state_tail = "t5:entry[0:t4:exit[0:t7:sectiont0:t5:titlet0:t8:requiredn";
  CHECK(loader::canonical_form(*d) ==
        "t26:checkride canonical form 1t4:namet1:wt5:titlet0:t6:errorst4:parkt6:params[0:t4:data[0:"
        "t6:resultt2:{}t10:record_env[0:t5:omits[0:t6:states[2:"
        "{t2:idt0:t4:kindt5:statet6:parentn0;t7:initial"
        "{t6:events[0:t5:guard-t7:targets[1:t1:et8:internaln0;t7:actions-t7:verdictt0:t4:note-}"
        "t11:transitions[0:" +
            state_tail +
            "0;t7:verdictt0:t4:note-t6:invoke-t4:undo-t6:budget-t7:outcomet4:nonet6:output-}"
            "{t2:idt1:et4:kindt5:finalt6:parentn0;t7:initial-t11:transitions[0:" +
            state_tail +
            "1;t7:verdictt0:t4:note-t6:invoke-t4:undo-t6:budget-t7:outcomet9:succeededt6:output-}");
}

}  // namespace
}  // namespace checkride::test

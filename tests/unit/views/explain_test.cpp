#include "workflows/views/explain.h"

#include <catch2/catch.hpp>

#include "tests/unit/views/documents.h"

namespace checkride::test {
namespace {

const std::string small = R"(checkride: 1
workflow: nightly
title: Nightly check of ${params.repo}
omits: [The release notes]
params:
  repo: {type: path, title: Root of the work tree}
  tries: {type: int, default: 3}
  token: {type: string, default: "", secret: true}
data: {log: {type: string, default: ""}}
states:
  build:
    section: A. Build
    title: The tree builds
    initial: compile
    on: {done: ask}
    states:
      compile:
        budget: "${params.tries}"
        exhausted: ask
        invoke:
          job: shell
          repeat: safe
          with: {script: 'make -C "$REPO"', env: {REPO: "${params.repo}"}}
          timeout: 1h30m
          expect: {exit_code: [0, 2], log_lacks: "error:"}
          parse: {took: {type: double, regex: 'took ([0-9.]+)'}}
          retry: {infra: {max: 2, backoff: 30s}, lost: {max: 2, backoff: 30s}, flaky: 1}
        on:
          done:
            - {guard: result.exit_code == 0, target: built, actions: {assign: {log: result.stdout}}}
            - {guard: result.exit_code == 2 && has(result.values.took), target: compile}
            - ask
          error: compile
      built: {type: final}
    optional: true
  ask:
    title: Somebody agrees
    invoke:
      job: gate
      options: [later]
      who: [ann, bob]
      with: {question: "Ship ${params.repo}?", details: "${data.log}"}
      reminder: 4h
      expiry: {after: 2d, answer: reject}
    on:
      answer.approve: {target: end, verdict: passed}
      answer.later: wait
      answer: {target: failed, verdict: failed, note: "${result.reason}"}
  wait:
    after: {1d: ask}
  end: {type: final}
  failed: {type: final, outcome: failed}
)";

TEST_CASE("a definition is told in prose", "[views][explain]") {
  const auto definition = load_real(small).definition;
  REQUIRE(definition != nullptr);
  CHECK(to_markdown(explain(*definition)) == source_file("tests/unit/views/nightly.md"));
}

TEST_CASE("every step of the shipped procedures is told with its ways on", "[views][explain]") {
  for (const Document& document : whole_documents()) {
    INFO(document.name);
    const auto definition = load_real(document.text).definition;
    REQUIRE(definition != nullptr);
    const Explanation all = explain(*definition);
    CHECK(all.machines.size() == 1 + definition->machines.size());
    std::size_t outcomes = 0;
    for (const ExplainedMachine& machine : all.machines)
      for (const ExplainedStep& step : machine.steps) {
        INFO(step.id);
        CHECK((!step.outcomes.empty() || !step.sentences.empty() || step.number.size() == 1));
        outcomes += step.outcomes.size();
      }
    CHECK(outcomes > 0);
    const std::string page = to_markdown(all);
    CHECK(page.find("()") == std::string::npos);
    CHECK(page.find("``)") == std::string::npos);
  }
}

}  // namespace
}  // namespace checkride::test

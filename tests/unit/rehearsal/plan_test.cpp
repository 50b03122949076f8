// What a dry run knows before anything has happened.
#include <catch2/catch.hpp>

#include "tests/unit/rehearsal/stage.h"

namespace checkride::test {
namespace {

cel::Map params_of(const Definition& definition) {
  cel::Map given;
  given.set("repo", cel::Value("/src"));
  const auto params = definition.complete_params(given);
  REQUIRE(params.has_value());
  return *params;
}

JobOutcome found(bool ok) {
  JobOutcome outcome;
  outcome.completed = true;
  outcome.status = ok ? JobStatus::pass : JobStatus::fail;
  cel::Map result;
  result.set("ok", cel::Value(ok));
  result.set("count", cel::Value(4));
  outcome.result = cel::Value(std::move(result));
  return outcome;
}

std::string states(const rehearsal::Plan& plan) {
  std::string all;
  for (const rehearsal::PlanStep& step : plan.steps)
    all += plan.definition->chart.state(step.state).id + " ";
  return all;
}

TEST_CASE("the expected path neither warns nor fails", "[plan]") {
  const auto definition = load_stage();
  std::vector<std::string> looked;
  const auto plan = rehearsal::plan_of(
      definition, params_of(*definition), [&](const JobSpec& spec) -> std::optional<JobOutcome> {
        looked.push_back(spec.state + " " + cel::to_cel(cel::Value(spec.inputs)));
        return std::nullopt;
      });
  CHECK(states(plan) == "build parts rest ");
  REQUIRE(plan.end.has_value());
  CHECK(definition->chart.state(*plan.end).id == "good");
  CHECK_FALSE(plan.looked_failed);
  CHECK(looked == std::vector<std::string>{"build {\"what\": \"/src\"}", "work {\"what\": \"one\"}",
                                           "work {\"what\": \"two\"}", "rest {}"});
  REQUIRE(plan.steps[1].children.size() == 2);
  CHECK(states(plan.steps[1].children[0]) == "work ");
}

TEST_CASE("what a look finds decides the branch", "[plan]") {
  const auto definition = load_stage();
  const auto plan = rehearsal::plan_of(definition, params_of(*definition),
                                       [&](const JobSpec& spec) -> std::optional<JobOutcome> {
                                         if (spec.state != "build") return std::nullopt;
                                         return found(false);
                                       });
  CHECK(states(plan) == "build ask parts rest ");
  CHECK(plan.steps[0].verdict == Verdict::failed);
  CHECK(plan.steps[0].certain);
  CHECK_FALSE(plan.looked_failed);  // a person may still approve

  const auto good = rehearsal::plan_of(definition, params_of(*definition),
                                       [&](const JobSpec& spec) -> std::optional<JobOutcome> {
                                         if (spec.state != "build") return std::nullopt;
                                         return found(true);
                                       });
  CHECK(good.steps[0].verdict == Verdict::passed);
  CHECK(good.steps[0].note == "4 built");
}

TEST_CASE("an end that looks alone lead to is told", "[plan]") {
  const auto definition = load_stage(R"(checkride: 1
workflow: stage
params: {repo: string}
states:
  a:
    invoke: {job: check, with: {what: "${params.repo}"}}
    on:
      done: [{guard: result.ok, target: b}, {target: c}]
      error: c
  b: {type: final}
  c: {type: final, outcome: failed}
)");
  const auto failing =
      rehearsal::plan_of(definition, params_of(*definition),
                         [](const JobSpec&) -> std::optional<JobOutcome> { return found(false); });
  CHECK(failing.looked_failed);
  JobOutcome broken;
  broken.message = "not there";
  const auto error =
      rehearsal::plan_of(definition, params_of(*definition),
                         [&](const JobSpec&) -> std::optional<JobOutcome> { return broken; });
  CHECK(error.looked_failed);
  const auto unknown =
      rehearsal::plan_of(definition, params_of(*definition),
                         [](const JobSpec&) -> std::optional<JobOutcome> { return std::nullopt; });
  CHECK_FALSE(unknown.looked_failed);
}

}  // namespace
}  // namespace checkride::test

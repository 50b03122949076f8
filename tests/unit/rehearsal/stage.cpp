#include "tests/unit/rehearsal/stage.h"

#include <catch2/catch.hpp>

namespace checkride::test {

const char* const stage = R"(checkride: 1
workflow: stage
params:
  repo: {type: path}
  items: {type: list<string>, default: [one, two]}
  key: {type: string, default: hidden-word, secret: true}
data:
  seen: {type: int, default: 0}
initial: build
states:
  build:
    title: Built
    section: A. Build
    invoke:
      job: check
      with: {what: "${params.repo}"}
      repeat: probe
      probe: {job: look}
      retry: {infra: {max: 1, backoff: 30s}}
    undo: {job: check}
    on:
      done:
        - {guard: result.ok, target: parts, actions: [{assign: {seen: result.count}}], note: "${result.count} built"}
        - {target: ask, verdict: failed}
      error: {target: ask, note: "${error.message}"}
  ask:
    budget: 2
    exhausted: incident
    invoke:
      job: gate
      options: [again]
      who: [ada, bob]
      expiry: {after: 2h, answer: reject}
      with: {question: "Go on?"}
    on:
      answer.approve: parts
      answer.again: build
      answer: bad
  parts:
    title: Parts
    invoke: {machine: part, each: "${params.items}", as: name}
    on: {done: rest, error: bad}
  rest:
    invoke: {job: check}
    after: {10m: bad}
    on: {done: good, error: bad}
  good: {type: final}
  bad: {type: final, outcome: failed}
machines:
  part:
    params: {name: string}
    states:
      work:
        title: Worked
        invoke: {job: check, with: {what: "${params.name}"}}
        on:
          done:
            - {guard: result.ok, target: fine}
            - {target: poor, verdict: failed}
          error: poor
      fine: {type: final}
      poor: {type: final, outcome: failed}
)";

std::vector<const JobSignature*> stage_kinds() {
  const auto kind = [](const char* name, const char* inputs, const char* result) {
    JobSignature signature;
    signature.name = name;
    signature.inputs = *cel::parse_type(inputs);
    signature.result = *cel::parse_type(result);
    return signature;
  };
  static const JobSignature check =
      kind("check", "{what?: string}", "{ok: bool, count: int, files?: list<string>}");
  static const JobSignature look = kind(
      "look", "{}", "{verdict: string, findings?: list<string>, result?: {ok: bool, count: int}}");
  return {&check, &look};
}

std::shared_ptr<const Definition> load_stage(const std::string& text) {
  LoadOptions options;
  options.signatures = stage_kinds();
  LoadResult loaded = load_definition(text, "stage.yaml", options);
  for (const LoadDiagnostic& diagnostic : loaded.diagnostics) UNSCOPED_INFO(to_string(diagnostic));
  REQUIRE(loaded.definition != nullptr);
  return loaded.definition;
}

std::string mistakes(const std::string& text) {
  const auto definition = load_stage();
  const auto read = rehearsal::read_cases("rehearsal: 1\n" + text, "cases.yaml", *definition);
  CHECK((read.file == nullptr) == !read.diagnostics.empty());
  std::string all;
  for (const LoadDiagnostic& diagnostic : read.diagnostics) all += to_string(diagnostic) + "\n";
  return all;
}

std::shared_ptr<const rehearsal::CaseFile> read_well(const std::string& text) {
  const auto definition = load_stage();
  const auto read = rehearsal::read_cases("rehearsal: 1\n" + text, "cases.yaml", *definition);
  for (const LoadDiagnostic& diagnostic : read.diagnostics) UNSCOPED_INFO(to_string(diagnostic));
  REQUIRE(read.file != nullptr);
  return read.file;
}

std::string Played::differences(const std::string& report) const {
  std::string all;
  for (const std::string& one : rehearsal::differences(file->cases.front(), rehearsed, report))
    all += one + "\n";
  return all;
}

std::string Played::unused() const {
  std::string all;
  for (const auto& left : rehearsal::unused(file->cases.front().script, rehearsed.used))
    all += std::to_string(left.place.line) + ": " + left.what + "\n";
  return all;
}

std::unique_ptr<Played> play(const std::string& text) {
  auto played = std::make_unique<Played>();
  played->definition = load_stage();
  played->file = read_well(text);
  played->coverage = std::make_unique<rehearsal::Coverage>(played->definition);
  auto rehearsed =
      rehearsal::rehearse(played->definition, *played->file, played->file->cases.front(),
                          played->log, *played->coverage, {});
  REQUIRE(rehearsed.has_value());
  played->rehearsed = *std::move(rehearsed);
  return played;
}

}  // namespace checkride::test

#include "tests/unit/loader/sample.h"

#include <algorithm>

#include "tests/support/json_schema.h"
#include "workflows/views/schema.h"

namespace checkride::test {
namespace {

// Every document that a test loads is held against the JSON Schema as well: what loads fits, and an
// unknown key does not.
void compare_with_schema(std::string_view text, const LoadResult& result) {
  static const boost::json::value schema = boost::json::parse(json_schema(kinds()));
  loader::Diagnostics diagnostics;
  loader::Reporter reporter(diagnostics, "t.yaml");
  const auto root = loader::read_yaml(text, reporter);
  if (!root) return;
  const auto problem = schema_error(schema, as_json(*root));
  INFO(text);
  if (result.definition != nullptr) CHECK(problem.value_or("") == "");
  if (std::any_of(result.diagnostics.begin(), result.diagnostics.end(), [](const auto& d) {
        return d.rule == "unknown-key" && d.source_name == "t.yaml";
      }))
    CHECK(problem.has_value());
}

JobSignature signature(std::string name, std::string_view inputs, std::string_view result,
                       Repeat repeat, bool supervised) {
  JobSignature s;
  s.name = std::move(name);
  s.title = s.name;
  s.inputs = cel::parse_type(inputs).value();
  s.result = cel::parse_type(result).value();
  s.repeat = repeat;
  s.supervised = supervised;
  return s;
}

}  // namespace

const std::vector<const JobSignature*>& kinds() {
  static const JobSignature shell =
      signature("shell", "{script: string, env?: map<string, string>}",
                "{exit_code: int, stdout: string, values: map<string, dyn>}", Repeat::ask, true);
  static const JobSignature exec =
      signature("exec", "{argv: list<string>, env?: map<string, string>}",
                "{exit_code: int, stdout: string, values: map<string, dyn>}", Repeat::ask, true);
  static const JobSignature status = signature(
      "git.status", "{repo: path, depth?: int, ratio?: double}",
      "{entries: list<{path: string, allowed: bool, unmerged: bool}>}", Repeat::safe, true);
  static const JobSignature branch = signature("git.branch", "{repo: path, name: string}",
                                               "{commit: string}", Repeat::probe, true);
  static const JobSignature probe =
      signature("git.probe", "{repo: path}", "{verdict: string, findings?: string, result?: dyn}",
                Repeat::safe, true);
  static const JobSignature scan =
      signature("log.scan", "{text: string}", "{hits: int}", Repeat::safe, false);
  static const std::vector<const JobSignature*> all = {&exec,   &branch, &probe,
                                                       &status, &scan,   &shell};
  return all;
}

LoadOptions options() {
  LoadOptions result;
  result.signatures = kinds();
  return result;
}

LoadResult load(std::string_view text) {
  LoadResult result = load_definition(text, "t.yaml", options());
  compare_with_schema(text, result);
  return result;
}

std::string findings(const LoadResult& result) {
  std::string text;
  for (const LoadDiagnostic& d : result.diagnostics) text += to_string(d) + "\n";
  return text;
}

std::shared_ptr<const Definition> load_good(std::string_view text) {
  const LoadResult result = load(text);
  INFO(findings(result));
  REQUIRE(result.definition != nullptr);
  return result.definition;
}

std::string with_states(std::string_view states) {
  return "checkride: 1\n"
         "workflow: sample\n"
         "params:\n"
         "  repo: {type: path, default: /src}\n"
         "data: {n: {type: int, default: 0}}\n"
         "states:\n" +
         std::string(states) +
         "  end: {type: final}\n"
         "  failed: {type: final, outcome: failed}\n";
}

statechart::StateIndex state_of(const Definition& definition, std::string_view id) {
  const auto found = definition.chart.find(id);
  INFO(id);
  REQUIRE(found.has_value());
  return *found;
}

const StateSpec& spec_of(const Definition& definition, std::string_view id) {
  return definition.states[state_of(definition, id).value];
}

std::vector<std::string> transitions_of(const Definition& definition, std::string_view id) {
  std::vector<std::string> result;
  for (const auto t : definition.chart.state(state_of(definition, id)).transitions) {
    const auto& transition = definition.chart.transition(t);
    std::string text;
    for (const std::string& event : transition.events) text += (text.empty() ? "" : " ") + event;
    text += " ->";
    for (const auto target : transition.targets) text += " " + definition.chart.state(target).id;
    result.push_back(text);
  }
  return result;
}

}  // namespace checkride::test

// cel_conformance [--tiers a,b] [--folder PATH] FILE...: runs files of the CEL conformance suite,
// one line a test, totals per file and per tier. Exit code 0 when nothing failed, 1 otherwise, 2
// for wrong use, 77 when the folder does not exist (CTest's skip).
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/cel/program.h"
#include "tests/conformance/cel/decode.h"

namespace checkride::cel {
namespace {

constexpr int exit_skipped = 77;
constexpr std::size_t file_bytes_max = 64 << 20;

enum class Verdict { pass, fail, skip };

struct Outcome {
  Verdict verdict = Verdict::pass;
  std::string reason;
};

struct Totals {
  int pass = 0;
  int fail = 0;
  int skip = 0;

  void count(Verdict verdict) {
    pass += verdict == Verdict::pass ? 1 : 0;
    fail += verdict == Verdict::fail ? 1 : 0;
    skip += verdict == Verdict::skip ? 1 : 0;
  }
};

Outcome failed(std::string reason) {
  return {Verdict::fail, std::move(reason)};
}
Outcome skipped(std::string reason) {
  return {Verdict::skip, std::move(reason)};
}

// Declares the overloads of one function; empty when all is well.
std::string declare_function(const std::string& name, const Value& overloads,
                             Environment& environment) {
  if (overloads.kind() != Kind::list) return "the overloads are no list";
  for (const Value& overload : overloads.as_list()) {
    const Value* params_json = overload.field("params");
    const Value* result_json = overload.field("result");
    const auto params = params_json == nullptr ? std::vector<Type>() : decode_types(*params_json);
    const auto result = result_json == nullptr ? std::nullopt : decode_type(*result_json);
    if (!params || !result) return "an overload has a type of an unknown form";
    const bool member = overload.bool_or("receiver", false);
    if (member && params->empty()) return "an overload has no receiver";
    environment.function(name, member, *params, *result);
  }
  return "";
}

// Declarations of the test; a reason to skip where we have no such thing.
Outcome declare(const Value& test, Environment& environment, VariableActivation& activation) {
  environment.allow_named_time_zones();
  if (test.bool_or("disable_macros", false)) environment.disable_macros();
  environment.container(test.string_or("container", ""));
  if (const Value* bindings = test.field("bindings")) {
    if (bindings->kind() != Kind::map) return failed("the bindings are no object");
    for (const MapEntry& binding : bindings->as_map()) {
      const std::optional<Value> value = decode_value(binding.second);
      if (!value) return skipped("a bound value has an unknown form");
      activation.set(binding.first.as_string(), *value);
      environment.variable(binding.first.as_string(), Type::dyn());
    }
  }
  if (const Value* declarations = test.field("env")) {
    if (declarations->kind() != Kind::list) return failed("the declarations are no list");
    for (const Value& declaration : declarations->as_list()) {
      const std::string name = declaration.string_or("name", "");
      const Value* type_json = declaration.field("type");
      const Value* overloads = declaration.field("overloads");
      if (type_json == nullptr && overloads == nullptr)
        return skipped("'" + name + "' is declared as neither variable nor function");
      if (overloads != nullptr) {
        const std::string problem = declare_function(name, *overloads, environment);
        if (!problem.empty()) return skipped("function '" + name + "': " + problem);
        continue;
      }
      const std::optional<Type> type = decode_type(*type_json);
      if (!type) return skipped("the type of '" + name + "' has an unknown form");
      environment.variable(name, *type);
    }
  }
  return {};
}

// Whether every key is one that this runner knows: what it does not know may change the outcome.
Outcome known_keys(const Value& object, std::initializer_list<std::string_view> known) {
  for (const MapEntry& entry : object.as_map()) {
    const std::string& key = entry.first.as_string();
    if (std::find(known.begin(), known.end(), key) == known.end())
      return skipped("the key '" + key + "' is not known to this runner");
  }
  return {};
}

Outcome run_test(const Value& test) {
  if (test.kind() != Kind::map) return failed("the test is no object");
  Outcome known = known_keys(
      test, {"id", "section", "name", "description", "expr", "container", "disable_macros",
             "disable_check", "check_only", "env", "bindings", "expect", "skipped_by"});
  if (known.verdict != Verdict::pass) return known;
  const Value* expression = test.field("expr");
  if (expression == nullptr || expression->kind() != Kind::string)
    return failed("there is no expression");
  const Value* expect = test.field("expect");
  if (expect == nullptr || expect->kind() != Kind::map || expect->as_map().empty())
    return failed("no outcome is given");
  known = known_keys(*expect, {"value", "error", "type"});
  if (known.verdict != Verdict::pass) return known;
  Environment environment;
  VariableActivation activation;
  if (Outcome declared = declare(test, environment, activation); declared.verdict != Verdict::pass)
    return declared;
  const bool check_only = test.bool_or("check_only", false);
  const bool untyped = test.bool_or("disable_check", false) && !check_only;
  const auto program =
      Program::compile(expression->as_string(), environment,
                       untyped ? Program::Checking::untyped : Program::Checking::typed);
  if (!program) {
    const Diagnostic& d = program.error().front();
    return failed("compile: " + d.message + " at column " + std::to_string(d.position.column));
  }
  if (const Value* type_json = expect->field("type"); type_json != nullptr && !untyped) {
    const std::optional<Type> type = decode_type(*type_json);
    if (!type) return skipped("the expected type has an unknown form");
    if (!(program->type() == *type))
      return failed("type " + to_string(program->type()) + ", expected " + to_string(*type));
  }
  if (check_only)
    return expect->field("type") != nullptr ? Outcome() : failed("no type is given to compare");
  const EvalResult result = program->evaluate(activation);
  if (expect->field("error") != nullptr) {
    if (result) return failed("value " + to_cel(*result) + ", expected an error");
    const bool unbound = test.string_or("name", "").find("unbound") != std::string::npos;
    if (!unbound && result.error().message.starts_with("unknown function"))
      return failed(result.error().message);
    return {};
  }
  const Value* value_json = expect->field("value");
  if (value_json == nullptr)
    return untyped ? skipped("only a type is given, and the checker is off") : Outcome();
  const std::optional<Value> expected = decode_value(*value_json);
  if (!expected) return skipped("the expected value has an unknown form");
  if (!result) return failed("error: " + result.error().message);
  if (!same_outcome(*expected, *result))
    return failed("value " + to_cel(*result) + ", expected " + to_cel(*expected));
  return {};
}

void print(const char* name, const Totals& totals) {
  std::printf("%s: %d passed, %d failed, %d skipped\n", name, totals.pass, totals.fail,
              totals.skip);
}

// False where the file is no suite.
bool run_file(const std::filesystem::path& path, const std::vector<std::string>& tiers,
              std::map<std::string, Totals>& by_tier) {
  const auto text = read_file(path, file_bytes_max);
  if (!text) {
    std::fprintf(stderr, "%s\n", text.error().text().c_str());
    return false;
  }
  const auto suite = from_json(*text);
  if (!suite || suite->field("tests") == nullptr || suite->field("tests")->kind() != Kind::list) {
    std::fprintf(stderr, "%s: no conformance file%s\n", path.c_str(),
                 suite ? "" : (": " + suite.error().text()).c_str());
    return false;
  }
  if (suite->field("tests")->as_list().empty()) {
    std::fprintf(stderr, "%s: the file has no tests\n", path.c_str());
    return false;
  }
  const std::string tier = suite->string_or("tier", "none");
  if (!tiers.empty() && std::find(tiers.begin(), tiers.end(), tier) == tiers.end()) return true;
  Totals totals;
  for (const Value& test : suite->field("tests")->as_list()) {
    const Outcome outcome = run_test(test);
    totals.count(outcome.verdict);
    by_tier[tier].count(outcome.verdict);
    const std::string id = test.string_or("id", test.string_or("name", "?"));
    if (outcome.verdict == Verdict::pass)
      std::printf("PASS %s\n", id.c_str());
    else
      std::printf("%s %s: %s\n", outcome.verdict == Verdict::fail ? "FAIL" : "SKIP", id.c_str(),
                  outcome.reason.c_str());
  }
  print(suite->string_or("file", path.filename().string()).c_str(), totals);
  return true;
}

int run(const std::vector<std::string>& arguments) {
  std::vector<std::filesystem::path> files;
  std::vector<std::string> tiers;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool has_operand = i + 1 < arguments.size();
    if (arguments[i] == "--folder" && has_operand) {
      const std::filesystem::path folder = arguments[++i];
      if (!std::filesystem::is_directory(folder)) {
        std::printf("skipped: %s does not exist\n", folder.c_str());
        return exit_skipped;
      }
      for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    } else if (arguments[i] == "--tiers" && has_operand) {
      std::string name;
      for (const char c : arguments[++i] + ",") {
        if (c != ',') {
          name += c;
        } else if (!name.empty()) {
          tiers.push_back(std::move(name));
          name.clear();
        }
      }
    } else {
      files.emplace_back(arguments[i]);
    }
  }
  if (files.empty()) {
    std::fprintf(stderr, "usage: cel_conformance [--tiers core,ext] [--folder PATH] FILE...\n");
    return 2;
  }
  std::sort(files.begin(), files.end());
  std::map<std::string, Totals> by_tier;
  bool readable = true;
  for (const auto& file : files) readable = run_file(file, tiers, by_tier) && readable;
  bool good = readable;
  for (const auto& [tier, totals] : by_tier) {
    print(("tier " + tier).c_str(), totals);
    good = good && totals.fail == 0;
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace checkride::cel

int main(int argc, char** argv) {
  return checkride::cel::run(std::vector<std::string>(argv + 1, argv + argc));
}

// docs/reference/cel.md, example by example: what the page says is what happens, and every function
// and macro there is has an example.
#include <cstdlib>
#include <sstream>

#include "engine/base/files.h"
#include "engine/cel/functions.h"
#include "tests/unit/cel/support.h"

namespace checkride::cel {
namespace {

constexpr std::size_t page_bytes_max = 1 << 20;

std::string page() {
  const char* source = std::getenv("CHECKRIDE_SOURCE");
  REQUIRE(source != nullptr);
  const auto text = read_file(std::string(source) + "/docs/reference/cel.md", page_bytes_max);
  REQUIRE(text.has_value());
  return *text;
}

// The lines of all blocks fenced with this word.
std::vector<std::string> fenced(const std::string& text, const std::string& word) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```"))
      inside = line == "```" + word;
    else if (inside && !line.empty())
      lines.push_back(line);
  }
  return lines;
}

Environment environment(const std::string& text) {
  Environment environment;
  for (const std::string& line : fenced(text, "types")) {
    const std::size_t colon = line.find(": ");
    REQUIRE(colon != std::string::npos);
    environment.variable(line.substr(0, colon), type(line.substr(colon + 2)));
  }
  return environment.allow_in({"build", "validate"});
}

class Values final : public Activation {
 public:
  explicit Values(const std::string& text) {
    std::string document;
    for (const std::string& line : fenced(text, "json")) document += line + "\n";
    const Value values = json(document);
    for (const MapEntry& entry : values.as_map())
      variables_.set(entry.first.as_string(), entry.second);
    variables_.set("now", Value(Instant{1'795'232'465, 0}));
  }
  const Value* find(std::string_view name) const override { return variables_.find(name); }
  bool in(std::string_view id) const override { return id == "build"; }

 private:
  VariableActivation variables_;
};

std::string outcome(const std::string& source, const Environment& environment,
                    const Activation& values) {
  const auto program = Program::compile(source, environment);
  if (!program) {
    const Diagnostic& d = program.error().front();
    return "refused: " + d.message + (d.suggestion.empty() ? "" : "; " + d.suggestion);
  }
  const EvalResult result = program->evaluate(values);
  return result ? to_cel(*result) : "error: " + result.error().message;
}

}  // namespace

TEST_CASE("every example of the reference gives what the page says", "[cel]") {
  const std::string text = page();
  const Environment names = environment(text);
  const Values values(text);
  const std::vector<std::string> examples = fenced(text, "cel");
  REQUIRE(examples.size() > 150);
  for (const std::string& line : examples) {
    const std::size_t mark = line.rfind("  // ");
    INFO(line);
    REQUIRE(mark != std::string::npos);
    const std::string expected = line.substr(mark + 5);
    const std::string actual = outcome(line.substr(0, mark), names, values);
    // Of a refusal the page may leave out the suggestion.
    if (expected.starts_with("refused: "))
      CHECK(actual.substr(0, expected.size()) == expected);
    else
      CHECK(actual == expected);
  }
}

TEST_CASE("every function and macro has an example in the reference", "[cel]") {
  std::string examples;
  for (const std::string& line : fenced(page(), "cel")) examples += line + "\n";
  std::vector<std::string> names = function_names();
  for (const char* macro :
       {"has", "all", "exists", "exists_one", "existsOne", "map", "filter", "transformList",
        "transformMap", "transformMapEntry", "cel.bind", "optMap", "optFlatMap", "In"})
    names.emplace_back(macro);
  for (const std::string& name : names) {
    INFO(name);
    CHECK(examples.find(name + "(") != std::string::npos);
  }
}

}  // namespace checkride::cel

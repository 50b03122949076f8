// What the documentation shows is true: examples load, lint examples are found by their rule, the
// reference is the generated one.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/views/documents.h"
#include "workflows/loader/rules.h"
#include "workflows/views/schema.h"

namespace checkride::test {
namespace {

const std::string lint_page = "docs/reference/lint.md";

TEST_CASE("every definition in the documentation loads without findings", "[docs]") {
  std::size_t found = 0;
  for (const std::string& page : pages()) {
    if (page == lint_page) continue;
    for (const Document& example : examples_of(page)) {
      if (example.text.starts_with("rehearsal: 1")) continue;  // cases: tests/unit/rehearsal
      INFO(example.name << "\n" << example.text);
      REQUIRE(example.text.find("checkride: 1") != std::string::npos);
      static_cast<void>(load_clean(example.text));
      ++found;
    }
  }
  CHECK(found >= 4);
}

TEST_CASE("the reference of the language is what the tables say", "[docs]") {
  // To write it anew: build/checkride schema --format md > docs/reference/language.md
  CHECK(source_file("docs/reference/language.md") == language_reference(catalog().signatures()));
}

TEST_CASE("the page on lint lists every rule, and each example is found by its rule", "[docs]") {
  const std::string page = source_file(lint_page);
  for (const loader::Rule& rule : loader::lint_rules()) {
    const std::string id(rule.id);
    INFO(id);
    CHECK(page.find("| [`" + id + "`](#" + id + ") | " + std::string(rule.severity) + " | " +
                    std::string(rule.what) + " |\n") != std::string::npos);
    const std::string heading = "\n## " + id + "\n";
    const std::size_t begin = page.find(heading);
    REQUIRE(begin != std::string::npos);
    if (id == "too-many") continue;
    const std::string section =
        page.substr(begin + heading.size(), page.find("\n## ", begin + 1) - begin - heading.size());
    const std::string fence = "```yaml\n";
    const std::size_t start = section.find(fence);
    REQUIRE(start != std::string::npos);
    const std::string example =
        section.substr(start + fence.size(), section.find("```", start + 3) - start - fence.size());
    const LoadResult result = load_real("checkride: 1\nworkflow: example\n" + example);
    std::string findings;
    bool by_rule = false;
    for (const LoadDiagnostic& d : result.diagnostics) {
      findings += to_string(d) + "\n";
      by_rule = by_rule || d.rule == rule.id;
    }
    INFO(example << findings);
    CHECK(by_rule);
    const bool refused = result.definition == nullptr;
    CHECK(refused == (rule.severity != "warning"));
  }
  // And no section about a rule that is not there.
  for (std::size_t at = 0; (at = page.find("\n## ", at)) != std::string::npos; ++at) {
    const std::string id = page.substr(at + 4, page.find('\n', at + 4) - at - 4);
    INFO(id);
    CHECK(loader::find_rule(id) != nullptr);
  }
}

}  // namespace
}  // namespace checkride::test

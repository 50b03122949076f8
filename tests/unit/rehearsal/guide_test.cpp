// The cases of the guide play well with the procedure of the guide they are written for.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "engine/base/files.h"
#include "tests/unit/rehearsal/stage.h"
#include "workflows/jobs/catalog.h"

namespace checkride::test {
namespace {

// The YAML block of a page that is about the workflow and starts so.
std::string example(const std::string& page, const std::string& start, const std::string& about) {
  const char* source = std::getenv("CHECKRIDE_SOURCE");
  REQUIRE(source != nullptr);  // CTest sets it
  const auto text = read_file(std::string(source) + "/docs/guides/" + page, 1 << 20);
  REQUIRE(text.has_value());
  const std::string fence = "```yaml\n";
  const std::size_t name = text->find(fence + start + "\nworkflow: " + about + "\n");
  REQUIRE(name != std::string::npos);
  const std::size_t begin = name + fence.size();
  return text->substr(begin, text->find("```", begin) - begin);
}

void play_all(const std::string& definition, const std::string& cases, std::size_t count) {
  const JobCatalog catalog = builtin_jobs();
  LoadOptions options;
  options.signatures = catalog.signatures();
  const LoadResult loaded = load_definition(definition, "guide.yaml", options);
  REQUIRE(loaded.definition != nullptr);
  const auto read = rehearsal::read_cases(cases, "cases.yaml", *loaded.definition);
  for (const LoadDiagnostic& diagnostic : read.diagnostics) UNSCOPED_INFO(to_string(diagnostic));
  REQUIRE(read.file != nullptr);
  CHECK(read.file->cases.size() == count);
  for (const rehearsal::Case& one : read.file->cases) {
    INFO(one.name);
    MemoryLog log;
    rehearsal::Coverage coverage(loaded.definition);
    const auto rehearsed =
        rehearsal::rehearse(loaded.definition, *read.file, one, log, coverage, {});
    REQUIRE(rehearsed.has_value());
    CHECK(rehearsal::differences(one, *rehearsed, "") == std::vector<std::string>());
    CHECK(rehearsal::unused(one.script, rehearsed->used).empty());
  }
}

TEST_CASE("the cases in the guide", "[rehearsal][docs]") {
  play_all(example("write-a-procedure.md", "checkride: 1", "nightly"),
           example("test-a-procedure.md", "rehearsal: 1", "nightly"), 6);
  play_all(example("test-a-procedure.md", "checkride: 1", "released"),
           example("test-a-procedure.md", "rehearsal: 1", "released"), 4);
}

}  // namespace
}  // namespace checkride::test

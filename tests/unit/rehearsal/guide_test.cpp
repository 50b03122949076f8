// The cases of the guide play well with the procedure of the guide they are written for.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "engine/base/files.h"
#include "tests/unit/rehearsal/stage.h"
#include "workflows/jobs/catalog.h"

namespace checkride::test {
namespace {

// The YAML block of a page that is about the workflow `nightly`.
std::string nightly_example(const std::string& page) {
  const char* source = std::getenv("CHECKRIDE_SOURCE");
  REQUIRE(source != nullptr);  // CTest sets it
  const auto text = read_file(std::string(source) + "/docs/guides/" + page, 1 << 20);
  REQUIRE(text.has_value());
  const std::string fence = "```yaml\n";
  const std::size_t name = text->find("\nworkflow: nightly\n");
  REQUIRE(name != std::string::npos);
  const std::size_t begin = text->rfind(fence, name);
  REQUIRE(begin != std::string::npos);
  const std::size_t end = text->find("```", begin + fence.size());
  return text->substr(begin + fence.size(), end - begin - fence.size());
}

TEST_CASE("the cases in the guide", "[rehearsal][docs]") {
  const JobCatalog catalog = builtin_jobs();
  LoadOptions options;
  options.signatures = catalog.signatures();
  const LoadResult loaded =
      load_definition(nightly_example("write-a-procedure.md"), "guide.yaml", options);
  REQUIRE(loaded.definition != nullptr);
  const auto read = rehearsal::read_cases(nightly_example("test-a-procedure.md"), "cases.yaml",
                                          *loaded.definition);
  for (const LoadDiagnostic& diagnostic : read.diagnostics) UNSCOPED_INFO(to_string(diagnostic));
  REQUIRE(read.file != nullptr);
  CHECK(read.file->cases.size() == 5);
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

}  // namespace
}  // namespace checkride::test

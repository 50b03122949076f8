// The example of the guide is a workflow that loads.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/unit/loader/sample.h"

namespace checkride::test {
namespace {

TEST_CASE("the example in the guide loads without findings", "[loader][docs]") {
  const char* source = std::getenv("CHECKRIDE_SOURCE");
  if (source == nullptr) {
    WARN("CHECKRIDE_SOURCE is not set; run this test through ctest");
    return;
  }
  std::ifstream file(std::string(source) + "/docs/guides/write-a-procedure.md");
  REQUIRE(file.good());
  std::ostringstream page;
  page << file.rdbuf();
  const std::string text = page.str();
  const std::string fence = "```yaml\n";
  const std::size_t begin = text.find(fence);
  REQUIRE(begin != std::string::npos);
  const std::size_t end = text.find("```", begin + fence.size());
  const LoadResult result = load(text.substr(begin + fence.size(), end - begin - fence.size()));
  CHECK(findings(result) == "");
  CHECK(result.definition != nullptr);
}

}  // namespace
}  // namespace checkride::test

// Random charts and event scripts: the interpreter does what appendix D, written down naively,
// does. CHECKRIDE_CHARTS is the number of charts (default 4000), CHECKRIDE_SEED the first seed.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>

#include "tests/properties/statechart/compare.h"

namespace checkride::statechart {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST_CASE("the interpreter agrees with the standard's algorithm on random charts",
          "[statechart][property]") {
  const std::uint64_t first = number_from("CHECKRIDE_SEED", 1);
  const std::uint64_t count = number_from("CHECKRIDE_CHARTS", 4000);
  REQUIRE(count > 0);
  Coverage coverage;
  if (const auto wrong = first_disagreement(first, count, coverage)) FAIL(*wrong);
  std::cout << coverage.table();
  if (count < 1000) return;  // too few to say anything about shares
  for (const std::string& gap : coverage.gaps()) {
    CAPTURE(gap);
    CHECK(gap.empty());
  }
}

}  // namespace
}  // namespace checkride::statechart

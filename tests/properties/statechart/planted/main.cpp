// Linked with an interpreter that has a planted bug (plant.py): the comparison with the oracle must
// find it. Prints the shrunk chart; exit code 0: caught, 1: not within so many charts.
#include <iostream>

#include "tests/properties/statechart/compare.h"

int main() {
  constexpr std::uint64_t charts = 4000;  // as many as the property test has by default
  checkride::statechart::Coverage coverage;
  const auto caught = checkride::statechart::first_disagreement(1, charts, coverage);
  if (!caught) {
    std::cout << "the planted bug survived " << charts << " charts\n";
    return 1;
  }
  std::cout << "caught: " << *caught << "\n";
  return 0;
}

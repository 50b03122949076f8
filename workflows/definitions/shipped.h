// The definitions built into the program.
#pragma once

#include <string_view>
#include <vector>

namespace checkride {

struct Shipped {
  std::string_view name;    // "gh200-rebase"
  std::string_view source;  // its YAML text
  std::string_view cases;   // of its rehearsal (NAME.cases.yaml), or empty
};
const std::vector<Shipped>& shipped_definitions();  // by name

}  // namespace checkride

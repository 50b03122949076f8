// `checkride test DEFINITION [CASES]`: rehearses a definition's cases and says which of its states
// and transitions none of them reaches.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/context.h"

namespace checkride::cli {

struct TestOptions {
  std::string definition;              // shipped name or path
  std::string cases;                   // path; empty: those shipped with the definition
  std::string only;                    // the case of this name alone
  std::optional<double> min_coverage;  // percent of states and of transitions
  // The cases shipped with a definition, or empty. Set by main.
  std::function<std::string(const std::string& definition)> shipped_cases;
};
// exit_failed when a case fails or the coverage is lower than asked for; exit_usage when definition
// or cases cannot be read.
int cmd_test(const Context& context, const TestOptions& options);

}  // namespace checkride::cli

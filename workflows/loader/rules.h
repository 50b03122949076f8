// The rules by which definitions are judged: every diagnostic carries the id of one. Ids are
// stable; docs/reference/lint.md shows each with an example.
#pragma once

#include <span>
#include <string_view>

namespace checkride::loader {

struct Rule {
  std::string_view id;
  std::string_view severity;  // "error", "warning", or "error or warning"
  std::string_view what;      // one sentence, Markdown
};
std::span<const Rule> lint_rules();
const Rule* find_rule(std::string_view id);

}  // namespace checkride::loader

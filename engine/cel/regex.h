// Regular expressions of CEL's matches(): RE2's syntax and linear time. The only file here that
// knows a third party.
#pragma once

#include <memory>
#include <string_view>

#include "engine/base/result.h"

namespace checkride::cel {

class Regex {
 public:
  virtual ~Regex() = default;
  // Unanchored: whether any part of the text matches.
  virtual bool matches(std::string_view text) const = 0;
  // Instructions of its automaton: what compiling it cost.
  virtual std::size_t size() const = 0;
};

// Patterns are at most 4096 bytes, their automata at most 1 MiB.
Result<std::shared_ptr<const Regex>> compile_regex(std::string_view pattern);

}  // namespace checkride::cel

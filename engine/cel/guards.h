// Which optional fields are known to be present at a place of an expression, because a has() in the
// same && or ?: says so.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cel/ast.h"

namespace checkride::cel {

// Names one field for guards: its canonical path. For a path node, the path up to `segments`;
// variables of macros count by slot, so shadowing cannot confuse them.
std::string guard_key(const Expr& e, std::string_view source, std::size_t segments);
std::string guard_key(const Expr& e, std::string_view source);
// The key as a person writes it.
std::string shown_guard(const std::string& key);

class Guards {
 public:
  std::size_t mark() const { return known_.size(); }
  void release(std::size_t mark) { known_.resize(mark); }
  // Fields in the range count as unknown until reveal(): an operand of && does not guard itself.
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  void hide(Range range) { hidden_.push_back(range); }
  void reveal() { hidden_.pop_back(); }
  bool covers(const std::string& key) const;
  // Adds the fields that are present whenever `condition` has the value `outcome`.
  void add_facts_of(const Expr& condition, bool outcome, std::string_view source);

 private:
  std::vector<std::string> known_;
  std::vector<Range> hidden_;
};

}  // namespace checkride::cel

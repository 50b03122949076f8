#include "engine/cel/guards.h"

#include <algorithm>

#include "engine/cel/resolver.h"

namespace checkride::cel {

std::string guard_key(const Expr& e, std::string_view source, std::size_t segments) {
  if (e.op != Op::path) return std::string(source.substr(e.begin, e.end - e.begin));
  const Path& p = *e.path;
  std::string key;
  std::size_t first = 0;
  if (p.local >= 0) {
    key = p.name + "#" + std::to_string(p.local);
  } else if (!p.roots.empty()) {
    key = p.roots.front().name;
    first = p.roots.front().consumed;
  }
  for (std::size_t i = first; i < segments; ++i) key += segment_text(p.segments[i].key);
  return key;
}

std::string guard_key(const Expr& e, std::string_view source) {
  if (e.op == Op::path) return guard_key(e, source, e.path->segments.size());
  const bool named = e.op == Op::select || e.op == Op::has;
  if (named) return guard_key(*e.children[0], source) + segment_text(Value(e.name));
  if (e.op == Op::index && e.children[1]->op == Op::literal)
    return guard_key(*e.children[0], source) + segment_text(e.children[1]->value);
  return std::string(source.substr(e.begin, e.end - e.begin));
}

std::string shown_guard(const std::string& key) {
  const std::size_t slot = key.find('#');
  if (slot == std::string::npos) return key;
  const std::size_t end = std::min(key.find_first_not_of("0123456789", slot + 1), key.size());
  return key.substr(0, slot) + key.substr(end);
}

bool Guards::covers(const std::string& key) const {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    const bool is_hidden = std::any_of(hidden_.begin(), hidden_.end(), [&](const Range& range) {
      return i >= range.begin && i < range.end;
    });
    if (!is_hidden && known_[i] == key) return true;
  }
  return false;
}

void Guards::add_facts_of(const Expr& condition, bool outcome, std::string_view source) {
  switch (condition.op) {
    case Op::has:
      if (outcome) known_.push_back(guard_key(condition, source));
      break;
    case Op::unary:
      if (condition.operation == Operator::logical_not)
        add_facts_of(*condition.children[0], !outcome, source);
      break;
    case Op::logical_and:
    case Op::logical_or:
      // All operands of a true && are true, all of a false || false; else one of them, unknown
      // which.
      if ((condition.op == Op::logical_and) == outcome)
        for (const ExprPtr& child : condition.children) add_facts_of(*child, outcome, source);
      break;
    case Op::binary:
      // 'log' in result
      if (condition.operation == Operator::in && outcome &&
          condition.children[0]->op == Op::literal)
        known_.push_back(guard_key(*condition.children[1], source) +
                         segment_text(condition.children[0]->value));
      break;
    default: break;
  }
}

}  // namespace checkride::cel

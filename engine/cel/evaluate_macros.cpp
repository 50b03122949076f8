// The macros: they bind variables and walk lists, maps and optionals; none of them is expanded.
#include "engine/cel/evaluation.h"

namespace checkride::cel {
namespace {

// How many rounds of a macro a trace shows; the rest only count.
constexpr std::size_t traced_rounds_max = 16;

}  // namespace

const Value* Evaluation::macro(const Expr& e, Value& scratch) {
  Value range_scratch;
  const Value* range = eval(*e.children[0], range_scratch);
  if (range == nullptr) return nullptr;
  switch (e.macro) {
    case Macro::bind: return body_with(e, *range, scratch);
    case Macro::opt_map:
    case Macro::opt_flat_map: return optional_map(e, *range, scratch);
    case Macro::all: return quantifier(e, *range, scratch, false);
    case Macro::exists: return quantifier(e, *range, scratch, true);
    case Macro::exists_one: return exists_one(e, *range, scratch);
    case Macro::transform_map:
    case Macro::transform_map_entry: return collect_map(e, *range, scratch);
    default: return collect_list(e, *range, scratch);
  }
}

const Value* Evaluation::body_with(const Expr& e, const Value& bound, Value& scratch) {
  local(e, 0) = &bound;
  const Value* value = eval(*e.children[1], scratch);
  if (value == nullptr || value == &scratch) return value;
  Value copy = *value;  // it may be part of the bound value, which ends with the macro
  scratch = std::move(copy);
  return &scratch;
}

const Value* Evaluation::optional_map(const Expr& e, const Value& operand, Value& scratch) {
  if (operand.kind() != Kind::optional)
    return fail_at(e.at, "no such overload: " + e.name + "() on a value of type " +
                             std::string(to_string(operand.kind())));
  if (operand.as_optional() == nullptr) {
    scratch = Value::optional_none();
    return &scratch;
  }
  const Value content = *operand.as_optional();
  const Value* value = body_with(e, content, scratch);
  if (value == nullptr) return nullptr;
  if (e.macro == Macro::opt_map) {
    Value wrapped = Value::optional_of(*value);
    scratch = std::move(wrapped);
    return &scratch;
  }
  if (value->kind() != Kind::optional)
    return fail_at(e.at, "optFlatMap() needs an expression that gives an optional");
  return value;
}

// Binds the macro's variables for each element and calls `round`, until it says stop by false. A
// list gives its elements, with two variables index and element; a map its keys, with two its
// entries. False where evaluation failed.
template <class Round>
bool Evaluation::for_each(const Expr& e, const Value& range, Round round) {
  const bool two = e.variables.size() == 2;
  TraceNode* const trace = trace_;
  std::size_t index = 0;
  const auto step = [&] {
    if (index == traced_rounds_max) trace_ = nullptr;
    ++index;
    return charge(1) && round();
  };
  if (range.kind() == Kind::list) {
    for (const Value& element : range.as_list()) {
      const Value position(static_cast<std::int64_t>(index));
      local(e, 0) = two ? &position : &element;
      if (two) local(e, 1) = &element;
      if (!step()) break;
    }
  } else if (range.kind() == Kind::map) {
    for (const MapEntry& element : range.as_map()) {
      local(e, 0) = &element.first;
      if (two) local(e, 1) = &element.second;
      if (!step()) break;
    }
  } else {
    fail_at(e.at, "no such overload: " + e.name + "() walks a list or a map, not " +
                      std::string(to_string(range.kind())));
  }
  trace_ = trace;
  return !failed_;
}

// A body that must be true or false; nullopt after a failure.
std::optional<bool> Evaluation::predicate(const Expr& body) {
  Value scratch;
  const Value* value = eval(body, scratch);
  if (value == nullptr) return std::nullopt;
  if (value->kind() != Kind::boolean) {
    fail_at(body.at, "no such overload: the condition is " + std::string(to_string(value->kind())) +
                         ", not bool");
    return std::nullopt;
  }
  return value->as_bool();
}

// all() and exists(): && and || over the elements.
const Value* Evaluation::quantifier(const Expr& e, const Value& range, Value& scratch,
                                    bool decisive) {
  HeldError error;
  bool decided = false;
  const bool done = for_each(e, range, [&] {
    const std::optional<bool> verdict = predicate(*e.children[1]);
    if (!verdict) return hold_error(error);
    decided = *verdict == decisive;
    return !decided;
  });
  if (!done) return nullptr;
  if (!decided && error.held) return raise(error);
  scratch = Value(decided == decisive);
  return &scratch;
}

const Value* Evaluation::exists_one(const Expr& e, const Value& range, Value& scratch) {
  std::size_t count = 0;
  const bool done = for_each(e, range, [&] {
    const std::optional<bool> verdict = predicate(*e.children[1]);
    if (!verdict) return false;
    count += *verdict ? 1 : 0;
    return true;
  });
  if (!done) return nullptr;
  scratch = Value(count == 1);
  return &scratch;
}

// Whether the element passes the filter of a macro that has one; nullopt after a failure.
std::optional<bool> Evaluation::passes(const Expr& e) {
  const bool filtered = e.macro == Macro::filter || e.children.size() == 3;
  return filtered ? predicate(*e.children[1]) : std::optional(true);
}

const Value* Evaluation::collect_list(const Expr& e, const Value& range, Value& scratch) {
  List result;
  std::size_t bytes = 0;
  const bool done = for_each(e, range, [&] {
    const std::optional<bool> kept = passes(e);
    if (!kept) return false;
    if (!*kept) return true;
    Value element_scratch;
    const Value* element =
        e.macro == Macro::filter ? local(e, 0) : eval(*e.children.back(), element_scratch);
    if (element == nullptr || !weigh(*element, bytes)) return false;
    result.push_back(*element);
    return true;
  });
  if (!done) return nullptr;
  scratch = Value(std::move(result));
  return &scratch;
}

const Value* Evaluation::collect_map(const Expr& e, const Value& range, Value& scratch) {
  std::vector<MapEntry> entries;
  std::size_t bytes = 0;
  const bool done = for_each(e, range, [&] {
    const std::optional<bool> kept = passes(e);
    if (!kept) return false;
    if (!*kept) return true;
    Value value_scratch;
    const Value* value = eval(*e.children.back(), value_scratch);
    if (value == nullptr || !weigh(*value, bytes)) return false;
    if (e.macro == Macro::transform_map) {
      entries.emplace_back(*local(e, 0), *value);
      return true;
    }
    if (value->kind() != Kind::map)
      return fail("transformMapEntry() needs an expression that gives a map");
    for (const MapEntry& entry : value->as_map()) entries.push_back(entry);
    return true;
  });
  if (!done) return place_error(e.at);
  return finish_map(e, std::move(entries), scratch);
}

}  // namespace checkride::cel

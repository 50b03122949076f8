#include "engine/cel/never.h"

#include <cmath>
#include <utility>
#include <vector>

#include "engine/cel/guards.h"
#include "engine/cel/numbers.h"
#include "engine/cel/operators.h"

namespace checkride::cel {
namespace {

// "0 > x" as "x < 0".
Operator mirrored(Operator operation) {
  switch (operation) {
    case Operator::less: return Operator::greater;
    case Operator::less_equal: return Operator::greater_equal;
    case Operator::greater: return Operator::less;
    case Operator::greater_equal: return Operator::less_equal;
    default: return operation;
  }
}

// A field of a variable, or what a macro took from one: expressions over literals alone are people
// trying things out, and the suite's tests.
bool is_field(const Expr& e) {
  return e.op == Op::path && (e.path->local < 0 || !e.path->segments.empty());
}

bool is_size(const Expr& e) {
  return e.op == Op::call && e.name == "size" && is_field(*e.children[0]);
}

// A comparison with the literal, if there is one, on the right.
struct Sides {
  const Expr* tested = nullptr;
  const Value* literal = nullptr;  // nullptr: both sides, or neither, are literals
  Type type;
  Operator operation = Operator::equal;
};

Sides sides_of(const Expr& e, const Type& a, const Type& b) {
  const Expr& left = *e.children[0];
  const Expr& right = *e.children[1];
  if ((left.op == Op::literal) == (right.op == Op::literal)) return {};
  if (right.op == Op::literal) return {&left, &right.value, a, e.operation};
  return {&right, &left.value, b, mirrored(e.operation)};
}

}  // namespace

std::string never_holds(const Expr& e, const Type& a, const Type& b) {
  const Sides sides = sides_of(e, a, b);
  if (sides.literal == nullptr || !is_number(*sides.literal)) return "";
  if (!is_field(*sides.tested) && !is_size(*sides.tested)) return "";
  const bool is_whole =
      sides.type.kind() == Type::Kind::integer || sides.type.kind() == Type::Kind::unsigned_integer;
  if (!is_whole) return "";
  const Value& number = *sides.literal;
  if (number.kind() == Kind::floating && sides.operation == Operator::equal &&
      number.as_double() != std::trunc(number.as_double()))
    return "a whole number is never " + to_cel(number);
  const bool never_negative =
      is_size(*sides.tested) || sides.type.kind() == Type::Kind::unsigned_integer;
  if (!never_negative) return "";
  const std::partial_ordering sign = compare_exactly(number, Value(0));
  const bool below =
      sign < 0 && (sides.operation == Operator::equal || sides.operation == Operator::less ||
                   sides.operation == Operator::less_equal);
  if (!below && !(sign == 0 && sides.operation == Operator::less)) return "";
  return is_size(*sides.tested) ? "a size is never below 0" : "a uint is never below 0";
}

std::string never_together(const Expr& e, std::string_view source, std::uint32_t& at) {
  std::vector<std::pair<std::string, const Value*>> known;
  for (const ExprPtr& child : e.children) {
    if (child->op != Op::binary || child->operation != Operator::equal) continue;
    const Sides sides = sides_of(*child, Type::dyn(), Type::dyn());
    if (sides.literal == nullptr || sides.tested->op != Op::path) continue;
    std::string key = guard_key(*sides.tested, source);
    for (const auto& [earlier, value] : known) {
      if (earlier != key || equal(*value, *sides.literal)) continue;
      at = child->at;
      return shown_guard(key) + " cannot be both " + to_cel(*value) + " and " +
             to_cel(*sides.literal);
    }
    known.emplace_back(std::move(key), sides.literal);
  }
  return "";
}

}  // namespace checkride::cel

// Operators: which types they take, and comparisons that can never hold.
#include "engine/cel/checking.h"
#include "engine/cel/never.h"
#include "engine/cel/operators.h"

namespace checkride::cel {
namespace {

bool has_order(const Type& t) {
  switch (t.kind()) {
    case Type::Kind::boolean:
    case Type::Kind::integer:
    case Type::Kind::unsigned_integer:
    case Type::Kind::floating:
    case Type::Kind::string:
    case Type::Kind::bytes:
    case Type::Kind::timestamp:
    case Type::Kind::duration: return true;
    default: return is_dynamic(t) || t.kind() == Type::Kind::parameter;
  }
}

// A value or null: operators take it for the value.
Type operand(const Type& type) {
  return type.kind() == Type::Kind::nullable ? type.element() : type;
}

}  // namespace

void Checker::require_bool(const Type& type, const Expr& e, std::string_view where) {
  if (!inference_.assignable(type, Type::boolean()))
    wrong(e.at, std::string(where) + " must be bool, not " + shown(type));
}

Type Checker::logical(const Expr& e) {
  const bool is_and = e.op == Op::logical_and;
  // Both sides guard each other: where one decides, an error of the other is absorbed.
  const std::size_t mark = guards_.mark();
  std::vector<Guards::Range> own;
  for (const ExprPtr& child : e.children) {
    const std::size_t begin = guards_.mark();
    guards_.add_facts_of(*child, is_and, source_);
    own.push_back({begin, guards_.mark()});
  }
  for (std::size_t i = 0; i < e.children.size(); ++i) {
    guards_.hide(own[i]);
    require_bool(check(*e.children[i]), *e.children[i],
                 is_and ? "an operand of &&" : "an operand of ||");
    guards_.reveal();
  }
  guards_.release(mark);
  if (is_and) {
    std::uint32_t at = 0;
    const std::string reason = never_together(e, source_, at);
    if (!reason.empty()) wrong(at, "this comparison can never hold: " + reason);
  }
  return Type::boolean();
}

Type Checker::conditional(const Expr& e) {
  require_bool(check(*e.children[0]), *e.children[0], "the condition of ?:");
  const std::size_t mark = guards_.mark();
  guards_.add_facts_of(*e.children[0], true, source_);
  const Type yes = check(*e.children[1]);
  guards_.release(mark);
  guards_.add_facts_of(*e.children[0], false, source_);
  const Type no = check(*e.children[2]);
  guards_.release(mark);
  const Type joined = inference_.join(yes, no);
  const Type a = inference_.resolve(yes);
  const Type b = inference_.resolve(no);
  const bool one_null = a.kind() == Type::Kind::null || b.kind() == Type::Kind::null;
  if (joined.kind() == Type::Kind::dyn && !is_dynamic(a) && !is_dynamic(b) && !one_null)
    return wrong(e.at, "the branches of ?: have different types, " + shown(a) + " and " + shown(b),
                 "wrap one in dyn() if that is meant");
  return joined;
}

Type Checker::unary(const Expr& e) {
  const Type operand = inference_.resolve(check(*e.children[0]));
  if (e.operation == Operator::logical_not) {
    require_bool(operand, *e.children[0], "the operand of !");
    return Type::boolean();
  }
  if (operand.kind() == Type::Kind::integer || operand.kind() == Type::Kind::floating ||
      is_dynamic(operand) || operand.kind() == Type::Kind::parameter)
    return operand;
  return wrong(e.at, "no such overload: -" + shown(operand));
}

Type Checker::binary(const Expr& e) {
  const Type left = inference_.resolve(check(*e.children[0]));
  const Type right = inference_.resolve(check(*e.children[1]));
  const bool equality = e.operation == Operator::equal || e.operation == Operator::not_equal;
  const Type a = equality ? left : operand(left);
  const Type b = equality ? right : operand(right);
  switch (e.operation) {
    case Operator::equal:
    case Operator::not_equal:
      if (!inference_.comparable(a, b))
        wrong(e.at, "this comparison can never hold: " + shown(a) + " " +
                        std::string(symbol_of(e.operation)) + " " + shown(b));
      else
        refuse_never(e, a, b);
      return Type::boolean();
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal:
      if (!ordered(a, b))
        no_overload(e, a, b);
      else
        refuse_never(e, a, b);
      return Type::boolean();
    case Operator::in: contains(e, a, b); return Type::boolean();
    default: return arithmetic(e, a, b);
  }
}

void Checker::refuse_never(const Expr& e, const Type& a, const Type& b) {
  const std::string reason = never_holds(e, a, b);
  if (!reason.empty()) wrong(e.at, "this comparison can never hold: " + reason);
}

Type Checker::no_overload(const Expr& e, const Type& a, const Type& b) {
  std::string hint;
  if (is_number(a) && is_number(b))
    hint = "convert one side with int(), uint() or double(), or write 2.0 or 2u";
  return wrong(
      e.at,
      "no such overload: " + shown(a) + " " + std::string(symbol_of(e.operation)) + " " + shown(b),
      std::move(hint));
}

bool Checker::ordered(const Type& a, const Type& b) {
  return has_order(a) && has_order(b) && inference_.comparable(a, b);
}

void Checker::contains(const Expr& e, const Type& a, const Type& b) {
  switch (b.kind()) {
    case Type::Kind::list:
      if (inference_.comparable(a, b.element())) return;
      wrong(e.at, "this can never hold: " + shown(a) + " in " + shown(b));
      return;
    case Type::Kind::map:
      if (inference_.comparable(a, b.key())) return;
      wrong(e.at, "this can never hold: " + shown(a) + " in " + shown(b));
      return;
    case Type::Kind::record:
      if (!inference_.comparable(a, Type::string()))
        wrong(e.at, "this can never hold: " + shown(a) + " in a record");
      return;
    default:
      if (!is_open(b)) no_overload(e, a, b);
  }
}

Type Checker::arithmetic(const Expr& e, const Type& a, const Type& b) {
  if (is_open(a) && is_open(b)) return Type::dyn();
  const Type& known = is_open(a) ? b : a;
  const bool same = is_open(a) || is_open(b) || a.kind() == b.kind();
  const bool is_time =
      known.kind() == Type::Kind::timestamp || known.kind() == Type::Kind::duration;
  if (is_time && (e.operation == Operator::add || e.operation == Operator::subtract))
    return time_arithmetic(e, a, b);
  if (!same) return no_overload(e, a, b);
  if (is_number(known))
    return e.operation == Operator::modulo && known.kind() == Type::Kind::floating
               ? no_overload(e, a, b)
               : known;
  if (e.operation != Operator::add) return no_overload(e, a, b);
  if (known.kind() == Type::Kind::string || known.kind() == Type::Kind::bytes) return known;
  if (known.kind() != Type::Kind::list) return no_overload(e, a, b);
  if (is_open(a) || is_open(b)) return Type::list(Type::dyn());
  return Type::list(inference_.join(a.element(), b.element()));
}

Type Checker::time_arithmetic(const Expr& e, const Type& a, const Type& b) {
  const bool minus = e.operation == Operator::subtract;
  const auto is = [](const Type& t, Type::Kind kind) { return is_open(t) || t.kind() == kind; };
  using K = Type::Kind;
  struct Form {
    K a, b, result;
    bool with_add, with_subtract;
  };
  static constexpr Form forms[] = {
      {K::duration, K::duration, K::duration, true, true},
      {K::timestamp, K::duration, K::timestamp, true, true},
      {K::duration, K::timestamp, K::timestamp, true, false},
      {K::timestamp, K::timestamp, K::duration, false, true},
  };
  std::optional<Type> result;
  for (const Form& f : forms)
    if ((minus ? f.with_subtract : f.with_add) && is(a, f.a) && is(b, f.b)) {
      const Type type = f.result == K::duration ? Type::duration() : Type::timestamp();
      result = result && *result != type ? Type::dyn() : type;
    }
  return result ? *result : no_overload(e, a, b);
}

}  // namespace checkride::cel

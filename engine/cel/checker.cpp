#include "engine/cel/checker.h"

#include <algorithm>

#include "engine/cel/functions.h"
#include "engine/cel/guards.h"
#include "engine/cel/inference.h"
#include "engine/cel/lexer.h"
#include "engine/cel/operators.h"
#include "engine/cel/resolver.h"
#include "engine/cel/text.h"

namespace checkride::cel {
namespace {

class Checker {
 public:
  Checker(std::string_view source, const Environment::Data& environment, std::uint32_t locals,
          std::vector<Diagnostic>& diagnostics)
      : source_(source), environment_(environment), locals_(locals), diagnostics_(diagnostics) {}

  Type run(const Expr& root) {
    const Type type = check(root);
    return inference_.final(type);
  }

 private:
  // An error type goes with everything, so one mistake is one diagnostic.
  Type wrong(std::uint32_t at, std::string message, std::string suggestion = "") {
    diagnostics_.push_back(
        Diagnostic{position_at(source_, at), std::move(message), std::move(suggestion)});
    return error_type();
  }
  static Type error_type() { return Type::dyn(); }

  std::string shown(const Type& type) const { return to_string(inference_.final(type)); }

  Type check(const Expr& e) {
    switch (e.op) {
      case Op::literal: return literal(e.value);
      case Op::path: return path(e);
      case Op::select:
      case Op::index: return select(e);
      case Op::has: return has(e);
      case Op::call: return call(e);
      case Op::list: return list(e);
      case Op::map: return map(e);
      case Op::logical_and:
      case Op::logical_or: return logical(e);
      case Op::conditional: return conditional(e);
      case Op::unary: return unary(e);
      case Op::binary: return binary(e);
      case Op::macro: return macro(e);
      case Op::failure:
        for (const ExprPtr& child : e.children) check(*child);
        return error_type();
      case Op::name: break;
    }
    return error_type();
  }

  static Type literal(const Value& value) {
    return value.kind() == Kind::type ? Type::type_of(value.as_type()) : type_of(value);
  }

  // Fields ------------------------------------------------------------------------------------

  Type path(const Expr& e) {
    const Path& p = *e.path;
    Type type;
    std::size_t next = 0;
    if (p.local >= 0) {
      type = locals_[static_cast<std::size_t>(p.local)];
    } else if (!p.roots.empty()) {
      const Type* declared = environment_.find(p.roots.front().name);
      if (declared == nullptr) return error_type();
      type = *declared;
      next = p.roots.front().consumed;
    } else {
      return error_type();  // undeclared: the resolver said so
    }
    for (; next < p.segments.size(); ++next)
      type = field(type, p.segments[next].key, p.segments[next].at, guard_key(e, source_, next + 1),
                   true);
    return type;
  }

  // What `key` gives on a value of `type`. `guarded_by` is the guard that makes an optional field
  // safe; `reading` is false where absence is no error.
  Type field(const Type& of, const Value& key, std::uint32_t at, const std::string& guarded_by,
             bool reading) {
    const Type type = inference_.resolve(of);
    switch (type.kind()) {
      case Type::Kind::record: return record_field(type, key, at, guarded_by, reading);
      case Type::Kind::map:
        if (!inference_.comparable(literal(key), type.key()))
          return wrong(at, "the keys of this map are " + shown(type.key()) + ", so " + to_cel(key) +
                               " is never one of them");
        return type.element();
      case Type::Kind::list:
        if (!is_number(literal(key)))
          return wrong(at, "a list has no field " + to_cel(key) + "; its index is a number");
        return type.element();
      case Type::Kind::optional:
        return Type::optional(field(type.element(), key, at, guarded_by, false));
      case Type::Kind::dyn:
      case Type::Kind::error:
      case Type::Kind::parameter: return Type::dyn();
      default: return wrong(at, "a value of type " + shown(type) + " has no field " + to_cel(key));
    }
  }

  Type record_field(const Type& record, const Value& key, std::uint32_t at,
                    const std::string& guarded_by, bool reading) {
    const std::string name = key.kind() == Kind::string ? key.as_string() : to_cel(key);
    const Field* f = key.kind() == Kind::string ? record.field(name) : nullptr;
    if (f == nullptr) {
      std::vector<std::string> names;
      for (const Field& known : record.fields()) names.push_back(known.name);
      std::string suggestion = did_you_mean(name, names);
      if (suggestion.empty() && !names.empty() && names.size() <= 8) {
        suggestion = "its fields are";
        for (const std::string& known : names)
          suggestion += (&known == &names.front() ? " " : ", ") + known;
      }
      return wrong(at, "unknown field '" + name + "'", std::move(suggestion));
    }
    if (f->optional && reading && !guards_.covers(guarded_by))
      return wrong(at, "the field '" + name + "' may be absent",
                   "ask has(" + shown_guard(guarded_by) + ") first, as in has(...) && ...");
    return f->type;
  }

  Type select(const Expr& e) {
    const Type operand = check(*e.children[0]);
    if (e.op == Op::select || e.children[1]->op == Op::literal) {
      const Value key = e.op == Op::select ? Value(e.name) : e.children[1]->value;
      const Type type = field(operand, key, e.at, guard_key(e, source_), !e.optional);
      return e.optional ? as_optional(type) : type;
    }
    const Type index = inference_.resolve(check(*e.children[1]));
    const Type type = inference_.resolve(operand);
    const Type found = indexed(type, index, e.at);
    return e.optional ? as_optional(found) : found;
  }

  Type as_optional(const Type& type) const {
    const Type t = inference_.resolve(type);
    return t.kind() == Type::Kind::optional ? t : Type::optional(t);
  }

  Type indexed(const Type& type, const Type& index, std::uint32_t at) {
    switch (type.kind()) {
      case Type::Kind::list:
        if (!is_number(index) && !is_dynamic(index) && index.kind() != Type::Kind::parameter)
          return wrong(at, "a list's index is a number, not " + shown(index));
        return type.element();
      case Type::Kind::map:
        if (!inference_.comparable(index, type.key()))
          return wrong(at,
                       "the keys of this map are " + shown(type.key()) + ", not " + shown(index));
        return type.element();
      case Type::Kind::record:
        if (!inference_.comparable(index, Type::string()))
          return wrong(at, "the fields of a record have names, not " + shown(index));
        return Type::dyn();
      case Type::Kind::optional:
        return Type::optional(indexed(inference_.resolve(type.element()), index, at));
      case Type::Kind::dyn:
      case Type::Kind::error:
      case Type::Kind::parameter: return Type::dyn();
      default: return wrong(at, "a value of type " + shown(type) + " has no index");
    }
  }

  Type has(const Expr& e) {
    const Type operand = inference_.resolve(check(*e.children[0]));
    if (operand.kind() == Type::Kind::list)
      wrong(e.at, "has() asks for a field, and a list has none");
    else
      field(operand, Value(e.name), e.at, "", false);
    return Type::boolean();
  }

  // Literals ----------------------------------------------------------------------------------

  // The common type of entries; `type` is empty before the first.
  void join_entry(std::optional<Type>& type, const Type& entry) {
    type = type ? inference_.join(*type, entry) : entry;
  }

  Type entry_of(const Expr& e, bool is_optional) {
    const Type type = inference_.resolve(check(e));
    if (!is_optional) return type;
    if (type.kind() == Type::Kind::optional) return type.element();
    if (is_dynamic(type)) return type;
    return wrong(e.at, "an entry behind '?' must be optional, not " + shown(type));
  }

  Type list(const Expr& e) {
    std::optional<Type> element;
    for (std::size_t i = 0; i < e.children.size(); ++i)
      join_entry(element, entry_of(*e.children[i], e.optional_entries[i]));
    return Type::list(element ? *element : inference_.fresh());
  }

  Type map(const Expr& e) {
    std::optional<Type> key;
    std::optional<Type> value;
    for (std::size_t i = 0; i < e.children.size(); i += 2) {
      const Type k = inference_.resolve(check(*e.children[i]));
      const bool fits = is_dynamic(k) || k.kind() == Type::Kind::parameter ||
                        k.kind() == Type::Kind::string || k.kind() == Type::Kind::integer ||
                        k.kind() == Type::Kind::unsigned_integer || k.kind() == Type::Kind::boolean;
      if (!fits)
        wrong(e.children[i]->at, "a map's key is bool, int, uint or string, not " + shown(k));
      join_entry(key, k);
      join_entry(value, entry_of(*e.children[i + 1], e.optional_entries[i / 2]));
    }
    return Type::map(key ? *key : inference_.fresh(), value ? *value : inference_.fresh());
  }

  // Operators ---------------------------------------------------------------------------------

  void require_bool(const Type& type, const Expr& e, std::string_view where) {
    if (!inference_.assignable(type, Type::boolean()))
      wrong(e.at, std::string(where) + " must be bool, not " + shown(type));
  }

  Type logical(const Expr& e) {
    const bool is_and = e.op == Op::logical_and;
    for (std::size_t i = 0; i < e.children.size(); ++i) {
      // Both sides guard each other: where one decides, an error of the other is absorbed.
      const std::size_t mark = guards_.mark();
      for (std::size_t j = 0; j < e.children.size(); ++j)
        if (j != i) guards_.add_facts_of(*e.children[j], is_and, source_);
      require_bool(check(*e.children[i]), *e.children[i],
                   is_and ? "an operand of &&" : "an operand of ||");
      guards_.release(mark);
    }
    return Type::boolean();
  }

  Type conditional(const Expr& e) {
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
      return wrong(e.at,
                   "the branches of ?: have different types, " + shown(a) + " and " + shown(b),
                   "wrap one in dyn() if that is meant");
    return joined;
  }

  Type unary(const Expr& e) {
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

  Type binary(const Expr& e) {
    const Type a = inference_.resolve(check(*e.children[0]));
    const Type b = inference_.resolve(check(*e.children[1]));
    switch (e.operation) {
      case Operator::equal:
      case Operator::not_equal:
        if (!inference_.comparable(a, b))
          wrong(e.at, "this comparison can never hold: " + shown(a) + " " +
                          std::string(symbol_of(e.operation)) + " " + shown(b));
        return Type::boolean();
      case Operator::less:
      case Operator::less_equal:
      case Operator::greater:
      case Operator::greater_equal:
        if (!ordered(a, b)) no_overload(e, a, b);
        return Type::boolean();
      case Operator::in: contains(e, a, b); return Type::boolean();
      default: return arithmetic(e, a, b);
    }
  }

  Type no_overload(const Expr& e, const Type& a, const Type& b) {
    std::string hint;
    if (is_number(a) && is_number(b))
      hint = "convert one side with int(), uint() or double(), or write 2.0 or 2u";
    return wrong(e.at,
                 "no such overload: " + shown(a) + " " + std::string(symbol_of(e.operation)) + " " +
                     shown(b),
                 std::move(hint));
  }

  static bool is_open(const Type& t) { return is_dynamic(t) || t.kind() == Type::Kind::parameter; }

  static bool has_order(const Type& t) {
    switch (t.kind()) {
      case Type::Kind::boolean:
      case Type::Kind::integer:
      case Type::Kind::unsigned_integer:
      case Type::Kind::floating:
      case Type::Kind::string:
      case Type::Kind::bytes:
      case Type::Kind::timestamp:
      case Type::Kind::duration: return true;
      default: return is_open(t);
    }
  }

  bool ordered(const Type& a, const Type& b) {
    return has_order(a) && has_order(b) && inference_.comparable(a, b);
  }

  void contains(const Expr& e, const Type& a, const Type& b) {
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

  Type arithmetic(const Expr& e, const Type& a, const Type& b) {
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

  Type time_arithmetic(const Expr& e, const Type& a, const Type& b) {
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

  // Calls -------------------------------------------------------------------------------------

  Type call(const Expr& e) {
    std::vector<Type> arguments;
    for (const ExprPtr& child : e.children) arguments.push_back(check(*child));
    if (e.function == nullptr) {
      if (!inference_.assignable(arguments[0], Type::string()))
        wrong(e.children[0]->at, "In() takes the id of a state, not " + shown(arguments[0]));
      return Type::boolean();
    }
    std::optional<Type> result;
    for (const Overload& o : e.function->overloads) {
      if (!o.takes(e.member, arguments.size())) continue;
      Inference attempt = inference_;
      std::map<std::string, Type> names;
      bool fits = true;
      for (std::size_t i = 0; fits && i < arguments.size(); ++i)
        fits = attempt.assignable(
            arguments[i],
            attempt.instantiate(o.parameters[std::min(i, o.parameters.size() - 1)], names));
      if (!fits) continue;
      const Type type = attempt.resolve(attempt.instantiate(o.result, names));
      if (!result) {
        inference_ = std::move(attempt);  // what the first match binds holds
        result = type;
      } else if (*result != type) {
        // Only a dynamic argument makes two overloads fit.
        const bool dynamic = std::any_of(arguments.begin(), arguments.end(), [&](const Type& t) {
          return is_open(inference_.resolve(t));
        });
        if (dynamic) result = Type::dyn();
      }
    }
    if (result) return *result;
    std::string shown_arguments;
    for (std::size_t i = e.member ? 1 : 0; i < arguments.size(); ++i)
      shown_arguments += (shown_arguments.empty() ? "" : ", ") + shown(arguments[i]);
    return wrong(e.at, "no such overload: " + (e.member ? shown(arguments[0]) + "." : "") + e.name +
                           "(" + shown_arguments + ")");
  }

  // Macros ------------------------------------------------------------------------------------

  Type& local(const Expr& e, std::size_t i) {
    return locals_[static_cast<std::size_t>(e.slot) + i];
  }

  Type macro(const Expr& e) {
    const Type range = inference_.resolve(check(*e.children[0]));
    const std::size_t mark = guards_.mark();
    const Type result = e.macro == Macro::bind ? bind(e, range)
                        : e.macro == Macro::opt_map || e.macro == Macro::opt_flat_map
                            ? optional_map(e, range)
                            : comprehension(e, range);
    guards_.release(mark);
    return result;
  }

  Type bind(const Expr& e, const Type& bound) {
    local(e, 0) = bound;
    return check(*e.children[1]);
  }

  Type optional_map(const Expr& e, const Type& operand) {
    if (operand.kind() != Type::Kind::optional && !is_open(operand))
      return wrong(e.at, e.name + "() works on an optional, not on " + shown(operand));
    local(e, 0) = operand.kind() == Type::Kind::optional ? operand.element() : Type::dyn();
    const Type body = inference_.resolve(check(*e.children[1]));
    if (e.macro == Macro::opt_map) return Type::optional(body);
    if (body.kind() != Type::Kind::optional && !is_open(body))
      return wrong(e.children[1]->at,
                   "optFlatMap() needs an expression that gives an optional, not " + shown(body));
    return body;
  }

  Type comprehension(const Expr& e, const Type& range) {
    const bool two = e.variables.size() == 2;
    Type first;
    Type second;
    switch (range.kind()) {
      case Type::Kind::list:
        first = two ? Type::integer() : range.element();
        second = range.element();
        break;
      case Type::Kind::map:
        first = range.key();
        second = range.element();
        break;
      case Type::Kind::record: first = Type::string(); break;
      default:
        if (!is_open(range)) wrong(e.at, e.name + "() walks a list or a map, not " + shown(range));
    }
    local(e, 0) = first;
    if (two) local(e, 1) = second;
    const bool filtered = e.macro == Macro::all || e.macro == Macro::exists ||
                          e.macro == Macro::exists_one || e.macro == Macro::filter ||
                          e.children.size() == 3;
    if (filtered) {
      require_bool(check(*e.children[1]), *e.children[1], "the condition of " + e.name + "()");
      guards_.add_facts_of(*e.children[1], true, source_);  // for a transform behind a filter
    }
    switch (e.macro) {
      case Macro::map:
      case Macro::transform_list: return Type::list(check(*e.children.back()));
      case Macro::filter: return Type::list(first);
      case Macro::transform_map: return Type::map(first, check(*e.children.back()));
      case Macro::transform_map_entry: {
        const Type body = inference_.resolve(check(*e.children.back()));
        if (body.kind() == Type::Kind::map) return body;
        if (!is_open(body))
          wrong(e.children.back()->at,
                "transformMapEntry() needs an expression that gives a map, not " + shown(body));
        return Type::map(Type::dyn(), Type::dyn());
      }
      default: return Type::boolean();
    }
  }

  std::string_view source_;
  const Environment::Data& environment_;
  std::vector<Type> locals_;  // by slot
  std::vector<Diagnostic>& diagnostics_;
  Inference inference_;
  Guards guards_;
};

}  // namespace

Type check(const Expr& root, std::string_view source, const Environment::Data& environment,
           std::uint32_t locals, std::vector<Diagnostic>& diagnostics) {
  return Checker(source, environment, locals, diagnostics).run(root);
}

}  // namespace checkride::cel

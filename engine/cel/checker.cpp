#include "engine/cel/checker.h"

#include <algorithm>

#include "engine/cel/checking.h"
#include "engine/cel/functions.h"
#include "engine/cel/lexer.h"
#include "engine/cel/resolver.h"
#include "engine/cel/text.h"
#include "engine/cel/time_text.h"

namespace checkride::cel {

Type type_of_literal(const Value& value) {
  return value.kind() == Kind::type ? Type::type_of(value.as_type()) : type_of(value);
}

Type Checker::wrong(std::uint32_t at, std::string message, std::string suggestion) {
  if (diagnostics_.size() >= diagnostics_max) return error_type();
  diagnostics_.push_back(
      Diagnostic{position_at(source_, at), std::move(message), std::move(suggestion)});
  return error_type();
}

Type Checker::check(const Expr& e) {
  switch (e.op) {
    case Op::literal: return type_of_literal(e.value);
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

// The common type of entries; `type` is empty before the first.
void Checker::join_entry(std::optional<Type>& type, const Type& entry) {
  type = type ? inference_.join(*type, entry) : entry;
}

Type Checker::entry_of(const Expr& e, bool is_optional) {
  const Type type = inference_.resolve(check(e));
  if (!is_optional) return type;
  if (type.kind() == Type::Kind::optional) return type.element();
  if (is_dynamic(type)) return type;
  return wrong(e.at, "an entry behind '?' must be optional, not " + shown(type));
}

Type Checker::list(const Expr& e) {
  std::optional<Type> element;
  for (std::size_t i = 0; i < e.children.size(); ++i)
    join_entry(element, entry_of(*e.children[i], e.optional_entries[i]));
  return Type::list(element ? *element : inference_.fresh());
}

Type Checker::map(const Expr& e) {
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

namespace {

constexpr std::size_t texts_max = 64;  // of one expression; further ones are not told

// The texts that an expression of literals, `+` and `?:` can come to; empty: not known before it is
// evaluated.
std::vector<std::string> possible_texts(const Expr& e) {
  if (e.op == Op::literal && e.value.kind() == Kind::string) return {e.value.as_string()};
  if (e.op == Op::conditional) {
    // What is known of one branch can come about, whatever the other is.
    std::vector<std::string> all = possible_texts(*e.children[1]);
    for (std::string& text : possible_texts(*e.children[2])) all.push_back(std::move(text));
    return all.size() > texts_max ? std::vector<std::string>() : all;
  }
  if (e.op != Op::binary || e.operation != Operator::add) return {};
  std::vector<std::string> all;
  const std::vector<std::string> rights = possible_texts(*e.children[1]);
  for (const std::string& left : possible_texts(*e.children[0]))
    for (const std::string& right : rights) all.push_back(left + right);
  return all.size() > texts_max ? std::vector<std::string>() : all;
}

}  // namespace

// The accessors of a timestamp are the only functions that take a zone, behind the dot.
void Checker::refuse_named_zone(const Expr& e) {
  if (environment_.named_zones || !e.member || e.children.size() != 2) return;
  if (!is_time_accessor(e.name)) return;
  const Expr& zone = *e.children[1];
  for (const std::string& text : possible_texts(zone))
    if (!parse_utc_offset(text)) {
      wrong(zone.at, named_zone_refusal(Value(text)));
      return;
    }
}

Type Checker::call(const Expr& e) {
  std::vector<Type> arguments;
  for (const ExprPtr& child : e.children) arguments.push_back(check(*child));
  if (e.function == nullptr) {
    if (!inference_.assignable(arguments[0], Type::string()))
      wrong(e.children[0]->at, "In() takes the id of a state, not " + shown(arguments[0]));
    return Type::boolean();
  }
  refuse_named_zone(e);
  std::optional<Type> result;
  for (const Overload& o : e.function->overloads) {
    if (!o.takes(e.member, arguments.size())) continue;
    const std::size_t before = inference_.mark();
    std::map<std::string, Type> names;
    bool fits = true;
    for (std::size_t i = 0; fits && i < arguments.size(); ++i)
      fits = inference_.assignable(
          arguments[i],
          inference_.instantiate(o.parameters[std::min(i, o.parameters.size() - 1)], names));
    if (!fits) {
      inference_.undo(before);
      continue;
    }
    const Type type = inference_.resolve(inference_.instantiate(o.result, names));
    if (!result) {
      result = type;  // what the first match binds holds
      continue;
    }
    inference_.undo(before);
    if (*result != type) {
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

// Macros ----------------------------------------------------------------------------------------

Type Checker::macro(const Expr& e) {
  const Type range = inference_.resolve(check(*e.children[0]));
  const std::size_t mark = guards_.mark();
  const Type result = e.macro == Macro::bind ? bind(e, range)
                      : e.macro == Macro::opt_map || e.macro == Macro::opt_flat_map
                          ? optional_map(e, range)
                          : comprehension(e, range);
  guards_.release(mark);
  return result;
}

Type Checker::bind(const Expr& e, const Type& bound) {
  local(e, 0) = bound;
  return check(*e.children[1]);
}

Type Checker::optional_map(const Expr& e, const Type& operand) {
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

Type Checker::comprehension(const Expr& e, const Type& range) {
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

Type check(const Expr& root, std::string_view source, const Environment::Data& environment,
           std::uint32_t locals, std::vector<Diagnostic>& diagnostics) {
  return Checker(source, environment, locals, diagnostics).run(root);
}

}  // namespace checkride::cel

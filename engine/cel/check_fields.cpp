// What stands behind a dot or in brackets: fields that exist, may be absent, or cannot be.
#include "engine/cel/checking.h"
#include "engine/cel/text.h"

namespace checkride::cel {

Type Checker::path(const Expr& e) {
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

Type Checker::field(const Type& of, const Value& key, std::uint32_t at,
                    const std::string& guarded_by, bool reading) {
  const Type type = inference_.resolve(of);
  switch (type.kind()) {
    case Type::Kind::record: return record_field(type, key, at, guarded_by, reading);
    case Type::Kind::map:
      if (!inference_.comparable(type_of_literal(key), type.key()))
        return wrong(at, "the keys of this map are " + shown(type.key()) + ", so " + to_cel(key) +
                             " is never one of them");
      return type.element();
    case Type::Kind::list:
      if (!is_number(type_of_literal(key)))
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

Type Checker::record_field(const Type& record, const Value& key, std::uint32_t at,
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

Type Checker::select(const Expr& e) {
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

Type Checker::as_optional(const Type& type) const {
  const Type t = inference_.resolve(type);
  return t.kind() == Type::Kind::optional ? t : Type::optional(t);
}

Type Checker::indexed(const Type& type, const Type& index, std::uint32_t at) {
  switch (type.kind()) {
    case Type::Kind::list:
      if (!is_number(index) && !is_dynamic(index) && index.kind() != Type::Kind::parameter)
        return wrong(at, "a list's index is a number, not " + shown(index));
      return type.element();
    case Type::Kind::map:
      if (!inference_.comparable(index, type.key()))
        return wrong(at, "the keys of this map are " + shown(type.key()) + ", not " + shown(index));
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

Type Checker::has(const Expr& e) {
  const Type operand = inference_.resolve(check(*e.children[0]));
  if (operand.kind() == Type::Kind::list)
    wrong(e.at, "has() asks for a field, and a list has none");
  else
    field(operand, Value(e.name), e.at, "", false);
  return Type::boolean();
}

}  // namespace checkride::cel

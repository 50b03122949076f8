#include "engine/cel/inference.h"

#include <algorithm>

namespace checkride::cel {
namespace {

// Whether everything of type `b` is of type `a`, but not the other way round.
bool is_wider(const Type& a, const Type& b) {
  if (a == b || is_dynamic(b)) return false;
  if (is_dynamic(a)) return true;
  if (a.kind() == Type::Kind::nullable && b.kind() != Type::Kind::nullable)
    return a.element() == b || is_wider(a.element(), b) || b.kind() == Type::Kind::null;
  if (a.kind() != b.kind()) return false;
  const auto fits = [](const Type& x, const Type& y) { return x == y || is_wider(x, y); };
  switch (a.kind()) {
    case Type::Kind::list:
    case Type::Kind::optional:
    case Type::Kind::nullable: return fits(a.element(), b.element());
    case Type::Kind::map: return fits(a.key(), b.key()) && fits(a.element(), b.element());
    case Type::Kind::opaque:
      return std::equal(a.parameters().begin(), a.parameters().end(), b.parameters().begin(),
                        b.parameters().end(), fits);
    default: return false;
  }
}

}  // namespace

Type Inference::fresh() {
  return Type::parameter("_" + std::to_string(next_++));
}

void Inference::bind(const std::string& name, const Type& type) {
  const auto [at, is_new] = bindings_.try_emplace(name, type);
  trail_.emplace_back(name, is_new ? std::nullopt : std::optional(at->second));
  at->second = type;
}

void Inference::undo(std::size_t mark) {
  for (; trail_.size() > mark; trail_.pop_back()) {
    const auto& [name, before] = trail_.back();
    if (before)
      bindings_.insert_or_assign(name, *before);
    else
      bindings_.erase(name);
  }
}

Type Inference::instantiate(const Type& type, std::map<std::string, Type>& names) {
  switch (type.kind()) {
    case Type::Kind::parameter: {
      const auto [at, is_new] = names.emplace(type.name(), Type());
      if (is_new) at->second = fresh();
      return at->second;
    }
    case Type::Kind::list: return Type::list(instantiate(type.element(), names));
    case Type::Kind::optional: return Type::optional(instantiate(type.element(), names));
    case Type::Kind::nullable: return Type::nullable(instantiate(type.element(), names));
    case Type::Kind::opaque: {
      std::vector<Type> parameters;
      for (const Type& p : type.parameters()) parameters.push_back(instantiate(p, names));
      return Type::opaque(type.name(), std::move(parameters));
    }
    case Type::Kind::type: return Type::type_of(instantiate(type.element(), names));
    case Type::Kind::map: {
      Type key = instantiate(type.key(), names);
      return Type::map(std::move(key), instantiate(type.element(), names));
    }
    default: return type;
  }
}

const Type& Inference::follow(const Type& type) const {
  const Type* t = &type;
  while (t->kind() == Type::Kind::parameter) {
    const auto at = bindings_.find(t->name());
    if (at == bindings_.end()) break;
    t = &at->second;
  }
  return *t;
}

Type Inference::resolve(const Type& type) const {
  const Type& t = follow(type);
  switch (t.kind()) {
    case Type::Kind::list: return Type::list(resolve(t.element()));
    case Type::Kind::optional: return Type::optional(resolve(t.element()));
    case Type::Kind::nullable: return Type::nullable(resolve(t.element()));
    case Type::Kind::opaque: {
      std::vector<Type> parameters;
      for (const Type& p : t.parameters()) parameters.push_back(resolve(p));
      return Type::opaque(t.name(), std::move(parameters));
    }
    case Type::Kind::type: return Type::type_of(resolve(t.element()));
    case Type::Kind::map: return Type::map(resolve(t.key()), resolve(t.element()));
    default: return t;
  }
}

Type Inference::final(const Type& type) const {
  const Type& t = follow(type);
  switch (t.kind()) {
    case Type::Kind::parameter:
    case Type::Kind::error: return Type::dyn();
    case Type::Kind::list: return Type::list(final(t.element()));
    case Type::Kind::optional: return Type::optional(final(t.element()));
    case Type::Kind::nullable: return Type::nullable(final(t.element()));
    case Type::Kind::opaque: {
      std::vector<Type> parameters;
      for (const Type& p : t.parameters()) parameters.push_back(final(p));
      return Type::opaque(t.name(), std::move(parameters));
    }
    case Type::Kind::type: return Type::type_of(final(t.element()));
    case Type::Kind::map: return Type::map(final(t.key()), final(t.element()));
    default: return t;
  }
}

bool Inference::occurs(const std::string& name, const Type& type) const {
  const Type& t = follow(type);
  switch (t.kind()) {
    case Type::Kind::parameter: return t.name() == name;
    case Type::Kind::list:
    case Type::Kind::optional:
    case Type::Kind::nullable:
    case Type::Kind::type: return occurs(name, t.element());
    case Type::Kind::opaque:
      return std::any_of(t.parameters().begin(), t.parameters().end(),
                         [&](const Type& p) { return occurs(name, p); });
    case Type::Kind::map: return occurs(name, t.key()) || occurs(name, t.element());
    default: return false;
  }
}

bool Inference::assignable(const Type& from_type, const Type& to_type) {
  const Type from = follow(from_type);
  const Type to = follow(to_type);
  const bool is_bound = to_type.kind() == Type::Kind::parameter &&
                        to.kind() != Type::Kind::parameter && from.kind() != Type::Kind::parameter;
  if (!is_bound) return fits(from, to);
  if (!fits(from, to)) return false;
  // T of a call binds to the more general of its arguments.
  const Type wider = resolve(from);
  if (is_wider(wider, resolve(to))) {
    const Type* variable = &to_type;
    while (true) {
      const Type& next = bindings_.at(variable->name());
      if (next.kind() != Type::Kind::parameter) break;
      variable = &next;
    }
    if (!occurs(variable->name(), wider)) bind(variable->name(), wider);
  }
  return true;
}

bool Inference::fits(const Type& from, const Type& to) {
  if (to.kind() == Type::Kind::parameter || from.kind() == Type::Kind::parameter) {
    const bool bind_to = to.kind() == Type::Kind::parameter;
    const Type& variable = bind_to ? to : from;
    const Type& bound = bind_to ? from : to;
    if (variable == bound) return true;
    if (occurs(variable.name(), bound)) return false;
    bind(variable.name(), bound);
    return true;
  }
  if (is_dynamic(from) || is_dynamic(to)) return true;
  if (to.kind() == Type::Kind::nullable)
    return from.kind() == Type::Kind::null ||
           assignable(from.kind() == Type::Kind::nullable ? from.element() : from, to.element());
  if (from.kind() == Type::Kind::nullable) return assignable(from.element(), to);
  if (from.kind() == Type::Kind::record && to.kind() == Type::Kind::map) {
    if (!assignable(Type::string(), to.key())) return false;
    for (const Field& f : from.fields())
      if (!assignable(f.type, to.element())) return false;
    return true;
  }
  if (from.kind() != to.kind()) return false;
  switch (to.kind()) {
    case Type::Kind::list:
    case Type::Kind::optional: return assignable(from.element(), to.element());
    case Type::Kind::map:
      return assignable(from.key(), to.key()) && assignable(from.element(), to.element());
    case Type::Kind::record: return from == to;
    case Type::Kind::opaque: {
      if (from.name() != to.name() || from.parameters().size() != to.parameters().size())
        return false;
      for (std::size_t i = 0; i < from.parameters().size(); ++i)
        if (!assignable(from.parameters()[i], to.parameters()[i])) return false;
      return true;
    }
    default: return true;
  }
}

bool Inference::try_assignable(const Type& from, const Type& to) {
  const std::size_t before = mark();
  if (assignable(from, to)) return true;
  undo(before);
  return false;
}

Type Inference::join(const Type& a_type, const Type& b_type) {
  const Type a = resolve(a_type);
  const Type b = resolve(b_type);
  if (a == b) return a;
  if (is_dynamic(a) || is_dynamic(b)) return Type::dyn();
  const auto takes_null = [](const Type& t) {
    return t.kind() == Type::Kind::optional || t.kind() == Type::Kind::timestamp ||
           t.kind() == Type::Kind::duration || t.kind() == Type::Kind::opaque ||
           t.kind() == Type::Kind::nullable;
  };
  if (a.kind() == Type::Kind::null && takes_null(b)) return b;
  if (b.kind() == Type::Kind::null && takes_null(a)) return a;
  if (a.kind() == Type::Kind::record && b.kind() == Type::Kind::record)
    return Type::map(Type::string(), Type::dyn());
  if (b.kind() == Type::Kind::nullable && try_assignable(a, b)) return resolve(b);
  if (a.kind() == b.kind() && try_assignable(a, b)) {
    switch (a.kind()) {
      case Type::Kind::list: return Type::list(join(a.element(), b.element()));
      case Type::Kind::optional: return Type::optional(join(a.element(), b.element()));
      case Type::Kind::map: {
        Type key = join(a.key(), b.key());
        return Type::map(std::move(key), join(a.element(), b.element()));
      }
      case Type::Kind::opaque: {
        std::vector<Type> parameters;
        for (std::size_t i = 0; i < a.parameters().size(); ++i)
          parameters.push_back(join(a.parameters()[i], b.parameters()[i]));
        return Type::opaque(a.name(), std::move(parameters));
      }
      default: return resolve(a);
    }
  }
  if (a.kind() == Type::Kind::nullable && try_assignable(b, a)) return resolve(a);
  if (try_assignable(a, b)) return resolve(b);
  if (try_assignable(b, a)) return resolve(a);
  return Type::dyn();
}

bool Inference::comparable(const Type& a_type, const Type& b_type) {
  const Type a = follow(a_type);
  const Type b = follow(b_type);
  if (is_dynamic(a) || is_dynamic(b)) return true;
  if (a.kind() == Type::Kind::parameter || b.kind() == Type::Kind::parameter)
    return assignable(a, b);
  if (is_number(a) && is_number(b)) return true;
  if (a.kind() == Type::Kind::nullable)
    return b.kind() == Type::Kind::null || comparable(a.element(), b);
  if (b.kind() == Type::Kind::nullable) return comparable(b, a);
  const bool a_record = a.kind() == Type::Kind::record;
  const bool b_record = b.kind() == Type::Kind::record;
  if (a_record && b_record) {
    for (const Field& f : a.fields()) {
      const Field* other = b.field(f.name);
      if (other == nullptr ? !f.optional : !comparable(f.type, other->type)) return false;
    }
    for (const Field& f : b.fields())
      if (!f.optional && a.field(f.name) == nullptr) return false;
    return true;
  }
  if (a_record || b_record) {
    const Type& record = a_record ? a : b;
    const Type& map = a_record ? b : a;
    if (map.kind() != Type::Kind::map || !comparable(map.key(), Type::string())) return false;
    for (const Field& f : record.fields())
      if (!f.optional && !comparable(f.type, map.element())) return false;
    return true;
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Type::Kind::list:
    case Type::Kind::optional: return comparable(a.element(), b.element());
    case Type::Kind::map:
      return comparable(a.key(), b.key()) && comparable(a.element(), b.element());
    case Type::Kind::opaque: return fits(a, b);
    default: return true;
  }
}

}  // namespace checkride::cel

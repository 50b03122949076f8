// Type inference's small algebra: type variables, what may stand where, and the common type of two
// branches (google/cel-spec, langdef.md, "Gradual Type Checking").
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/cel/type.h"

namespace checkride::cel {

class Inference {
 public:
  Type fresh();
  // Replaces the parameters of a signature by fresh variables, the same ones within one call.
  Type instantiate(const Type& type, std::map<std::string, Type>& names);
  // With every bound variable replaced by what it stands for.
  Type resolve(const Type& type) const;
  // The same, with variables that are still free as dyn: what a finished expression has.
  Type final(const Type& type) const;

  // Whether a value of type `from` may stand where `to` is wanted; binds variables on the way.
  bool assignable(const Type& from, const Type& to);
  // The same without keeping what it binds when it fails.
  bool try_assignable(const Type& from, const Type& to);
  // For trying one signature after the other: undo() forgets what was bound since mark().
  std::size_t mark() const { return trail_.size(); }
  void undo(std::size_t mark);
  // The type of either of two values; dyn where they have nothing in common.
  Type join(const Type& a, const Type& b);
  // Whether a value of one type can ever equal one of the other; numbers compare across types.
  bool comparable(const Type& a, const Type& b);

 private:
  // Follows bindings of a variable, not of what it contains.
  const Type& follow(const Type& type) const;
  bool occurs(const std::string& name, const Type& type) const;
  // assignable() of types whose own binding has been followed.
  bool fits(const Type& from, const Type& to);

  void bind(const std::string& name, const Type& type);

  std::unordered_map<std::string, Type> bindings_;
  std::vector<std::pair<std::string, std::optional<Type>>> trail_;  // what each binding replaced
  int next_ = 0;
};

inline bool is_number(const Type& type) {
  return type.kind() == Type::Kind::integer || type.kind() == Type::Kind::unsigned_integer ||
         type.kind() == Type::Kind::floating;
}
inline bool is_dynamic(const Type& type) {
  return type.kind() == Type::Kind::dyn || type.kind() == Type::Kind::error;
}

}  // namespace checkride::cel

// The checker from the inside; checker.h is its door. An error is a diagnostic and the type dyn,
// which goes with everything, so that one mistake is one diagnostic. checker.cpp has the walk,
// literals, calls and macros, check_fields.cpp what stands behind a dot or in brackets,
// check_operators.cpp the operators.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/cel/ast.h"
#include "engine/cel/environment.h"
#include "engine/cel/guards.h"
#include "engine/cel/inference.h"
#include "engine/cel/program.h"

namespace checkride::cel {

// The type of a literal; a type's name is a value of type<that>.
Type type_of_literal(const Value& value);

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
  Type check(const Expr& e);
  Type wrong(std::uint32_t at, std::string message, std::string suggestion = "");
  std::string shown(const Type& type) const { return to_string(inference_.final(type)); }
  static Type error_type() { return Type::dyn(); }
  // Nothing is known about it, now or yet.
  static bool is_open(const Type& t) { return is_dynamic(t) || t.kind() == Type::Kind::parameter; }

  // Fields ------------------------------------------------------------------------------------
  Type path(const Expr& e);
  // What `key` gives on a value of `type`. `guarded_by` is the guard that makes an optional field
  // safe; `reading` is false where absence is no error.
  Type field(const Type& of, const Value& key, std::uint32_t at, const std::string& guarded_by,
             bool reading);
  Type record_field(const Type& record, const Value& key, std::uint32_t at,
                    const std::string& guarded_by, bool reading);
  Type select(const Expr& e);
  Type as_optional(const Type& type) const;
  Type indexed(const Type& type, const Type& index, std::uint32_t at);
  Type has(const Expr& e);

  // Literals and calls ------------------------------------------------------------------------
  void join_entry(std::optional<Type>& type, const Type& entry);
  Type entry_of(const Expr& e, bool is_optional);
  Type list(const Expr& e);
  Type map(const Expr& e);
  Type call(const Expr& e);
  void refuse_named_zone(const Expr& e);

  // Operators ---------------------------------------------------------------------------------
  void require_bool(const Type& type, const Expr& e, std::string_view where);
  Type logical(const Expr& e);
  Type conditional(const Expr& e);
  Type unary(const Expr& e);
  Type binary(const Expr& e);
  void refuse_never(const Expr& e, const Type& a, const Type& b);
  Type no_overload(const Expr& e, const Type& a, const Type& b);
  bool ordered(const Type& a, const Type& b);
  void contains(const Expr& e, const Type& a, const Type& b);
  Type arithmetic(const Expr& e, const Type& a, const Type& b);
  Type time_arithmetic(const Expr& e, const Type& a, const Type& b);

  // Macros ------------------------------------------------------------------------------------
  Type& local(const Expr& e, std::size_t i) {
    return locals_[static_cast<std::size_t>(e.slot) + i];
  }
  Type macro(const Expr& e);
  Type bind(const Expr& e, const Type& bound);
  Type optional_map(const Expr& e, const Type& operand);
  Type comprehension(const Expr& e, const Type& range);

  std::string_view source_;
  const Environment::Data& environment_;
  std::vector<Type> locals_;  // by slot
  std::vector<Diagnostic>& diagnostics_;
  Inference inference_;
  Guards guards_;
};

}  // namespace checkride::cel

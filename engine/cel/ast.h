// The syntax tree of an expression. The parser builds it, the resolver gives names their meaning
// (variables become paths with constant segments, functions their entry in the library), the
// checker types it, and the evaluator walks it. Macros are nodes of their own rather than
// expansions: they are cheaper to run, nothing is duplicated, and a trace shows what the person
// wrote.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/cel/regex.h"
#include "engine/cel/type.h"
#include "engine/cel/value.h"

namespace checkride::cel {

struct Function;
struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

enum class Op : std::uint8_t {
  literal,      // value
  name,         // `name`, with a leading dot if `absolute`; gone after resolution
  path,         // a variable and constant segments; only after resolution
  select,       // children[0] . name; `optional` for .?
  has,          // whether children[0] has the field `name`
  index,        // children[0] [ children[1] ]; `optional` for [?
  call,         // function `name`; with `member` children[0] is the receiver
  list,         // children; optional_entries
  map,          // children: key, value, key, value...; optional_entries, one per pair
  logical_and,  // children, two or more
  logical_or,
  conditional,  // children: condition, then, else
  unary,
  binary,
  macro,    // children: range (or bound value, or optional), then the bodies
  failure,  // evaluation fails with `name`: an unknown function in an untyped program
};

enum class Operator : std::uint8_t {
  logical_not,
  negate,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
};

enum class Macro : std::uint8_t {
  all,
  exists,
  exists_one,
  map,             // bodies: [filter,] transform
  filter,          // bodies: predicate
  transform_list,  // two variables; bodies: [filter,] transform
  transform_map,
  transform_map_entry,
  bind,     // cel.bind(variable, children[0], body)
  opt_map,  // optional.optMap(variable, body)
  opt_flat_map,
};

struct Segment {
  Value key;             // string, int, uint or bool
  std::uint32_t at = 0;  // where it stands in the source
};

// A place where the root of a path may be found: a variable of this name, whose name takes the
// first `consumed` segments ("a.b" in a.b.c takes one).
struct Root {
  std::string name;
  std::uint32_t variable = 0;  // index into the program's variables
  std::uint32_t consumed = 0;
};

struct Path {
  std::string name;         // of the root as written
  std::int32_t local = -1;  // slot of a macro variable, or -1
  std::vector<Root> roots;  // tried in order; one when the program was checked
  std::optional<Value>
      type_literal;  // a type's name, where no root has a value; takes all segments
  std::vector<Segment> segments;
  std::string text;        // canonical: result.exit_code, params["a b"][0]
  std::uint32_t fact = 0;  // index of the fact with this text
};

struct Expr {
  Op op = Op::literal;
  Operator operation = Operator::add;
  Macro macro = Macro::all;
  bool optional = false;
  bool member = false;
  bool absolute = false;
  bool parenthesized = false;
  std::uint32_t begin = 0;  // bytes of the source that this node covers
  std::uint32_t end = 0;
  std::uint32_t at = 0;  // where its errors are reported: the operator, field or function name
  std::uint32_t depth = 1;
  std::uint32_t fact = 0;         // of has, optional select and In: index of the fact it records
  std::uint32_t absent_fact = 0;  // of an optional select that finds nothing: has(...) is false
  std::int32_t slot = -1;         // of a macro's variables: slot and slot + 1
  std::string name;
  std::string fact_text;  // of has, optional select and In over a path; empty: it records none
  std::vector<std::string> variables;  // of a macro: one or two
  std::vector<bool> optional_entries;
  std::vector<ExprPtr> children;
  Value value;
  std::unique_ptr<Path> path;
  const Function* function = nullptr;
  std::shared_ptr<const Regex> regex;  // of matches() with a literal pattern
};

}  // namespace checkride::cel

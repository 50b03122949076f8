// Compile once, evaluate often: a CEL expression as checkride uses it in guards, values and
// templates. Compilation parses and type-checks against the declared variables; evaluation is pure,
// bounded by a step budget, and can record which facts the expression read (what `why` prints) and
// the value of every sub-expression. Source: google/cel-spec, langdef.md.
//
// Threads: a Program is immutable and may be shared; an Activation belongs to one evaluation.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/cel/type.h"
#include "engine/cel/value.h"

namespace checkride::cel {

// Place in the source text: line and column count from 1, column in code points.
struct Position {
  std::uint32_t offset = 0;  // bytes from the start of the expression
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

// Why a text is no valid expression here.
struct Diagnostic {
  Position position;
  std::string message;     // "undeclared variable 'resutl'"
  std::string suggestion;  // "did you mean 'result'?", or empty
};

// Why an evaluation gave no value. Errors are values: && and || absorb them as the standard says.
struct EvalError {
  Position position;
  std::string message;  // "no such key: 'ratio'", "division by zero"
};

// A fact that an expression read: the longest constant path from a variable, such as
// "result.exit_code", "has(result.log)" (bool) or "In('x')" (bool), with its value. A path that ended
// in an error (absent key) is not a fact; has() is.
struct Fact {
  std::string path;
  Value value;
  bool operator==(const Fact&) const = default;
};

// The value of one sub-expression, for `why`: what the text said and what came out.
struct TraceNode {
  std::string text;                 // the sub-expression as written
  std::optional<Value> value;       // absent: skipped by short circuit, or an error
  std::string error;                // not empty: evaluation of this part failed
  bool skipped = false;
  std::vector<TraceNode> children;
};

// Names an expression may use, and their types. `In` is declared by allow_in().
class Environment {
 public:
  Environment& variable(std::string name, Type type);
  // Declares In(string) -> bool: whether a state is active (SCXML 5.9.1). With names given, a literal
  // argument that is not one of them is an error at compile time.
  Environment& allow_in(std::vector<std::string> state_ids = {});
  // Named time zones ("Europe/Berlin") read the system's zone database; refused unless allowed.
  Environment& allow_named_time_zones();
  // Parses all(), has() and the other macros as plain function calls, which then do not exist.
  Environment& disable_macros();
  // A prefix for resolving qualified names (the standard's container); the conformance runner's need.
  Environment& container(std::string name);

  // One more overload of a function, the receiver first where `member`. Checking knows it; calling it
  // is an EvalError. The conformance runner's need, as container() is.
  Environment& function(std::string name, bool member, std::vector<Type> parameters, Type result);

  struct Data;
  std::shared_ptr<const Data> data() const { return data_; }

 private:
  std::shared_ptr<Data> change();  // a copy of its own, so that compiled programs keep theirs

  std::shared_ptr<const Data> data_;
};

// Values of variables for one evaluation.
class Activation {
 public:
  virtual ~Activation() = default;
  // nullptr when the variable has no value now; reading it is then an EvalError.
  virtual const Value* find(std::string_view name) const = 0;
  // In('id'); only called where the environment allows it.
  virtual bool in(std::string_view state_id) const {
    static_cast<void>(state_id);
    return false;
  }
};

// The plain Activation: names and values in a small vector.
class VariableActivation final : public Activation {
 public:
  VariableActivation& set(std::string name, Value value);
  const Value* find(std::string_view name) const override;

 private:
  std::vector<std::pair<std::string, Value>> variables_;
};

struct EvalOptions {
  std::uint64_t steps_max = 1'000'000;          // budget; reaching it is an EvalError
  std::size_t value_bytes_max = 16ULL << 20;    // no built value may grow past this
  std::vector<Fact>* facts = nullptr;           // filled in order of first reading, no repeats
  TraceNode* trace = nullptr;
};

using EvalResult = tl::expected<Value, EvalError>;

class Program {
 public:
  enum class Checking { typed, untyped };  // untyped: parse only, for the conformance suite

  // Bounds at compile time: source 64 KiB, nesting 250, macro expansion 100,000 nodes.
  static tl::expected<Program, std::vector<Diagnostic>> compile(
      std::string_view source, const Environment& environment,
      Checking checking = Checking::typed);

  const std::string& source() const;
  const Type& type() const;  // dyn when untyped
  // The variables it reads, sorted, without macro-local names.
  const std::vector<std::string>& variables() const;
  EvalResult evaluate(const Activation& activation, const EvalOptions& options = {}) const;

  struct Data;

 private:
  explicit Program(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
  std::shared_ptr<const Data> data_;
};

// An activation answering from recorded facts alone: evaluating the program again over the facts of a
// GuardEvaluated gives the same verdict and the trace that `why` prints. Paths nobody recorded are
// absent.
class FactActivation final : public Activation {
 public:
  explicit FactActivation(std::span<const Fact> facts);
  const Value* find(std::string_view name) const override;
  bool in(std::string_view state_id) const override;

 private:
  std::vector<std::pair<std::string, Value>> roots_;   // rebuilt maps, lists and scalars
  std::vector<std::pair<std::string, bool>> active_;
};

// Texts with holes: "a ${expr} b". A text that is exactly one hole keeps the type of its expression;
// any other becomes a string, holes printed as CEL's string() does (lists and maps as to_cel). "$${"
// is a literal "${". Holes nest braces and string literals properly.
class Template {
 public:
  static tl::expected<Template, std::vector<Diagnostic>> compile(std::string_view text,
                                                                 const Environment& environment);
  const std::string& source() const { return source_; }
  Type type() const;
  bool constant() const;  // has no holes
  EvalResult evaluate(const Activation& activation, const EvalOptions& options = {}) const;
  std::vector<std::string> variables() const;

 private:
  struct Part {
    std::string literal;
    std::optional<Program> hole;
  };
  std::string source_;
  std::vector<Part> parts_;
};

}  // namespace checkride::cel

// One evaluation of a resolved tree, from the inside; evaluator.h is its door. Values are passed by
// pointer wherever they already exist (in the activation, a literal, a list being walked), so that
// reading and comparing scalars allocates nothing. What a function here returns is such a pointer,
// or `&scratch` where it made the value; nullptr after a failure. It lives as long as the
// activation, the program and the frames of enclosing macros. evaluator.cpp has the walk, names and
// logic, evaluate_calls.cpp calls and literals, evaluate_macros.cpp the macros.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/cel/evaluator.h"
#include "engine/cel/functions.h"

namespace checkride::cel {

// Room for `count` elements, on the stack where they are few.
template <class T, std::size_t few>
class SmallArray {
 public:
  explicit SmallArray(std::size_t count) {
    if (count > few) many_.resize(count);
    data_ = count > few ? many_.data() : inline_.data();
  }
  SmallArray(const SmallArray&) = delete;
  SmallArray& operator=(const SmallArray&) = delete;
  T& operator[](std::size_t i) { return data_[i]; }
  T* data() { return data_; }

 private:
  std::array<T, few> inline_{};
  std::vector<T> many_;
  T* data_;
};

// Beyond these a trace goes on without the part, and without the rest of its text.
inline constexpr std::size_t traced_parts_max = 4'000;
inline constexpr std::uint32_t traced_bytes_max = 4'096;

class Evaluation : public Runtime {
 public:
  Evaluation(const Program::Data& program, const Activation& activation,
             const EvalOptions& options);
  EvalResult run();

 private:
  // The walk ----------------------------------------------------------------------------------
  const Value* eval(const Expr& e, Value& scratch);
  const Value* dispatch(const Expr& e, Value& scratch);
  const Value* trace_into(const Expr& e, Value& scratch, TraceNode& node);
  void trace_skipped(const Expr& e);
  // Whether one more part may be traced: macros in macros would make a trace of gigabytes.
  bool traces(const Expr& e) {
    return trace_ != nullptr && e.op != Op::literal && traced_++ < traced_parts_max;
  }
  std::string text_of(const Expr& e) const {
    return program_.source.substr(e.begin, std::min(e.end - e.begin, traced_bytes_max));
  }

  // Errors ------------------------------------------------------------------------------------
  const Value* place_error(std::uint32_t at) {
    if (!placed_) error_at_ = at;
    placed_ = true;
    return nullptr;
  }
  const Value* fail_at(std::uint32_t at, std::string message) {
    fail(std::move(message));
    return place_error(at);
  }
  // An error that && or || or a quantifier may still absorb. Running out of steps is never
  // absorbed.
  struct HeldError {
    bool held = false;
    std::string message;
    std::uint32_t at = 0;
  };
  bool hold_error(HeldError& error);
  const Value* raise(HeldError& error) { return fail_at(error.at, std::move(error.message)); }

  // Names and facts ---------------------------------------------------------------------------
  const Value* variable(std::uint32_t index);
  const Value* path(const Expr& e, Value& scratch);
  const Value* path_value(const Expr& e, Value& scratch);  // without recording a fact
  const Value* entry(const Value& container, const Value& key, Value& scratch);
  const Value* optional_entry(const Value& container, const Value& key, Value& scratch);
  const Value* operand_of(const Expr& e, Value& scratch);
  const Value* select(const Expr& e, Value& scratch);
  const Value* has(const Expr& e, Value& scratch);
  void record(std::uint32_t fact, const std::string& text, const Value& value);
  void record_optional(const Expr& e, const Value& found);
  bool is_recorded(const std::string& text) const;

  // Logic -------------------------------------------------------------------------------------
  const Value* unary(const Expr& e, Value& scratch);
  const Value* binary(const Expr& e, Value& scratch);
  const Value* logical(const Expr& e, Value& scratch, bool decisive);
  const Value* conditional(const Expr& e, Value& scratch);

  // Calls and literals ------------------------------------------------------------------------
  const Value* call(const Expr& e, Value& scratch);
  const Value* in_state(const Expr& e, Arguments given, Value& scratch);
  const Value* list(const Expr& e, Value& scratch);
  const Value* map(const Expr& e, Value& scratch);
  const Value* finish_map(const Expr& e, std::vector<MapEntry> entries, Value& scratch);
  bool weigh(const Value& value, std::size_t& bytes);

  // Macros ------------------------------------------------------------------------------------
  const Value* macro(const Expr& e, Value& scratch);
  const Value*& local(const Expr& e, std::size_t i) {
    return locals_[static_cast<std::size_t>(e.slot) + i];
  }
  const Value* body_with(const Expr& e, const Value& bound, Value& scratch);
  const Value* optional_map(const Expr& e, const Value& operand, Value& scratch);
  template <class Round>
  bool for_each(const Expr& e, const Value& range, Round round);
  std::optional<bool> predicate(const Expr& body);
  std::optional<bool> passes(const Expr& e);
  const Value* quantifier(const Expr& e, const Value& range, Value& scratch, bool decisive);
  const Value* exists_one(const Expr& e, const Value& range, Value& scratch);
  const Value* collect_list(const Expr& e, const Value& range, Value& scratch);
  const Value* collect_map(const Expr& e, const Value& range, Value& scratch);

  const Program::Data& program_;
  const Activation& activation_;
  std::vector<Fact>* facts_;
  std::size_t facts_before_;
  TraceNode* trace_;
  std::size_t traced_ = 0;
  SmallArray<const Value*, 8> variables_;
  SmallArray<const Value*, 8> locals_;
  SmallArray<std::uint64_t, 2> seen_;
  std::uint32_t error_at_ = 0;
  bool placed_ = false;
};

}  // namespace checkride::cel

#include "engine/cel/evaluator.h"

#include <algorithm>

#include "engine/cel/evaluation.h"
#include "engine/cel/lexer.h"
#include "engine/cel/operators.h"

namespace checkride::cel {

Evaluation::Evaluation(const Program::Data& program, const Activation& activation,
                       const EvalOptions& options)
    : Runtime(options.steps_max, options.value_bytes_max, program.environment->named_zones),
      program_(program),
      activation_(activation),
      facts_(options.facts),
      facts_before_(options.facts != nullptr ? options.facts->size() : 0),
      trace_(options.trace),
      variables_(program.variable_names.size()),
      locals_(program.locals),
      seen_(facts_ != nullptr ? program.facts.size() / 64 + 1 : 1) {}

EvalResult Evaluation::run() {
  Value scratch;
  const Value* value = nullptr;
  if (trace_ == nullptr)
    value = eval(*program_.root, scratch);
  else if (charge(1))
    value = trace_into(*program_.root, scratch, *trace_);
  if (value != nullptr) return *value;
  return tl::unexpected(EvalError{position_at(program_.source, error_at_), std::move(message_)});
}

// The value of a node: borrowed from where it lives, or `scratch`; nullptr after a failure. What
// it points to lives as long as the activation, the program and the frames of enclosing macros.
const Value* Evaluation::eval(const Expr& e, Value& scratch) {
  if (!charge(1)) [[unlikely]]
    return place_error(e.at);
  if (traces(e)) [[unlikely]] {
    TraceNode node;
    const Value* value = trace_into(e, scratch, node);
    if (trace_ != nullptr) trace_->children.push_back(std::move(node));
    return value;
  }
  const Value* value = dispatch(e, scratch);
  if (value == nullptr) [[unlikely]]
    place_error(e.at);
  return value;
}

const Value* Evaluation::trace_into(const Expr& e, Value& scratch, TraceNode& node) {
  TraceNode* const parent = trace_;
  node.text = text_of(e);
  trace_ = &node;
  const Value* value = dispatch(e, scratch);
  trace_ = parent;
  if (value != nullptr) {
    node.value = *value;
  } else {
    place_error(e.at);
    node.error = message_;
  }
  return value;
}

void Evaluation::trace_skipped(const Expr& e) {
  if (!traces(e)) return;
  TraceNode node;
  node.text = text_of(e);
  node.skipped = true;
  trace_->children.push_back(std::move(node));
}

bool Evaluation::hold_error(HeldError& error) {
  if (is_exhausted()) return false;
  if (!error.held) error = {true, std::move(message_), error_at_};
  failed_ = false;
  placed_ = false;
  message_.clear();
  return true;
}
const Value* Evaluation::dispatch(const Expr& e, Value& scratch) {
  switch (e.op) {
    case Op::literal: return &e.value;
    case Op::path: return path(e, scratch);
    case Op::select:
    case Op::index: return select(e, scratch);
    case Op::has: return has(e, scratch);
    case Op::call: return call(e, scratch);
    case Op::list: return list(e, scratch);
    case Op::map: return map(e, scratch);
    case Op::logical_and: return logical(e, scratch, false);
    case Op::logical_or: return logical(e, scratch, true);
    case Op::conditional: return conditional(e, scratch);
    case Op::unary: return unary(e, scratch);
    case Op::binary: return binary(e, scratch);
    case Op::macro: return macro(e, scratch);
    case Op::failure:
    case Op::name: return fail_at(e.at, e.name);
  }
  return nullptr;
}

// Names and facts -------------------------------------------------------------------------------

const Value* Evaluation::variable(std::uint32_t index) {
  static const Value absent;
  const Value*& slot = variables_[index];
  if (slot == nullptr) {
    slot = activation_.find(program_.variable_names[index]);
    if (slot == nullptr) slot = &absent;
  }
  return slot == &absent ? nullptr : slot;
}

const Value* Evaluation::path(const Expr& e, Value& scratch) {
  const Value* value = path_value(e, scratch);
  if (value != nullptr && facts_ != nullptr && e.path->local < 0)
    record(e.path->fact, e.path->text, *value);
  return value;
}

// Without recording a fact.
const Value* Evaluation::path_value(const Expr& e, Value& scratch) {
  const Path& p = *e.path;
  const Value* value = nullptr;
  std::size_t next = 0;
  if (p.local >= 0) {
    value = locals_[static_cast<std::size_t>(p.local)];
  } else {
    for (const Root& root : p.roots) {
      value = variable(root.variable);
      next = root.consumed;
      if (value != nullptr) break;
    }
    if (value == nullptr && p.type_literal) return &*p.type_literal;
    if (value == nullptr) return fail_at(e.at, "the variable '" + p.name + "' has no value");
  }
  for (; next < p.segments.size(); ++next) {
    value = entry(*value, p.segments[next].key, scratch);
    if (value == nullptr) return place_error(p.segments[next].at);
  }
  return value;
}

// What lies under `key`, through an optional where the container is one. Fails where nothing
// does.
const Value* Evaluation::entry(const Value& container, const Value& key, Value& scratch) {
  if (container.kind() != Kind::optional) {
    const Value* found = find_entry(container, key);
    if (found == nullptr) fail_entry(*this, container, key);
    return found;
  }
  return optional_entry(container, key, scratch);
}

// As an optional: none where nothing lies under `key`.
const Value* Evaluation::optional_entry(const Value& container, const Value& key, Value& scratch) {
  const Value* content = container.kind() == Kind::optional ? container.as_optional() : &container;
  if (content != nullptr && content->kind() != Kind::map && content->kind() != Kind::list) {
    fail_entry(*this, *content, key);
    return nullptr;
  }
  const Value* found = content != nullptr ? find_entry(*content, key) : nullptr;
  Value result = found != nullptr ? Value::optional_of(*found) : Value::optional_none();
  scratch = std::move(result);  // the container may live in scratch
  return &scratch;
}

void Evaluation::record(std::uint32_t fact, const std::string& text, const Value& value) {
  std::uint64_t& word = seen_[fact / 64];
  const std::uint64_t bit = std::uint64_t{1} << (fact % 64);
  if ((word & bit) != 0) return;
  word |= bit;
  if (facts_before_ > 0 && is_recorded(text)) return;  // by an earlier hole of a template
  if (facts_->capacity() == facts_->size()) facts_->reserve(facts_->size() + program_.facts.size());
  facts_->push_back(Fact{text, value});
}

bool Evaluation::is_recorded(const std::string& text) const {
  return std::any_of(facts_->begin(), facts_->end(), [&](const Fact& f) { return f.path == text; });
}

// The operand of has() or of an optional selection. Of a variable's path it is no fact of its own, nor
// a part of the trace: the fact is the question asked of it, and that is all a replay knows.
const Value* Evaluation::operand_of(const Expr& e, Value& scratch) {
  const Expr& operand = *e.children[0];
  if (e.fact_text.empty()) return eval(operand, scratch);
  const Value* value = charge(1) ? path_value(operand, scratch) : nullptr;
  return value != nullptr ? value : place_error(operand.at);
}

const Value* Evaluation::select(const Expr& e, Value& scratch) {
  Value operand_scratch;
  const Value* operand = operand_of(e, operand_scratch);
  if (operand == nullptr) return nullptr;
  Value key_scratch;
  const Value* key = &key_scratch;
  if (e.op == Op::index) {
    key = eval(*e.children[1], key_scratch);
    if (key == nullptr) return nullptr;
  } else {
    key_scratch = Value(e.name);
  }
  if (e.optional) {
    const Value* found = optional_entry(*operand, *key, scratch);
    if (found != nullptr && facts_ != nullptr && !e.fact_text.empty()) record_optional(e, *found);
    return found;
  }
  const Value* found = entry(*operand, *key, scratch);
  if (found == nullptr || found == &scratch || operand != &operand_scratch) return found;
  Value copy = *found;  // it dies with the operand
  scratch = std::move(copy);
  return &scratch;
}

void Evaluation::record_optional(const Expr& e, const Value& found) {
  if (const Value* content = found.as_optional())
    record(e.fact, e.fact_text, *content);
  else
    record(e.absent_fact, program_.facts[e.absent_fact], Value(false));
}

const Value* Evaluation::has(const Expr& e, Value& scratch) {
  Value operand_scratch;
  const Value* operand = operand_of(e, operand_scratch);
  if (operand == nullptr) return nullptr;
  if (operand->kind() == Kind::optional) operand = operand->as_optional();
  if (operand != nullptr && operand->kind() != Kind::map)
    return fail_at(e.at, "no such overload: has() on a value of type " +
                             std::string(to_string(operand->kind())));
  scratch = Value(operand != nullptr && operand->as_map().find(e.name) != nullptr);
  if (facts_ != nullptr && !e.fact_text.empty()) record(e.fact, e.fact_text, scratch);
  return &scratch;
}

// Logic -----------------------------------------------------------------------------------------

const Value* Evaluation::unary(const Expr& e, Value& scratch) {
  Value operand_scratch;
  const Value* operand = eval(*e.children[0], operand_scratch);
  if (operand == nullptr) return nullptr;
  return apply_unary(*this, e.operation, *operand, scratch) ? &scratch : nullptr;
}

const Value* Evaluation::binary(const Expr& e, Value& scratch) {
  Value left_scratch;
  Value right_scratch;
  const Value* left = eval(*e.children[0], left_scratch);
  if (left == nullptr) return nullptr;
  const Value* right = eval(*e.children[1], right_scratch);
  if (right == nullptr) return nullptr;
  return apply_binary(*this, e.operation, *left, *right, scratch) ? &scratch : nullptr;
}

// && and || (`decisive` false and true): the decisive value wins over errors on either side.
const Value* Evaluation::logical(const Expr& e, Value& scratch, bool decisive) {
  HeldError error;
  for (std::size_t i = 0; i < e.children.size(); ++i) {
    const Value* value = eval(*e.children[i], scratch);
    if (value != nullptr && value->kind() != Kind::boolean) {
      value =
          fail_at(e.children[i]->at, "no such overload: " + std::string(to_string(value->kind())) +
                                         (decisive ? " || bool" : " && bool"));
    }
    if (value == nullptr) {
      if (!hold_error(error)) return nullptr;
    } else if (value->as_bool() == decisive) {
      for (++i; i < e.children.size(); ++i) trace_skipped(*e.children[i]);
      scratch = Value(decisive);
      return &scratch;
    }
  }
  if (error.held) return raise(error);
  scratch = Value(!decisive);
  return &scratch;
}

const Value* Evaluation::conditional(const Expr& e, Value& scratch) {
  Value condition_scratch;
  const Value* condition = eval(*e.children[0], condition_scratch);
  if (condition == nullptr) return nullptr;
  if (condition->kind() != Kind::boolean)
    return fail_at(
        e.at, "no such overload: " + std::string(to_string(condition->kind())) + " as a condition");
  const bool yes = condition->as_bool();
  if (!yes) trace_skipped(*e.children[1]);
  const Value* value = eval(*e.children[yes ? 1 : 2], scratch);
  if (yes) trace_skipped(*e.children[2]);
  return value;
}

EvalResult evaluate(const Program::Data& program, const Activation& activation,
                    const EvalOptions& options) {
  return Evaluation(program, activation, options).run();
}

}  // namespace checkride::cel

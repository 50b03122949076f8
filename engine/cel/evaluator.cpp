#include "engine/cel/evaluator.h"

#include <algorithm>
#include <array>

#include "engine/cel/functions.h"
#include "engine/cel/lexer.h"
#include "engine/cel/operators.h"
#include "engine/cel/resolver.h"

namespace checkride::cel {
namespace {

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

// How many rounds of a macro a trace shows; the rest only count.
constexpr std::size_t traced_rounds_max = 16;

class Evaluator : public Runtime {
 public:
  Evaluator(const Program::Data& program, const Activation& activation, const EvalOptions& options)
      : Runtime(options.steps_max, options.value_bytes_max, program.environment->named_zones),
        program_(program),
        activation_(activation),
        facts_(options.facts),
        facts_before_(options.facts != nullptr ? options.facts->size() : 0),
        trace_(options.trace),
        variables_(program.variable_names.size()),
        locals_(program.locals),
        seen_(facts_ != nullptr ? program.facts.size() / 64 + 1 : 1) {}

  EvalResult run() {
    Value scratch;
    const Value* value = nullptr;
    if (trace_ == nullptr)
      value = eval(*program_.root, scratch);
    else if (charge(1))
      value = trace_into(*program_.root, scratch, *trace_);
    if (value != nullptr) return *value;
    return tl::unexpected(EvalError{position_at(program_.source, error_at_), std::move(message_)});
  }

 private:
  // The value of a node: borrowed from where it lives, or `scratch`; nullptr after a failure. What
  // it points to lives as long as the activation, the program and the frames of enclosing macros.
  const Value* eval(const Expr& e, Value& scratch) {
    if (!charge(1)) [[unlikely]]
      return place_error(e.at);
    if (trace_ != nullptr && e.op != Op::literal) [[unlikely]] {
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

  const Value* trace_into(const Expr& e, Value& scratch, TraceNode& node) {
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

  void trace_skipped(const Expr& e) {
    if (trace_ == nullptr || e.op == Op::literal) return;
    TraceNode node;
    node.text = text_of(e);
    node.skipped = true;
    trace_->children.push_back(std::move(node));
  }

  std::string text_of(const Expr& e) const {
    return program_.source.substr(e.begin, e.end - e.begin);
  }

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
  bool hold_error(HeldError& error) {
    if (is_exhausted()) return false;
    if (!error.held) error = {true, std::move(message_), error_at_};
    failed_ = false;
    placed_ = false;
    message_.clear();
    return true;
  }
  const Value* raise(HeldError& error) { return fail_at(error.at, std::move(error.message)); }

  const Value* dispatch(const Expr& e, Value& scratch) {
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
      case Op::unary: {
        Value operand_scratch;
        const Value* operand = eval(*e.children[0], operand_scratch);
        if (operand == nullptr) return nullptr;
        return apply_unary(*this, e.operation, *operand, scratch) ? &scratch : nullptr;
      }
      case Op::binary: {
        Value left_scratch;
        Value right_scratch;
        const Value* left = eval(*e.children[0], left_scratch);
        if (left == nullptr) return nullptr;
        const Value* right = eval(*e.children[1], right_scratch);
        if (right == nullptr) return nullptr;
        return apply_binary(*this, e.operation, *left, *right, scratch) ? &scratch : nullptr;
      }
      case Op::macro: return macro(e, scratch);
      case Op::failure:
      case Op::name: return fail_at(e.at, e.name);
    }
    return nullptr;
  }

  // Paths and facts ---------------------------------------------------------------------------

  const Value* variable(std::uint32_t index) {
    static const Value absent;
    const Value*& slot = variables_[index];
    if (slot == nullptr) {
      slot = activation_.find(program_.variable_names[index]);
      if (slot == nullptr) slot = &absent;
    }
    return slot == &absent ? nullptr : slot;
  }

  const Value* path(const Expr& e, Value& scratch) {
    const Value* value = path_value(e, scratch);
    if (value != nullptr && facts_ != nullptr && e.path->local < 0)
      record(e.path->fact, e.path->text, *value);
    return value;
  }

  // Without recording a fact.
  const Value* path_value(const Expr& e, Value& scratch) {
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
  const Value* entry(const Value& container, const Value& key, Value& scratch) {
    if (container.kind() != Kind::optional) {
      const Value* found = find_entry(container, key);
      if (found == nullptr) fail_entry(*this, container, key);
      return found;
    }
    return optional_entry(container, key, scratch);
  }

  // As an optional: none where nothing lies under `key`.
  const Value* optional_entry(const Value& container, const Value& key, Value& scratch) {
    const Value* content =
        container.kind() == Kind::optional ? container.as_optional() : &container;
    if (content != nullptr && content->kind() != Kind::map && content->kind() != Kind::list) {
      fail_entry(*this, *content, key);
      return nullptr;
    }
    const Value* found = content != nullptr ? find_entry(*content, key) : nullptr;
    Value result = found != nullptr ? Value::optional_of(*found) : Value::optional_none();
    scratch = std::move(result);  // the container may live in scratch
    return &scratch;
  }

  void record(std::uint32_t fact, const std::string& text, const Value& value) {
    std::uint64_t& word = seen_[fact / 64];
    const std::uint64_t bit = std::uint64_t{1} << (fact % 64);
    if ((word & bit) != 0) return;
    word |= bit;
    if (facts_before_ > 0 && is_recorded(text)) return;  // by an earlier hole of a template
    facts_->push_back(Fact{text, value});
  }

  bool is_recorded(const std::string& text) const {
    return std::any_of(facts_->begin(), facts_->end(),
                       [&](const Fact& f) { return f.path == text; });
  }

  // The operand of has() or of an optional selection: its own path is no fact of its own, the fact
  // is the question asked of it.
  const Value* operand_of(const Expr& e, Value& scratch) {
    const Expr& operand = *e.children[0];
    if (operand.op == Op::path && trace_ == nullptr && !e.fact_text.empty()) {
      const Value* value = charge(1) ? path_value(operand, scratch) : nullptr;
      return value != nullptr ? value : place_error(operand.at);
    }
    if (e.fact_text.empty()) return eval(operand, scratch);
    std::vector<Fact>* const facts = facts_;
    facts_ = nullptr;
    const Value* value = eval(operand, scratch);
    facts_ = facts;
    return value;
  }

  const Value* select(const Expr& e, Value& scratch) {
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

  void record_optional(const Expr& e, const Value& found) {
    if (const Value* content = found.as_optional())
      record(e.fact, e.fact_text, *content);
    else
      record(e.absent_fact, program_.facts[e.absent_fact], Value(false));
  }

  const Value* has(const Expr& e, Value& scratch) {
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

  // Logic -------------------------------------------------------------------------------------

  // && and || (`decisive` false and true): the decisive value wins over errors on either side.
  const Value* logical(const Expr& e, Value& scratch, bool decisive) {
    HeldError error;
    for (std::size_t i = 0; i < e.children.size(); ++i) {
      const Value* value = eval(*e.children[i], scratch);
      if (value != nullptr && value->kind() != Kind::boolean) {
        value = fail_at(e.children[i]->at,
                        "no such overload: " + std::string(to_string(value->kind())) +
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

  const Value* conditional(const Expr& e, Value& scratch) {
    Value condition_scratch;
    const Value* condition = eval(*e.children[0], condition_scratch);
    if (condition == nullptr) return nullptr;
    if (condition->kind() != Kind::boolean)
      return fail_at(e.at, "no such overload: " + std::string(to_string(condition->kind())) +
                               " as a condition");
    const bool yes = condition->as_bool();
    if (!yes) trace_skipped(*e.children[1]);
    const Value* value = eval(*e.children[yes ? 1 : 2], scratch);
    if (yes) trace_skipped(*e.children[2]);
    return value;
  }

  // Calls and literals ------------------------------------------------------------------------

  const Value* call(const Expr& e, Value& scratch) {
    const std::size_t count = e.children.size();
    SmallArray<Value, 4> scratches(count);
    SmallArray<const Value*, 4> arguments(count);
    for (std::size_t i = 0; i < count; ++i) {
      arguments[i] = eval(*e.children[i], scratches[i]);
      if (arguments[i] == nullptr) return nullptr;
    }
    const Arguments given(arguments.data(), count);
    if (e.function == nullptr) return in_state(e, given, scratch);
    if (e.regex != nullptr && given[0]->kind() == Kind::string) {
      const std::string& text = given[0]->as_string();
      if (!charge_bytes(text.size() * 8)) return nullptr;
      scratch = Value(e.regex->matches(text));
      return &scratch;
    }
    for (const Overload& o : e.function->overloads)
      if (o.takes(e.member, count) && o.accepts(given))
        return o.run(*this, given, scratch) ? &scratch : nullptr;
    std::string kinds;
    for (const Value* argument : given)
      kinds += (kinds.empty() ? "" : ", ") + std::string(to_string(argument->kind()));
    return fail_at(e.at, "no such overload: " + e.name + "(" + kinds + ")");
  }

  const Value* in_state(const Expr& e, Arguments given, Value& scratch) {
    if (given[0]->kind() != Kind::string)
      return fail_at(e.at, "no such overload: In() takes the id of a state");
    const std::string& id = given[0]->as_string();
    scratch = Value(activation_.in(id));
    if (facts_ != nullptr) {
      if (!e.fact_text.empty()) {
        record(e.fact, e.fact_text, scratch);
      } else {
        const std::string text = "In('" + id + "')";
        if (!charge(facts_->size())) return nullptr;
        if (!is_recorded(text)) facts_->push_back(Fact{text, scratch});
      }
    }
    return &scratch;
  }

  // Charges for a value going into a container, whose parts count again wherever it is copied to,
  // so that nesting shared values cannot build something exponentially large for little.
  bool weigh(const Value& value, std::size_t& bytes) {
    if (!charge_walk(value)) return false;
    bytes += sizeof(Value) + size_bytes(value);
    return allow_bytes(bytes);
  }

  const Value* list(const Expr& e, Value& scratch) {
    List result;
    result.reserve(e.children.size());
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < e.children.size(); ++i) {
      Value element_scratch;
      const Value* element = eval(*e.children[i], element_scratch);
      if (element == nullptr) return nullptr;
      if (e.optional_entries[i]) {
        if (element->kind() != Kind::optional)
          return fail_at(e.children[i]->at, "an entry behind '?' must be optional");
        element = element->as_optional();
        if (element == nullptr) continue;
      }
      if (!weigh(*element, bytes)) return nullptr;
      result.push_back(*element);
    }
    scratch = Value(std::move(result));
    return &scratch;
  }

  const Value* map(const Expr& e, Value& scratch) {
    std::vector<MapEntry> entries;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < e.children.size(); i += 2) {
      Value key_scratch;
      Value value_scratch;
      const Value* key = eval(*e.children[i], key_scratch);
      if (key == nullptr) return nullptr;
      const Value* value = eval(*e.children[i + 1], value_scratch);
      if (value == nullptr) return nullptr;
      if (e.optional_entries[i / 2]) {
        if (value->kind() != Kind::optional)
          return fail_at(e.children[i + 1]->at,
                         "the value of an entry behind '?' must be optional");
        value = value->as_optional();
        if (value == nullptr) continue;
      }
      if (!weigh(*key, bytes) || !weigh(*value, bytes)) return nullptr;
      entries.emplace_back(*key, *value);
    }
    return finish_map(e, std::move(entries), scratch);
  }

  const Value* finish_map(const Expr& e, std::vector<MapEntry> entries, Value& scratch) {
    Result<Map> result = Map::from_entries(std::move(entries));
    if (!result) return fail_at(e.at, result.error().message);
    scratch = Value(*std::move(result));
    return &scratch;
  }

  // Macros ------------------------------------------------------------------------------------

  const Value* macro(const Expr& e, Value& scratch) {
    Value range_scratch;
    const Value* range = eval(*e.children[0], range_scratch);
    if (range == nullptr) return nullptr;
    switch (e.macro) {
      case Macro::bind: return body_with(e, *range, scratch);
      case Macro::opt_map:
      case Macro::opt_flat_map: return optional_map(e, *range, scratch);
      case Macro::all: return quantifier(e, *range, scratch, false);
      case Macro::exists: return quantifier(e, *range, scratch, true);
      case Macro::exists_one: return exists_one(e, *range, scratch);
      case Macro::transform_map:
      case Macro::transform_map_entry: return collect_map(e, *range, scratch);
      default: return collect_list(e, *range, scratch);
    }
  }

  const Value*& local(const Expr& e, std::size_t i) {
    return locals_[static_cast<std::size_t>(e.slot) + i];
  }

  const Value* body_with(const Expr& e, const Value& bound, Value& scratch) {
    local(e, 0) = &bound;
    const Value* value = eval(*e.children[1], scratch);
    if (value == nullptr || value == &scratch) return value;
    Value copy = *value;  // it may be part of the bound value, which ends with the macro
    scratch = std::move(copy);
    return &scratch;
  }

  const Value* optional_map(const Expr& e, const Value& operand, Value& scratch) {
    if (operand.kind() != Kind::optional)
      return fail_at(e.at, "no such overload: " + e.name + "() on a value of type " +
                               std::string(to_string(operand.kind())));
    if (operand.as_optional() == nullptr) {
      scratch = Value::optional_none();
      return &scratch;
    }
    const Value content = *operand.as_optional();
    const Value* value = body_with(e, content, scratch);
    if (value == nullptr) return nullptr;
    if (e.macro == Macro::opt_map) {
      Value wrapped = Value::optional_of(*value);
      scratch = std::move(wrapped);
      return &scratch;
    }
    if (value->kind() != Kind::optional)
      return fail_at(e.at, "optFlatMap() needs an expression that gives an optional");
    return value;
  }

  // Binds the macro's variables for each element and calls `round`, until it says stop by false. A
  // list gives its elements, with two variables index and element; a map its keys, with two its
  // entries. False where evaluation failed.
  template <class Round>
  bool for_each(const Expr& e, const Value& range, Round round) {
    const bool two = e.variables.size() == 2;
    TraceNode* const trace = trace_;
    std::size_t index = 0;
    const auto step = [&] {
      if (index == traced_rounds_max) trace_ = nullptr;
      ++index;
      return charge(1) && round();
    };
    if (range.kind() == Kind::list) {
      for (const Value& element : range.as_list()) {
        const Value position(static_cast<std::int64_t>(index));
        local(e, 0) = two ? &position : &element;
        if (two) local(e, 1) = &element;
        if (!step()) break;
      }
    } else if (range.kind() == Kind::map) {
      for (const MapEntry& element : range.as_map()) {
        local(e, 0) = &element.first;
        if (two) local(e, 1) = &element.second;
        if (!step()) break;
      }
    } else {
      fail_at(e.at, "no such overload: " + e.name + "() walks a list or a map, not " +
                        std::string(to_string(range.kind())));
    }
    trace_ = trace;
    return !failed_;
  }

  // A body that must be true or false; nullopt after a failure.
  std::optional<bool> predicate(const Expr& body) {
    Value scratch;
    const Value* value = eval(body, scratch);
    if (value == nullptr) return std::nullopt;
    if (value->kind() != Kind::boolean) {
      fail_at(body.at, "no such overload: the condition is " +
                           std::string(to_string(value->kind())) + ", not bool");
      return std::nullopt;
    }
    return value->as_bool();
  }

  // all() and exists(): && and || over the elements.
  const Value* quantifier(const Expr& e, const Value& range, Value& scratch, bool decisive) {
    HeldError error;
    bool decided = false;
    const bool done = for_each(e, range, [&] {
      const std::optional<bool> verdict = predicate(*e.children[1]);
      if (!verdict) return hold_error(error);
      decided = *verdict == decisive;
      return !decided;
    });
    if (!done) return nullptr;
    if (!decided && error.held) return raise(error);
    scratch = Value(decided == decisive);
    return &scratch;
  }

  const Value* exists_one(const Expr& e, const Value& range, Value& scratch) {
    std::size_t count = 0;
    const bool done = for_each(e, range, [&] {
      const std::optional<bool> verdict = predicate(*e.children[1]);
      if (!verdict) return false;
      count += *verdict ? 1 : 0;
      return true;
    });
    if (!done) return nullptr;
    scratch = Value(count == 1);
    return &scratch;
  }

  // Whether the element passes the filter of a macro that has one; nullopt after a failure.
  std::optional<bool> passes(const Expr& e) {
    const bool filtered = e.macro == Macro::filter || e.children.size() == 3;
    return filtered ? predicate(*e.children[1]) : std::optional(true);
  }

  const Value* collect_list(const Expr& e, const Value& range, Value& scratch) {
    List result;
    std::size_t bytes = 0;
    const bool done = for_each(e, range, [&] {
      const std::optional<bool> kept = passes(e);
      if (!kept) return false;
      if (!*kept) return true;
      Value element_scratch;
      const Value* element =
          e.macro == Macro::filter ? local(e, 0) : eval(*e.children.back(), element_scratch);
      if (element == nullptr || !weigh(*element, bytes)) return false;
      result.push_back(*element);
      return true;
    });
    if (!done) return nullptr;
    scratch = Value(std::move(result));
    return &scratch;
  }

  const Value* collect_map(const Expr& e, const Value& range, Value& scratch) {
    std::vector<MapEntry> entries;
    std::size_t bytes = 0;
    const bool done = for_each(e, range, [&] {
      const std::optional<bool> kept = passes(e);
      if (!kept) return false;
      if (!*kept) return true;
      Value value_scratch;
      const Value* value = eval(*e.children.back(), value_scratch);
      if (value == nullptr || !weigh(*value, bytes)) return false;
      if (e.macro == Macro::transform_map) {
        entries.emplace_back(*local(e, 0), *value);
        return true;
      }
      if (value->kind() != Kind::map)
        return fail("transformMapEntry() needs an expression that gives a map");
      for (const MapEntry& entry : value->as_map()) entries.push_back(entry);
      return true;
    });
    if (!done) return place_error(e.at);
    return finish_map(e, std::move(entries), scratch);
  }

  const Program::Data& program_;
  const Activation& activation_;
  std::vector<Fact>* facts_;
  std::size_t facts_before_;
  TraceNode* trace_;
  SmallArray<const Value*, 8> variables_;
  SmallArray<const Value*, 8> locals_;
  SmallArray<std::uint64_t, 2> seen_;
  std::uint32_t error_at_ = 0;
  bool placed_ = false;
};

}  // namespace

EvalResult evaluate(const Program::Data& program, const Activation& activation,
                    const EvalOptions& options) {
  return Evaluator(program, activation, options).run();
}

}  // namespace checkride::cel

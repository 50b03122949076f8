// Calls of functions, In(), and the literals of lists and maps.
#include <algorithm>

#include "engine/cel/evaluation.h"

namespace checkride::cel {

const Value* Evaluation::call(const Expr& e, Value& scratch) {
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
  for (const Overload& o : e.function->overloads) {
    if (!o.takes(e.member, count) || !o.accepts(given)) continue;
    if (o.run == nullptr) return fail_at(e.at, "the function '" + e.name + "' is only declared");
    return o.run(*this, given, scratch) ? &scratch : nullptr;
  }
  std::string kinds;
  for (const Value* argument : given)
    kinds += (kinds.empty() ? "" : ", ") + std::string(to_string(argument->kind()));
  return fail_at(e.at, "no such overload: " + e.name + "(" + kinds + ")");
}

const Value* Evaluation::in_state(const Expr& e, Arguments given, Value& scratch) {
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
bool Evaluation::weigh(const Value& value, std::size_t& bytes) {
  if (!charge_walk(value)) return false;
  bytes += sizeof(Value) + size_bytes(value);
  return allow_bytes(bytes);
}

const Value* Evaluation::list(const Expr& e, Value& scratch) {
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

const Value* Evaluation::map(const Expr& e, Value& scratch) {
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
        return fail_at(e.children[i + 1]->at, "the value of an entry behind '?' must be optional");
      value = value->as_optional();
      if (value == nullptr) continue;
    }
    if (!weigh(*key, bytes) || !weigh(*value, bytes)) return nullptr;
    entries.emplace_back(*key, *value);
  }
  return finish_map(e, std::move(entries), scratch);
}

const Value* Evaluation::finish_map(const Expr& e, std::vector<MapEntry> entries, Value& scratch) {
  Result<Map> result = Map::from_entries(std::move(entries));
  if (!result) return fail_at(e.at, result.error().message);
  scratch = Value(*std::move(result));
  return &scratch;
}

}  // namespace checkride::cel

// Optional values and the base64 functions.
#include "engine/cel/functions.h"
#include "engine/cel/text.h"

namespace checkride::cel {

bool is_zero_value(const Value& value) {
  switch (value.kind()) {
    case Kind::null: return true;
    case Kind::boolean: return !value.as_bool();
    case Kind::integer: return value.as_int() == 0;
    case Kind::unsigned_integer: return value.as_uint() == 0;
    case Kind::floating: return value.as_double() == 0;
    case Kind::string: return value.as_string().empty();
    case Kind::bytes: return value.as_bytes().data.empty();
    case Kind::list: return value.as_list().empty();
    case Kind::map: return value.as_map().empty();
    case Kind::timestamp: return value.as_instant() == Instant{};
    case Kind::duration: return value.as_duration().count() == 0;
    case Kind::optional: return value.as_optional() == nullptr;
    case Kind::type: return false;
  }
  return false;
}

namespace {

bool of(Runtime&, Arguments a, Value& out) {
  out = Value::optional_of(*a[0]);
  return true;
}

bool of_non_zero(Runtime&, Arguments a, Value& out) {
  out = is_zero_value(*a[0]) ? Value::optional_none() : Value::optional_of(*a[0]);
  return true;
}

bool none(Runtime&, Arguments, Value& out) {
  out = Value::optional_none();
  return true;
}

bool has_value(Runtime&, Arguments a, Value& out) {
  out = Value(a[0]->as_optional() != nullptr);
  return true;
}

bool value_of(Runtime& runtime, Arguments a, Value& out) {
  if (a[0]->as_optional() == nullptr) return runtime.fail("optional.none() has no value");
  out = *a[0]->as_optional();
  return true;
}

bool or_else(Runtime&, Arguments a, Value& out) {
  out = a[0]->as_optional() != nullptr ? *a[0] : *a[1];
  return true;
}

bool or_value(Runtime&, Arguments a, Value& out) {
  out = a[0]->as_optional() != nullptr ? *a[0]->as_optional() : *a[1];
  return true;
}

bool unwrap(Runtime& runtime, Arguments a, Value& out) {
  if (!runtime.charge(a[0]->as_list().size())) return false;
  List list;
  for (const Value& v : a[0]->as_list()) {
    if (v.kind() != Kind::optional) return runtime.fail("no such overload: a list of optionals");
    if (v.as_optional() != nullptr) list.push_back(*v.as_optional());
  }
  out = Value(std::move(list));
  return true;
}

template <bool last>
bool end_of_list(Runtime&, Arguments a, Value& out) {
  const List& list = a[0]->as_list();
  out =
      list.empty() ? Value::optional_none() : Value::optional_of(last ? list.back() : list.front());
  return true;
}

bool encode_base64(Runtime& runtime, Arguments a, Value& out) {
  const std::string& data = a[0]->as_bytes().data;
  if (!runtime.charge_bytes(data.size()) || !runtime.allow_bytes(data.size() / 3 * 4)) return false;
  out = Value(base64(data));
  return true;
}

bool decode_base64(Runtime& runtime, Arguments a, Value& out) {
  if (!runtime.charge_bytes(a[0]->as_string().size())) return false;
  std::optional<std::string> data = from_base64(a[0]->as_string());
  if (!data) return runtime.fail("the text is no base64");
  out = Value(Bytes{*std::move(data)});
  return true;
}

}  // namespace

void add_optional_functions(FunctionTable& table) {
  table.add("optional.of", "(T) -> optional<T>", &of);
  table.add("optional.ofNonZeroValue", "(T) -> optional<T>", &of_non_zero);
  table.add("optional.none", "() -> optional<T>", &none);
  table.add("hasValue", "optional<T>.() -> bool", &has_value);
  table.add("value", "optional<T>.() -> T", &value_of);
  table.add("or", "optional<T>.(optional<T>) -> optional<T>", &or_else);
  table.add("orValue", "optional<T>.(T) -> T", &or_value);
  table.add("optional.unwrap", "(list<optional<T>>) -> list<T>", &unwrap);
  table.add("unwrapOpt", "list<optional<T>>.() -> list<T>", &unwrap);
  table.add("first", "list<T>.() -> optional<T>", &end_of_list<false>);
  table.add("last", "list<T>.() -> optional<T>", &end_of_list<true>);
  table.add("base64.encode", "(bytes) -> string", &encode_base64);
  table.add("base64.decode", "(string) -> bytes", &decode_base64);
}

}  // namespace checkride::cel

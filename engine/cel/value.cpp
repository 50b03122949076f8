#include "engine/cel/value.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "engine/base/assert.h"
#include "engine/cel/numbers.h"
#include "engine/cel/type.h"

namespace checkride::cel {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

// Kinds that compare with each other share a group.
int group(Kind kind) {
  switch (kind) {
    case Kind::null: return 0;
    case Kind::boolean: return 1;
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::floating: return 2;
    case Kind::string: return 3;
    default: return static_cast<int>(kind);  // bytes to optional stand behind string in Kind
  }
}

std::strong_ordering order_numbers(const Value& a, const Value& b) {
  const std::partial_ordering by_value = compare_exactly(a, b);
  if (by_value == std::partial_ordering::less) return std::strong_ordering::less;
  if (by_value == std::partial_ordering::greater) return std::strong_ordering::greater;
  if (by_value == std::partial_ordering::equivalent) return std::strong_ordering::equal;
  // NaN stands before every other number.
  const auto is_nan = [](const Value& v) {
    return v.kind() == Kind::floating && v.as_double() != v.as_double();
  };
  return static_cast<int>(is_nan(b)) <=> static_cast<int>(is_nan(a));
}

bool is_key(const Value& v) {
  return v.kind() == Kind::boolean || v.kind() == Kind::integer ||
         v.kind() == Kind::unsigned_integer || v.kind() == Kind::string;
}

std::strong_ordering order_key(const Value& key, std::string_view name) {
  if (key.kind() != Kind::string) return group(key.kind()) <=> group(Kind::string);
  return std::string_view(key.as_string()) <=> name;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::null: return "null_type";
    case Kind::boolean: return "bool";
    case Kind::integer: return "int";
    case Kind::unsigned_integer: return "uint";
    case Kind::floating: return "double";
    case Kind::string: return "string";
    case Kind::bytes: return "bytes";
    case Kind::list: return "list";
    case Kind::map: return "map";
    case Kind::timestamp: return "google.protobuf.Timestamp";
    case Kind::duration: return "google.protobuf.Duration";
    case Kind::type: return "type";
    case Kind::optional: return "optional_type";
  }
  return "unknown";
}

Result<Map> Map::from_entries(std::vector<MapEntry> entries) {
  for (const MapEntry& entry : entries)
    if (!is_key(entry.first))
      return fail(ErrorCode::invalid_argument, "a map key must be bool, int, uint or string, not " +
                                                   std::string(to_string(entry.first.kind())));
  std::stable_sort(entries.begin(), entries.end(), [](const MapEntry& a, const MapEntry& b) {
    return order(a.first, b.first) < 0;
  });
  for (std::size_t i = 1; i < entries.size(); ++i)
    if (order(entries[i - 1].first, entries[i].first) == 0)
      return fail(ErrorCode::invalid_argument, "duplicate map key " + to_cel(entries[i].first));
  Map map;
  map.entries_ = std::move(entries);
  return map;
}

const Value* Map::find(const Value& key) const {
  if (key.kind() == Kind::string) return find(std::string_view(key.as_string()));
  const auto at = std::lower_bound(
      entries_.begin(), entries_.end(), key,
      [](const MapEntry& entry, const Value& k) { return order(entry.first, k) < 0; });
  if (at == entries_.end() || !equal(at->first, key)) return nullptr;
  return &at->second;
}

const Value* Map::find(std::string_view key) const {
  // Most maps are records of a few fields: a scan that compares lengths first beats bisection.
  if (entries_.size() <= 8) {
    for (const MapEntry& entry : entries_)
      if (entry.first.kind() == Kind::string && entry.first.as_string() == key)
        return &entry.second;
    return nullptr;
  }
  const auto at = std::lower_bound(
      entries_.begin(), entries_.end(), key,
      [](const MapEntry& entry, std::string_view k) { return order_key(entry.first, k) < 0; });
  if (at == entries_.end() || order_key(at->first, key) != 0) return nullptr;
  return &at->second;
}

template <>
void Map::set<Value>(const Value& key, Value value) {
  CR_ASSERT(is_key(key));
  const auto at = std::lower_bound(
      entries_.begin(), entries_.end(), key,
      [](const MapEntry& entry, const Value& k) { return order(entry.first, k) < 0; });
  if (at != entries_.end() && order(at->first, key) == 0)
    at->second = std::move(value);
  else
    entries_.insert(at, {std::move(key), std::move(value)});
}

void Map::set(std::string_view key, Value value) {
  set(Value(key), std::move(value));
}

bool Map::operator==(const Map& other) const { return entries_ == other.entries_; }

bool Map::erase(std::string_view key) {
  const auto at = std::find_if(entries_.begin(), entries_.end(), [&](const MapEntry& entry) {
    return order_key(entry.first, key) == 0;
  });
  if (at == entries_.end()) return false;
  entries_.erase(at);
  return true;
}

Value::Value(std::string s) : Value(Kind::string, std::move(s)) {}
Value::Value(Bytes b) : Value(Kind::bytes, std::move(b)) {}
Value::Value(List l) : Value(Kind::list, std::move(l)) {}
Value::Value(Map m) : Value(Kind::map, std::move(m)) {}
Value::Value(Type t) : Value(Kind::type, std::move(t)) {}

Value::Value(Timestamp t) : kind_(Kind::timestamp) {
  std::int64_t seconds = t.ns / ns_per_second;
  std::int64_t nanos = t.ns % ns_per_second;
  if (nanos < 0) {
    nanos += ns_per_second;
    --seconds;
  }
  nanos_ = static_cast<std::int32_t>(nanos);
  data_.integer = seconds;
}

Value Value::optional_of(Value v) {
  return Value(Kind::optional, Optional{std::move(v)});
}

Value Value::optional_none() {
  static const Value none(Kind::optional, Optional{});
  return none;
}

void Value::release() {
  // The last owner sees everything the others wrote before they let go.
  if (data_.shared->owners.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  switch (kind_) {
    case Kind::string: delete static_cast<Shared<std::string>*>(data_.shared); break;
    case Kind::bytes: delete static_cast<Shared<Bytes>*>(data_.shared); break;
    case Kind::list: delete static_cast<Shared<List>*>(data_.shared); break;
    case Kind::map: delete static_cast<Shared<Map>*>(data_.shared); break;
    case Kind::type: delete static_cast<Shared<Type>*>(data_.shared); break;
    case Kind::optional: delete static_cast<Shared<Optional>*>(data_.shared); break;
    default: break;
  }
}

void Value::wrong_kind(Kind wanted) const {
  CR_ASSERT(kind_ == wanted, to_string(kind_), to_string(wanted));
  std::abort();
}

Timestamp Value::as_timestamp() const {
  const Instant t = as_instant();
  std::int64_t ns = 0;
  // Seconds before 1970 count down while nanos count up, so the very first second would overflow on
  // the way to a value that fits.
  const bool early = t.seconds < 0 && t.nanos > 0;
  const std::int64_t seconds = early ? t.seconds + 1 : t.seconds;
  const std::int64_t nanos = early ? t.nanos - ns_per_second : t.nanos;
  if (__builtin_mul_overflow(seconds, ns_per_second, &ns) || __builtin_add_overflow(ns, nanos, &ns))
    return Timestamp{t.seconds < 0 ? INT64_MIN : INT64_MAX};
  return Timestamp{ns};
}
const Type& Value::as_type() const {
  return content<Type>(Kind::type);
}
const Value* Value::as_optional() const {
  const Optional& optional = content<Optional>(Kind::optional);
  return optional.value ? &*optional.value : nullptr;
}

const Value* Value::field(std::string_view name) const {
  return kind() == Kind::map ? as_map().find(name) : nullptr;
}
std::string Value::string_or(std::string_view name, std::string_view fallback) const {
  const Value* v = field(name);
  return v != nullptr && v->kind() == Kind::string ? v->as_string() : std::string(fallback);
}
std::int64_t Value::int_or(std::string_view name, std::int64_t fallback) const {
  const Value* v = field(name);
  return v != nullptr && v->kind() == Kind::integer ? v->as_int() : fallback;
}
bool Value::bool_or(std::string_view name, bool fallback) const {
  const Value* v = field(name);
  return v != nullptr && v->kind() == Kind::boolean ? v->as_bool() : fallback;
}

bool equal(const Value& a, const Value& b) {
  if (is_number(a) && is_number(b))
    return compare_numbers(a, b) == std::partial_ordering::equivalent;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::null: return true;
    case Kind::boolean: return a.as_bool() == b.as_bool();
    case Kind::string: return a.as_string() == b.as_string();
    case Kind::bytes: return a.as_bytes() == b.as_bytes();
    case Kind::list:
      return std::equal(a.as_list().begin(), a.as_list().end(), b.as_list().begin(),
                        b.as_list().end(),
                        [](const Value& x, const Value& y) { return equal(x, y); });
    case Kind::map:
      return std::equal(a.as_map().begin(), a.as_map().end(), b.as_map().begin(), b.as_map().end(),
                        [](const MapEntry& x, const MapEntry& y) {
                          return equal(x.first, y.first) && equal(x.second, y.second);
                        });
    case Kind::timestamp: return a.as_instant() == b.as_instant();
    case Kind::duration: return a.as_duration() == b.as_duration();
    case Kind::type:
      // CEL compares types at run time without their parameters: every list has the type list.
      return a.as_type().kind() == b.as_type().kind();
    case Kind::optional: {
      const Value* x = a.as_optional();
      const Value* y = b.as_optional();
      return x != nullptr && y != nullptr ? equal(*x, *y) : x == y;
    }
    default: return false;
  }
}

bool operator==(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  if (a.is_shared() && a.data_.shared == b.data_.shared) return true;
  switch (a.kind()) {
    case Kind::integer: return a.as_int() == b.as_int();
    case Kind::unsigned_integer: return a.as_uint() == b.as_uint();
    case Kind::floating:
      return std::bit_cast<std::uint64_t>(a.as_double()) ==
             std::bit_cast<std::uint64_t>(b.as_double());
    case Kind::list: return a.as_list() == b.as_list();
    case Kind::map:
      return std::equal(a.as_map().begin(), a.as_map().end(), b.as_map().begin(), b.as_map().end());
    case Kind::type: return a.as_type() == b.as_type();
    case Kind::optional: {
      const Value* x = a.as_optional();
      const Value* y = b.as_optional();
      return x != nullptr && y != nullptr ? *x == *y : x == y;
    }
    default: return equal(a, b);
  }
}

std::strong_ordering order(const Value& a, const Value& b) {
  if (const auto by_group = group(a.kind()) <=> group(b.kind()); by_group != 0) return by_group;
  switch (a.kind()) {
    case Kind::null: return std::strong_ordering::equal;
    case Kind::boolean: return static_cast<int>(a.as_bool()) <=> static_cast<int>(b.as_bool());
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::floating: return order_numbers(a, b);
    case Kind::string: return a.as_string() <=> b.as_string();
    case Kind::bytes: return a.as_bytes().data <=> b.as_bytes().data;
    case Kind::list: {
      const List& x = a.as_list();
      const List& y = b.as_list();
      for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i)
        if (const auto part = order(x[i], y[i]); part != 0) return part;
      return x.size() <=> y.size();
    }
    case Kind::map: {
      auto x = a.as_map().begin();
      auto y = b.as_map().begin();
      for (; x != a.as_map().end() && y != b.as_map().end(); ++x, ++y) {
        if (const auto part = order(x->first, y->first); part != 0) return part;
        if (const auto part = order(x->second, y->second); part != 0) return part;
      }
      return a.as_map().size() <=> b.as_map().size();
    }
    case Kind::timestamp: return a.as_instant() <=> b.as_instant();
    case Kind::duration: return a.as_duration().count() <=> b.as_duration().count();
    case Kind::type: return to_string(a.as_type()) <=> to_string(b.as_type());
    case Kind::optional: {
      const Value* x = a.as_optional();
      const Value* y = b.as_optional();
      if (x != nullptr && y != nullptr) return order(*x, *y);
      return static_cast<int>(x != nullptr) <=> static_cast<int>(y != nullptr);
    }
  }
  return std::strong_ordering::equal;
}

std::size_t size_bytes(const Value& value) {
  switch (value.kind()) {
    case Kind::string: return sizeof(std::string) + value.as_string().size();
    case Kind::bytes: return sizeof(Bytes) + value.as_bytes().data.size();
    case Kind::list: {
      std::size_t bytes = sizeof(List);
      for (const Value& v : value.as_list()) bytes += sizeof(Value) + size_bytes(v);
      return bytes;
    }
    case Kind::map: {
      std::size_t bytes = sizeof(Map);
      for (const MapEntry& e : value.as_map())
        bytes += sizeof(MapEntry) + size_bytes(e.first) + size_bytes(e.second);
      return bytes;
    }
    case Kind::optional: {
      const Value* content = value.as_optional();
      return sizeof(Optional) + (content != nullptr ? size_bytes(*content) : 0);
    }
    case Kind::type: return sizeof(Type);
    default: return 0;
  }
}

}  // namespace checkride::cel

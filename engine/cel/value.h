// A CEL value: null, bool, int, uint, double, string, bytes, list, map, timestamp, duration, type or
// optional (google/cel-spec, section "Values"). It is also what checkride stores as parameters, run
// data, job inputs and job results. Values are immutable and cheap to copy: scalars in place, the
// rest behind a reference count, so copying never allocates.
#pragma once

#include <compare>
#include <concepts>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace checkride::cel {

class Value;
class Type;

using List = std::vector<Value>;

// Key order is the order of Value::order; keys are bool, int, uint or string, and unique by CEL's
// equality (1 and 1u are one key). Maps are walked in this order everywhere.
using MapEntry = std::pair<Value, Value>;

class Map {
 public:
  Map() = default;
  // Sorts; an error names a duplicate or a key of a wrong type.
  static Result<Map> from_entries(std::vector<MapEntry> entries);
  const Value* find(const Value& key) const;         // nullptr when absent
  const Value* find(std::string_view key) const;     // the same for a string key
  template <std::convertible_to<std::string_view> Text>
  const Value* find(const Text& key) const {  // so that "a" is no ambiguous Value
    return find(std::string_view(key));
  }
  // Inserts or replaces; for building.
  template <std::same_as<Value> Key>  // exactly a Value, so that text never converts to one here
  void set(const Key& key, Value value);
  void set(std::string_view key, Value value);
  template <std::convertible_to<std::string_view> Text>
  void set(const Text& key, Value value);
  bool erase(std::string_view key);
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  bool operator==(const Map& other) const;  // identity of representation, entry by entry
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

 private:
  std::vector<MapEntry> entries_;  // sorted
};

struct Null {
  bool operator==(const Null&) const = default;
};
struct Bytes {
  std::string data;
  bool operator==(const Bytes&) const = default;
};
struct Optional;  // holds a Value or nothing

// A timestamp as CEL defines it, years 1 to 9999: wider than checkride's own Timestamp. Years 1677 to
// 2262 convert both ways without loss.
struct Instant {
  std::int64_t seconds = 0;  // since 1970-01-01T00:00:00Z
  std::int32_t nanos = 0;    // 0 to 999,999,999, forward from seconds
  auto operator<=>(const Instant&) const = default;
};

enum class Kind : std::uint8_t {
  null, boolean, integer, unsigned_integer, floating, string, bytes, list, map, timestamp, duration,
  type, optional,
};
// "null_type", "bool", "int", "uint", "double", "string", ... as CEL's type() names them.
std::string_view to_string(Kind kind);

class Value {
 public:
  Value() = default;  // null
  Value(Null) {}
  Value(bool b) : data_(b) {}
  Value(std::int64_t i) : data_(i) {}
  Value(int i) : data_(static_cast<std::int64_t>(i)) {}
  Value(std::uint64_t u) : data_(u) {}
  Value(double d) : data_(d) {}
  Value(std::string s) : data_(std::make_shared<const std::string>(std::move(s))) {}
  Value(std::string_view s) : Value(std::string(s)) {}
  Value(const char* s) : Value(std::string(s)) {}
  Value(Bytes b) : data_(std::make_shared<const Bytes>(std::move(b))) {}
  Value(List l) : data_(std::make_shared<const List>(std::move(l))) {}
  Value(Map m) : data_(std::make_shared<const Map>(std::move(m))) {}
  Value(Timestamp t);
  Value(Instant t) : data_(t) {}
  Value(Duration d) : data_(d) {}
  explicit Value(Type t);
  static Value optional_of(Value v);
  static Value optional_none();

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool is_null() const { return kind() == Kind::null; }

  // Access; the kind must be right (CR_ASSERT).
  bool as_bool() const;
  std::int64_t as_int() const;
  std::uint64_t as_uint() const;
  double as_double() const;
  const std::string& as_string() const;
  const Bytes& as_bytes() const;
  const List& as_list() const;
  const Map& as_map() const;
  Timestamp as_timestamp() const;  // outside 1677 to 2262: the nearest end
  Instant as_instant() const;      // the same timestamp exactly; what a codec stores
  Duration as_duration() const;
  const Type& as_type() const;
  const Value* as_optional() const;  // nullptr for optional.none()

  // For readers of job inputs and results: the field of a map, or nullptr / the fallback when this is
  // no map, has no such field, or the field has another kind.
  const Value* field(std::string_view name) const;
  std::string string_or(std::string_view name, std::string_view fallback) const;
  std::int64_t int_or(std::string_view name, std::int64_t fallback) const;
  bool bool_or(std::string_view name, bool fallback) const;

  // CEL equality (1 == 1u == 1.0; NaN != NaN; lists and maps element-wise; different kinds differ).
  friend bool equal(const Value& a, const Value& b);
  // Identity of representation: kinds and bits are the same. NaN is itself; 1 is not 1u.
  friend bool operator==(const Value& a, const Value& b);
  // A total order for map keys and canonical output: by kind group, numbers by mathematical value.
  friend std::strong_ordering order(const Value& a, const Value& b);

 private:
  using Data = std::variant<Null, bool, std::int64_t, std::uint64_t, double,
                            std::shared_ptr<const std::string>, std::shared_ptr<const Bytes>,
                            std::shared_ptr<const List>, std::shared_ptr<const Map>, Instant,
                            Duration, std::shared_ptr<const Type>, std::shared_ptr<const Optional>>;
  Data data_;
};

struct Optional {
  std::optional<Value> value;
};

template <std::convertible_to<std::string_view> Text>
void Map::set(const Text& key, Value value) {
  set(std::string_view(key), std::move(value));
}

bool equal(const Value& a, const Value& b);
bool operator==(const Value& a, const Value& b);
std::strong_ordering order(const Value& a, const Value& b);

// As a CEL literal that evaluates to the same value: {"a": 1, "b": [true, 2u]}. Doubles print the
// shortest text that reads back to the same bits.
std::string to_cel(const Value& value);
// As JSON for people and programs: int and double as numbers, uint as number, bytes as base64,
// timestamp and duration as strings ("2026-11-21T03:41:00Z", "1.5s"), NaN and infinities as strings,
// none as null. Lossy by design; the log uses store/codec. `indent` < 0 prints one line.
std::string to_json(const Value& value, int indent = -1);
// From JSON text: whole numbers in int64 become int, in uint64 uint, others double; objects become
// maps, duplicate keys are an error. Nesting at most 64.
Result<Value> from_json(std::string_view json);
// Appends `text` as a JSON string literal with quotes; invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Approximate heap bytes behind the value; for bounds on results and run data.
std::size_t size_bytes(const Value& value);

}  // namespace checkride::cel

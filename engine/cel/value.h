// A CEL value: null, bool, int, uint, double, string, bytes, list, map, timestamp, duration, type or
// optional (google/cel-spec, section "Values"). It is also what checkride stores as parameters, run
// data, job inputs and job results. Values are immutable and cheap to copy: scalars in place, the
// rest behind a reference count, so copying never allocates.
#pragma once

#include <atomic>
#include <compare>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
  inline std::size_t size() const;
  inline bool empty() const;
  bool operator==(const Map& other) const;  // identity of representation, entry by entry
  inline std::vector<MapEntry>::const_iterator begin() const;
  inline std::vector<MapEntry>::const_iterator end() const;

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
  Value(bool b) : kind_(Kind::boolean) { data_.boolean = b; }
  Value(std::int64_t i) : kind_(Kind::integer) { data_.integer = i; }
  Value(int i) : Value(static_cast<std::int64_t>(i)) {}
  Value(std::uint64_t u) : kind_(Kind::unsigned_integer) { data_.unsigned_integer = u; }
  // There is one NaN: which bits an operation gives it is the processor's choice, and a value must
  // be the same on all of them.
  Value(double d) : kind_(Kind::floating) {
    data_.floating = d == d ? d : std::numeric_limits<double>::quiet_NaN();
  }
  Value(std::string s);
  Value(std::string_view s) : Value(std::string(s)) {}
  Value(const char* s) : Value(std::string(s)) {}
  Value(Bytes b);
  Value(List l);
  Value(Map m);
  Value(Timestamp t);
  Value(Instant t) : kind_(Kind::timestamp), nanos_(t.nanos) { data_.integer = t.seconds; }
  Value(Duration d) : kind_(Kind::duration) { data_.integer = d.count(); }
  explicit Value(Type t);
  static Value optional_of(Value v);
  static Value optional_none();

  Value(const Value& other) noexcept
      : kind_(other.kind_), nanos_(other.nanos_), data_(other.data_) {
    if (is_shared()) data_.shared->owners.fetch_add(1, std::memory_order_relaxed);
  }
  Value(Value&& other) noexcept : kind_(other.kind_), nanos_(other.nanos_), data_(other.data_) {
    other.kind_ = Kind::null;
  }
  Value& operator=(const Value& other) noexcept {
    Value copy(other);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    Value moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~Value() {
    if (is_shared()) release();
  }
  void swap(Value& other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(nanos_, other.nanos_);
    std::swap(data_, other.data_);
  }

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }

  // Access; the kind must be right (CR_ASSERT).
  bool as_bool() const {
    expect(Kind::boolean);
    return data_.boolean;
  }
  std::int64_t as_int() const {
    expect(Kind::integer);
    return data_.integer;
  }
  std::uint64_t as_uint() const {
    expect(Kind::unsigned_integer);
    return data_.unsigned_integer;
  }
  double as_double() const {
    expect(Kind::floating);
    return data_.floating;
  }
  const std::string& as_string() const { return content<std::string>(Kind::string); }
  const Bytes& as_bytes() const { return content<Bytes>(Kind::bytes); }
  const List& as_list() const { return content<List>(Kind::list); }
  const Map& as_map() const { return content<Map>(Kind::map); }
  Timestamp as_timestamp() const;  // outside 1677 to 2262: the nearest end
  Instant as_instant() const {     // the same timestamp exactly; what a codec stores
    expect(Kind::timestamp);
    return Instant{data_.integer, nanos_};
  }
  Duration as_duration() const {
    expect(Kind::duration);
    return Duration(data_.integer);
  }
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
  // What lies behind a value that is no scalar, with the number of values that share it. Written out
  // here, rather than a variant of shared_ptr, because guards copy and drop scalars all the time:
  // that is sixteen bytes moved and one comparison.
  struct Counted {
    std::atomic<std::uint32_t> owners{1};
  };
  template <class T>
  struct Shared : Counted {
    explicit Shared(T t) : content(std::move(t)) {}
    T content;
  };
  union Data {
    bool boolean;
    std::int64_t integer;  // of a timestamp its seconds, of a duration its nanoseconds
    std::uint64_t unsigned_integer;
    double floating;
    Counted* shared;
  };

  template <class T>
  Value(Kind kind, T content) : kind_(kind) {
    data_.shared = new Shared<T>(std::move(content));
  }
  bool is_shared() const {
    constexpr unsigned kinds = 1U << static_cast<unsigned>(Kind::string) |
                               1U << static_cast<unsigned>(Kind::bytes) |
                               1U << static_cast<unsigned>(Kind::list) |
                               1U << static_cast<unsigned>(Kind::map) |
                               1U << static_cast<unsigned>(Kind::type) |
                               1U << static_cast<unsigned>(Kind::optional);
    return (kinds >> static_cast<unsigned>(kind_) & 1U) != 0;
  }
  template <class T>
  const T& content(Kind kind) const {
    expect(kind);
    return static_cast<const Shared<T>*>(data_.shared)->content;
  }
  void expect(Kind kind) const {
    if (kind_ != kind) [[unlikely]]
      wrong_kind(kind);
  }
  [[noreturn]] void wrong_kind(Kind wanted) const;
  void release();

  Kind kind_ = Kind::null;
  std::int32_t nanos_ = 0;  // of a timestamp
  Data data_{.integer = 0};
};

struct Optional {
  std::optional<Value> value;
};

std::size_t Map::size() const {
  return entries_.size();
}
bool Map::empty() const {
  return entries_.empty();
}
std::vector<MapEntry>::const_iterator Map::begin() const {
  return entries_.begin();
}
std::vector<MapEntry>::const_iterator Map::end() const {
  return entries_.end();
}

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

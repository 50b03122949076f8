#include "engine/cel/operators.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/cel/numbers.h"
#include "engine/cel/text.h"
#include "engine/cel/time_text.h"

namespace checkride::cel {
std::string_view symbol_of(Operator operation) {
  switch (operation) {
    case Operator::add: return "+";
    case Operator::subtract: return "-";
    case Operator::multiply: return "*";
    case Operator::divide: return "/";
    case Operator::modulo: return "%";
    case Operator::equal: return "==";
    case Operator::not_equal: return "!=";
    case Operator::less: return "<";
    case Operator::less_equal: return "<=";
    case Operator::greater: return ">";
    case Operator::greater_equal: return ">=";
    case Operator::in: return "in";
    case Operator::logical_not: return "!";
    case Operator::negate: return "-";
  }
  return "?";
}

namespace {

bool no_overload(Runtime& runtime, std::string_view symbol, const Value& a, const Value& b) {
  return runtime.fail("no such overload: " + std::string(to_string(a.kind())) + " " +
                      std::string(symbol) + " " + std::string(to_string(b.kind())));
}

bool overflow(Runtime& runtime) {
  return runtime.fail("integer overflow");
}

bool integer_arithmetic(Runtime& runtime, Operator operation, std::int64_t a, std::int64_t b,
                        Value& out) {
  std::int64_t result = 0;
  bool overflows = false;
  switch (operation) {
    case Operator::add: overflows = __builtin_add_overflow(a, b, &result); break;
    case Operator::subtract: overflows = __builtin_sub_overflow(a, b, &result); break;
    case Operator::multiply: overflows = __builtin_mul_overflow(a, b, &result); break;
    default:
      if (b == 0)
        return runtime.fail(operation == Operator::divide ? "division by zero" : "modulus by zero");
      overflows = a == INT64_MIN && b == -1;
      if (!overflows) result = operation == Operator::divide ? a / b : a % b;
  }
  if (overflows) return overflow(runtime);
  out = Value(result);
  return true;
}

bool unsigned_arithmetic(Runtime& runtime, Operator operation, std::uint64_t a, std::uint64_t b,
                         Value& out) {
  std::uint64_t result = 0;
  bool overflows = false;
  switch (operation) {
    case Operator::add: overflows = __builtin_add_overflow(a, b, &result); break;
    case Operator::subtract: overflows = __builtin_sub_overflow(a, b, &result); break;
    case Operator::multiply: overflows = __builtin_mul_overflow(a, b, &result); break;
    default:
      if (b == 0)
        return runtime.fail(operation == Operator::divide ? "division by zero" : "modulus by zero");
      result = operation == Operator::divide ? a / b : a % b;
  }
  if (overflows) return overflow(runtime);
  out = Value(result);
  return true;
}

bool double_arithmetic(Operator operation, double a, double b, Value& out) {
  switch (operation) {
    case Operator::add: out = Value(a + b); return true;
    case Operator::subtract: out = Value(a - b); return true;
    case Operator::multiply: out = Value(a * b); return true;
    case Operator::divide: out = Value(a / b); return true;
    default: return false;
  }
}

bool set_instant(Runtime& runtime, std::optional<Instant> t, Value& out) {
  if (!t) return runtime.fail("range error: timestamps lie in the years 1 to 9999");
  out = Value(*t);
  return true;
}

bool set_duration(Runtime& runtime, std::optional<Duration> d, Value& out) {
  if (!d) return runtime.fail("range error: the duration does not fit in 64 bits of nanoseconds");
  out = Value(*d);
  return true;
}

std::optional<Duration> sum(Duration a, Duration b, bool minus) {
  std::int64_t ns = 0;
  const bool overflows = minus ? __builtin_sub_overflow(a.count(), b.count(), &ns)
                               : __builtin_add_overflow(a.count(), b.count(), &ns);
  return overflows ? std::nullopt : std::optional(Duration(ns));
}

// Timestamps and durations; `handled` tells whether the kinds fit.
bool time_arithmetic(Runtime& runtime, bool minus, const Value& a, const Value& b, Value& out,
                     bool& handled) {
  handled = true;
  const bool b_is_duration = b.kind() == Kind::duration;
  if (a.kind() == Kind::duration && b_is_duration)
    return set_duration(runtime, sum(a.as_duration(), b.as_duration(), minus), out);
  if (a.kind() == Kind::timestamp && b_is_duration) {
    if (minus && b.as_duration() == Duration::min()) return set_instant(runtime, {}, out);
    return set_instant(runtime, add(a.as_instant(), minus ? -b.as_duration() : b.as_duration()),
                       out);
  }
  if (!minus && a.kind() == Kind::duration && b.kind() == Kind::timestamp)
    return set_instant(runtime, add(b.as_instant(), a.as_duration()), out);
  if (minus && a.kind() == Kind::timestamp && b.kind() == Kind::timestamp)
    return set_duration(runtime, subtract(a.as_instant(), b.as_instant()), out);
  handled = false;
  return false;
}

bool concatenate(Runtime& runtime, const Value& a, const Value& b, Value& out) {
  if (a.kind() == Kind::list) {
    const List& x = a.as_list();
    const List& y = b.as_list();
    if (!runtime.charge(x.size() + y.size()) || !runtime.charge_walk(a) ||
        !runtime.charge_walk(b) || !runtime.allow_bytes(size_bytes(a) + size_bytes(b)))
      return false;
    List joined;
    joined.reserve(x.size() + y.size());
    joined.insert(joined.end(), x.begin(), x.end());
    joined.insert(joined.end(), y.begin(), y.end());
    out = Value(std::move(joined));
    return true;
  }
  const bool is_string = a.kind() == Kind::string;
  const std::string& x = is_string ? a.as_string() : a.as_bytes().data;
  const std::string& y = is_string ? b.as_string() : b.as_bytes().data;
  if (!runtime.charge_bytes(x.size() + y.size()) || !runtime.allow_bytes(x.size() + y.size()))
    return false;
  std::string joined;
  joined.reserve(x.size() + y.size());
  joined += x;
  joined += y;
  out = is_string ? Value(std::move(joined)) : Value(Bytes{std::move(joined)});
  return true;
}

bool arithmetic(Runtime& runtime, Operator operation, const Value& a, const Value& b, Value& out) {
  if (a.kind() == b.kind()) {
    if (a.kind() == Kind::integer)
      return integer_arithmetic(runtime, operation, a.as_int(), b.as_int(), out);
    if (a.kind() == Kind::unsigned_integer)
      return unsigned_arithmetic(runtime, operation, a.as_uint(), b.as_uint(), out);
    if (a.kind() == Kind::floating &&
        double_arithmetic(operation, a.as_double(), b.as_double(), out))
      return true;
    if (operation == Operator::add &&
        (a.kind() == Kind::string || a.kind() == Kind::bytes || a.kind() == Kind::list))
      return concatenate(runtime, a, b, out);
  }
  if (operation == Operator::add || operation == Operator::subtract) {
    bool handled = false;
    const bool done = time_arithmetic(runtime, operation == Operator::subtract, a, b, out, handled);
    if (handled) return done;
  }
  return no_overload(runtime, symbol_of(operation), a, b);
}

// Less, equal, greater or unordered (NaN); nullopt where the kinds have no order.
std::optional<std::partial_ordering> compare(const Value& a, const Value& b) {
  if (is_number(a) && is_number(b)) return compare_numbers(a, b);
  if (a.kind() != b.kind()) return std::nullopt;
  switch (a.kind()) {
    case Kind::boolean:
    case Kind::string:
    case Kind::bytes:
    case Kind::timestamp:
    case Kind::duration: return order(a, b);
    default: return std::nullopt;
  }
}

bool comparison(Runtime& runtime, Operator operation, const Value& a, const Value& b, Value& out) {
  const std::optional<std::partial_ordering> order = compare(a, b);
  if (!order) return no_overload(runtime, symbol_of(operation), a, b);
  switch (operation) {
    case Operator::less: out = Value(*order < 0); return true;
    case Operator::less_equal: out = Value(*order <= 0); return true;
    case Operator::greater: out = Value(*order > 0); return true;
    default: out = Value(*order >= 0); return true;
  }
}

bool in(Runtime& runtime, const Value& needle, const Value& container, Value& out) {
  if (container.kind() == Kind::list) {
    if (!runtime.charge(container.as_list().size())) return false;
    const bool is_compound = needle.kind() == Kind::list || needle.kind() == Kind::map;
    if (is_compound && !runtime.charge_walk(container)) return false;
    const List& list = container.as_list();
    out = Value(std::any_of(list.begin(), list.end(),
                            [&](const Value& element) { return equal(element, needle); }));
    return true;
  }
  if (container.kind() == Kind::map) {
    out = Value(container.as_map().find(needle) != nullptr);
    return true;
  }
  return no_overload(runtime, "in", needle, container);
}

// False where the operation compares nothing.
template <class Number>
bool compare_same(Operator operation, Number a, Number b, Value& out) {
  switch (operation) {
    case Operator::equal: out = Value(a == b); return true;
    case Operator::not_equal: out = Value(a != b); return true;
    case Operator::less: out = Value(a < b); return true;
    case Operator::less_equal: out = Value(a <= b); return true;
    case Operator::greater: out = Value(a > b); return true;
    case Operator::greater_equal: out = Value(a >= b); return true;
    default: return false;
  }
}

// A whole, non-negative number as an index.
std::optional<std::uint64_t> index_of(const Value& key) {
  switch (key.kind()) {
    case Kind::integer:
      if (key.as_int() < 0) return std::nullopt;
      return static_cast<std::uint64_t>(key.as_int());
    case Kind::unsigned_integer: return key.as_uint();
    case Kind::floating: {
      const double d = key.as_double();
      if (!(d >= 0 && d < 0x1p63) || d != std::trunc(d)) return std::nullopt;
      return static_cast<std::uint64_t>(d);
    }
    default: return std::nullopt;
  }
}

}  // namespace

bool apply_binary(Runtime& runtime, Operator operation, const Value& a, const Value& b,
                  Value& out) {
  // Most of what guards do: two numbers of one type.
  if (a.kind() == Kind::integer && b.kind() == Kind::integer &&
      compare_same(operation, a.as_int(), b.as_int(), out))
    return true;
  if (a.kind() == Kind::floating && b.kind() == Kind::floating &&
      compare_same(operation, a.as_double(), b.as_double(), out))
    return true;
  switch (operation) {
    case Operator::equal:
    case Operator::not_equal:
      if (!runtime.charge_walk(a) || !runtime.charge_walk(b)) return false;
      out = Value(equal(a, b) == (operation == Operator::equal));
      return true;
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal: return comparison(runtime, operation, a, b, out);
    case Operator::in: return in(runtime, a, b, out);
    default: return arithmetic(runtime, operation, a, b, out);
  }
}

bool apply_unary(Runtime& runtime, Operator operation, const Value& a, Value& out) {
  if (operation == Operator::logical_not && a.kind() == Kind::boolean) {
    out = Value(!a.as_bool());
    return true;
  }
  if (operation == Operator::negate && a.kind() == Kind::integer) {
    if (a.as_int() == INT64_MIN) return overflow(runtime);
    out = Value(-a.as_int());
    return true;
  }
  if (operation == Operator::negate && a.kind() == Kind::floating) {
    out = Value(-a.as_double());
    return true;
  }
  return runtime.fail("no such overload: " + std::string(symbol_of(operation)) +
                      std::string(to_string(a.kind())));
}

const Value* find_entry(const Value& container, const Value& key) {
  if (container.kind() == Kind::map) return container.as_map().find(key);
  if (container.kind() == Kind::list) {
    const std::optional<std::uint64_t> index = index_of(key);
    const List& list = container.as_list();
    return index && *index < list.size() ? &list[*index] : nullptr;
  }
  return nullptr;
}

bool fail_entry(Runtime& runtime, const Value& container, const Value& key) {
  if (container.kind() == Kind::map)
    return runtime.fail("no such key: " +
                        (key.kind() == Kind::string ? "'" + key.as_string() + "'" : to_cel(key)));
  if (container.kind() == Kind::list) {
    if (!is_number(key))
      return runtime.fail("a list's index must be a number, not " +
                          std::string(to_string(key.kind())));
    return runtime.fail("index " + to_cel(key) + " is outside the list of " +
                        std::to_string(container.as_list().size()));
  }
  return runtime.fail("no such overload: " + std::string(to_string(container.kind())) +
                      " has no fields and no index");
}

}  // namespace checkride::cel

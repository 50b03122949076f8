// The math extension: math.greatest, math.ceil, bit operations and the like.
#include <cmath>

#include "engine/cel/functions.h"
#include "engine/cel/numbers.h"

namespace checkride::cel {
namespace {

// Keeps the first of equal numbers. NaN never replaces a number.
template <bool greatest>
bool extreme(Runtime& runtime, const Value* const* begin, std::size_t count, Value& out) {
  const Value* best = begin[0];
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_number(*begin[i]))
      return runtime.fail(std::string("no such overload: math.") +
                          (greatest ? "greatest" : "least") + "() takes numbers");
    const std::partial_ordering order = compare_numbers(*begin[i], *best);
    if (greatest ? order > 0 : order < 0) best = begin[i];
  }
  const Value result = *best;
  out = result;
  return true;
}

template <bool greatest>
bool extreme_of(Runtime& runtime, Arguments a, Value& out) {
  if (a.size() > 1 || a[0]->kind() != Kind::list)
    return extreme<greatest>(runtime, a.data(), a.size(), out);
  const List& list = a[0]->as_list();
  if (list.empty()) return runtime.fail("the list has no greatest or least number: it is empty");
  if (!runtime.charge(list.size())) return false;
  std::vector<const Value*> pointers;
  for (const Value& v : list) pointers.push_back(&v);
  return extreme<greatest>(runtime, pointers.data(), pointers.size(), out);
}

template <double (*f)(double)>
bool rounding(Runtime&, Arguments a, Value& out) {
  out = Value(f(a[0]->as_double()));
  return true;
}

template <bool (*f)(double)>
bool classify(Runtime&, Arguments a, Value& out) {
  out = Value(f(a[0]->as_double()));
  return true;
}

bool abs(Runtime& runtime, Arguments a, Value& out) {
  if (a[0]->kind() == Kind::floating) {
    out = Value(std::fabs(a[0]->as_double()));
  } else if (a[0]->kind() == Kind::integer) {
    if (a[0]->as_int() == INT64_MIN) return runtime.fail("integer overflow");
    out = Value(a[0]->as_int() < 0 ? -a[0]->as_int() : a[0]->as_int());
  } else {
    out = *a[0];
  }
  return true;
}

bool sign(Runtime&, Arguments a, Value& out) {
  if (a[0]->kind() == Kind::floating) {
    const double d = a[0]->as_double();
    out = Value(d > 0 ? 1.0 : d < 0 ? -1.0 : d);
  } else if (a[0]->kind() == Kind::integer) {
    const std::int64_t i = a[0]->as_int();
    out = Value(static_cast<std::int64_t>((i > 0 ? 1 : 0) - (i < 0 ? 1 : 0)));
  } else {
    out = Value(static_cast<std::uint64_t>(a[0]->as_uint() > 0 ? 1 : 0));
  }
  return true;
}

bool square_root(Runtime&, Arguments a, Value& out) {
  const Value& x = *a[0];
  const double d = x.kind() == Kind::integer            ? static_cast<double>(x.as_int())
                   : x.kind() == Kind::unsigned_integer ? static_cast<double>(x.as_uint())
                                                        : x.as_double();
  out = Value(std::sqrt(d));
  return true;
}

std::uint64_t bits(const Value& v) {
  return v.kind() == Kind::integer ? static_cast<std::uint64_t>(v.as_int()) : v.as_uint();
}

Value from_bits(std::uint64_t value, Kind kind) {
  return kind == Kind::integer ? Value(static_cast<std::int64_t>(value)) : Value(value);
}

template <auto f>
bool bitwise(Runtime&, Arguments a, Value& out) {
  out = from_bits(f(bits(*a[0]), bits(*a[1])), a[0]->kind());
  return true;
}

bool bit_not(Runtime&, Arguments a, Value& out) {
  out = from_bits(~bits(*a[0]), a[0]->kind());
  return true;
}

// Both shifts fill with zeros; 64 places and more leave nothing.
template <bool left>
bool shift(Runtime& runtime, Arguments a, Value& out) {
  const std::int64_t places = a[1]->as_int();
  if (places < 0) return runtime.fail("a shift by " + std::to_string(places) + " is negative");
  const std::uint64_t value = bits(*a[0]);
  out = from_bits(places > 63 ? 0 : left ? value << places : value >> places, a[0]->kind());
  return true;
}

bool is_nan(double d) {
  return std::isnan(d);
}
bool is_inf(double d) {
  return std::isinf(d);
}
bool is_finite(double d) {
  return std::isfinite(d);
}
double ceil_of(double d) {
  return std::ceil(d);
}
double floor_of(double d) {
  return std::floor(d);
}
double round_of(double d) {
  return std::round(d);
}
double trunc_of(double d) {
  return std::trunc(d);
}

}  // namespace

void add_math_functions(FunctionTable& table) {
  for (const char* signature : {"(int...) -> int", "(uint...) -> uint", "(double...) -> double",
                                "(list<T>) -> T", "(dyn...) -> dyn"}) {
    table.add("math.greatest", signature, &extreme_of<true>);
    table.add("math.least", signature, &extreme_of<false>);
  }
  table.add("math.ceil", "(double) -> double", &rounding<ceil_of>);
  table.add("math.floor", "(double) -> double", &rounding<floor_of>);
  table.add("math.round", "(double) -> double", &rounding<round_of>);
  table.add("math.trunc", "(double) -> double", &rounding<trunc_of>);
  table.add("math.isNaN", "(double) -> bool", &classify<is_nan>);
  table.add("math.isInf", "(double) -> bool", &classify<is_inf>);
  table.add("math.isFinite", "(double) -> bool", &classify<is_finite>);
  for (const char* signature : {"(int) -> int", "(uint) -> uint", "(double) -> double"}) {
    table.add("math.abs", signature, &abs);
    table.add("math.sign", signature, &sign);
  }
  for (const char* signature : {"(double) -> double", "(int) -> double", "(uint) -> double"})
    table.add("math.sqrt", signature, &square_root);
  constexpr auto bit_and = [](std::uint64_t x, std::uint64_t y) { return x & y; };
  constexpr auto bit_or = [](std::uint64_t x, std::uint64_t y) { return x | y; };
  constexpr auto bit_xor = [](std::uint64_t x, std::uint64_t y) { return x ^ y; };
  for (const char* signature : {"(int, int) -> int", "(uint, uint) -> uint"}) {
    table.add("math.bitAnd", signature, &bitwise<bit_and>);
    table.add("math.bitOr", signature, &bitwise<bit_or>);
    table.add("math.bitXor", signature, &bitwise<bit_xor>);
  }
  for (const char* signature : {"(int) -> int", "(uint) -> uint"})
    table.add("math.bitNot", signature, &bit_not);
  for (const char* signature : {"(int, int) -> int", "(uint, int) -> uint"}) {
    table.add("math.bitShiftLeft", signature, &shift<true>);
    table.add("math.bitShiftRight", signature, &shift<false>);
  }
}

}  // namespace checkride::cel

#include "engine/cel/numbers.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace checkride::cel {
namespace {

// 2^63 and 2^64, where the integer types end.
constexpr double two_63 = 9223372036854775808.0;
constexpr double two_64 = 18446744073709551616.0;

std::partial_ordering compare(std::int64_t i, double d) {
  if (std::isnan(d)) return std::partial_ordering::unordered;
  if (d >= two_63) return std::partial_ordering::less;
  if (d < -two_63) return std::partial_ordering::greater;
  const auto whole = static_cast<std::int64_t>(d);  // towards zero
  if (i != whole) return i <=> whole;
  return 0.0 <=> d - std::trunc(d);
}

std::partial_ordering compare(std::uint64_t u, double d) {
  if (std::isnan(d)) return std::partial_ordering::unordered;
  if (d >= two_64) return std::partial_ordering::less;
  if (d < 0) return std::partial_ordering::greater;
  const auto whole = static_cast<std::uint64_t>(d);
  if (u != whole) return u <=> whole;
  return 0.0 <=> d - std::trunc(d);
}

std::partial_ordering compare(std::int64_t i, std::uint64_t u) {
  if (i < 0) return std::partial_ordering::less;
  return static_cast<std::uint64_t>(i) <=> u;
}

}  // namespace

std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  if ((a.kind() == Kind::floating) == (b.kind() == Kind::floating)) return compare_exactly(a, b);
  const auto rounded = [](const Value& v) {
    return v.kind() == Kind::integer            ? static_cast<double>(v.as_int())
           : v.kind() == Kind::unsigned_integer ? static_cast<double>(v.as_uint())
                                                : v.as_double();
  };
  return rounded(a) <=> rounded(b);
}

std::partial_ordering compare_exactly(const Value& a, const Value& b) {
  switch (a.kind()) {
    case Kind::integer:
      if (b.kind() == Kind::integer) return a.as_int() <=> b.as_int();
      if (b.kind() == Kind::unsigned_integer) return compare(a.as_int(), b.as_uint());
      return compare(a.as_int(), b.as_double());
    case Kind::unsigned_integer:
      if (b.kind() == Kind::integer) return 0 <=> compare(b.as_int(), a.as_uint());
      if (b.kind() == Kind::unsigned_integer) return a.as_uint() <=> b.as_uint();
      return compare(a.as_uint(), b.as_double());
    default:
      if (b.kind() == Kind::integer) return 0 <=> compare(b.as_int(), a.as_double());
      if (b.kind() == Kind::unsigned_integer) return 0 <=> compare(b.as_uint(), a.as_double());
      return a.as_double() <=> b.as_double();
  }
}

std::string double_text(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d > 0 ? "Infinity" : "-Infinity";
  std::array<char, 64> text{};
  // Plain notation for the magnitudes people write out, scientific beyond.
  const double magnitude = std::fabs(d);
  const bool plain = magnitude == 0 || (magnitude >= 1e-5 && magnitude < 1e17);
  const auto end = std::to_chars(text.data(), text.data() + text.size(), d,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  return std::string(text.data(), end.ptr);
}

std::optional<double> parse_double(std::string_view text) {
  std::string_view digits = text;
  const bool negative = !digits.empty() && digits.front() == '-';
  if (!digits.empty() && (digits.front() == '-' || digits.front() == '+')) digits.remove_prefix(1);
  if (digits == "NaN") return std::nan("");
  if (digits == "Infinity" || digits == "Inf" || digits == "inf")
    return negative ? -HUGE_VAL : HUGE_VAL;
  if (digits.empty() ||
      !((digits.front() >= '0' && digits.front() <= '9') || digits.front() == '.'))
    return std::nullopt;
  double value = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end.ptr != digits.data() + digits.size()) return std::nullopt;
  if (end.ec == std::errc::result_out_of_range)
    value = std::strtod(std::string(digits).c_str(), nullptr);  // the nearest: infinity or zero
  else if (end.ec != std::errc())
    return std::nullopt;
  return negative ? -value : value;
}

}  // namespace checkride::cel

// Numbers across CEL's three numeric types, compared by mathematical value, and their text.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "engine/cel/value.h"

namespace checkride::cel {

inline bool is_number(const Value& v) {
  return v.kind() == Kind::integer || v.kind() == Kind::unsigned_integer ||
         v.kind() == Kind::floating;
}

// Both must be numbers. As CEL's operators compare: against a double, an int or uint is rounded to
// a double first, so that neighbours beyond 2^53 may be equal.
std::partial_ordering compare_numbers(const Value& a, const Value& b);
// By mathematical value, no operand rounded: what a total order needs.
std::partial_ordering compare_exactly(const Value& a, const Value& b);

// Shortest decimal that reads back to the same bits: "1", "0.0045", "6.02214e+23", "NaN",
// "Infinity", "-Infinity".
std::string double_text(double d);
// The whole text as a double, decimal or one of the names above; nothing else is accepted.
std::optional<double> parse_double(std::string_view text);

}  // namespace checkride::cel

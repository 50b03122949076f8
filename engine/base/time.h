// Points in time and spans, both in whole nanoseconds. Time enters the core only as a field of a
// command; nothing under engine/cel, engine/statechart or engine/decider reads a clock.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace checkride {

using Duration = std::chrono::nanoseconds;

// Wall time: nanoseconds since 1970-01-01T00:00:00Z, leap seconds ignored. Covers 1677 to 2262.
struct Timestamp {
  std::int64_t ns = 0;
  auto operator<=>(const Timestamp&) const = default;
};

inline Timestamp operator+(Timestamp t, Duration d) { return Timestamp{t.ns + d.count()}; }
inline Duration operator-(Timestamp a, Timestamp b) { return Duration(a.ns - b.ns); }

// "2026-11-21T03:41:00.123Z" (milliseconds, UTC).
std::string to_iso8601(Timestamp t);
// "1h 02m", "3.4s", "12ms": for people.
std::string to_human(Duration d);
// "250ms", "30s", "5m", "2h", "7d" or a sum such as "1h30m"; the form definitions use.
Result<Duration> parse_duration(std::string_view text);

}  // namespace checkride

// Timestamps and durations as text and as calendar fields (google/cel-spec, "Timestamps and
// durations"): RFC 3339 and Go's duration notation. Pure arithmetic, no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/cel/value.h"

namespace checkride::cel {

// The ends of CEL's timestamps: 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
inline constexpr std::int64_t instant_seconds_min = -62135596800;
inline constexpr std::int64_t instant_seconds_max = 253402300799;

struct CivilTime {
  std::int64_t year = 1970;
  int month = 1;  // 1 to 12
  int day = 1;    // 1 to 31
  int hour = 0;
  int minute = 0;
  int second = 0;
  int day_of_week = 4;  // 0 is Sunday
  int day_of_year = 0;  // 0 to 365
};

// The calendar at `seconds` since 1970 (any offset already added).
CivilTime civil_time(std::int64_t seconds);

std::string instant_text(Instant t);    // "2009-02-13T23:31:30.5Z"
std::string duration_text(Duration d);  // "3730s", "-1.5s"
// nullopt where the text is malformed or out of range.
std::optional<Instant> parse_instant(std::string_view text);
std::optional<Duration> parse_go_duration(std::string_view text);  // "1h30m", "-1.5s", "10ms"
// "+11:00", "-02:30", "05:45" in seconds east of UTC; "UTC" and "Z" are 0.
std::optional<std::int64_t> parse_utc_offset(std::string_view text);

// Arithmetic with CEL's range check; nullopt where the result is out of range.
std::optional<Instant> add(Instant t, Duration d);
std::optional<Duration> subtract(Instant a, Instant b);

}  // namespace checkride::cel

// Timestamps and durations: conversions and the accessors of their fields.
#include "engine/cel/functions.h"
#include "engine/cel/text.h"
#include "engine/cel/time_text.h"
#include "engine/cel/zones.h"

namespace checkride::cel {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

bool to_timestamp(Runtime& runtime, Arguments a, Value& out) {
  if (a[0]->kind() == Kind::timestamp) {
    out = *a[0];
    return true;
  }
  if (a[0]->kind() == Kind::integer) {
    const std::int64_t seconds = a[0]->as_int();
    if (seconds < instant_seconds_min || seconds > instant_seconds_max)
      return runtime.fail("range error: timestamps lie in the years 1 to 9999");
    out = Value(Instant{seconds, 0});
    return true;
  }
  const std::optional<Instant> t = parse_instant(a[0]->as_string());
  if (!t)
    return runtime.fail(quoted(a[0]->as_string()) +
                        " is no timestamp of RFC 3339 in the range of the years 1 to 9999");
  out = Value(*t);
  return true;
}

bool to_duration(Runtime& runtime, Arguments a, Value& out) {
  if (a[0]->kind() == Kind::duration) {
    out = *a[0];
    return true;
  }
  const std::optional<Duration> d = parse_go_duration(a[0]->as_string());
  if (!d)
    return runtime.fail(quoted(a[0]->as_string()) +
                        " is no duration in range; write 1.5s, 30m or 1h30m");
  out = Value(*d);
  return true;
}

// The seconds of a[0] moved to the zone of a[1], if there is one.
bool local_seconds(Runtime& runtime, Arguments a, std::int64_t& seconds) {
  seconds = a[0]->as_instant().seconds;
  if (a.size() < 2) return true;
  const std::string& zone = a[1]->as_string();
  std::optional<std::int64_t> offset = parse_utc_offset(zone);
  if (!offset && !runtime.named_zones())
    return runtime.fail(named_zone_refusal(*a[1]));
  if (!offset) offset = zone_offset(zone, seconds);
  if (!offset) return runtime.fail("unknown time zone " + quoted(zone));
  seconds += *offset;
  return true;
}

template <auto get>
bool field(Runtime& runtime, Arguments a, Value& out) {
  std::int64_t seconds = 0;
  if (!local_seconds(runtime, a, seconds)) return false;
  out = Value(static_cast<std::int64_t>(get(civil_time(seconds))));
  return true;
}

bool milliseconds(Runtime& runtime, Arguments a, Value& out) {
  std::int64_t seconds = 0;
  if (!local_seconds(runtime, a, seconds)) return false;  // still checks the zone
  out = Value(static_cast<std::int64_t>(a[0]->as_instant().nanos / 1'000'000));
  return true;
}

template <std::int64_t unit_ns>
bool duration_in(Runtime&, Arguments a, Value& out) {
  out = Value(static_cast<std::int64_t>(a[0]->as_duration().count() / unit_ns));
  return true;
}

bool duration_milliseconds(Runtime&, Arguments a, Value& out) {
  out = Value(static_cast<std::int64_t>(a[0]->as_duration().count() % ns_per_second / 1'000'000));
  return true;
}

void add_field(FunctionTable& table, std::string_view name, Implementation run) {
  table.add(name, "timestamp.() -> int", run);
  table.add(name, "timestamp.(string) -> int", run);
}

}  // namespace

bool is_time_accessor(std::string_view name) {
  return name.starts_with("get");
}

std::string named_zone_refusal(const Value& zone) {
  return "the time zone " + quoted(zone.as_string()) +
         " is named; only UTC and offsets such as +02:00 are allowed here";
}

void add_time_functions(FunctionTable& table) {
  for (const char* signature :
       {"(string) -> timestamp", "(int) -> timestamp", "(timestamp) -> timestamp"})
    table.add("timestamp", signature, &to_timestamp);
  for (const char* signature : {"(string) -> duration", "(duration) -> duration"})
    table.add("duration", signature, &to_duration);
  add_field(table, "getFullYear", &field<[](const CivilTime& t) { return t.year; }>);
  add_field(table, "getMonth", &field<[](const CivilTime& t) { return t.month - 1; }>);
  add_field(table, "getDate", &field<[](const CivilTime& t) { return t.day; }>);
  add_field(table, "getDayOfMonth", &field<[](const CivilTime& t) { return t.day - 1; }>);
  add_field(table, "getDayOfWeek", &field<[](const CivilTime& t) { return t.day_of_week; }>);
  add_field(table, "getDayOfYear", &field<[](const CivilTime& t) { return t.day_of_year; }>);
  add_field(table, "getHours", &field<[](const CivilTime& t) { return t.hour; }>);
  add_field(table, "getMinutes", &field<[](const CivilTime& t) { return t.minute; }>);
  add_field(table, "getSeconds", &field<[](const CivilTime& t) { return t.second; }>);
  add_field(table, "getMilliseconds", &milliseconds);
  table.add("getHours", "duration.() -> int", &duration_in<3'600 * ns_per_second>);
  table.add("getMinutes", "duration.() -> int", &duration_in<60 * ns_per_second>);
  table.add("getSeconds", "duration.() -> int", &duration_in<ns_per_second>);
  table.add("getMilliseconds", "duration.() -> int", &duration_milliseconds);
}

}  // namespace checkride::cel

#include "engine/cel/time_text.h"

#include <array>
#include <cstdio>

namespace checkride::cel {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;
constexpr std::int64_t seconds_per_day = 86'400;

// Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant, "chrono-compatible low-level
// date algorithms").
std::int64_t days_from_civil(std::int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

bool is_leap(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int days_in_month(std::int64_t year, int month) {
  static constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : days[static_cast<std::size_t>(month - 1)];
}

// Appends ".5" for 500,000,000; nothing for 0.
void append_fraction(std::string& out, std::int64_t nanos) {
  if (nanos == 0) return;
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), ".%09d", static_cast<int>(nanos));
  std::string_view text(digits.data());
  while (text.back() == '0') text.remove_suffix(1);
  out += text;
}

// A cursor over text; each read says whether it succeeded.
struct Reader {
  std::string_view text;
  std::size_t at = 0;

  bool done() const { return at == text.size(); }
  char peek() const { return at < text.size() ? text[at] : '\0'; }
  bool is_digit() const { return peek() >= '0' && peek() <= '9'; }
  bool literal(char c) {
    if (at >= text.size() || text[at] != c) return false;
    ++at;
    return true;
  }
  bool digits(int count, int& value) {
    value = 0;
    for (; count > 0; --count, ++at) {
      if (!is_digit()) return false;
      value = value * 10 + (peek() - '0');
    }
    return true;
  }
};

bool read_offset(Reader& in, std::int64_t& seconds) {
  if (in.literal('Z') || in.literal('z')) {
    seconds = 0;
    return true;
  }
  const bool west = in.peek() == '-';
  if (!in.literal('+') && !in.literal('-')) return false;
  int hours = 0;
  int minutes = 0;
  if (!in.digits(2, hours) || !in.literal(':') || !in.digits(2, minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  seconds = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
  return true;
}

}  // namespace

CivilTime civil_time(std::int64_t seconds) {
  std::int64_t days = seconds / seconds_per_day;
  std::int64_t rest = seconds % seconds_per_day;
  if (rest < 0) {
    rest += seconds_per_day;
    --days;
  }
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t from_march =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * from_march + 2) / 153;
  CivilTime t;
  t.day = static_cast<int>(from_march - (153 * month_from_march + 2) / 5 + 1);
  t.month = static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  t.year = year_of_era + era * 400 + (t.month <= 2 ? 1 : 0);
  t.hour = static_cast<int>(rest / 3'600);
  t.minute = static_cast<int>(rest / 60 % 60);
  t.second = static_cast<int>(rest % 60);
  t.day_of_week = static_cast<int>(((days + 4) % 7 + 7) % 7);
  t.day_of_year = static_cast<int>(days - days_from_civil(t.year, 1, 1));
  return t;
}

std::string instant_text(Instant t) {
  const CivilTime c = civil_time(t.seconds);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d", static_cast<int>(c.year),
                c.month, c.day, c.hour, c.minute, c.second);
  std::string out = text.data();
  append_fraction(out, t.nanos);
  return out + "Z";
}

std::string duration_text(Duration d) {
  const std::int64_t seconds = d.count() / ns_per_second;
  const std::int64_t nanos = d.count() % ns_per_second;
  std::string out = d.count() < 0 && seconds == 0 ? "-0" : std::to_string(seconds);
  append_fraction(out, nanos < 0 ? -nanos : nanos);
  return out + "s";
}

std::optional<Instant> parse_instant(std::string_view text) {
  Reader in{text};
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!in.digits(4, year) || !in.literal('-') || !in.digits(2, month) || !in.literal('-') ||
      !in.digits(2, day) || !(in.literal('T') || in.literal('t')) || !in.digits(2, hour) ||
      !in.literal(':') || !in.digits(2, minute) || !in.literal(':') || !in.digits(2, second))
    return std::nullopt;
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
      minute > 59 || second > 59)
    return std::nullopt;
  std::int64_t nanos = 0;
  if (in.literal('.')) {
    if (!in.is_digit()) return std::nullopt;
    for (std::int64_t unit = ns_per_second / 10; in.is_digit(); unit /= 10, ++in.at)
      nanos += (in.peek() - '0') * unit;
  }
  std::int64_t offset = 0;
  if (!read_offset(in, offset) || !in.done()) return std::nullopt;
  const std::int64_t seconds = days_from_civil(year, month, day) * seconds_per_day + hour * 3'600 +
                               minute * 60 + second - offset;
  if (seconds < instant_seconds_min || seconds > instant_seconds_max) return std::nullopt;
  return Instant{seconds, static_cast<std::int32_t>(nanos)};
}

std::optional<Duration> parse_go_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t ns;
  };
  // Longer names before their prefixes; both ways to write a micro sign.
  static constexpr std::array<Unit, 8> units = {{{"ns", 1},
                                                 {"us", 1'000},
                                                 {"\xC2\xB5s", 1'000},
                                                 {"\xCE\xBCs", 1'000},
                                                 {"ms", 1'000'000},
                                                 {"s", ns_per_second},
                                                 {"m", 60 * ns_per_second},
                                                 {"h", 3'600 * ns_per_second}}};
  Reader in{text};
  const bool negative = in.peek() == '-';
  if (!in.literal('-')) in.literal('+');
  if (in.text.substr(in.at) == "0") return Duration(0);
  if (in.done()) return std::nullopt;
  std::int64_t total = 0;
  while (!in.done()) {
    std::int64_t whole = 0;
    const std::size_t start = in.at;
    for (; in.is_digit(); ++in.at)
      if (__builtin_mul_overflow(whole, 10, &whole) ||
          __builtin_add_overflow(whole, in.peek() - '0', &whole))
        return std::nullopt;
    std::size_t digits = in.at - start;
    std::string_view fraction;
    if (in.literal('.')) {
      const std::size_t from = in.at;
      while (in.is_digit()) ++in.at;
      fraction = text.substr(from, in.at - from);
      digits += fraction.size();
    }
    if (digits == 0) return std::nullopt;
    const Unit* unit = nullptr;
    for (const Unit& u : units)
      if (text.substr(in.at, u.name.size()) == u.name) {
        unit = &u;
        break;
      }
    if (unit == nullptr) return std::nullopt;
    in.at += unit->name.size();
    std::int64_t part = 0;
    if (__builtin_mul_overflow(whole, unit->ns, &part)) return std::nullopt;
    std::int64_t place = unit->ns;
    for (const char digit : fraction) {
      // Units are 6 x 10^n or 36 x 10^n at most, so the tenth place may lose part of a nanosecond.
      part += place * (digit - '0') / 10;
      place /= 10;
      if (place == 0) break;
    }
    if (__builtin_add_overflow(total, part, &total)) return std::nullopt;
  }
  return Duration(negative ? -total : total);
}

std::optional<std::int64_t> parse_utc_offset(std::string_view text) {
  if (text.empty() || text == "UTC" || text == "Z") return 0;
  std::string with_sign;
  if (text.front() >= '0' && text.front() <= '9') with_sign += '+';
  with_sign += text;
  Reader in{with_sign};
  std::int64_t seconds = 0;
  if (!read_offset(in, seconds) || !in.done()) return std::nullopt;
  return seconds;
}

std::optional<Instant> add(Instant t, Duration d) {
  std::int64_t seconds = t.seconds + d.count() / ns_per_second;  // far from overflow: years <= 9999
  std::int64_t nanos = t.nanos + d.count() % ns_per_second;
  if (nanos < 0) {
    nanos += ns_per_second;
    --seconds;
  } else if (nanos >= ns_per_second) {
    nanos -= ns_per_second;
    ++seconds;
  }
  if (seconds < instant_seconds_min || seconds > instant_seconds_max) return std::nullopt;
  return Instant{seconds, static_cast<std::int32_t>(nanos)};
}

std::optional<Duration> subtract(Instant a, Instant b) {
  std::int64_t ns = 0;
  if (__builtin_mul_overflow(a.seconds - b.seconds, ns_per_second, &ns) ||
      __builtin_add_overflow(ns, a.nanos - b.nanos, &ns))
    return std::nullopt;
  return Duration(ns);
}

}  // namespace checkride::cel

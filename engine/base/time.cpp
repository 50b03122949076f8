#include "engine/base/time.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace checkride {

std::string to_iso8601(Timestamp t) {
  std::int64_t seconds = t.ns / 1'000'000'000;
  std::int64_t rest = t.ns % 1'000'000'000;
  if (rest < 0) {
    rest += 1'000'000'000;
    --seconds;
  }
  const std::time_t clock = static_cast<std::time_t>(seconds);
  std::tm utc{};
  gmtime_r(&clock, &utc);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                utc.tm_sec, static_cast<int>(rest / 1'000'000));
  return text.data();
}

std::string to_human(Duration d) {
  const double seconds = static_cast<double>(d.count()) / 1e9;
  std::array<char, 64> text{};
  if (seconds < 0.9995)
    std::snprintf(text.data(), text.size(), "%.0fms", seconds * 1e3);
  else if (seconds < 60)
    std::snprintf(text.data(), text.size(), "%.1fs", seconds);
  else if (seconds < 3600)
    std::snprintf(text.data(), text.size(), "%dm %02ds", static_cast<int>(seconds) / 60,
                  static_cast<int>(seconds) % 60);
  else
    std::snprintf(text.data(), text.size(), "%dh %02dm", static_cast<int>(seconds / 3600),
                  static_cast<int>(seconds / 60) % 60);
  return text.data();
}

Result<Duration> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t ns;
  };
  static constexpr std::array<Unit, 7> units = {{{"ms", 1'000'000},
                                                 {"us", 1'000},
                                                 {"ns", 1},
                                                 {"s", 1'000'000'000},
                                                 {"m", 60'000'000'000},
                                                 {"h", 3'600'000'000'000},
                                                 {"d", 86'400'000'000'000}}};
  const auto bad = [&] {
    return fail(ErrorCode::invalid_argument,
                "'" + std::string(text) + "' is not a duration; write 250ms, 30s, 5m, 2h or 7d");
  };
  if (text.empty()) return bad();
  std::int64_t total = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t digits = at;
    std::int64_t number = 0;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      if (__builtin_mul_overflow(number, 10, &number) ||
          __builtin_add_overflow(number, text[at] - '0', &number))
        return bad();
      ++at;
    }
    if (at == digits) return bad();
    const Unit* unit = nullptr;
    for (const Unit& u : units)
      if (text.substr(at, u.name.size()) == u.name) {
        unit = &u;
        break;
      }
    if (unit == nullptr) return bad();
    at += unit->name.size();
    std::int64_t part = 0;
    if (__builtin_mul_overflow(number, unit->ns, &part) ||
        __builtin_add_overflow(total, part, &total))
      return bad();
  }
  return Duration(total);
}

}  // namespace checkride

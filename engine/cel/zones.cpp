#include "engine/cel/zones.h"

#include <string>

#include "engine/base/files.h"

namespace checkride::cel {
namespace {

constexpr std::size_t zone_file_bytes_max = 1 << 20;
constexpr std::size_t zone_name_bytes_max = 64;

bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > zone_name_bytes_max || name.front() == '/') return false;
  for (const char c : name) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '+' || c == '-' || c == '/';
    if (!fits) return false;  // no dots: no way out of the folder
  }
  return true;
}

std::int64_t big_endian(std::string_view data, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    value = value << 8 | static_cast<unsigned char>(data[at + i]);
  if (bytes == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
  return static_cast<std::int64_t>(value);
}

// The counts of a TZif header (RFC 8536, section 3.1).
struct Header {
  std::size_t ut_flags, standard_flags, leaps, times, types, letters;

  std::size_t body_bytes(std::size_t time_bytes) const {
    return times * time_bytes + times + types * 6 + letters + leaps * (time_bytes + 4) +
           standard_flags + ut_flags;
  }
};

constexpr std::size_t header_bytes = 44;

std::optional<Header> read_header(std::string_view data, std::size_t at) {
  if (data.size() < at + header_bytes || data.substr(at, 4) != "TZif") return std::nullopt;
  const auto count = [&](std::size_t i) {
    return static_cast<std::size_t>(
        static_cast<std::uint32_t>(big_endian(data, at + 20 + 4 * i, 4)));
  };
  const Header header{count(0), count(1), count(2), count(3), count(4), count(5)};
  if (header.times > data.size() || header.types > data.size() || header.leaps > data.size() ||
      header.letters > data.size() || header.types == 0)
    return std::nullopt;
  return header;
}

}  // namespace

std::optional<std::int64_t> zone_offset(std::string_view zone, std::int64_t seconds) {
  if (!is_zone_name(zone)) return std::nullopt;
  const Result<std::string> file =
      read_file("/usr/share/zoneinfo/" + std::string(zone), zone_file_bytes_max);
  if (!file) return std::nullopt;
  const std::string_view data = *file;
  const std::optional<Header> first = read_header(data, 0);
  if (!first) return std::nullopt;
  // Version 2 and later repeat everything with 64-bit times behind the old block.
  const std::size_t start = header_bytes + first->body_bytes(4);
  const std::optional<Header> header = read_header(data, start);
  if (!header || start + header_bytes + header->body_bytes(8) > data.size()) return std::nullopt;
  const std::size_t times = start + header_bytes;
  const std::size_t indices = times + header->times * 8;
  const std::size_t types = indices + header->times;
  std::size_t type = 0;
  for (std::size_t i = 0; i < header->times && big_endian(data, times + i * 8, 8) <= seconds; ++i)
    type = static_cast<unsigned char>(data[indices + i]);
  if (type >= header->types) return std::nullopt;
  return big_endian(data, types + type * 6, 4);
}

}  // namespace checkride::cel

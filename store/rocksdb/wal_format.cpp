#include "store/rocksdb/wal_format.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "engine/base/digest.h"
#include "engine/base/files.h"

namespace checkride {

namespace {

constexpr std::size_t block_bytes = 32 << 10;
constexpr std::size_t header_bytes = 7;  // checksum 4, length 2, type 1
constexpr std::size_t log_bytes_max = 256ULL << 20;
// Types: 0 zero padding, 1 full, 2 first, 3 middle, 4 last. We never write the recyclable ones.
constexpr unsigned type_max = 4;

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    number = (number << 8) | static_cast<unsigned char>(bytes[i]);
  return number;
}

std::uint32_t masked_checksum(std::string_view type_and_payload) {
  const std::uint32_t crc =
      crc32c(std::as_bytes(std::span(type_and_payload.data(), type_and_payload.size())));
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
}

bool all_zero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}

}  // namespace

Result<LogFileCheck> check_log_file(const std::filesystem::path& path) {
  CR_TRY(const std::string contents, read_file(path, log_bytes_max));
  const std::string_view file = contents;
  LogFileCheck check;
  bool inside = false;  // between a first fragment and its last
  std::size_t at = 0;
  const auto damaged = [&](std::string what) {
    check.damage = std::move(what) + " at byte " + std::to_string(at);
    return check;
  };
  while (at < file.size()) {
    const std::size_t left_in_block = block_bytes - at % block_bytes;
    if (left_in_block < header_bytes) {  // a trailer of zeros
      const std::size_t trailer = std::min(left_in_block, file.size() - at);
      if (!all_zero(file.substr(at, trailer))) return damaged("a block's end is not zero");
      at += trailer;
      continue;
    }
    if (file.size() - at < header_bytes) {
      check.unfinished_tail = true;
      return check;
    }
    const std::string_view header = file.substr(at, header_bytes);
    const std::uint32_t length = little_endian(header.substr(4, 2));
    const auto type = static_cast<unsigned char>(header[6]);
    if (type == 0 && length == 0) {
      // Space reserved and not yet written: nothing but zeros may follow.
      if (!all_zero(file.substr(at))) return damaged("a record has no type");
      return check;
    }
    if (type > type_max) return damaged("a record has an unknown type");
    if (header_bytes + length > left_in_block) return damaged("a record is longer than its block");
    if (file.size() - at < header_bytes + length) {
      check.unfinished_tail = true;
      return check;
    }
    const std::string_view payload = file.substr(at + 6, 1 + length);
    if (little_endian(header.substr(0, 4)) != masked_checksum(payload))
      return damaged("a record does not match its checksum");
    const bool begins = type == 1 || type == 2;
    if (begins == inside) return damaged("a record's parts are not in order");
    inside = type == 2 || type == 3;
    at += header_bytes + length;
    if (!inside) {
      ++check.records;
      check.good_bytes = at;
    }
  }
  check.unfinished_tail = inside;
  return check;
}

}  // namespace checkride

#include "store/codec/frame.h"

#include <span>

namespace checkride::codec {

namespace {

std::uint32_t checksum_of(std::string_view rest) {
  return crc32c(std::as_bytes(std::span(rest.data(), rest.size())));
}

}  // namespace

std::string frame(std::string_view magic, std::initializer_list<std::string_view> parts) {
  std::size_t size = frame_bytes;
  for (const std::string_view part : parts) size += part.size();
  std::string value;
  value.reserve(size);
  value.append(magic).append(4, '\0');
  for (const std::string_view part : parts) value.append(part);
  const std::uint32_t checksum = checksum_of(std::string_view(value).substr(frame_bytes));
  for (unsigned i = 0; i < 4; ++i) value[4 + i] = static_cast<char>((checksum >> (8 * i)) & 0xFF);
  return value;
}

bool has_magic(std::string_view value, std::string_view magic) {
  return value.size() > frame_bytes && value.substr(0, magic.size()) == magic;
}

bool checksum_holds(std::string_view value) {
  std::uint32_t stored = 0;
  for (unsigned i = 0; i < 4; ++i)
    stored |= static_cast<std::uint32_t>(static_cast<unsigned char>(value[4 + i])) << (8 * i);
  return stored == checksum_of(value.substr(frame_bytes));
}

}  // namespace checkride::codec

// What stands around every stored value: four letters, then CRC-32C (little-endian) over all that
// follows.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "engine/base/digest.h"

namespace checkride::codec {

inline constexpr std::size_t frame_bytes = 8;

inline constexpr std::string_view record_magic = "CRR1";
inline constexpr std::string_view snapshot_magic = "CRS1";
inline constexpr std::string_view head_magic = "CRH1";
inline constexpr std::string_view definition_magic = "CRD1";
inline constexpr std::string_view search_magic = "CRF1";

inline std::string_view view_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}
inline Digest digest_of(std::string_view bytes) {
  Digest digest;
  bytes.copy(reinterpret_cast<char*>(digest.bytes.data()), digest.bytes.size());
  return digest;
}

std::string frame(std::string_view magic, std::initializer_list<std::string_view> parts);
bool has_magic(std::string_view value, std::string_view magic);
bool checksum_holds(std::string_view value);  // of something that has a magic

}  // namespace checkride::codec

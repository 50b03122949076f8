// Little-endian numbers out of untrusted bytes: nothing outside them is ever read.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace checkride::kernels::inspect {

template <class T>
std::optional<T> number_at(std::string_view bytes, std::uint64_t at) {
  if (at > bytes.size() || bytes.size() - at < sizeof(T)) return std::nullopt;
  T value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

// The part [at, at + size), or nothing where it leaves the bytes.
inline std::optional<std::string_view> part_of(std::string_view bytes, std::uint64_t at,
                                               std::uint64_t size) {
  if (at > bytes.size() || bytes.size() - at < size) return std::nullopt;
  return bytes.substr(at, size);
}

// The text at `at` up to its zero byte, or nothing where there is no zero byte.
inline std::optional<std::string_view> text_at(std::string_view bytes, std::uint64_t at) {
  if (at >= bytes.size()) return std::nullopt;
  const std::size_t end = bytes.find('\0', at);
  if (end == std::string_view::npos) return std::nullopt;
  return bytes.substr(at, end - at);
}

}  // namespace checkride::kernels::inspect

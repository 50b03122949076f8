// SHA-256 digests: of chain records, definitions, artifacts and large facts. The only file that knows
// libcrypto is digest.cpp, through its SHA256_* calls (EVP would add 3.8 MB to the portable binary).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace checkride {

struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const Digest&) const = default;
  bool zero() const { return *this == Digest{}; }
};

std::string to_hex(const Digest& digest);  // 64 lower-case digits
Result<Digest> digest_from_hex(std::string_view hex);

Digest sha256(std::span<const std::byte> bytes);
Digest sha256(std::string_view text);

// Streaming form; one owner, not copied.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  Digest finish();  // at most once

 private:
  alignas(8) std::array<std::byte, 128> state_;  // holds a SHA256_CTX
};

// CRC-32C (Castagnoli) of the bytes, the per-event checksum of the log.
std::uint32_t crc32c(std::span<const std::byte> bytes);

}  // namespace checkride

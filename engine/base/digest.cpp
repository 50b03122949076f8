#define OPENSSL_API_COMPAT 10101  // SHA256_* is deprecated in 3.0 in favour of EVP; see the header
#include "engine/base/digest.h"

#include <openssl/sha.h>

#include <cstring>
#include <new>

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

namespace checkride {

namespace {

SHA256_CTX* context(std::array<std::byte, 128>& state) {
  return std::launder(reinterpret_cast<SHA256_CTX*>(state.data()));
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
    table[i] = crc;
  }
  return table;
}

constexpr auto crc_table = make_crc_table();

std::uint32_t crc32c_table(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const std::byte b : bytes)
    crc = (crc >> 8) ^ crc_table[(crc ^ static_cast<std::uint32_t>(b)) & 0xFFU];
  return crc ^ 0xFFFFFFFFU;
}

#ifdef __x86_64__
// The same by the processor's own instruction, eight bytes at a time.
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(std::span<const std::byte> bytes) {
  std::uint64_t crc = 0xFFFFFFFFU;
  for (; bytes.size() >= sizeof(std::uint64_t); bytes = bytes.subspan(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    crc = _mm_crc32_u64(crc, word);
  }
  auto rest = static_cast<std::uint32_t>(crc);
  for (const std::byte b : bytes) rest = _mm_crc32_u8(rest, static_cast<std::uint8_t>(b));
  return rest ^ 0xFFFFFFFFU;
}
#endif

}  // namespace

std::string to_hex(const Digest& digest) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(64);
  for (const std::uint8_t byte : digest.bytes) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

Result<Digest> digest_from_hex(std::string_view hex) {
  Digest digest;
  if (hex.size() != 64)
    return fail(ErrorCode::invalid_argument,
                "a SHA-256 has 64 hexadecimal digits, not " + std::to_string(hex.size()));
  for (std::size_t i = 0; i < 32; ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0)
      return fail(ErrorCode::invalid_argument, "'" + std::string(hex) + "' is not hexadecimal");
    digest.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return digest;
}

static_assert(sizeof(SHA256_CTX) <= 128);

Sha256::Sha256() {
  SHA256_Init(new (state_.data()) SHA256_CTX);
}
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  SHA256_Update(context(state_), bytes.data(), bytes.size());
}
void Sha256::update(std::string_view text) {
  update(std::as_bytes(std::span(text)));
}

Digest Sha256::finish() {
  Digest digest;
  SHA256_Final(digest.bytes.data(), context(state_));
  return digest;
}

Digest sha256(std::span<const std::byte> bytes) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.bytes.data());
  return digest;
}
Digest sha256(std::string_view text) {
  return sha256(std::as_bytes(std::span(text)));
}

std::uint32_t crc32c(std::span<const std::byte> bytes) {
#ifdef __x86_64__
  static const bool in_hardware = __builtin_cpu_supports("sse4.2") != 0;
  if (in_hardware) return crc32c_sse42(bytes);
#endif
  return crc32c_table(bytes);
}

}  // namespace checkride

#include <catch2/catch.hpp>
#include <string>

#include "engine/base/digest.h"

namespace checkride {

namespace {

std::uint32_t crc32c_of(std::string_view text) {
  return crc32c(std::as_bytes(std::span(text)));
}

// The definition, bit by bit.
std::uint32_t crc32c_by_bits(std::string_view text) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : text) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
  }
  return crc ^ 0xFFFFFFFFU;
}

}  // namespace

TEST_CASE("CRC-32C gives the values of RFC 3720") {
  std::string counting;
  for (int i = 0; i < 32; ++i) counting.push_back(static_cast<char>(i));
  CHECK(crc32c_of(std::string_view()) == 0);
  CHECK(crc32c_of(std::string_view("123456789")) == 0xE3069283U);
  CHECK(crc32c_of(std::string(32, '\0')) == 0x8A9136AAU);
  CHECK(crc32c_of(std::string(32, '\xFF')) == 0x62A8AB43U);
  CHECK(crc32c_of(counting) == 0x46DD794EU);
}

TEST_CASE("CRC-32C agrees with its definition at every length and alignment") {
  std::string text;
  for (int i = 0; i < 80; ++i) text.push_back(static_cast<char>(i * 37 + 11));
  for (std::size_t from = 0; from < 9; ++from)
    for (std::size_t size = 0; from + size <= text.size(); ++size) {
      const std::string_view part = std::string_view(text).substr(from, size);
      REQUIRE(crc32c_of(part) == crc32c_by_bits(part));
    }
}

TEST_CASE("SHA-256 in one piece or in several is FIPS 180's") {
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  CHECK(to_hex(sha256("abc")) == abc);
  Sha256 parts;
  parts.update("a");
  parts.update("");
  parts.update("bc");
  CHECK(to_hex(parts.finish()) == abc);
  REQUIRE(digest_from_hex(abc));
  CHECK(*digest_from_hex(abc) == sha256("abc"));
  CHECK_FALSE(digest_from_hex(abc.substr(1)));
  CHECK_FALSE(digest_from_hex(abc.substr(1) + "g"));
}

}  // namespace checkride

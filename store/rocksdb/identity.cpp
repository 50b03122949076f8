#include "store/rocksdb/identity.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <span>

#include "engine/base/digest.h"
#include "engine/base/files.h"

namespace checkride {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view first_line = "checkride store\n";
constexpr std::size_t file_bytes_max = 4096;
constexpr std::string_view digits = "0123456789abcdef";

std::string hex32(std::uint32_t number) {
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text.push_back(digits[(number >> shift) & 15]);
  return text;
}

std::string text_of(const std::string& format, const std::string& id) {
  std::string text(first_line);
  text += "format " + format + "\nid " + id + "\n";
  const std::uint32_t checksum = crc32c(std::as_bytes(std::span(text)));
  return text + "checksum " + hex32(checksum) + "\n";
}

}  // namespace

Result<std::string> new_store_id() {
  std::array<unsigned char, 16> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    return fail_errno("read", "the system's random numbers");
  std::string id;
  for (const unsigned char byte : random) {
    id.push_back(digits[byte >> 4]);
    id.push_back(digits[byte & 15]);
  }
  return id;
}

Result<std::string> read_store_id(const fs::path& store) {
  const fs::path path = store / "store";
  auto text = read_file(path, file_bytes_max);
  if (!text && text.error().code == ErrorCode::not_found) {
    std::error_code unknown;
    if (fs::exists(store / "db" / "CURRENT", unknown))
      return fail(ErrorCode::corrupt, "the store at '" + store.native() +
                                          "' lacks its file 'store'; restore it from a backup");
    return fail(ErrorCode::not_found,
                "there is no store at '" + store.native() + "'; `checkride run` makes one");
  }
  const auto damaged = [&] {
    return fail(ErrorCode::corrupt, "the file '" + path.native() +
                                        "' is damaged; restore it from a backup of the store");
  };
  if (!text && text.error().code == ErrorCode::invalid_argument) return damaged();
  if (!text) return tl::unexpected(std::move(text).error());
  // Line by line, then as a whole: what is read must be exactly what would be written.
  const std::size_t format_at = first_line.size() + 7;
  const std::size_t format_end = text->find('\n', format_at);
  if (format_end == std::string::npos || text->size() < format_end + 4 + 32) return damaged();
  const std::string format = text->substr(format_at, format_end - format_at);
  std::string id = text->substr(format_end + 4, 32);
  if (*text != text_of(format, id)) return damaged();
  if (format != std::to_string(store_format))
    return fail(
        ErrorCode::unsupported,
        "the store at '" + store.native() + "' has format " + format +
            ", which this version of checkride does not know; use the version that made it");
  return id;
}

Result<void> write_store_id(const fs::path& store, const std::string& id) {
  return write_file_atomic(store / "store", text_of(std::to_string(store_format), id), 0600);
}

}  // namespace checkride

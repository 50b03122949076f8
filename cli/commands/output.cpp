#include "cli/commands/output.h"

#include <algorithm>
#include <fstream>

namespace checkride::cli {

namespace {

constexpr std::uint64_t read_bytes_max = 1 << 20;
constexpr std::uint64_t line_bytes_max = 2 << 10;

std::string part_of(std::ifstream& in, std::uint64_t from, std::uint64_t bytes) {
  in.seekg(static_cast<std::streamoff>(from));
  std::string text(static_cast<std::size_t>(bytes), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return text;
}

std::uint64_t size_of(std::ifstream& in) {
  in.seekg(0, std::ios::end);
  return static_cast<std::uint64_t>(std::max<std::streamoff>(in.tellg(), 0));
}

}  // namespace

std::string tail_of(const std::filesystem::path& path, std::uint64_t bytes) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return "";
  const std::uint64_t size = size_of(in);
  const std::uint64_t from = size > bytes ? size - bytes : 0;
  return part_of(in, from, size - from);
}

std::string last_line_of(const std::filesystem::path& path) {
  const std::string tail = tail_of(path, line_bytes_max);
  const std::size_t end = tail.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return "";
  const std::size_t before = tail.find_last_of("\r\n", end);
  const std::size_t from = before == std::string::npos ? 0 : before + 1;
  return tail.substr(from, end + 1 - from);
}

std::string GrowingFile::more() {
  std::ifstream in(path_, std::ios::binary);
  if (!in) return "";
  const std::uint64_t size = size_of(in);
  if (size <= at_) return "";
  std::string text = part_of(in, at_, std::min(size - at_, read_bytes_max));
  at_ += text.size();
  return text;
}

}  // namespace checkride::cli

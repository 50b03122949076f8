#include "store/rocksdb/layout.h"

namespace checkride {

std::string big_endian(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>((number >> (56 - 8 * i)) & 0xFF);
  return bytes;
}

std::uint64_t from_big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes.substr(0, 8))
    number = (number << 8) | static_cast<unsigned char>(byte);
  return number;
}

std::string run_key(const RunId& run, Sequence sequence) {
  std::string key;
  key.reserve(run.value.size() + 9);
  key.append(run.value).push_back('\0');
  key.append(big_endian(sequence.value));
  return key;
}

std::string run_key_end(const RunId& run) {
  return run.value + '\x01';
}

std::optional<std::pair<RunId, Sequence>> parse_run_key(std::string_view key) {
  const std::size_t end = key.find('\0');
  if (end == std::string_view::npos || key.size() != end + 9) return std::nullopt;
  return std::pair(RunId(std::string(key.substr(0, end))),
                   Sequence(from_big_endian(key.substr(end + 1))));
}

std::string search_key(std::string_view fact_type, GlobalSequence global, std::uint32_t number) {
  std::string key(fact_type);
  key.push_back('\0');
  key.append(big_endian(global.value)).append(big_endian(number));
  return key;
}

std::string artifact_key(const Digest& digest, const RunId& run, Sequence sequence) {
  return std::string(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()) +
         run_key(run, sequence);
}

}  // namespace checkride

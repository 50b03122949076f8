// RocksDB's log format (doc/log_format in leveldb: blocks of 32 KiB, records with a masked
// CRC-32C), read only to say which file is damaged and where: write-ahead logs and the manifest
// have it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/base/result.h"

namespace checkride {

struct LogFileCheck {
  std::uint64_t records = 0;
  std::uint64_t good_bytes = 0;  // up to the first damaged or unfinished record
  bool unfinished_tail = false;  // the last record was cut: a write that nobody was told about
  std::string damage;            // empty: none
};
Result<LogFileCheck> check_log_file(const std::filesystem::path& path);

}  // namespace checkride

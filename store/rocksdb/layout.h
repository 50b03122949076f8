// Tables of the log (RocksDB's column families) and their keys. Numbers in keys are big-endian, so
// that byte order is number order; a run id ends with a zero byte, which no run id holds, so that
// the rows of "a" never mix with those of "a.1". docs/formats/log.md has the same as a table.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/digest.h"
#include "engine/base/ids.h"

namespace checkride {

enum class Table : std::uint8_t {
  meta,         // name -> text: format, id, epoch, clean, build/N, file/NAME
  records,      // run 0x00 first -> record
  heads,        // run -> RunHead
  definitions,  // hash -> StoredDefinition
  snapshots,    // run 0x00 last -> snapshot
  search,       // fact type 0x00 global number -> SearchRow
  artifacts,    // digest run 0x00 sequence -> empty: who names the artifact
  global,       // global -> run 0x00 first
};
inline constexpr std::size_t table_count = 8;
// RocksDB insists on a family named "default"; it is the meta table.
inline constexpr std::array<std::string_view, table_count> table_names = {
    "default", "records", "heads", "definitions", "snapshots", "search", "artifacts", "global"};

std::string big_endian(std::uint64_t number);
std::uint64_t from_big_endian(std::string_view eight_bytes);

std::string run_key(const RunId& run, Sequence sequence);  // records, snapshots
// The smallest key after all of the run's.
std::string run_key_end(const RunId& run);
// nullopt for a key that is none.
std::optional<std::pair<RunId, Sequence>> parse_run_key(std::string_view key);

std::string search_key(std::string_view fact_type, GlobalSequence global, std::uint32_t number);
std::string artifact_key(const Digest& digest, const RunId& run, Sequence sequence);

}  // namespace checkride

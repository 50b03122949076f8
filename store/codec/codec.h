// Bytes of the log: records, run heads, definitions, snapshots and search rows, to the value that
// stands under their key and back. docs/formats/log.md describes them byte by byte. Every value
// begins with four letters that say what it is and a CRC-32C over the rest; the rest is Cap'n Proto
// in canonical form, so equal contents are equal bytes.
//
// Reading never throws and never trusts: wrong magic, checksum, bounds or numbers give
// ErrorCode::corrupt with a sentence. Writing fails (invalid_argument) only for values nested too
// deeply to be read back. Threads: all functions are pure and may run anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/ports/event_log.h"

namespace checkride::codec {

struct EncodedRecord {
  std::string value;
  Digest chain;  // SHA-256 over `previous` and the record's canonical bytes
};

// `record.previous`, `global` and `epoch` must be set; `record.build` is written as its number.
Result<EncodedRecord> encode_record(const Record& record, std::uint32_t build);

struct DecodedRecord {
  Record record;            // its chain worked out, its build left empty
  std::uint32_t build = 0;  // number in the store's table of builds
};
// The value under the key of `run` and `first`; a record of another place is corrupt. Damage names
// run, record and, where it can be told, the event.
Result<DecodedRecord> decode_record(std::string_view value, const RunId& run, Sequence first);

// One event's canonical bytes; replay compares these.
Result<std::string> encode_event(const Event& event);

// Canonical bytes of a state and their SHA-256.
Result<std::string> encode_state(const RunState& state);
Result<Digest> state_digest(const RunState& state);

Result<std::string> encode_snapshot(const RunState& state, const Digest& chain);
Result<Snapshot> decode_snapshot(std::string_view value, const RunId& run, Sequence last);

Result<std::string> encode_head(const RunHead& head);
Result<RunHead> decode_head(std::string_view value);
Result<std::string> encode_definition(const StoredDefinition& definition);
Result<StoredDefinition> decode_definition(std::string_view value);
Result<std::string> encode_search_row(const SearchRow& row);
Result<SearchRow> decode_search_row(std::string_view value);

// A message as another process reads it (no frame around it): values of job inputs and results.
Result<std::string> encode_value(const cel::Value& value);
Result<cel::Value> decode_value(std::string_view bytes);

}  // namespace checkride::codec

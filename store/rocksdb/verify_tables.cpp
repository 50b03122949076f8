#include <set>

#include "store/codec/codec.h"
#include "store/rocksdb/verify.h"

namespace checkride {

namespace {

// A damaged block ends a walk through a table; that is a problem to report, not a failure to
// verify.
Result<void> walk(const Database& database, Table table, VerifyReport& report,
                  const Database::Each& each) {
  auto scanned = database.scan(table, "", "", each);
  if (!scanned && scanned.error().code == ErrorCode::corrupt) {
    add_problem(report, scanned.error().text());
    return {};
  }
  return scanned;
}

// Contiguous numbers; gives the sum of what the table says.
Result<NumberingSum> verify_numbers(const Database& database, VerifyReport& report) {
  NumberingSum sum;
  std::uint64_t expected = 1;
  CR_CHECK(walk(database, Table::global, report,
                [&](std::string_view key, std::string_view value) -> Result<bool> {
                  const std::uint64_t number = key.size() == 8 ? from_big_endian(key) : 0;
                  if (number != expected)
                    add_problem(report, "a gap: record number " + std::to_string(expected) +
                                            " is missing from the numbering");
                  expected = number + 1;
                  sum.add(GlobalSequence(number), value);
                  return true;
                }));
  return sum;
}

// Every number with its record and every record with its number, one look-up each.
Result<void> verify_each_number(const Database& database, VerifyReport& report) {
  CR_CHECK(
      walk(database, Table::global, report,
           [&](std::string_view key, std::string_view value) -> Result<bool> {
             const std::string number = std::to_string(key.size() == 8 ? from_big_endian(key) : 0);
             const auto place = parse_run_key(value);
             if (!place) {
               add_problem(report, "the place of record number " + number + " is damaged");
               return true;
             }
             CR_TRY(const std::optional<std::string> record, database.get(Table::records, value));
             if (!record)
               add_problem(report, "record number " + number + ", sequence " +
                                       std::to_string(place->second.value) + " of run '" +
                                       place->first.value + "', is missing");
             return true;
           }));
  return walk(database, Table::records, report,
              [&](std::string_view key, std::string_view value) -> Result<bool> {
                const auto place = parse_run_key(key);
                if (!place) return true;  // reported with the records
                const auto decoded = codec::decode_record(value, place->first, place->second);
                if (!decoded) return true;
                CR_TRY(const std::optional<std::string> there,
                       database.get(Table::global, big_endian(decoded->record.global.value)));
                if (there != key)
                  add_problem(report, "the record at sequence " +
                                          std::to_string(place->second.value) + " of run '" +
                                          place->first.value + "' says that it is number " +
                                          std::to_string(decoded->record.global.value) +
                                          ", but the numbering disagrees");
                return true;
              });
}

Result<void> verify_heads(const Database& database, VerifyReport& report) {
  return walk(database, Table::heads, report,
              [&](std::string_view key, std::string_view value) -> Result<bool> {
                const RunId run{std::string(key)};
                const auto head = codec::decode_head(value);
                if (!head) {
                  CR_TRY(const std::optional<Database::Row> newest,
                         database.last(Table::records, run_key(run, Sequence(0)),
                                       run_key(run, Sequence(UINT64_MAX))));
                  // With records it was reported with them.
                  if (!newest)
                    add_problem(report, "run '" + run.value + "': " + head.error().text());
                  return true;
                }
                CR_TRY(const std::optional<std::string> record,
                       database.get(Table::records, run_key(run, head->record)));
                if (!record)
                  add_problem(report, "the newest record of run '" + run.value + "', at sequence " +
                                          std::to_string(head->record.value) + ", is missing");
                return true;
              });
}

Result<void> verify_definitions(const Database& database, VerifyReport& report) {
  return walk(database, Table::definitions, report,
              [&](std::string_view key, std::string_view value) -> Result<bool> {
                const auto definition = codec::decode_definition(value);
                if (!definition)
                  add_problem(report, definition.error().text());
                else if (key != std::string_view(
                                    reinterpret_cast<const char*>(definition->hash.bytes.data()),
                                    definition->hash.bytes.size()))
                  add_problem(report, "the definition '" + definition->name +
                                          "' stands under another hash than its own");
                return true;
              });
}

Result<void> verify_search(const Database& database, VerifyReport& report) {
  return walk(database, Table::search, report,
              [&](std::string_view key, std::string_view value) -> Result<bool> {
                const auto row = codec::decode_search_row(value);
                if (!row) {
                  add_problem(report, row.error().text());
                  return true;
                }
                const std::string& type = row->fact.type;
                const bool formed = key.size() == type.size() + 17 && key.starts_with(type);
                const auto place = formed
                                       ? database.get(Table::global, key.substr(type.size() + 1, 8))
                                       : Result<std::optional<std::string>>(std::nullopt);
                if (!place) return tl::unexpected(place.error());
                if (!*place || **place != run_key(row->run, row->sequence))
                  add_problem(report, "the fact '" + type + "' at sequence " +
                                          std::to_string(row->sequence.value) + " of run '" +
                                          row->run.value + "' belongs to no record");
                return true;
              });
}

}  // namespace

Result<void> verify_tables(const Database& database, const NumberingSum& of_records,
                           VerifyReport& report) {
  CR_TRY(const NumberingSum of_numbers, verify_numbers(database, report));
  if (!(of_numbers == of_records)) CR_CHECK(verify_each_number(database, report));
  CR_CHECK(verify_heads(database, report));
  CR_CHECK(verify_definitions(database, report));
  return verify_search(database, report);
}

Result<void> verify_artifacts(const Database& database, const ArtifactStore& artifacts,
                              const std::optional<RunId>& run, VerifyReport& report) {
  std::set<Digest> seen;
  const auto check = [&](const Digest& digest, const std::string& who) {
    if (!seen.insert(digest).second) return;
    ++report.artifacts;
    const auto bytes = artifacts.verify(digest);
    if (bytes)
      report.bytes += *bytes;
    else
      add_problem(report, who + bytes.error().text());
  };
  CR_CHECK(walk(database, Table::artifacts, report,
                [&](std::string_view key, std::string_view) -> Result<bool> {
                  const auto place = key.size() > 32 ? parse_run_key(key.substr(32)) : std::nullopt;
                  if (!place) {
                    add_problem(report, "the table of artifacts has a damaged key");
                    return true;
                  }
                  if (run && place->first != *run) return true;
                  Digest digest;
                  key.copy(reinterpret_cast<char*>(digest.bytes.data()), 32);
                  check(digest, "needed by sequence " + std::to_string(place->second.value) +
                                    " of run '" + place->first.value + "': ");
                  return true;
                }));
  if (run) return {};
  CR_TRY(const std::vector<StoredArtifact> all, artifacts.list());
  for (const StoredArtifact& one : all) check(one.digest, "");
  return {};
}

}  // namespace checkride

// Reading everything again. Store::verify() calls these; each adds what it counts and finds to the
// report.
#pragma once

#include <filesystem>
#include <optional>

#include "engine/ports/event_log.h"
#include "store/artifacts/artifact_store.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/heads_file.h"

namespace checkride {

inline constexpr std::size_t problems_max = 1000;
// Adds a sentence, or says once that there are more.
void add_problem(VerifyReport& report, std::string sentence);

// A sum over all pairs of global number and record key, in any order: equal on both sides, the
// table of numbers and the records agree, without a look-up for each. A fast check, no proof: what
// it must notice is accidents, and where it differs every pair is looked up.
class NumberingSum {
 public:
  void add(GlobalSequence global, std::string_view record_key);
  bool operator==(const NumberingSum&) const = default;

 private:
  std::uint64_t sum_ = 0;
  std::uint64_t count_ = 0;
};

// verify_records.cpp: records, heads, snapshots and the fold; of one run or all. With a run, its
// records' numbers are looked up at once.
Result<NumberingSum> verify_records(const Database& database, const std::optional<RunId>& run,
                                    VerifyReport& report);
// verify_tables.cpp: numbering, search rows, definitions, and that nothing stands without a record.
Result<void> verify_tables(const Database& database, const NumberingSum& of_records,
                           VerifyReport& report);
// The artifacts that records (of one run or all) name, and, without a run, all others kept.
Result<void> verify_artifacts(const Database& database, const ArtifactStore& artifacts,
                              const std::optional<RunId>& run, VerifyReport& report);
// verify_files.cpp: RocksDB's files and the heads file.
Result<void> verify_files(const Database& database, const std::filesystem::path& store,
                          const std::filesystem::path& heads_path, VerifyReport& report);

// RocksDB's small files that it does not check itself (OPTIONS-*, IDENTITY), by name with their
// SHA-256 in hexadecimal: noted in the meta table at each opening, compared by verify.
std::vector<std::pair<std::string, std::string>> unchecked_files(
    const std::filesystem::path& folder);
inline constexpr std::string_view file_row_prefix = "file/";

}  // namespace checkride

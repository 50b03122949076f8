// What compute-sanitizer printed (memcheck, racecheck, initcheck, synccheck), read into counts and
// records. A pure function of the text; lines of the target in between are passed over. What the
// tool says of itself and what it says of the target are kept apart: a run can end with no hazard
// because the target died first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace checkride::kernels::tools {

struct SanitizerRecord {
  std::string kind;     // invalid_write, race, uninitialized_read, barrier, leak, api_error, ...
  std::string message;  // the record's first line
  std::string kernel;   // all of these where the tool says so
  std::string thread, block, address;
  std::optional<std::int64_t> bytes;  // of the access, or leaked
  std::string file;
  std::optional<std::int64_t> line;
  bool warning = false;  // of racecheck
};

struct SanitizerReport {
  bool started = false;       // the tool's first line
  bool summary_seen = false;  // of errors or of races
  bool racecheck = false;     // the summary was racecheck's
  std::int64_t errors = 0;    // of the summary
  std::int64_t hazards = 0, hazard_errors = 0, hazard_warnings = 0;
  std::int64_t leaked_bytes = 0, leaks = 0;
  std::int64_t api_errors = 0;   // CUDA calls that returned an error
  std::int64_t not_printed = 0;  // errors beyond the print limit
  std::int64_t records_seen = 0;
  std::vector<SanitizerRecord> records;  // the first 1000
  std::string target_error_line;         // "Target application returned an error" and its like
  bool target_killed = false;            // by a signal, whose number is then the tool's exit code
  bool device_supported = true;
  std::string tool_error_line;  // the tool's own failure, such as a target it cannot start
};
SanitizerReport read_sanitizer_report(std::string_view text);

}  // namespace checkride::kernels::tools

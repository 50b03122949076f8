// What a job's output is asked while it passes: substrings that must or must not occur, and numbers
// and texts taken out by regular expression. Works on the whole stream, however much of it is kept,
// and says so when it could not (a line longer than `line_bytes_max`).
//
// The only file of the runners that knows RE2.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/decider/job.h"

namespace checkride {

inline constexpr std::size_t line_bytes_max = 1 << 20;
inline constexpr std::size_t parsed_file_bytes_max = 64 << 20;

class OutputMatch {
 public:
  // `invalid_argument` names the rule whose regular expression is none.
  static Result<OutputMatch> create(const Expectation& expect, const std::vector<ParseRule>& parse);
  OutputMatch(OutputMatch&&) noexcept;
  OutputMatch& operator=(OutputMatch&&) noexcept;
  ~OutputMatch();

  enum class Stream : std::uint8_t { output, error };
  // The next piece of a stream. Substrings may lie across pieces, not across streams. Lines end
  // with \n or \r (progress bars); the last match of a rule wins, by time of arrival.
  void pass(Stream stream, std::string_view piece);
  // The last lines, if they had no end.
  void finish();

  // After finish(): one sentence for each substring expectation that did not hold and each value
  // that had the wrong form.
  const std::vector<std::string>& unmet() const;
  // What the rules by regular expression found; a rule that never matched has no entry.
  const cel::Map& values() const;
  // Why matching the whole stream was impossible; empty: it was possible.
  const std::string& impossible() const;

 private:
  struct Data;
  explicit OutputMatch(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

struct FileValues {
  cel::Map values;
  std::vector<std::string> unmet;
  std::string impossible;
};
// The rules by JSON pointer: on files relative to `folder`, or on `standard_output`, which must
// hold the whole stream (`output_whole`), else it is impossible.
FileValues parse_files(const std::vector<ParseRule>& parse, const std::filesystem::path& folder,
                       const std::filesystem::path& standard_output, bool output_whole);

}  // namespace checkride

// The files into which attempts print (engine/runners/local/attempt_folder.h), read while they grow
// or afterwards.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace checkride::cli {

// The last `bytes` of a file; empty when there is none.
std::string tail_of(const std::filesystem::path& path, std::uint64_t bytes);

// The last line with something in it; a progress line that overwrites itself counts as its newest
// form. Costs one small read.
std::string last_line_of(const std::filesystem::path& path);

// Reads on where it stopped. A stream at its bound (`output_max`) grows no more and is written from
// the middle again; nothing of that is read.
class GrowingFile {
 public:
  explicit GrowingFile(std::filesystem::path path, std::uint64_t from = 0)
      : path_(std::move(path)), at_(from) {}
  // What came since, at most about a MiB; empty when nothing did or the file is not there yet.
  std::string more();
  std::uint64_t at() const { return at_; }

 private:
  std::filesystem::path path_;
  std::uint64_t at_;
};

}  // namespace checkride::cli

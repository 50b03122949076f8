// What a patch file says about itself: the files it touches, the preimages it was made from, its
// line ends. Git's own parser (`git apply --numstat`) decides whether the text is a patch at all
// and names the targets; this reads the headers between hunks for what git does not print.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "workflows/jobs/git.h"

namespace checkride::jobs {

struct PatchFile {
  std::string path;      // after the patch; before it, for a deletion
  std::string old_path;  // before the patch; empty for a new file
  std::string change;    // "modify", "create", "delete", "rename", "copy"
  std::string preimage;  // blob id of the `index` line, maybe abbreviated; empty without one
  std::int64_t added = 0;
  std::int64_t removed = 0;
  bool binary = false;
};

struct PatchText {
  std::string problem;  // "", "missing", "empty", "corrupt"
  std::string message;  // what git said about a corrupt one
  std::string sha256;
  std::int64_t bytes = 0;
  bool crlf = false;  // its lines end in CR LF: it was converted on its way here
  std::vector<PatchFile> files;
  // Every path it reads or writes, sorted.
  std::vector<std::string> targets() const;
};

inline constexpr std::size_t patch_bytes_max = 64ULL << 20;

// `strip` is -p of git apply. Errors: the file cannot be read, or is larger than patch_bytes_max; a
// missing or damaged patch is a value.
Result<PatchText> read_patch(const Git& git, const std::filesystem::path& patch, int strip);

// The headers alone; exposed for tests.
std::vector<PatchFile> parse_patch_headers(std::string_view text, int strip);

}  // namespace checkride::jobs

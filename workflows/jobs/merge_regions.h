// The regions in which a three-way merge conflicts, from the three texts, and whether a resolved
// text took one side in all of them. Works on lines with their ends; git does the merging and the
// comparing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "workflows/jobs/git.h"

namespace checkride::jobs {

struct MergeText {
  const std::string& base;
  const std::string& ours;
  const std::string& theirs;
};

// A run of lines both sides agree on (in `ours`), or a conflict.
struct MergePart {
  bool conflict = false;
  std::vector<std::string> ours;
  std::vector<std::string> base;
  std::vector<std::string> theirs;
};

enum class MergeStyle { plain, with_base };
enum class MergeChoice { ours, theirs, ours_theirs, theirs_ours };

Result<std::vector<MergePart>> merge_regions(const Git& git, const MergeText& texts,
                                             MergeStyle style,
                                             const std::filesystem::path& scratch);
// False also where there is no region at all.
Result<bool> regions_resolved_to(const Git& git, const std::vector<MergePart>& parts,
                                 MergeChoice choice, const std::string& resolved,
                                 const std::filesystem::path& scratch);

}  // namespace checkride::jobs

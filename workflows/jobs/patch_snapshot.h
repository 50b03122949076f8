// The record of step C.n.0: index tree (or entries, while something is unmerged), branch tip and
// the targets of a patch in the index and on disk. patch.recover compares it with what a crash
// left.
#pragma once

#include <string>
#include <vector>

#include "engine/cel/value.h"
#include "workflows/jobs/git.h"
#include "workflows/jobs/patch_text.h"

namespace checkride::jobs {

struct PatchTarget {
  std::string path;
  std::string index;  // "MODE BLOB STAGE", several joined by ',' when unmerged; empty: not tracked
  std::string
      disk;  // SHA-256 of the bytes on disk, of a link's target after "link "; empty: absent
  bool operator==(const PatchTarget&) const = default;
};

struct PatchSnapshot {
  std::string tree;  // of the index; empty while something is unmerged
  std::string head;  // branch tip
  std::string branch;
  std::string index;  // SHA-256 over all index entries
  std::string patch_sha256;
  std::string commit;  // holds `tree`, by `ref`
  std::string ref;
  std::vector<std::string> unmerged;
  std::vector<PatchTarget> targets;
};

inline constexpr const char* snapshot_type =
    "{tree: string, head: string, branch: string, index: string, patch_sha256: string, "
    "commit: string, ref: string, unmerged: list<string>, targets: list<{path: string, "
    "index: string, disk: string}>, total: int, targets_digest: string}";

Result<PatchSnapshot> take_snapshot(const Git& git, const PatchText& patch);
// The digest over all targets stands for those the bounded list leaves out.
std::string targets_digest(const std::vector<PatchTarget>& targets);
cel::Map to_map(const PatchSnapshot& snapshot);

// The content of a path on disk as PatchTarget::disk tells it.
Result<std::string> disk_digest(const std::filesystem::path& path);

}  // namespace checkride::jobs

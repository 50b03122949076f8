// Conflicts as facts that outlast them: git forgets the stages of a path once somebody runs `git
// add`, so their blobs are written down (and held by a ref) the moment a patch conflicts. From them
// the conflict regions can be computed again at any time, and a resolution compared with each side.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "engine/cel/value.h"
#include "workflows/jobs/git.h"

namespace checkride::jobs {

struct ConflictHunk {
  std::int64_t line = 0;  // of its first marker in the file git left
  std::string ours;
  std::string base;
  std::string theirs;
};

struct ConflictFile {
  std::string path;
  std::string base;  // blob ids of stages 1, 2 and 3; empty where there is none
  std::string ours;
  std::string theirs;
  std::string marked;  // the file with markers as git left it; empty if it was gone
  bool binary = false;
  bool replayed = false;  // a stored resolution was put in place of the markers
  std::vector<ConflictHunk> hunks;
};

// Whether a line of `text` begins as a conflict marker does: seven '<', '|' or '>' and a space.
// Gives the line numbers, from 1, at most `lines_max`.
std::vector<std::int64_t> marker_lines(std::string_view text, std::size_t lines_max = 50);

// The unmerged paths among `targets`, with their blobs and hunks. `scratch` is a folder for files.
Result<std::vector<ConflictFile>> read_conflicts(const Git& git,
                                                 const std::vector<IndexEntry>& entries,
                                                 const std::set<std::string>& targets,
                                                 const std::filesystem::path& scratch);
// Points `ref` at a commit that holds every blob of the conflicts.
Result<void> hold_conflicts(const Git& git, const std::vector<ConflictFile>& conflicts,
                            const std::string& ref);
// Puts resolutions stored by the user's rerere in place, without writing to its cache. Gives the
// paths resolved; the index is not touched.
Result<std::set<std::string>> replay_resolutions(const Git& git,
                                                 const std::filesystem::path& scratch);

// "ours", "theirs" or "both" when all conflict regions of the file were resolved to that one side
// (or to one side followed by the other), else "mixed". Lines elsewhere may differ.
Result<std::string> side_of(const Git& git, const ConflictFile& conflict,
                            const std::string& resolved, const std::filesystem::path& scratch);

cel::Value to_value(const std::vector<ConflictFile>& conflicts);
std::vector<ConflictFile> conflicts_from(const cel::Value& list);
inline constexpr const char* conflicts_type =
    "list<{path: string, base: string, ours: string, theirs: string, marked: string, "
    "binary: bool, replayed: bool, hunk_count: int, "
    "hunks: list<{line: int, ours: string, base: string, theirs: string}>}>";

}  // namespace checkride::jobs

// `git apply --3way` and what came of it, in the classes of the procedure. The class is decided by
// the exit code, the stages of the index and the tree ids, never by the words git prints: those
// read alike in runs that succeed and runs that fail. Used by patch.apply on the worktree and by
// patch.recover on a scratch copy, to know what an interrupted attempt would have left.
#pragma once

#include <string>
#include <vector>

#include "workflows/jobs/conflict.h"
#include "workflows/jobs/git.h"
#include "workflows/jobs/patch_text.h"

namespace checkride::jobs {

struct ApplyReport {
  std::string outcome;      // the class, as README.md lists them
  int exit_code = -1;       // of git apply --3way; of its --check form where nothing was applied
  int check_exit = -1;      // of plain git apply --check
  std::string tree_before;  // of the index; empty while something is unmerged
  std::string tree_after;
  std::string head;
  std::vector<std::string> targets;
  std::vector<std::string> missing_blobs;
  std::vector<ConflictFile> conflicts;
  std::string lock;  // a lock of the index that stands there
  std::string note;  // for people: what the class means here
  std::string log;   // what git printed
  PatchText patch;
};

// Applies the patch to git.folder() and its index. `scratch` is a folder for files. Errors: git
// cannot be run or asked; everything the procedure has a class for is a report.
Result<ApplyReport> apply_patch(const Git& git, const std::filesystem::path& patch, int strip,
                                const std::filesystem::path& scratch);

// clean-direct, clean-merged and already-applied need no person.
bool is_applied(const std::string& outcome);
bool is_conflict(const std::string& outcome);

}  // namespace checkride::jobs

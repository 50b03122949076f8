// Git as these kinds use it: the installed program, run with settings that make its behaviour the
// same on every machine (no hooks, no rerere, no automatic gc, no paging, no quoting of paths) and
// with the locale C. Its words are for people; the kinds judge by exit codes, index entries and
// object ids. Recorded trees are held by refs under refs/checkride/RUN/, and only a worktree that
// belongs to the run may be changed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "workflows/jobs/kind.h"
#include "workflows/jobs/subprocess.h"

namespace checkride::jobs {

class Git {
 public:
  // `folder` is where git runs. Each command and its exit code is appended to `log` unless empty.
  explicit Git(std::filesystem::path folder, std::filesystem::path log = {});

  // Copies with one thing different.
  Git at(std::filesystem::path folder) const;
  Git with_env(std::string name, std::string value) const;
  Git with_excludes(const std::string& file) const;  // core.excludesFile; empty: as configured
  Git with_config(std::string setting) const;  // "rerere.enabled=true", wins over the fixed ones
  Git as_checkride() const;                    // fixed author and date, for commits that hold trees

  // Any exit code is a reply. Errors: git cannot be run, or its output was larger than 64 MiB.
  Result<ProcessReply> run(std::vector<std::string> arguments, std::string input = {}) const;
  Result<ProcessReply> run_to_file(std::vector<std::string> arguments,
                                   std::filesystem::path file) const;
  // Exit code 0 is demanded; the error carries what git said.
  Result<std::string> text(std::vector<std::string> arguments, std::string input = {}) const;
  Result<std::string> line(std::vector<std::string> arguments, std::string input = {}) const;
  // Like line(), but nothing when git exits with another code.
  Result<std::optional<std::string>> line_if(std::vector<std::string> arguments) const;
  Result<bool> succeeds(std::vector<std::string> arguments) const;

  const std::filesystem::path& folder() const { return folder_; }
  // Where files for the moment may lie: beside the log, else the system's folder for them.
  std::filesystem::path scratch() const;

 private:
  ProcessRequest request(std::vector<std::string> arguments) const;
  Result<ProcessReply> logged(const ProcessRequest& request) const;

  std::filesystem::path folder_;
  std::filesystem::path log_;
  std::vector<std::string> config_;
  std::vector<std::pair<std::string, std::string>> env_;
};

// Git at the top of the work tree that contains `folder`; an error if it is none.
Result<Git> open_repository(const std::filesystem::path& folder, const JobContext& context);

// One entry of an index; `stage` is 0 unless the path is unmerged.
struct IndexEntry {
  std::string path;
  std::string mode;
  std::string blob;
  int stage = 0;
  bool operator==(const IndexEntry&) const = default;
};
Result<std::vector<IndexEntry>> index_entries(const Git& git);
// The tree of the index, as `git write-tree` gives it, but from a copy: it neither waits for a lock
// of the index nor takes one. An error while something is unmerged.
Result<std::string> index_tree(const Git& git);
std::set<std::string> unmerged_paths(const std::vector<IndexEntry>& entries);

// The parts of a -z output, without the empty one at the end.
std::vector<std::string> split_zero(std::string_view text);

struct HeadState {
  std::string commit;  // empty on an unborn branch
  std::string branch;  // short name; empty when detached
  bool detached = false;
};
Result<HeadState> read_head(const Git& git);

// Waits for the lock of a ref ("HEAD", "refs/heads/work") to go, and removes one that stays for 2
// s: git holds it for the moment of one write, so it is left of a git that died. For the run's own
// branch and worktree only.
Result<void> free_ref(const Git& git, const std::string& ref);

// "refs/checkride/RUN/NAME", RUN escaped where a run id may be what a ref name may not.
std::string held_ref(const RunId& root, const std::string& name);
// Commits `tree` (with `parent` if not empty) and points the ref at it; the commit id. The same
// inputs give the same commit, so a repetition changes nothing.
Result<std::string> hold_tree(const Git& git, const std::string& tree, const std::string& parent,
                              const std::string& ref, const std::string& message);
// Deletes every ref a run holds, its failed tip included: what `prune` does. Returns their number.
Result<int> release_refs(const Git& git, const RunId& root);

// Whether this run may change the work tree at git.folder(): it carries the run's mark, or lies in
// the run's own folder. The error says why not.
Result<void> require_own_worktree(const Git& git, const JobSpec& spec, const JobContext& context);
// The mark: a file in the worktree's entry that names the run.
Result<void> mark_worktree(const Git& git, const RunId& root);
Result<std::string> worktree_owner(const Git& git);  // empty: unmarked

// Author and committer as configured, else a fallback, so that a commit never fails for want of a
// name.
Result<Git> with_identity(const Git& git);

// SHA-256 and size of a file of any size; an error if it cannot be read.
struct FileDigest {
  std::string sha256;
  std::int64_t bytes = 0;
};
Result<FileDigest> digest_file(const std::filesystem::path& path);

}  // namespace checkride::jobs

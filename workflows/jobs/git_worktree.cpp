// git.worktree: the run's own work tree on the branch to build (step B.1); git.worktree_remove: its
// undo (rollback steps 2 and 3). The user's checkout is not looked at: a linked worktree shares
// objects and refs with it and nothing else.
#include <algorithm>

#include "engine/base/files.h"
#include "workflows/jobs/bounded.h"
#include "workflows/jobs/branches.h"
#include "workflows/jobs/git.h"
#include "workflows/jobs/kind.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

// One worktree as `git worktree list --porcelain -z` prints it.
struct Entry {
  fs::path path;
  std::string branch;  // short name; empty when detached
  bool prunable = false;
};

Result<std::vector<Entry>> worktrees(const Git& git) {
  CR_TRY(const std::string text, git.text({"worktree", "list", "--porcelain", "-z"}));
  std::vector<Entry> entries;
  for (const std::string& line : split_zero(text)) {
    constexpr std::string_view branch = "branch refs/heads/";
    if (line.starts_with("worktree ")) entries.push_back({line.substr(9), {}, false});
    if (entries.empty()) continue;
    if (line.starts_with(branch)) entries.back().branch = line.substr(branch.size());
    if (line.starts_with("prunable")) entries.back().prunable = true;
  }
  return entries;
}

// Git writes a worktree's entry file by file: `gitdir` with its path, then HEAD and commondir.
// Killed in between it leaves one that no git command of the repository reads past. Clears such an
// entry where it is of `path`, and the folder where nothing but git's own file is in it.
Result<void> clear_half_made(const Git& git, const fs::path& path) {
  CR_TRY(const std::string common,
         git.line({"rev-parse", "--path-format=absolute", "--git-common-dir"}));
  const auto holds = [](const fs::path& file) {
    std::error_code problem;
    const auto bytes = fs::file_size(file, problem);
    return !problem && bytes > 0;
  };
  std::error_code problem;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(common) / "worktrees", problem)) {
    const auto gitdir = read_file(entry.path() / "gitdir", 1 << 16);
    if (!gitdir || *gitdir != (path / ".git").string() + "\n") continue;
    if (holds(entry.path() / "HEAD") && holds(entry.path() / "commondir")) continue;
    fs::remove_all(entry.path(), problem);
    if (problem)
      return fail(ErrorCode::io, "cannot remove the half-made " + entry.path().string() + ": " +
                                     problem.message());
    fs::remove(path / ".git", problem);
    fs::remove(path, problem);  // only where it is empty
    return {};
  }
  return {};
}

bool same_path(const fs::path& a, const fs::path& b) {
  return lies_within(a, b) && lies_within(b, a);
}

std::optional<Entry> find_entry(const std::vector<Entry>& entries, const fs::path& path) {
  const auto at = std::find_if(entries.begin(), entries.end(),
                               [&](const Entry& entry) { return same_path(entry.path, path); });
  return at == entries.end() ? std::nullopt : std::optional<Entry>(*at);
}

Result<bool> is_clean(const Git& git) {
  CR_TRY(const std::string status, git.text({"status", "--porcelain=v1", "-z"}));
  return status.empty();
}

struct WorktreeReport {
  bool ready = false;
  bool existed = false;
  std::string owner;     // of an existing branch or folder: "", "this", "other"
  bool created = false;  // the branch is this run's
  std::string problem;
};

Result<JobOutcome> report(const WorktreeReport& worktree, const Git& git, const fs::path& path,
                          const std::string& name, const std::string& commit) {
  cel::Map result;
  std::string head;
  std::string on;
  bool clean = false;
  if (worktree.ready) {
    const Git inside = git.at(path);
    CR_TRY(const HeadState state, read_head(inside));
    head = state.commit;
    on = state.branch;
    CR_TRY(clean, is_clean(inside));
  }
  result.set("ready", worktree.ready);
  result.set("path", worktree.ready ? front_of(path.string(), 4096) : "");
  result.set("branch", front_of(name, 1024));
  result.set("checked_out", front_of(on, 1024));
  result.set("head", head);
  result.set("commit", commit);
  result.set("at_commit", worktree.ready && head == commit);
  result.set("clean", clean);
  result.set("existed", worktree.existed);
  result.set("owner", worktree.owner);
  result.set("created_branch", worktree.created);
  result.set("problem", front_of(worktree.problem, 2048));
  return completed(std::move(result), worktree.ready ? JobStatus::pass : JobStatus::fail);
}

Result<void> fill_worktree(const Git& git, const fs::path& path, const std::string& branch,
                           const RunId& root) {
  auto filled = git.text({"worktree", "add", "--quiet", path.string(), branch});
  if (!filled) return tl::unexpected(std::move(filled).error());
  if (auto marked = mark_worktree(git.at(path), root); !marked) {
    static_cast<void>(git.text({"worktree", "remove", "--force", "--force", path.string()}));
    return marked;
  }
  return {};
}

Result<JobOutcome> worktree(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git git,
         open_repository(path_of(in.string_or("repo", "."), context.run_folder), context));
  const std::string name = in.string_or("branch", "");
  const fs::path path = path_of(in.string_or("path", "worktree"), context.run_folder);
  CR_TRY(const std::string commit, git.line({"rev-parse", "--verify", "--end-of-options",
                                             in.string_or("commit", "") + "^{commit}"}));
  if (lies_within(path, git.folder()) && !lies_within(path, context.run_folder))
    return fail(ErrorCode::invalid_argument,
                path.string() + " lies in the user's checkout; leave `path` out");
  WorktreeReport found;
  CR_CHECK(clear_half_made(git, path));
  CR_TRY(BranchState state, look_at_branch(git, spec.root, name));
  CR_TRY(const auto entries, worktrees(git));
  auto entry = find_entry(entries, path);
  std::error_code ignored;
  if (entry && fs::exists(path, ignored)) {
    CR_TRY(const std::string owner, worktree_owner(git.at(path)));
    if (owner == spec.root.value) {
      found = {true, true, "this", state.created, {}};
      if (entry->branch != name) {
        found.ready = false;
        found.problem = "the worktree is on '" + entry->branch + "', not on '" + name + "'";
      }
      return report(found, git, path, name, commit);
    }
    if (!owner.empty() || !lies_within(path, context.run_folder)) {
      found = {false, true, "other", state.created, path.string() + " belongs to somebody else"};
      return report(found, git, path, name, commit);
    }
  }
  if (!state.commit.empty() && !state.created && !in.bool_or("reuse", false)) {
    found = {
        false, true, "other", false,
        "there is a branch '" + name + "' at " + state.commit + " that this run did not create"};
    return report(found, git, path, name, commit);
  }
  for (const Entry& other : entries)
    if (other.branch == name && !same_path(other.path, path)) {
      found = {false, true, "other", state.created,
               "'" + name + "' is checked out in " + other.path.string()};
      return report(found, git, path, name, commit);
    }
  found.existed = !state.commit.empty();
  found.owner = state.commit.empty() ? "" : state.created ? "this" : "other";
  const bool empty = state.commit.empty() || (state.created && state.commit == commit);
  if (state.commit.empty()) CR_CHECK(create_branch(git, spec.root, name, commit));
  if (state.created) CR_CHECK(free_ref(git, "refs/heads/" + name));
  // Unmarked or without its folder, yet registered: an earlier attempt died while git filled it.
  // The second --force is for the lock git holds meanwhile.
  if (entry) CR_CHECK(git.text({"worktree", "remove", "--force", "--force", path.string()}));
  CR_CHECK(make_folders(path.parent_path()));
  if (auto filled = fill_worktree(git, path, name, spec.root); !filled) {
    // An error ends the state, and a rollback undoes only what was done: nothing of it stays.
    if (empty) static_cast<void>(delete_branch(git, spec.root, name, commit));
    return tl::unexpected(std::move(filled).error());
  }
  found.ready = true;
  CR_TRY(state, look_at_branch(git, spec.root, name));
  found.created = state.created;
  return report(found, git, path, name, commit);
}

// Copies what a removal would destroy and no commit holds: unmerged and untracked files.
Result<void> save_files(const Git& git, const fs::path& folder, BoundedList& saved,
                        BoundedList& skipped) {
  CR_TRY(const auto entries, index_entries(git));
  std::set<std::string> paths = unmerged_paths(entries);
  CR_TRY(const std::string untracked,
         git.text({"ls-files", "-z", "--others", "--exclude-standard"}));
  for (std::string& path : split_zero(untracked)) paths.insert(std::move(path));
  std::uintmax_t room = 256U << 20;
  for (const std::string& path : paths) {
    std::error_code problem;
    const fs::path source = git.folder() / path;
    if (!fs::is_regular_file(fs::symlink_status(source, problem))) continue;
    const std::uintmax_t bytes = fs::file_size(source, problem);
    if (problem || bytes > room) {
      skipped.add(front_of(path, 1024));
      continue;
    }
    room -= bytes;
    fs::create_directories((folder / path).parent_path(), problem);
    fs::copy_file(source, folder / path, fs::copy_options::overwrite_existing, problem);
    if (problem)
      return fail(ErrorCode::io, "cannot save " + source.string() + ": " + problem.message());
    saved.add(front_of(path, 1024));
  }
  return {};
}

Result<JobOutcome> remove(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git git,
         open_repository(path_of(in.string_or("repo", "."), context.run_folder), context));
  const std::string name = in.string_or("branch", "");
  const fs::path path = path_of(in.string_or("worktree", "worktree"), context.run_folder);
  const fs::path folder = context.run_folder / "failed";
  const std::string ref = held_ref(spec.root, "failed");
  BoundedList saved(200);
  BoundedList skipped(200);
  CR_CHECK(clear_half_made(git, path));
  CR_TRY(const BranchState state, look_at_branch(git, spec.root, name));
  CR_TRY(const auto entries, worktrees(git));
  const auto entry = find_entry(entries, path);
  std::string diff;
  bool removed = false;
  if (entry) {
    std::error_code ignored;
    if (fs::exists(path, ignored)) {
      const Git inside = git.at(path);
      CR_CHECK(require_own_worktree(inside, spec, context));
      CR_CHECK(make_folders(folder));
      diff = "failed/worktree.patch";
      CR_TRY(const ProcessReply reply,
             inside.run_to_file({"diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv"},
                                context.run_folder / diff));
      if (reply.exit_code != 0)
        return fail(ErrorCode::io, "cannot save the difference of " + path.string());
      CR_CHECK(save_files(inside, folder / "files", saved, skipped));
      CR_TRY(const HeadState head, read_head(inside));
      CR_CHECK(git.text({"update-ref", ref, head.commit}));
      // Checked out apart from the run's branch: both tips are kept.
      if (head.branch != name)
        CR_CHECK(git.text({"update-ref", held_ref(spec.root, "failed-detached"), head.commit}));
    }
    CR_CHECK(git.text({"worktree", "remove", "--force", "--force", path.string()}));
    removed = true;
  }
  bool deleted = false;
  if (state.created) {
    // Whatever the worktree showed, or whether it was there: the branch's tip is the failed work.
    CR_CHECK(git.text({"update-ref", ref, state.commit}));
    CR_TRY(const auto left, worktrees(git));
    const bool elsewhere = std::any_of(left.begin(), left.end(),
                                       [&](const Entry& other) { return other.branch == name; });
    if (!elsewhere) {
      CR_CHECK(delete_branch(git, spec.root, name, state.commit));
      deleted = true;
    }
  }
  CR_TRY(const auto failed, git.line_if({"rev-parse", "--verify", "--quiet", ref}));
  CR_TRY(const BranchState after, look_at_branch(git, spec.root, name));
  cel::Map result;
  result.set("removed", removed);
  result.set("branch_deleted", deleted);
  result.set("branch_kept", !after.commit.empty());
  result.set("failed_ref", failed ? ref : "");
  result.set("failed_commit", failed.value_or(""));
  result.set("diff", diff);
  result.set("saved", saved.value());
  result.set("not_saved", skipped.value());
  return completed(std::move(result));
}

}  // namespace

void add_worktree_kinds(JobCatalog& catalog) {
  catalog.add(
      own_kind({"git.worktree", "The run's own worktree on a branch of its own",
                "{repo: string, branch: string, commit: string, path?: string, reuse?: bool}",
                "{ready: bool, path: string, branch: string, checked_out: string, head: string, "
                "commit: string, at_commit: bool, clean: bool, existed: bool, owner: string, "
                "created_branch: bool, problem: string}",
                Repeat::safe},
               worktree));
  catalog.add(own_kind(
      {"git.worktree_remove", "Keep the failed work, remove the run's worktree and branch",
       "{repo: string, branch: string, worktree?: string}",
       "{removed: bool, branch_deleted: bool, branch_kept: bool, failed_ref: string, "
       "failed_commit: string, diff: string, saved: list<string>, not_saved: list<string>}",
       Repeat::safe},
      remove));
}

}  // namespace checkride::jobs

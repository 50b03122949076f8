// git.branch: a branch at a commit, never moved once it exists (step A.2). git.commit: the index of
// the run's worktree as one commit (step C.n.8). Both compare before and after, so a repetition
// finds its own work and changes nothing.
#include <re2/re2.h>

#include <chrono>
#include <ctime>

#include "workflows/jobs/bounded.h"
#include "workflows/jobs/branches.h"
#include "workflows/jobs/git.h"
#include "workflows/jobs/kind.h"

namespace checkride::jobs {

namespace {

std::string branch_ref(const std::string& name) {
  return "refs/heads/" + name;
}
std::string created_ref(const RunId& root, const std::string& name) {
  return held_ref(root, "created/" + name);
}

}  // namespace

Result<BranchState> look_at_branch(const Git& git, const RunId& root, const std::string& name) {
  CR_TRY(const bool valid, git.succeeds({"check-ref-format", branch_ref(name)}));
  if (!valid || name.starts_with('-'))
    return fail(ErrorCode::invalid_argument, "'" + name + "' is no valid branch name");
  BranchState state;
  CR_TRY(const auto commit, git.line_if({"rev-parse", "--verify", "--quiet", branch_ref(name)}));
  state.commit = commit.value_or("");
  CR_TRY(const bool noted,
         git.succeeds({"rev-parse", "--verify", "--quiet", created_ref(root, name)}));
  state.created = noted && !state.commit.empty();
  return state;
}

Result<void> create_branch(const Git& git, const RunId& root, const std::string& name,
                           const std::string& commit) {
  const std::string note = created_ref(root, name);
  CR_CHECK(free_ref(git, note));
  CR_CHECK(free_ref(git, branch_ref(name)));
  CR_CHECK(git.text({"update-ref", note, commit}));
  const auto made = git.text({"update-ref", "-m", "branch: created by checkride run " + root.value,
                              branch_ref(name), commit, ""});
  if (made) return {};
  // Somebody else made it by now.
  CR_CHECK(git.text({"update-ref", "-d", note}));
  return tl::unexpected(made.error());
}

Result<void> delete_branch(const Git& git, const RunId& root, const std::string& name,
                           const std::string& tip) {
  CR_CHECK(free_ref(git, created_ref(root, name)));
  CR_CHECK(free_ref(git, branch_ref(name)));
  CR_CHECK(git.text({"update-ref", "--stdin"}, "start\ndelete " + branch_ref(name) + " " + tip +
                                                   "\ndelete " + created_ref(root, name) +
                                                   "\nprepare\ncommit\n"));
  return {};
}

namespace {

constexpr std::string_view date_fields = "YmdHMS";

// "backup-%Y%m%d_%H%M%S" with the time filled in (UTC).
Result<std::string> dated(const std::string& pattern, std::time_t now) {
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::string name;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      name += pattern[i];
      continue;
    }
    if (i + 1 == pattern.size() || date_fields.find(pattern[i + 1]) == std::string_view::npos)
      return fail(ErrorCode::invalid_argument,
                  "'" + pattern + "': after % only Y, m, d, H, M and S are known");
    const char format[] = {'%', pattern[++i], '\0'};
    char text[16] = {};
    name.append(text, std::strftime(text, sizeof text, format, &utc));  // NOLINT: fixed formats
  }
  return name;
}

// A branch this run made from the same pattern in an earlier attempt; empty if there is none.
Result<std::string> earlier_branch(const Git& git, const RunId& root, const std::string& pattern,
                                   const std::string& commit) {
  std::string expression;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '%' && i + 1 < pattern.size())
      expression += pattern[++i] == 'Y' ? "\\d{4}" : "\\d{2}";
    else
      expression += re2::RE2::QuoteMeta(re2::StringPiece(&pattern[i], 1));
  }
  const re2::RE2 shape(expression, re2::RE2::Quiet);
  const std::string prefix = created_ref(root, "");
  CR_TRY(const std::string listed,
         git.text({"for-each-ref", "--points-at", commit, "--format=%(refname)", prefix}));
  for (std::size_t at = 0; at < listed.size();) {
    const std::size_t end = std::min(listed.find('\n', at), listed.size());
    const std::string name = listed.substr(at + prefix.size(), end - at - prefix.size());
    if (re2::RE2::FullMatch(name, shape)) return name;
    at = end + 1;
  }
  return std::string();
}

Result<JobOutcome> branch(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git git,
         open_repository(path_of(in.string_or("repo", "."), context.run_folder), context));
  const std::string wanted = in.string_or("commit", "HEAD");
  CR_TRY(const HeadState head, read_head(git));
  CR_TRY(const std::string commit,
         git.line({"rev-parse", "--verify", "--end-of-options", wanted + "^{commit}"}));
  const std::string pattern = in.string_or("name", "");
  std::string name = pattern;
  if (pattern.find('%') != std::string::npos) {
    CR_TRY(name, earlier_branch(git, spec.root, pattern, commit));
    if (name.empty()) {
      CR_TRY(name, dated(pattern,
                         std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
    }
  }
  CR_TRY(const BranchState before, look_at_branch(git, spec.root, name));
  if (before.commit.empty()) CR_CHECK(create_branch(git, spec.root, name, commit));
  CR_TRY(const BranchState after, look_at_branch(git, spec.root, name));
  cel::Map result;
  result.set("name", front_of(name, 1024));
  result.set("commit", after.commit);
  result.set("wanted", commit);
  result.set("created", after.created);
  result.set("existed", !before.commit.empty());
  result.set("ok", after.commit == commit);
  result.set("start_branch", front_of(head.branch, 1024));
  result.set("start_commit", head.commit);
  return completed(std::move(result), after.commit == commit ? JobStatus::pass : JobStatus::fail);
}

Result<JobOutcome> commit_index(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git git,
         open_repository(path_of(in.string_or("worktree", "."), context.run_folder), context));
  CR_CHECK(require_own_worktree(git, spec, context));
  CR_TRY(const auto entries, index_entries(git));
  const auto unmerged = unmerged_paths(entries);
  if (!unmerged.empty())
    return fail(ErrorCode::invalid_argument, *unmerged.begin() + " is unmerged in " +
                                                 git.folder().string() +
                                                 "; resolve it and run git add before the commit");
  CR_TRY(const HeadState head, read_head(git));
  CR_TRY(const std::string tree, index_tree(git));
  CR_TRY(const std::string head_tree, git.line({"rev-parse", "HEAD^{tree}"}));
  std::string commit = head.commit;
  const bool needed = tree != head_tree;
  if (needed) {
    CR_CHECK(free_ref(git, "HEAD"));
    if (!head.branch.empty()) CR_CHECK(free_ref(git, branch_ref(head.branch)));
    CR_TRY(const Git named, with_identity(git));
    CR_TRY(commit, named.line({"commit-tree", tree, "-p", head.commit, "-F", "-"},
                              in.string_or("message", "") + "\n"));
    CR_CHECK(git.text({"update-ref", "-m", "checkride: " + in.string_or("message", ""), "HEAD",
                       commit, head.commit}));
  }
  const std::string ref = held_ref(spec.root, spec.token.value + "-commit");
  CR_CHECK(git.text({"update-ref", ref, commit}));
  cel::Map result;
  result.set("commit", commit);
  result.set("parent", needed ? head.commit : "");
  result.set("tree", tree);
  result.set("committed", needed);
  result.set("branch", front_of(head.branch, 1024));
  result.set("ref", ref);
  return completed(std::move(result));
}

}  // namespace

void add_branch_kinds(JobCatalog& catalog) {
  catalog.add(own_kind({"git.branch", "Create a branch, never move one",
                        "{repo: string, name: string, commit?: string}",
                        "{name: string, commit: string, wanted: string, created: bool, "
                        "existed: bool, ok: bool, start_branch: string, start_commit: string}",
                        Repeat::safe},
                       branch));
  catalog.add(own_kind({"git.commit", "Commit the index of the run's worktree",
                        "{worktree: string, message: string}",
                        "{commit: string, parent: string, tree: string, committed: bool, "
                        "branch: string, ref: string}",
                        Repeat::safe},
                       commit_index));
}

}  // namespace checkride::jobs

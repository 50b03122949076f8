// patch.residue (step C.n.4): whether a conflict was really resolved. A person's word is not taken
// for it: everything is read from the files, the index and the branch tip. Refused are an unmerged
// path, marker lines anywhere (a `git commit -a` hides them from git status), an answer without
// `git add`, and a resolution that takes one side, or one after the other, in every region of a
// file, unless that was chosen on purpose.
#include <algorithm>
#include <array>
#include <optional>

#include "engine/base/files.h"
#include "workflows/jobs/bounded.h"
#include "workflows/jobs/conflict.h"
#include "workflows/jobs/git.h"
#include "workflows/jobs/kind.h"
#include "workflows/jobs/patch_result.h"
#include "workflows/jobs/patch_text.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

class Findings {
 public:
  void add(const std::string& check, const std::string& path, std::int64_t line,
           const std::string& message) {
    cel::Map finding;
    finding.set("check", check);
    finding.set("path", front_of(path, 4096));
    finding.set("line", line);
    finding.set("message", front_of(message, 1024));
    list_.add(std::move(finding));
  }
  std::int64_t total() const { return list_.total(); }
  cel::Value value() const { return list_.value(); }

 private:
  BoundedList list_{200, 64 << 10};
};

// One path in the three places it is looked for; nothing where it does not exist.
struct Copies {
  std::optional<std::string> disk;
  std::optional<std::string> index;
  std::optional<std::string> tip;
  bool staged_as_is = true;  // the index holds what is on disk
};

struct Residue {
  const Git& git;
  const JobContext& context;
  std::string since;  // branch tip when the patch was applied
  std::string head;
  std::set<std::string> targets;
  std::vector<IndexEntry> entries;
  Findings findings;
  BoundedList sides{100, 32 << 10};
  bool waived = false;
};

Result<Copies> read_copies(const Residue& residue, const std::string& path) {
  const Git& git = residue.git;
  Copies copies;
  const fs::path file = git.folder() / path;
  std::error_code ignored;
  if (fs::is_regular_file(fs::symlink_status(file, ignored))) {
    CR_TRY(copies.disk, read_file(file, patch_bytes_max));
  }
  const auto entry =
      std::find_if(residue.entries.begin(), residue.entries.end(),
                   [&](const IndexEntry& one) { return one.path == path && one.stage == 0; });
  if (entry != residue.entries.end() && entry->mode != "160000") {
    CR_TRY(copies.index, git.text({"cat-file", "blob", entry->blob}));
    if (copies.disk) {
      // With the path's filters, as git add would store it.
      CR_TRY(const std::string blob, git.line({"hash-object", "--", path}));
      copies.staged_as_is = blob == entry->blob;
    } else {
      copies.staged_as_is = fs::is_symlink(fs::symlink_status(file, ignored));
    }
  }
  if (!residue.head.empty() && residue.head != residue.since) {
    CR_TRY(const ProcessReply reply, git.run({"cat-file", "blob", residue.head + ":" + path}));
    if (reply.exit_code == 0) copies.tip = reply.out;
  }
  return copies;
}

void check_markers(Residue& residue, const std::string& path, const Copies& copies) {
  const auto look = [&](const std::optional<std::string>& text, const char* where) {
    if (!text) return;
    for (const std::int64_t line : marker_lines(*text, 20))
      residue.findings.add("markers", path, line,
                           std::string("a conflict marker is left ") + where);
  };
  look(copies.disk, "in the file");
  look(copies.index, "in the index");
  look(copies.tip, "in the commit made since");
}

// git's own idea of leftover markers, over everything changed since the patch and not only its
// targets.
Result<void> check_with_git(Residue& residue) {
  std::vector<std::vector<std::string>> commands = {
      {"diff", "--no-ext-diff", "--check"}, {"diff", "--no-ext-diff", "--cached", "--check"}};
  if (!residue.since.empty() && residue.since != residue.head)
    commands.push_back({"diff", "--no-ext-diff", "--check", residue.since});
  std::set<std::string> seen;
  for (const auto& command : commands) {
    CR_TRY(const ProcessReply reply, residue.git.run(command));
    for (std::size_t at = 0; at < reply.out.size();) {
      const std::size_t end = std::min(reply.out.find('\n', at), reply.out.size());
      const std::string line = reply.out.substr(at, end - at);
      at = end + 1;
      // "PATH:LINE: leftover conflict marker"
      if (line.ends_with(": leftover conflict marker") && seen.insert(line).second)
        residue.findings.add("diff-check", line.substr(0, line.find(':')), 0, line);
    }
  }
  return {};
}

bool accepts(const std::string& chosen, const std::string& side) {
  if (side == "ours") return chosen == "take-ours" || chosen == "superseded";
  if (side == "theirs") return chosen == "take-theirs";
  return side == "both" && chosen == "keep-both";
}

std::string side_message(const std::string& side) {
  const std::string taken = side == "ours"     ? "the upstream side alone"
                            : side == "theirs" ? "the patch's side alone"
                                               : "one side followed by the other";
  const std::string option = side == "ours"     ? "take-ours (or superseded)"
                             : side == "theirs" ? "take-theirs"
                                                : "keep-both";
  return "every conflict region was resolved to " + taken + "; if that is meant, choose " + option +
         " and give the reason";
}

Result<void> check_sides(Residue& residue, const ConflictFile& conflict, const Copies& copies,
                         const std::string& chosen) {
  const bool removed_on_purpose = conflict.ours.empty() || conflict.theirs.empty();
  if (!copies.disk && !copies.index && !removed_on_purpose) {
    residue.findings.add("sides", conflict.path, 0, "the file with the conflict was deleted");
    return {};
  }
  std::string side = "mixed";
  for (const auto* text : {&copies.index, &copies.disk}) {
    if (!*text || side != "mixed" || !marker_lines(**text, 1).empty()) continue;
    CR_TRY(side, side_of(residue.git, conflict, **text, residue.context.attempt_folder));
  }
  const std::optional<std::string>& result = copies.index ? copies.index : copies.disk;
  if (side == "mixed" && result && result->empty() && !conflict.hunks.empty())
    residue.findings.add("sides", conflict.path, 0, "the file with the conflict was emptied");
  const bool accepted = side != "mixed" && accepts(chosen, side);
  if (accepted) residue.waived = true;
  if (side != "mixed" && !accepted)
    residue.findings.add("sides", conflict.path,
                         conflict.hunks.empty() ? 0 : conflict.hunks.front().line,
                         side_message(side));
  cel::Map entry;
  entry.set("path", front_of(conflict.path, 4096));
  entry.set("side", side);
  entry.set("accepted", accepted || side == "mixed");
  entry.set("hunks", static_cast<std::int64_t>(conflict.hunks.size()));
  residue.sides.add(std::move(entry));
  return {};
}

Result<void> check_path(Residue& residue, const std::string& path, bool unmerged,
                        const std::vector<ConflictFile>& conflicts, const std::string& chosen) {
  CR_TRY(const Copies copies, read_copies(residue, path));
  if (unmerged)
    residue.findings.add("unmerged", path, 0,
                         "the path is still unmerged: run git add when it is resolved");
  else if (!copies.staged_as_is)
    residue.findings.add(
        "unstaged", path, 0,
        "the file differs from the index: run git add so that what you see counts");
  check_markers(residue, path, copies);
  for (const ConflictFile& conflict : conflicts)
    if (conflict.path == path) CR_CHECK(check_sides(residue, conflict, copies, chosen));
  return {};
}

Result<JobOutcome> residue(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  const std::string chosen = in.string_or("chosen", "");
  constexpr std::array choices = {"", "take-ours", "take-theirs", "keep-both", "superseded"};
  // Any other named answer of the gate accepts nothing; it is no error to pass it on.
  const bool known = std::find(choices.begin(), choices.end(), chosen) != choices.end();
  CR_TRY(
      const Git git,
      open_repository(path_of(in.string_or("worktree", "worktree"), context.run_folder), context));
  CR_CHECK(require_own_worktree(git, spec, context));
  const cel::Value none;
  const cel::Value* given = in.field("attempt");
  const cel::Value& attempt = given == nullptr ? none : *given;
  CR_CHECK(git.run({"update-index", "-q", "--refresh"}));
  CR_TRY(const HeadState head, read_head(git));
  Residue all{git, context, attempt.string_or("head", ""), head.commit, {},
              {},  {},      BoundedList{100, 32 << 10},    false};
  CR_TRY(all.entries, index_entries(git));
  for (std::string& target : strings(attempt, "targets")) all.targets.insert(std::move(target));
  // The recorded list is bounded; the patch, if it is still the same, names all of them.
  CR_TRY(const PatchText patch,
         read_patch(git, attempt.string_or("patch", ""),
                    static_cast<int>(std::clamp<std::int64_t>(in.int_or("strip", 1), 0, 64))));
  if (patch.sha256 == attempt.string_or("patch_sha256", ""))
    for (std::string& target : patch.targets()) all.targets.insert(std::move(target));
  const cel::Value* list = attempt.field("conflicts");
  const std::vector<ConflictFile> conflicts = conflicts_from(list == nullptr ? none : *list);
  for (const ConflictFile& conflict : conflicts) all.targets.insert(conflict.path);

  if (static_cast<std::size_t>(attempt.int_or("conflict_files", 0)) > conflicts.size())
    all.findings.add("sides", "", 0,
                     "only the first " + std::to_string(conflicts.size()) +
                         " files with conflicts could be recorded; split the patch");

  const std::set<std::string> unmerged = unmerged_paths(all.entries);
  for (const std::string& path : all.targets)
    CR_CHECK(check_path(all, path, unmerged.contains(path), conflicts, known ? chosen : ""));
  CR_CHECK(check_with_git(all));
  const std::string branch = in.string_or("branch", "");
  if (!branch.empty() && branch != head.branch)
    all.findings.add("branch", "", 0,
                     "the worktree is on '" + head.branch + "', not on '" + branch + "'");

  const bool ok = all.findings.total() == 0;
  std::string tree;
  std::string commit;
  std::string ref;
  if (ok && unmerged.empty()) {
    CR_TRY(tree, index_tree(git));
    ref = held_ref(spec.root, spec.token.value + "-resolved");
    CR_TRY(commit, hold_tree(git, tree, head.commit, ref, "a resolved conflict"));
  }
  cel::Map result;
  result.set("ok", ok);
  result.set("findings", all.findings.value());
  result.set("total", all.findings.total());
  result.set("sides", all.sides.value());
  result.set("waived", ok && all.waived);
  result.set("head", head.commit);
  result.set("head_moved", head.commit != all.since);
  result.set("tree", tree);
  result.set("commit", commit);
  result.set("ref", ref);
  return completed(std::move(result), ok ? JobStatus::pass : JobStatus::fail);
}

}  // namespace

void add_residue_kinds(JobCatalog& catalog) {
  catalog.add(own_kind(
      {"patch.residue", "Whether a conflict was really resolved, in files, index and branch tip",
       "{attempt: " + apply_type +
           ", worktree?: string, strip?: int, chosen?: string, branch?: string}",
       "{ok: bool, findings: list<{check: string, path: string, line: int, message: string}>, "
       "total: int, sides: list<{path: string, side: string, accepted: bool, hunks: int}>, "
       "waived: bool, head: string, head_moved: bool, tree: string, commit: string, ref: string}",
       Repeat::safe},
      residue));
}

}  // namespace checkride::jobs

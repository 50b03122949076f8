#include "workflows/jobs/apply.h"

#include <algorithm>
#include <map>

#include "engine/base/files.h"
#include "workflows/jobs/bounded.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

std::vector<IndexEntry> entries_of(const std::vector<IndexEntry>& all,
                                   const std::set<std::string>& paths) {
  std::vector<IndexEntry> some;
  for (const IndexEntry& entry : all)
    if (paths.contains(entry.path)) some.push_back(entry);
  return some;
}

// A target whose file is not what the index says, or that stands untracked where the patch creates
// one.
Result<std::string> dirty_target(const Git& git, const std::vector<IndexEntry>& entries,
                                 const std::set<std::string>& targets) {
  CR_TRY(const std::string changed, git.text({"diff-files", "-z", "--name-only"}));
  for (const std::string& path : split_zero(changed))
    if (targets.contains(path)) return path;
  std::set<std::string> tracked;
  for (const IndexEntry& entry : entries) tracked.insert(entry.path);
  for (const std::string& path : targets) {
    std::error_code ignored;
    if (!tracked.contains(path) &&
        fs::symlink_status(git.folder() / path, ignored).type() != fs::file_type::not_found)
      return path;
  }
  return std::string();
}

std::string as_pattern(const std::string& path) {
  std::string pattern;
  for (const char c : path) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

struct MissingBlobs {
  std::vector<std::string> ids;  // named by the patch, not in this repository
  bool is_the_cause = false;     // files without a usable preimage do not apply directly either
};

// git apply needs the preimage of each file for the three-way merge and else falls back to the
// plain way; that way is tried here for exactly the files that lack it.
Result<MissingBlobs> look_for_blobs(const Git& git, const PatchText& patch, const fs::path& file,
                                    const std::string& strip,
                                    const std::set<std::string>& tracked) {
  MissingBlobs missing;
  std::vector<std::string> command = {"apply", "--check", strip};
  bool any = false;
  for (const PatchFile& one : patch.files) {
    if (one.change == "create" || !tracked.contains(one.old_path)) continue;
    bool present = false;
    if (!one.preimage.empty()) {
      CR_TRY(present, git.succeeds({"cat-file", "-e", one.preimage + "^{blob}"}));
    }
    if (present) continue;
    any = true;
    if (!one.preimage.empty()) missing.ids.push_back(one.preimage);
    command.push_back("--include=" + as_pattern(one.path));
  }
  if (!any) return missing;
  command.push_back(file.string());
  CR_TRY(const bool applies, git.succeeds(command));
  missing.is_the_cause = !applies;
  return missing;
}

bool has_markers(const fs::path& file) {
  const auto text = read_file(file, patch_bytes_max);
  return text && !marker_lines(*text, 1).empty();
}

Result<void> collect_conflicts(const Git& git, const std::vector<IndexEntry>& entries,
                               const std::set<std::string>& targets, const fs::path& scratch,
                               ApplyReport& report) {
  CR_TRY(report.conflicts, read_conflicts(git, entries, targets, scratch));
  CR_TRY(const auto replayed, replay_resolutions(git, scratch));
  for (ConflictFile& file : report.conflicts)
    file.replayed =
        !file.binary && replayed.contains(file.path) && !has_markers(git.folder() / file.path);
  const bool all = std::all_of(report.conflicts.begin(), report.conflicts.end(),
                               [](const ConflictFile& file) { return file.replayed; });
  report.outcome = all ? "conflict-replayed" : "conflict";
  report.note = all ? "resolutions stored earlier were put in place: run git add, then look at them"
                    : "resolve the conflicts, then run git add for each file";
  return {};
}

}  // namespace

bool is_applied(const std::string& outcome) {
  return outcome == "clean-direct" || outcome == "clean-merged" || outcome == "already-applied";
}
bool is_conflict(const std::string& outcome) {
  return outcome == "conflict" || outcome == "conflict-replayed" || outcome == "pending-conflict";
}

Result<ApplyReport> apply_patch(const Git& git, const fs::path& patch, int strip_count,
                                const fs::path& scratch) {
  ApplyReport report;
  const std::string strip = "-p" + std::to_string(strip_count);
  CR_TRY(report.patch, read_patch(git, patch, strip_count));
  CR_TRY(const HeadState head, read_head(git));
  report.head = head.commit;
  CR_CHECK(git.run({"update-index", "-q", "--refresh"}));  // says nothing new about content
  CR_TRY(const auto before, index_entries(git));
  const std::set<std::string> unmerged_before = unmerged_paths(before);
  if (unmerged_before.empty()) {
    CR_TRY(report.tree_before, index_tree(git));
  }
  report.tree_after = report.tree_before;
  report.targets = report.patch.targets();
  const std::set<std::string> targets(report.targets.begin(), report.targets.end());

  const std::vector<std::string> check = {"apply", "--check", strip, patch.string()};
  const auto dry_run = [&]() -> Result<void> {
    CR_TRY(const ProcessReply reply,
           git.run({"apply", "--3way", "--check", strip, patch.string()}));
    report.exit_code = reply.exit_code;
    report.log = reply.out + reply.err;
    return {};
  };
  if (!report.patch.problem.empty()) {
    CR_CHECK(dry_run());
    report.outcome = report.patch.problem == "missing" ? "patch-missing" : "patch-corrupt";
    report.note = report.patch.message + "; nothing was changed";
    return report;
  }
  CR_TRY(const std::string index,
         git.line({"rev-parse", "--path-format=absolute", "--git-path", "index"}));
  std::error_code ignored;
  if (fs::exists(index + ".lock", ignored)) report.lock = index + ".lock";
  for (const std::string& path : unmerged_before)
    if (targets.contains(path)) {
      CR_CHECK(dry_run());
      CR_TRY(report.conflicts, read_conflicts(git, before, targets, scratch));
      report.outcome = "pending-conflict";
      report.note =
          path + " is still unmerged from an earlier attempt; the patch was not applied again";
      return report;
    }
  CR_TRY(const std::string dirty, dirty_target(git, before, targets));
  if (!dirty.empty()) {
    CR_CHECK(dry_run());
    report.outcome = "dirty-target";
    report.note =
        dirty + " was changed without git add, or is in the way; clean it, then apply again";
    return report;
  }

  CR_TRY(const ProcessReply checked, git.run(check));
  report.check_exit = checked.exit_code;
  CR_TRY(const ProcessReply applied, git.run({"apply", "--3way", strip, patch.string()}));
  report.exit_code = applied.exit_code;
  report.log = applied.out + applied.err;

  CR_TRY(const auto after, index_entries(git));
  const std::set<std::string> unmerged = unmerged_paths(after);
  report.tree_after.clear();
  if (unmerged.empty()) {
    CR_TRY(report.tree_after, index_tree(git));
  }
  const bool changed = entries_of(before, targets) != entries_of(after, targets);
  const bool in_conflict = std::any_of(unmerged.begin(), unmerged.end(),
                                       [&](const auto& path) { return targets.contains(path); });
  if (applied.exit_code == 0 && !in_conflict) {
    report.outcome = !changed                 ? "already-applied"
                     : report.check_exit == 0 ? "clean-direct"
                                              : "clean-merged";
    if (report.outcome == "clean-merged") report.note = "merged at moved context, review";
    if (report.outcome == "already-applied") report.note = "the tree holds the patch already";
    return report;
  }
  if (applied.exit_code == 1 && in_conflict) {
    CR_CHECK(collect_conflicts(git, after, targets, scratch, report));
    return report;
  }
  if (applied.exit_code == 1 && !changed) {
    std::set<std::string> tracked;
    for (const IndexEntry& entry : after) tracked.insert(entry.path);
    CR_TRY(const MissingBlobs missing, look_for_blobs(git, report.patch, patch, strip, tracked));
    report.missing_blobs = missing.ids;
    if (missing.is_the_cause) {
      report.outcome = "no-blob";
      report.note = missing.ids.empty()
                        ? "the patch has no index lines, so no three-way merge is possible"
                        : "fetch the blobs it was made from, or apply it by hand";
      return report;
    }
    report.outcome = "does-not-apply";
    report.note = report.patch.crlf ? "the lines of the patch end in CR LF: convert it back to LF"
                                    : "no three-way merge can help; apply it by hand";
    for (const PatchFile& file : report.patch.files)
      if (file.change != "create" && !tracked.contains(file.old_path))
        report.note = file.old_path + " is not in the tree; upstream moved or removed it";
    return report;
  }
  report.outcome = "tool-error";
  report.note = report.lock.empty()
                    ? "git apply ended in a way that is no answer; look at the log"
                    : report.lock + " was there: another git is at work, or died; then remove it";
  return report;
}

}  // namespace checkride::jobs

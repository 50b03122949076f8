// git.status (step A.1 of the procedures), git.snapshot and git.same: what the user's checkout
// looks like, and whether it still does. They read only; git's optional locks are off, so not even
// the user's index is refreshed.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "engine/base/digest.h"
#include "engine/base/files.h"
#include "workflows/jobs/bounded.h"
#include "workflows/jobs/git.h"
#include "workflows/jobs/glob.h"
#include "workflows/jobs/kind.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

Result<JobOutcome> status(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git plain,
         open_repository(path_of(in.string_or("repo", "."), context.run_folder), context));
  const Git git = plain.with_excludes(in.string_or("excludes", ""));
  CR_TRY(const Globs allowed, Globs::compile(strings(in, "allowed")));
  CR_TRY(const std::string text,
         git.text({"status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"}));
  CR_TRY(const HeadState head, read_head(git));

  const bool holds_run = lies_within(context.run_folder, git.folder());
  BoundedList entries;
  std::int64_t refused = 0;
  std::int64_t unmerged = 0;
  for (const std::string& line : split_zero(text)) {
    if (line.size() < 4) continue;
    const std::string code = line.substr(0, 2);
    const std::string path = line.substr(3);
    if (holds_run && code == "??" && lies_within(git.folder() / path, context.run_folder)) continue;
    constexpr std::array unmerged_codes = {"DD", "AU", "UD", "UA", "DU", "AA", "UU"};
    const bool is_unmerged =
        std::find(unmerged_codes.begin(), unmerged_codes.end(), code) != unmerged_codes.end();
    const bool is_allowed = allowed.matches(path);
    if (!is_allowed) ++refused;
    if (is_unmerged) ++unmerged;
    cel::Map entry;
    entry.set("path", front_of(path, 4096));
    entry.set("code", code);
    entry.set("allowed", is_allowed);
    entry.set("unmerged", is_unmerged);
    entries.add(std::move(entry));
  }
  cel::Map result;
  result.set("entries", entries.value());
  result.set("total", entries.total());
  result.set("not_allowed", refused);
  result.set("unmerged", unmerged);
  result.set("clean", entries.total() == 0);
  result.set("ok", refused == 0 && unmerged == 0);
  result.set("head", head.commit);
  result.set("branch", front_of(head.branch, 1024));
  result.set("detached", head.detached);
  result.set("top", front_of(git.folder().string(), 4096));
  return completed(std::move(result));
}

// One line for each file of the checkout, tracked or not (ignored files are nobody's promise):
// type and permission, content digest, path; separated by NUL, so any path is safe.
struct Record {
  HeadState head;
  std::string index;
  std::string worktree;
  std::string manifest;
  std::int64_t files = 0;
};

Result<std::string> manifest_entry(const fs::path& top, const std::string& path) {
  const fs::path file = top / path;
  struct stat info {};
  if (::lstat(file.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return "absent - " + path;
    return fail_errno("look at", file.string());
  }
  if (S_ISLNK(info.st_mode)) {
    std::error_code problem;
    const fs::path target = fs::read_symlink(file, problem);
    if (problem) return fail(ErrorCode::io, "cannot read the link " + file.string());
    return "link " + to_hex(sha256(target.string())) + " " + path;
  }
  if (!S_ISREG(info.st_mode)) return "other - " + path;  // a submodule, a socket
  CR_TRY(const FileDigest digest, digest_file(file));
  return std::string((info.st_mode & S_IXUSR) != 0 ? "exec " : "file ") + digest.sha256 + " " +
         path;
}

Result<Record> record_checkout(const Git& git, const fs::path& run_folder) {
  Record record;
  CR_TRY(record.head, read_head(git));
  CR_TRY(const std::string index, git.text({"ls-files", "--stage", "-z"}));
  record.index = to_hex(sha256(index));
  CR_TRY(const std::string listed,
         git.text({"ls-files", "-z", "--cached", "--others", "--exclude-standard"}));
  std::vector<std::string> paths = split_zero(listed);
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());  // unmerged ones come thrice
  const bool holds_run = lies_within(run_folder, git.folder());
  for (const std::string& path : paths) {
    if (holds_run && lies_within(git.folder() / path, run_folder)) continue;
    CR_TRY(const std::string entry, manifest_entry(git.folder(), path));
    record.manifest += entry;
    record.manifest += '\0';
    ++record.files;
  }
  record.worktree = to_hex(sha256(record.manifest));
  return record;
}

Result<JobOutcome> snapshot(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git git,
         open_repository(path_of(in.string_or("repo", "."), context.run_folder), context));
  CR_TRY(const Record record, record_checkout(git, context.run_folder));
  // The manifest itself is kept beside the result, so that git.same can name what differs.
  const std::string name = "checkout-" + record.worktree.substr(0, 16) + ".manifest";
  CR_CHECK(write_file_atomic(context.run_folder / name, record.manifest));
  cel::Map result;
  result.set("repo", front_of(git.folder().string(), 4096));
  result.set("head", record.head.commit);
  result.set("branch", front_of(record.head.branch, 1024));
  result.set("detached", record.head.detached);
  result.set("index", record.index);
  result.set("worktree", record.worktree);
  result.set("files", record.files);
  result.set("manifest", name);
  return completed(std::move(result));
}

// "file DIGEST PATH" lines that are in one manifest only, as sentences.
void name_differences(const std::string& before, const std::string& after, BoundedList& found) {
  std::vector<std::string> a = split_zero(before);
  std::vector<std::string> b = split_zero(after);
  const auto path_of_line = [](const std::string& line) {
    return line.substr(line.find(' ', line.find(' ') + 1) + 1);
  };
  const auto by_path = [&](const std::string& x, const std::string& y) {
    return path_of_line(x) < path_of_line(y);
  };
  std::sort(a.begin(), a.end(), by_path);
  std::sort(b.begin(), b.end(), by_path);
  const auto say = [&](const std::string& line, const char* what) {
    found.add(front_of(path_of_line(line), 1024) + " " + what);
  };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (j == b.size() || (i < a.size() && path_of_line(a[i]) < path_of_line(b[j]))) {
      say(a[i++], "is gone");
    } else if (i == a.size() || path_of_line(b[j]) < path_of_line(a[i])) {
      say(b[j++], "is new");
    } else {
      if (a[i] != b[j]) say(a[i], "has changed");
      ++i;
      ++j;
    }
  }
}

Result<JobOutcome> same(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  const cel::Value none;
  const cel::Value* given = in.field("snapshot");
  const cel::Value& before = given == nullptr ? none : *given;
  const std::string repo = in.string_or("repo", before.string_or("repo", "."));
  CR_TRY(const Git git, open_repository(path_of(repo, context.run_folder), context));
  CR_TRY(const Record now, record_checkout(git, context.run_folder));
  BoundedList differences(50);
  const auto compare = [&](const char* field, const std::string& value, const char* what) {
    const std::string recorded = before.string_or(field, "");
    if (recorded != value)
      differences.add(std::string(what) + " was '" + recorded + "' and is '" +
                      front_of(value, 1024) + "'");
  };
  compare("head", now.head.commit, "HEAD");
  compare("branch", front_of(now.head.branch, 1024), "the branch");
  compare("index", now.index, "the digest of the index");
  if (before.string_or("worktree", "") != now.worktree) {
    const fs::path file = context.run_folder / before.string_or("manifest", "");
    auto recorded = read_file(file, 256U << 20);
    if (recorded && to_hex(sha256(*recorded)) == before.string_or("worktree", ""))
      name_differences(*recorded, now.manifest, differences);
    else
      differences.add("the files differ; the record of single files is lost (" +
                      front_of(file.string(), 1024) + ")");
  }
  cel::Map result;
  result.set("same", differences.total() == 0);
  result.set("differences", differences.value());
  result.set("total", differences.total());
  if (differences.total() == 0) return completed(std::move(result), JobStatus::pass);
  JobOutcome outcome = completed(std::move(result), JobStatus::fail);
  outcome.message =
      "it is not as it was recorded: " + differences.value().as_list().front().as_string() +
      (differences.total() > 1 ? ", and " + std::to_string(differences.total() - 1) + " more" : "");
  return outcome;
}

constexpr const char* snapshot_type =
    "{repo: string, head: string, branch: string, detached: bool, index: string, "
    "worktree: string, files: int, manifest: string}";

}  // namespace

void add_status_kinds(JobCatalog& catalog) {
  catalog.add(own_kind(
      {"git.status", "What of a checkout is changed, split by what is allowed to be",
       "{repo: string, allowed?: list<string>, excludes?: string}",
       "{entries: list<{path: string, code: string, allowed: bool, unmerged: bool}>, total: int, "
       "not_allowed: int, unmerged: int, clean: bool, ok: bool, head: string, branch: string, "
       "detached: bool, top: string}",
       Repeat::safe},
      status, {status, {"repo"}}));
  catalog.add(own_kind({"git.snapshot", "Record of a checkout: HEAD, index and every file",
                        "{repo: string}", snapshot_type, Repeat::safe},
                       snapshot));
  catalog.add(own_kind({"git.same", "Whether a checkout equals its record",
                        std::string("{snapshot: ") + snapshot_type + ", repo?: string}",
                        "{same: bool, differences: list<string>, total: int}", Repeat::safe},
                       same));
}

}  // namespace checkride::jobs

// toolbox.copy (step P.7): patches, scripts and documents copied with their hashes into the run's
// folder before any branch switch, because the tree switched to holds none of them. toolbox.overlay
// (B.1a): those scripts laid into the run's worktree where upstream tracks no such file, and taken
// away again.
#include <sys/stat.h>

#include <algorithm>

#include "engine/base/files.h"
#include "workflows/jobs/bounded.h"
#include "workflows/jobs/git.h"
#include "workflows/jobs/glob.h"
#include "workflows/jobs/kind.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t files_max = 10000;
constexpr std::size_t walked_max = 500000;

bool has_wildcard(const std::string& item) {
  return item.find_first_of("*?[") != std::string::npos;
}

// Copies by way of a temporary name, so that a file under its real name is whole.
Result<FileDigest> copy_whole(const fs::path& from, const fs::path& to) {
  CR_CHECK(make_folders(to.parent_path()));
  const fs::path part = to.string() + ".part";
  std::error_code problem;
  fs::copy_file(from, part, fs::copy_options::overwrite_existing, problem);
  if (!problem) fs::rename(part, to, problem);
  if (problem)
    return fail(problem == std::errc::no_space_on_device ? ErrorCode::no_space : ErrorCode::io,
                "cannot copy " + from.string() + " to " + to.string() + ": " + problem.message());
  CR_TRY(const FileDigest source, digest_file(from));
  CR_TRY(FileDigest copy, digest_file(to));
  if (source.sha256 != copy.sha256)
    return fail(ErrorCode::io, from.string() + " changed while it was copied; try again");
  return copy;
}

struct Selection {
  std::vector<std::string> files;    // relative to the root, sorted
  std::vector<std::string> missing;  // items that name nothing
};

// Everything below the root that an item names. Git's own folder is no tool, nor is the run's
// folder; links are followed only as far as the root.
Result<Selection> select(const fs::path& root, const std::vector<std::string>& items,
                         const fs::path& run_folder) {
  Selection selection;
  const auto add = [&](const fs::path& file) {
    std::error_code ignored;
    if (fs::is_regular_file(file, ignored) && lies_within(file, root))
      selection.files.push_back(file.lexically_relative(root).generic_string());
  };
  const auto walk = [&](const fs::path& from, const Globs* globs) -> Result<void> {
    std::error_code problem;
    std::size_t walked = 0;
    const auto options = fs::directory_options::skip_permission_denied;
    auto at = fs::recursive_directory_iterator(from, options, problem);
    for (; !problem && at != fs::recursive_directory_iterator(); at.increment(problem)) {
      std::error_code ignored;
      if (at->is_directory(ignored) &&
          (at->path().filename() == ".git" || fs::equivalent(at->path(), run_folder, ignored)))
        at.disable_recursion_pending();
      if (++walked > walked_max || selection.files.size() > files_max)
        return fail(ErrorCode::invalid_argument, "more than " + std::to_string(files_max) +
                                                     " files below " + from.string() +
                                                     "; name them more closely");
      const std::string relative = at->path().lexically_relative(root).generic_string();
      if (globs == nullptr || globs->matches(relative)) add(at->path());
    }
    return {};
  };
  for (const std::string& item : items) {
    const std::size_t before = selection.files.size();
    if (has_wildcard(item)) {
      CR_TRY(const Globs globs, Globs::compile({item}));
      // Walk only the folder in front of the first wildcard.
      const std::string fixed = item.substr(0, item.find_first_of("*?["));
      const std::size_t slash = fixed.rfind('/');
      const fs::path start = slash == std::string::npos ? root : root / fixed.substr(0, slash);
      std::error_code ignored;
      if (fs::is_directory(start, ignored)) CR_CHECK(walk(start, &globs));
    } else {
      CR_TRY(const fs::path path, path_within(item, root));
      std::error_code ignored;
      if (fs::is_directory(path, ignored))
        CR_CHECK(walk(path, nullptr));
      else
        add(path);
    }
    if (selection.files.size() == before) selection.missing.push_back(item);
  }
  std::sort(selection.files.begin(), selection.files.end());
  selection.files.erase(std::unique(selection.files.begin(), selection.files.end()),
                        selection.files.end());
  return selection;
}

cel::Map file_record(const std::string& path, const FileDigest& digest) {
  cel::Map record;
  record.set("path", front_of(path, 4096));
  record.set("sha256", digest.sha256);
  record.set("bytes", digest.bytes);
  return record;
}

Result<JobOutcome> copy(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  const fs::path root = path_of(in.string_or("repo", "."), context.run_folder);
  CR_TRY(const fs::path to, path_within(in.string_or("to", "toolbox"), context.run_folder));
  CR_TRY(const Selection selection, select(root, strings(in, "from"), context.run_folder));
  BoundedList files(300);
  std::string manifest;
  for (const std::string& file : selection.files) {
    CR_TRY(const FileDigest digest, copy_whole(root / file, to / file));
    files.add(file_record(file, digest));
    manifest += digest.sha256 + "  " + file + "\n";
  }
  // In the form `sha256sum --check` reads; complete, where the result's list is bounded.
  CR_CHECK(make_folders(to));
  CR_CHECK(write_file_atomic(to / "SHA256SUMS", manifest));
  CR_TRY(const FileDigest sums, digest_file(to / "SHA256SUMS"));
  cel::Map result;
  result.set("ok", selection.missing.empty());
  result.set("folder", front_of(to.string(), 4096));
  result.set("files", files.value());
  result.set("total", files.total());
  result.set("missing", list_of(selection.missing));
  result.set("manifest_sha256", sums.sha256);
  return completed(std::move(result),
                   selection.missing.empty() ? JobStatus::pass : JobStatus::fail);
}

Result<JobOutcome> overlay(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(
      const Git git,
      open_repository(path_of(in.string_or("worktree", "worktree"), context.run_folder), context));
  CR_CHECK(require_own_worktree(git, spec, context));
  const fs::path from = path_of(in.string_or("from", "toolbox"), context.run_folder);
  CR_TRY(const Selection selection, select(from, strings(in, "files"), {}));
  std::set<std::string> tracked;
  CR_TRY(const auto entries, index_entries(git));
  for (const IndexEntry& entry : entries) tracked.insert(entry.path);
  const bool remove = in.bool_or("remove", false);
  BoundedList files(300);
  BoundedList kept(100);
  std::string excludes;
  for (const std::string& file : selection.files) {
    if (file == "SHA256SUMS") continue;
    const fs::path target = git.folder() / file;
    if (tracked.contains(file) || !lies_within(target.parent_path(), git.folder())) {
      kept.add(front_of(file, 4096));
      continue;
    }
    if (remove) {
      std::error_code problem;
      if (!fs::exists(target, problem)) continue;
      CR_TRY(const FileDigest here, digest_file(target));
      CR_TRY(const FileDigest tool, digest_file(from / file));
      if (here.sha256 != tool.sha256) {
        kept.add(front_of(file, 4096));  // somebody worked on it
        continue;
      }
      fs::remove(target, problem);
      if (problem) return fail(ErrorCode::io, "cannot remove " + target.string());
      files.add(file_record(file, here));
      continue;
    }
    CR_TRY(const FileDigest digest, copy_whole(from / file, target));
    files.add(file_record(file, digest));
    excludes += "/";
    for (const char c : file) {
      if (std::string_view("*?[]\\ !#").find(c) != std::string_view::npos) excludes += '\\';
      excludes += c;
    }
    excludes += "\n";
  }
  // info/exclude belongs to the user's repository; git is given this file instead.
  const fs::path excludes_file = context.run_folder / "overlay.excludes";
  CR_CHECK(write_file_atomic(excludes_file, excludes));
  cel::Map result;
  result.set("ok", selection.missing.empty());
  result.set("files", files.value());
  result.set("total", files.total());
  result.set("kept", kept.value());
  result.set("missing", list_of(selection.missing));
  result.set("excludes", front_of(excludes_file.string(), 4096));
  return completed(std::move(result),
                   selection.missing.empty() ? JobStatus::pass : JobStatus::fail);
}

}  // namespace

void add_toolbox_kinds(JobCatalog& catalog) {
  const std::string files = "files: list<{path: string, sha256: string, bytes: int}>, total: int";
  catalog.add(own_kind(
      {"toolbox.copy", "Copy tools with their hashes into the run's folder",
       "{repo: string, from: list<string>, to?: string}",
       "{ok: bool, folder: string, " + files + ", missing: list<string>, manifest_sha256: string}",
       Repeat::safe},
      copy));
  catalog.add(own_kind(
      {"toolbox.overlay", "Lay tools into the run's worktree as untracked files, or take them away",
       "{files: list<string>, from?: string, worktree?: string, remove?: bool}",
       "{ok: bool, " + files + ", kept: list<string>, missing: list<string>, excludes: string}",
       Repeat::safe},
      overlay));
}

}  // namespace checkride::jobs

// git.export: uncommitted work as a patch and an archive in the run's folder (step A.3). git.diff:
// the difference of two trees as a file, evidence for gates. git.bundle: history as one file to
// carry away. git.log: which commits touched a file since a patch was made (diagnosis G.1). All of
// them only read.
#include <algorithm>

#include "engine/base/files.h"
#include "workflows/jobs/bounded.h"
#include "workflows/jobs/git.h"
#include "workflows/jobs/glob.h"
#include "workflows/jobs/kind.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> diff_command(std::vector<std::string> revisions,
                                      const std::vector<std::string>& options) {
  std::vector<std::string> command = {"diff",         "--no-ext-diff",   "--no-textconv",
                                      "--full-index", "--src-prefix=a/", "--dst-prefix=b/"};
  command.insert(command.end(), options.begin(), options.end());
  command.insert(command.end(), revisions.begin(), revisions.end());
  return command;
}

cel::Map file_record(const std::string& name, const FileDigest& digest) {
  cel::Map record;
  record.set("path", front_of(name, 4096));
  record.set("sha256", digest.sha256);
  record.set("bytes", digest.bytes);
  return record;
}

// The archive is made to be the same for the same files: sorted, owners and times left out.
Result<void> archive(const fs::path& top, const std::vector<std::string>& files,
                     const fs::path& target) {
  ProcessRequest request;
  request.argv = {"tar",
                  "--create",
                  "--format=gnu",
                  "--owner=0",
                  "--group=0",
                  "--numeric-owner",
                  "--mtime=@0",
                  "--no-recursion",
                  "--null",
                  "--verbatim-files-from",
                  "--file=" + target.string(),
                  "--force-local",
                  "--directory=" + top.string(),
                  "--files-from=-"};
  for (const std::string& file : files) request.input += file + '\0';
  CR_TRY(const ProcessReply reply, run_process(request));
  if (reply.exit_code != 0)
    return fail(ErrorCode::io,
                "tar could not pack the untracked files: " + end_of(reply.err, 1000));
  return {};
}

Result<JobOutcome> export_work(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git git,
         open_repository(path_of(in.string_or("repo", "."), context.run_folder), context));
  const std::string name = in.string_or("name", "uncommitted.patch");
  CR_TRY(const fs::path patch, path_within(name, context.run_folder));
  CR_CHECK(make_folders(patch.parent_path()));
  CR_TRY(const ProcessReply reply, git.run_to_file(diff_command({"HEAD"}, {"--binary"}), patch));
  if (reply.exit_code != 0)
    return fail(
        ErrorCode::invalid_argument,
        "cannot export the changes of " + git.folder().string() + ": " + end_of(reply.err, 1000));
  CR_TRY(const FileDigest digest, digest_file(patch));
  bool reversible = digest.bytes == 0;
  if (!reversible) {
    CR_TRY(reversible, git.succeeds({"apply", "--check", "--reverse", patch.string()}));
  }

  CR_TRY(const Globs globs, Globs::compile(strings(in, "untracked")));
  CR_TRY(const std::string listed, git.text({"ls-files", "-z", "--others", "--exclude-standard"}));
  const bool holds_run = lies_within(context.run_folder, git.folder());
  std::vector<std::string> files;
  for (std::string& file : split_zero(listed))
    if (globs.matches(file) && !(holds_run && lies_within(git.folder() / file, context.run_folder)))
      files.push_back(std::move(file));
  std::sort(files.begin(), files.end());
  cel::Map result = file_record(name, digest);
  cel::Map untracked = file_record("", {});
  if (!files.empty()) {
    const std::string tar = name + ".untracked.tar";
    CR_CHECK(archive(git.folder(), files, context.run_folder / tar));
    CR_TRY(const FileDigest packed, digest_file(context.run_folder / tar));
    untracked = file_record(tar, packed);
  }
  untracked.set("files", static_cast<std::int64_t>(files.size()));
  result.set("untracked", std::move(untracked));
  result.set("empty", digest.bytes == 0);
  result.set("reversible", reversible);
  result.set("nothing", digest.bytes == 0 && files.empty());
  return completed(std::move(result), reversible ? JobStatus::pass : JobStatus::fail);
}

Result<JobOutcome> diff(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git git,
         open_repository(path_of(in.string_or("repo", "."), context.run_folder), context));
  const std::string name = in.string_or("name", "difference.patch");
  CR_TRY(const fs::path file, path_within(name, context.run_folder));
  CR_CHECK(make_folders(file.parent_path()));
  std::vector<std::string> revisions = {"--end-of-options", in.string_or("from", "HEAD")};
  if (in.field("to") != nullptr) revisions.push_back(in.string_or("to", ""));
  revisions.emplace_back("--");
  for (const std::string& path : strings(in, "paths")) revisions.push_back(path);
  CR_TRY(const ProcessReply reply, git.run_to_file(diff_command(revisions, {"--binary"}), file));
  if (reply.exit_code != 0)
    return fail(ErrorCode::invalid_argument,
                "cannot compare in " + git.folder().string() + ": " + end_of(reply.err, 1000));
  CR_TRY(const std::string names, git.text(diff_command(revisions, {"--name-only", "-z"})));
  const std::vector<std::string> paths = split_zero(names);
  CR_TRY(const FileDigest digest, digest_file(file));
  cel::Map result = file_record(name, digest);
  result.set("files", list_of(paths));
  result.set("total", static_cast<std::int64_t>(paths.size()));
  result.set("same", digest.bytes == 0);
  return completed(std::move(result));
}

Result<JobOutcome> bundle(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git git,
         open_repository(path_of(in.string_or("repo", "."), context.run_folder), context));
  const std::string name = in.string_or("name", "history.bundle");
  CR_TRY(const fs::path file, path_within(name, context.run_folder));
  CR_CHECK(make_folders(file.parent_path()));
  std::vector<std::string> command = {"bundle", "create", "--quiet", file.string()};
  for (const std::string& revision : strings(in, "revisions")) {
    if (revision.starts_with('-'))
      return fail(ErrorCode::invalid_argument, "'" + revision + "' is no revision");
    command.push_back(revision);
  }
  CR_CHECK(git.text(std::move(command)));
  CR_TRY(const FileDigest digest, digest_file(file));
  return completed(file_record(name, digest));
}

// The commit after which `path` no longer had the content `blob`: the newest one that still had it.
Result<std::string> commit_with_blob(const Git& git, const std::string& to, const std::string& path,
                                     const std::string& blob) {
  CR_TRY(const std::string raw,
         git.text({"log", "--raw", "--no-abbrev", "--no-renames", "--format=commit %H",
                   "--end-of-options", to, "--", path}));
  std::string commit;
  for (std::size_t at = 0; at < raw.size();) {
    const std::size_t end = std::min(raw.find('\n', at), raw.size());
    const std::string line = raw.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("commit ")) commit = line.substr(7);
    // ":MODE MODE OLD NEW X<tab>path": this commit gave the file its content NEW.
    if (!line.starts_with(':') || line.size() < 98) continue;
    const std::size_t old_end = line.find(' ', 15);
    if (old_end != std::string::npos && line.substr(old_end + 1).starts_with(blob)) return commit;
  }
  return std::string();
}

Result<JobOutcome> log(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git git,
         open_repository(path_of(in.string_or("repo", "."), context.run_folder), context));
  const std::string to = in.string_or("to", "HEAD");
  const std::vector<std::string> paths = strings(in, "paths");
  std::string from = in.string_or("from", "");
  const std::string blob = in.string_or("blob", "");
  if (from.empty() && !blob.empty() && !paths.empty()) {
    CR_TRY(from, commit_with_blob(git, to, paths.front(), blob));
  }
  const auto count_max =
      static_cast<std::size_t>(std::clamp<std::int64_t>(in.int_or("max", 50), 1, 500));
  std::vector<std::string> command = {
      "log", "-z",    "--no-show-signature", "--format=%H%x01%an%x01%aI%x01%s",
      "-n",  "20000", "--end-of-options",    from.empty() ? to : from + ".." + to,
      "--"};
  command.insert(command.end(), paths.begin(), paths.end());
  CR_TRY(const std::string text, git.text(std::move(command)));
  BoundedList commits(count_max);
  for (const std::string& line : split_zero(text)) {
    const std::size_t author = line.find('\x01');
    const std::size_t time = line.find('\x01', author + 1);
    const std::size_t subject = line.find('\x01', time + 1);
    if (subject == std::string::npos) continue;
    cel::Map entry;
    entry.set("commit", line.substr(0, author));
    entry.set("author", front_of(line.substr(author + 1, time - author - 1), 200));
    entry.set("time", front_of(line.substr(time + 1, subject - time - 1), 64));
    entry.set("subject", front_of(line.substr(subject + 1), 300));
    commits.add(std::move(entry));
  }
  cel::Map result;
  result.set("commits", commits.value());
  result.set("total", commits.total());
  result.set("truncated", commits.truncated());
  result.set("from", front_of(from, 1024));
  result.set("to", front_of(to, 1024));
  return completed(std::move(result));
}

}  // namespace

void add_export_kinds(JobCatalog& catalog) {
  catalog.add(own_kind(
      {"git.export", "Save uncommitted work in the run's folder",
       "{repo: string, name?: string, untracked?: list<string>}",
       "{path: string, sha256: string, bytes: int, empty: bool, reversible: bool, nothing: bool, "
       "untracked: {path: string, sha256: string, bytes: int, files: int}}",
       Repeat::safe},
      export_work));
  catalog.add(own_kind(
      {"git.diff", "The difference of two trees, or of one and the files, as a patch file",
       "{repo: string, from?: string, to?: string, paths?: list<string>, name?: string}",
       "{path: string, sha256: string, bytes: int, files: list<string>, total: int, same: bool}",
       Repeat::safe},
      diff));
  catalog.add(own_kind({"git.bundle", "History as one file",
                        "{repo: string, revisions: list<string>, name?: string}",
                        "{path: string, sha256: string, bytes: int}", Repeat::safe},
                       bundle));
  catalog.add(own_kind(
      {"git.log", "Commits that touched files since a commit, or since a file had a content",
       "{repo: string, to?: string, from?: string, blob?: string, paths?: list<string>, max?: int}",
       "{commits: list<{commit: string, author: string, time: string, subject: string}>, "
       "total: int, truncated: bool, from: string, to: string}",
       Repeat::safe},
      log));
}

}  // namespace checkride::jobs

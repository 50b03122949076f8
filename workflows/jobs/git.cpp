#include "workflows/jobs/git.h"

#include <chrono>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>

#include "engine/base/digest.h"
#include "engine/base/files.h"
#include "workflows/jobs/bounded.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

// What must not depend on the user's configuration, and what git may not do on its own. rerere
// stays off: with rerere.autoupdate git 2.39 dies in `apply --3way`, and its cache lies in the
// user's .git.
constexpr std::array fixed_settings = {
    "core.hooksPath=/dev/null",  "rerere.enabled=false",
    "rerere.autoUpdate=false",   "gc.auto=0",
    "maintenance.auto=false",    "core.quotePath=false",
    "core.fsmonitor=false",      "commit.gpgSign=false",
    "tag.gpgSign=false",         "color.ui=false",
    "apply.whitespace=warn",     "apply.ignoreWhitespace=no",
    "merge.conflictStyle=merge", "diff.noprefix=false",
    "diff.mnemonicPrefix=false", "diff.renames=false",
    "submodule.recurse=false",   "fetch.prune=false",
    "fetch.pruneTags=false",     "fetch.recurseSubmodules=false",
    "advice.detachedHead=false",
};

// A caller's git variables (checkride may be started from a hook) must not redirect ours.
const std::vector<std::string> removed_variables = {"GIT_DIR",
                                                    "GIT_WORK_TREE",
                                                    "GIT_INDEX_FILE",
                                                    "GIT_OBJECT_DIRECTORY",
                                                    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                                    "GIT_COMMON_DIR",
                                                    "GIT_NAMESPACE",
                                                    "GIT_PREFIX",
                                                    "GIT_CONFIG_COUNT",
                                                    "GIT_CONFIG_PARAMETERS",
                                                    "GIT_EXTERNAL_DIFF",
                                                    "GIT_DIFF_OPTS",
                                                    "GIT_LITERAL_PATHSPECS",
                                                    "GIT_GLOB_PATHSPECS",
                                                    "GIT_NOGLOB_PATHSPECS",
                                                    "GIT_ICASE_PATHSPECS",
                                                    "GIT_SHALLOW_FILE",
                                                    "GIT_GRAFT_FILE",
                                                    "GIT_QUARANTINE_PATH",
                                                    "GIT_INTERNAL_GETTEXT_SH_SCHEME",
                                                    "LANGUAGE",
                                                    "LC_MESSAGES"};

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

std::string shown(const std::vector<std::string>& arguments) {
  std::string text = "git";
  for (const std::string& argument : arguments) text += " " + front_of(argument, 200);
  return text;
}

}  // namespace

Git::Git(fs::path folder, fs::path log) : folder_(std::move(folder)), log_(std::move(log)) {
  for (const char* setting : fixed_settings) {
    config_.emplace_back("-c");
    config_.emplace_back(setting);
  }
  env_ = {{"LC_ALL", "C"},
          {"GIT_TERMINAL_PROMPT", "0"},
          {"GIT_OPTIONAL_LOCKS", "0"},
          {"GIT_PAGER", "cat"},
          {"GIT_EDITOR", "true"}};
}

Git Git::at(fs::path folder) const {
  Git copy = *this;
  copy.folder_ = std::move(folder);
  return copy;
}

Git Git::with_env(std::string name, std::string value) const {
  Git copy = *this;
  std::erase_if(copy.env_, [&](const auto& entry) { return entry.first == name; });
  copy.env_.emplace_back(std::move(name), std::move(value));
  return copy;
}

Git Git::with_config(std::string setting) const {
  Git copy = *this;
  copy.config_.emplace_back("-c");
  copy.config_.push_back(std::move(setting));
  return copy;
}

Git Git::with_excludes(const std::string& file) const {
  return file.empty() ? *this : with_config("core.excludesFile=" + file);
}

Git Git::as_checkride() const {
  Git copy = *this;
  for (const char* who : {"AUTHOR", "COMMITTER"}) {
    const std::string prefix = std::string("GIT_") + who;
    copy = copy.with_env(prefix + "_NAME", "checkride")
               .with_env(prefix + "_EMAIL", "checkride@localhost")
               .with_env(prefix + "_DATE", "2000-01-01T00:00:00Z");
  }
  return copy;
}

ProcessRequest Git::request(std::vector<std::string> arguments) const {
  ProcessRequest request;
  request.argv = {"git", "--literal-pathspecs", "--no-pager"};
  request.argv.insert(request.argv.end(), config_.begin(), config_.end());
  request.argv.insert(request.argv.end(), std::make_move_iterator(arguments.begin()),
                      std::make_move_iterator(arguments.end()));
  request.env = env_;
  request.env_removed = removed_variables;
  request.folder = folder_;
  return request;
}

Result<ProcessReply> Git::logged(const ProcessRequest& request) const {
  auto reply = run_process(request);
  if (log_.empty()) return reply;
  // The command as a person would type it: without the fixed settings in front.
  const std::size_t fixed = 3 + config_.size();
  std::vector<std::string> arguments(request.argv.begin() + static_cast<std::ptrdiff_t>(fixed),
                                     request.argv.end());
  std::ofstream log(log_, std::ios::app);
  log << "$ " << shown(arguments) << "   # in " << folder_.string() << "\n";
  if (!reply)
    log << reply.error().text() << "\n";
  else
    log << end_of(reply->err, 4096) << "[exit " << reply->exit_code << "]\n";
  return reply;
}

Result<ProcessReply> Git::run(std::vector<std::string> arguments, std::string input) const {
  ProcessRequest wanted = request(std::move(arguments));
  wanted.input = std::move(input);
  CR_TRY(ProcessReply reply, logged(wanted));
  if (reply.truncated)
    return fail(ErrorCode::no_space, "git printed more than 64 MiB in " + folder_.string());
  return reply;
}

Result<ProcessReply> Git::run_to_file(std::vector<std::string> arguments, fs::path file) const {
  ProcessRequest wanted = request(std::move(arguments));
  wanted.output_file = std::move(file);
  return logged(wanted);
}

Result<std::string> Git::text(std::vector<std::string> arguments, std::string input) const {
  const std::string command = shown(arguments);
  CR_TRY(ProcessReply reply, run(std::move(arguments), std::move(input)));
  if (reply.exit_code != 0)
    return fail(ErrorCode::invalid_argument,
                command + " in " + folder_.string() + " ended with exit code " +
                    std::to_string(reply.exit_code) + ": " + end_of(trimmed(reply.err), 1000));
  return std::move(reply.out);
}

Result<std::string> Git::line(std::vector<std::string> arguments, std::string input) const {
  CR_TRY(std::string all, text(std::move(arguments), std::move(input)));
  return trimmed(std::move(all));
}

Result<std::optional<std::string>> Git::line_if(std::vector<std::string> arguments) const {
  CR_TRY(ProcessReply reply, run(std::move(arguments)));
  if (reply.exit_code != 0) return std::optional<std::string>();
  return std::optional<std::string>(trimmed(std::move(reply.out)));
}

Result<bool> Git::succeeds(std::vector<std::string> arguments) const {
  CR_TRY(const ProcessReply reply, run(std::move(arguments)));
  return reply.exit_code == 0;
}

Result<Git> open_repository(const fs::path& folder, const JobContext& context) {
  const Git here(folder,
                 context.attempt_folder.empty() ? fs::path() : context.attempt_folder / "git.log");
  CR_TRY(const auto top, here.line_if({"rev-parse", "--show-toplevel"}));
  if (!top || top->empty())
    return fail(ErrorCode::invalid_argument,
                folder.string() + " is not inside a git work tree; name the root of one");
  return here.at(*top);
}

std::vector<std::string> split_zero(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find('\0');
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

Result<std::vector<IndexEntry>> index_entries(const Git& git) {
  CR_TRY(const std::string text, git.text({"ls-files", "-s", "-z"}));
  std::vector<IndexEntry> entries;
  for (const std::string& line : split_zero(text)) {
    // "MODE BLOB STAGE<tab>PATH"
    const std::size_t tab = line.find('\t');
    const std::size_t first = line.find(' ');
    const std::size_t second = line.find(' ', first + 1);
    if (tab == std::string::npos || second == std::string::npos || second > tab)
      return fail(ErrorCode::internal, "git ls-files printed a line without a path");
    IndexEntry entry;
    entry.mode = line.substr(0, first);
    entry.blob = line.substr(first + 1, second - first - 1);
    entry.stage = line[second + 1] - '0';
    entry.path = line.substr(tab + 1);
    entries.push_back(std::move(entry));
  }
  return entries;
}

fs::path Git::scratch() const {
  return log_.empty() ? fs::temp_directory_path() : log_.parent_path();
}

Result<std::string> index_tree(const Git& git) {
  CR_TRY(const std::string index,
         git.line({"rev-parse", "--path-format=absolute", "--git-path", "index"}));
  const fs::path copy = git.scratch() / ("index-" + std::to_string(::getpid()));
  std::error_code problem;
  fs::copy_file(index, copy, fs::copy_options::overwrite_existing, problem);
  // No file is an empty index, also to git.
  if (problem && problem != std::errc::no_such_file_or_directory)
    return fail(ErrorCode::io, "cannot copy " + index + ": " + problem.message());
  auto tree = git.with_env("GIT_INDEX_FILE", copy.string()).line({"write-tree"});
  fs::remove(copy, problem);
  return tree;
}

std::set<std::string> unmerged_paths(const std::vector<IndexEntry>& entries) {
  std::set<std::string> paths;
  for (const IndexEntry& entry : entries)
    if (entry.stage != 0) paths.insert(entry.path);
  return paths;
}

Result<HeadState> read_head(const Git& git) {
  HeadState head;
  CR_TRY(const auto commit, git.line_if({"rev-parse", "--verify", "--quiet", "HEAD^{commit}"}));
  head.commit = commit.value_or("");
  CR_TRY(const auto branch, git.line_if({"symbolic-ref", "--quiet", "HEAD"}));
  head.detached = !branch;
  if (branch) {
    head.branch = *branch;
    constexpr std::string_view prefix = "refs/heads/";
    if (head.branch.starts_with(prefix)) head.branch.erase(0, prefix.size());
  }
  return head;
}

Result<void> free_ref(const Git& git, const std::string& ref) {
  CR_TRY(const std::string lock,
         git.line({"rev-parse", "--path-format=absolute", "--git-path", ref + ".lock"}));
  std::error_code problem;
  for (int tenths = 0; tenths < 20 && fs::exists(lock, problem); ++tenths)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  fs::remove(lock, problem);
  if (problem) return fail(ErrorCode::io, "cannot remove " + lock + ": " + problem.message());
  return {};
}

std::string held_ref(const RunId& root, const std::string& name) {
  // A run id may begin or end with a dot, hold two in a row or end in ".lock"; a ref name may not.
  // '%' occurs in no run id, so the escape keeps different runs apart. "failed" is the folder of
  // the tips that rollback keeps.
  std::string run;
  const std::string& id = root.value;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const bool dot = id[i] == '.';
    const bool lock = id.substr(i) == ".lock";
    if (dot && (i == 0 || i + 1 == id.size() || id[i - 1] == '.' || lock))
      run += "%2E";
    else
      run += id[i];
  }
  if (run == "failed") run = "%66ailed";
  return name == "failed" ? "refs/checkride/failed/" + run : "refs/checkride/" + run + "/" + name;
}

Result<std::string> hold_tree(const Git& git, const std::string& tree, const std::string& parent,
                              const std::string& ref, const std::string& message) {
  std::vector<std::string> arguments = {"commit-tree", tree, "-m", message};
  if (!parent.empty()) arguments.insert(arguments.end(), {"-p", parent});
  CR_TRY(std::string commit, git.as_checkride().line(std::move(arguments)));
  CR_CHECK(git.text({"update-ref", ref, commit}));
  return commit;
}

Result<int> release_refs(const Git& git, const RunId& root) {
  const std::string prefix = held_ref(root, "");
  CR_TRY(const std::string listed,
         git.text({"for-each-ref", "--format=%(refname)", prefix, held_ref(root, "failed")}));
  std::string commands;
  int count = 0;
  for (std::size_t at = 0; at < listed.size();) {
    const std::size_t end = listed.find('\n', at);
    commands += "delete " + listed.substr(at, end - at) + "\n";
    ++count;
    at = end == std::string::npos ? listed.size() : end + 1;
  }
  if (count > 0) CR_CHECK(git.text({"update-ref", "--stdin"}, commands));
  return count;
}

namespace {

constexpr const char* mark_name = "checkride-run";

Result<fs::path> mark_path(const Git& git) {
  CR_TRY(const std::string folder, git.line({"rev-parse", "--absolute-git-dir"}));
  return fs::path(folder) / mark_name;
}

}  // namespace

Result<void> mark_worktree(const Git& git, const RunId& root) {
  CR_TRY(const fs::path path, mark_path(git));
  return write_file_atomic(path, root.value + "\n");
}

Result<std::string> worktree_owner(const Git& git) {
  CR_TRY(const fs::path path, mark_path(git));
  auto text = read_file(path, 4096);
  if (!text && text.error().code == ErrorCode::not_found) return std::string();
  if (!text) return tl::unexpected(text.error());
  return trimmed(*std::move(text));
}

Result<void> require_own_worktree(const Git& git, const JobSpec& spec, const JobContext& context) {
  CR_TRY(const std::string owner, worktree_owner(git));
  if (owner == spec.root.value) return {};
  if (owner.empty() && !context.run_folder.empty() && lies_within(git.folder(), context.run_folder))
    return {};
  return fail(ErrorCode::invalid_argument,
              git.folder().string() + " is not a worktree of run " + spec.root.value +
                  (owner.empty() ? "" : " (it belongs to run " + owner + ")") +
                  "; make one with git.worktree, the user's checkout is never changed");
}

Result<Git> with_identity(const Git& git) {
  CR_TRY(const bool configured, git.succeeds({"var", "GIT_COMMITTER_IDENT"}));
  if (configured) return git;
  Git named = git;
  for (const char* who : {"AUTHOR", "COMMITTER"}) {
    named = named.with_env(std::string("GIT_") + who + "_NAME", "checkride")
                .with_env(std::string("GIT_") + who + "_EMAIL", "checkride@localhost");
  }
  return named;
}

Result<FileDigest> digest_file(const fs::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail_errno("open", path.string());
  std::vector<std::byte> buffer(1 << 18);
  Sha256 sha;
  FileDigest digest;
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read", path.string());
    if (n == 0) break;
    sha.update(std::span(buffer).first(static_cast<std::size_t>(n)));
    digest.bytes += n;
  }
  digest.sha256 = to_hex(sha.finish());
  return digest;
}

}  // namespace checkride::jobs

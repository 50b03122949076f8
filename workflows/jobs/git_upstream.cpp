// git.upstream: resolve the branch to rebase onto, once, to a commit that stays (step P.1).
// git.fetch_blobs: get the preimages of a patch into a clone that lacks them. Both fetch into refs
// of the run's own; the user's remote-tracking branches, tags and FETCH_HEAD stay as they are.
#include <algorithm>

#include "workflows/jobs/bounded.h"
#include "workflows/jobs/git.h"
#include "workflows/jobs/kind.h"

namespace checkride::jobs {

namespace {

// A URL may carry a password or token, and git repeats URLs in its messages: neither may reach the
// log.
std::string without_credentials(std::string text) {
  for (std::size_t from = 0;;) {
    const std::size_t scheme = text.find("://", from);
    if (scheme == std::string::npos) return text;
    from = scheme + 3;
    const std::size_t at = text.find('@', from);
    if (at != std::string::npos && at < text.find_first_of("/ \n'\"", from))
      text.replace(from, at - from, "***");
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::vector<std::string> fetch_command(const std::string& remote,
                                       const std::vector<std::string>& refspecs,
                                       const std::vector<std::string>& options = {}) {
  // An empty --refmap keeps git from moving refs/remotes beside the refspecs given.
  std::vector<std::string> command = {"fetch",      "--no-tags",
                                      "--refmap=",  "--no-write-fetch-head",
                                      "--no-prune", "--no-auto-maintenance",
                                      "--quiet",    "--no-recurse-submodules"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(remote);
  command.insert(command.end(), refspecs.begin(), refspecs.end());
  return command;
}

// The commit that a branch of a remote stands at, asked without fetching; empty: no such branch.
Result<std::string> listed_commit(const Git& git, const std::string& remote,
                                  const std::string& source) {
  CR_TRY(const ProcessReply listed, git.run({"ls-remote", "--exit-code", remote, source}));
  if (listed.exit_code == 2) return std::string();
  if (listed.exit_code != 0)
    return fail(ErrorCode::io, "cannot ask " + without_credentials(remote) + ": " +
                                   end_of(without_credentials(listed.err), 4096));
  return listed.out.substr(0, listed.out.find_first_of("\t "));
}

// `look`: nothing is fetched and no ref is set; what needs the commit itself stays open then.
Result<JobOutcome> find_upstream(const JobSpec& spec, const JobContext& context, bool look) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git git,
         open_repository(path_of(in.string_or("repo", "."), context.run_folder), context));
  const std::string remote = in.string_or("remote", "");
  const std::string branch = in.string_or("branch", "");
  const std::string ref = held_ref(spec.root, spec.token.value + "-upstream");

  BoundedList urls(50);
  std::string url;
  CR_TRY(const std::string remotes, git.text({"remote"}));
  for (const std::string& name : lines_of(remotes)) {
    CR_TRY(const auto address, git.line_if({"remote", "get-url", name}));
    const std::string shown = without_credentials(address.value_or(""));
    if (name == remote) url = shown;
    cel::Map entry;
    entry.set("name", front_of(name, 256));
    entry.set("url", front_of(shown, 2048));
    urls.add(std::move(entry));
  }
  // Beside a name, the URL or path of a repository will do.
  const bool is_address = remote.find_first_of(":/") != std::string::npos;
  std::string problem;
  std::string log;
  std::string commit;
  CR_TRY(const HeadState head, read_head(git));
  if (remote.empty()) {
    CR_TRY(const auto found, git.line_if({"rev-parse", "--verify", "--quiet", "--end-of-options",
                                          branch + "^{commit}"}));
    commit = found.value_or("");
    if (commit.empty()) problem = "no-branch";
    if (!commit.empty() && !look) CR_CHECK(git.text({"update-ref", ref, commit}));
  } else if (url.empty() && !is_address) {
    problem = "no-remote";
  } else {
    if (url.empty()) url = without_credentials(remote);
    const std::string source = branch.starts_with("refs/") ? branch : "refs/heads/" + branch;
    if (look) {
      CR_TRY(commit, listed_commit(git, remote, source));
      if (commit.empty()) problem = "no-branch";
    } else {
      CR_TRY(const ProcessReply reply, git.run(fetch_command(remote, {"+" + source + ":" + ref})));
      log = end_of(without_credentials(reply.err), 4096);
      if (reply.exit_code != 0) {
        // Which of the two it was is asked of the remote, not read out of the message.
        CR_TRY(const ProcessReply listed, git.run({"ls-remote", "--exit-code", remote, source}));
        if (listed.exit_code != 2)
          return fail(ErrorCode::io, "cannot fetch " + branch + " from " + remote + ": " + log);
        problem = "no-branch";
      } else {
        CR_TRY(commit, git.line({"rev-parse", "--verify", ref + "^{commit}"}));
      }
    }
  }
  std::string base;
  if (!commit.empty() && !head.commit.empty()) {
    CR_TRY(const auto found, git.line_if({"merge-base", head.commit, commit}));
    base = found.value_or("");
  }
  CR_TRY(const std::string shallow, git.line({"rev-parse", "--is-shallow-repository"}));
  const bool is_head = !commit.empty() && commit == head.commit;
  const bool within_head = !commit.empty() && base == commit;
  const bool ahead_only = !base.empty() && base == head.commit;
  cel::Map result;
  result.set("found", !commit.empty());
  result.set("problem", problem);
  result.set("remote", front_of(remote, 1024));
  result.set("url", front_of(url, 2048));
  result.set("remotes", urls.value());
  result.set("commit", commit);
  result.set("ref", commit.empty() ? "" : ref);
  result.set("head", head.commit);
  result.set("merge_base", base);
  result.set("is_head", is_head);
  result.set("base_is_head", ahead_only);
  result.set("within_head", within_head);
  result.set("ok", !commit.empty() && !is_head && !ahead_only);
  result.set("shallow", shallow == "true");
  result.set("log", log);
  return completed(std::move(result));
}

Result<JobOutcome> upstream(const JobSpec& spec, const JobContext& context) {
  return find_upstream(spec, context, false);
}
Result<JobOutcome> look_upstream(const JobSpec& spec, const JobContext& context) {
  return find_upstream(spec, context, true);
}

Result<bool> has_object(const Git& git, const std::string& id) {
  return git.succeeds({"cat-file", "-e", id});
}

// Full ids of blobs whose ids begin with `prefix`, from the history of the paths a patch touches.
// Trees are enough for that, so it works in a clone without blobs.
Result<std::vector<std::string>> complete_id(const Git& git, const std::string& prefix) {
  CR_TRY(const std::string raw,
         git.text({"log", "--all", "--raw", "--no-abbrev", "--no-renames", "--format=", "-m"}));
  std::vector<std::string> found;
  for (const std::string& line : lines_of(raw)) {
    // ":MODE MODE OLD NEW X<tab>path"
    for (std::size_t at = line.find(' ' + prefix); at != std::string::npos;
         at = line.find(' ' + prefix, at + 1)) {
      const std::size_t end = line.find(' ', at + 1);
      const std::string id = line.substr(at + 1, end - at - 1);
      if (id.size() >= 40 && std::find(found.begin(), found.end(), id) == found.end())
        found.push_back(id);
    }
  }
  return found;
}

Result<std::vector<std::string>> missing_of(const Git& git, const std::vector<std::string>& blobs) {
  std::vector<std::string> missing;
  for (const std::string& blob : blobs) {
    CR_TRY(const bool present, has_object(git, blob));
    if (!present) missing.push_back(blob);
  }
  return missing;
}

bool is_hexadecimal(const std::string& text) {
  return text.size() >= 4 && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<JobOutcome> fetch_blobs(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git git,
         open_repository(path_of(in.string_or("repo", "."), context.run_folder), context));
  const std::vector<std::string> blobs = strings(in, "blobs");
  for (const std::string& blob : blobs)
    if (!is_hexadecimal(blob))
      return fail(ErrorCode::invalid_argument, "'" + blob + "' is no object id");
  std::string remote = in.string_or("remote", "");
  if (remote.empty()) {
    CR_TRY(const std::string remotes, git.text({"remote"}));
    const std::vector<std::string> names = lines_of(remotes);
    const auto origin = std::find(names.begin(), names.end(), "origin");
    if (origin != names.end() || !names.empty())
      remote = origin != names.end() ? *origin : names[0];
  }
  std::vector<std::string> steps;
  CR_TRY(std::vector<std::string> missing, missing_of(git, blobs));

  // A partial clone gets single objects on demand, but only by full id.
  CR_TRY(const auto partial,
         git.line_if({"config", "--get-regexp", "^remote\\..*\\.(promisor|partialclonefilter)$"}));
  if (!missing.empty() && partial) {
    for (const std::string& prefix : missing) {
      CR_TRY(const std::vector<std::string> ids, complete_id(git, prefix));
      for (const std::string& id : ids) CR_CHECK(has_object(git, id));
    }
    steps.emplace_back("asked the remote for single blobs");
    CR_TRY(missing, missing_of(git, blobs));
  }
  std::string log;
  if (!missing.empty() && !remote.empty()) {
    CR_TRY(const std::string shallow, git.line({"rev-parse", "--is-shallow-repository"}));
    const std::vector<std::string> options =
        shallow == "true" ? std::vector<std::string>{"--unshallow"} : std::vector<std::string>{};
    const std::string into = held_ref(spec.root, spec.token.value + "-fetched/");
    CR_TRY(const ProcessReply reply,
           git.run(fetch_command(remote, {"+refs/heads/*:" + into + "*"}, options)));
    log = end_of(without_credentials(reply.err), 4096);
    if (reply.exit_code != 0)
      return fail(ErrorCode::io, "cannot fetch the history of " + remote + ": " + log);
    steps.emplace_back(shallow == "true" ? "fetched the whole history of the shallow clone"
                                         : "fetched all branches of the remote");
    CR_TRY(missing, missing_of(git, blobs));
  }
  cel::Map result;
  result.set("ok", missing.empty());
  result.set("missing", list_of(missing));
  result.set("steps", list_of(steps));
  result.set("remote", front_of(remote, 1024));
  result.set("log", log);
  return completed(std::move(result), missing.empty() ? JobStatus::pass : JobStatus::fail);
}

}  // namespace

void add_upstream_kinds(JobCatalog& catalog) {
  catalog.add(own_kind(
      {"git.upstream", "Fetch a branch and pin the commit it stands at",
       "{repo: string, branch: string, remote?: string}",
       "{found: bool, problem: string, remote: string, url: string, "
       "remotes: list<{name: string, url: string}>, commit: string, ref: string, head: string, "
       "merge_base: string, is_head: bool, base_is_head: bool, within_head: bool, ok: bool, "
       "shallow: bool, log: string}",
       Repeat::safe},
      upstream, {look_upstream, {"repo"}}));
  catalog.add(own_kind({"git.fetch_blobs", "Get missing preimage blobs from a remote",
                        "{repo: string, blobs: list<string>, remote?: string}",
                        "{ok: bool, missing: list<string>, steps: list<string>, remote: string, "
                        "log: string}",
                        Repeat::safe},
                       fetch_blobs));
}

}  // namespace checkride::jobs

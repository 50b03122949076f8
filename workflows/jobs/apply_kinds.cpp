// patch.apply (step C.n.2) and patch.recover, its probe (G.7).
#include <algorithm>
#include <fstream>

#include "engine/base/files.h"
#include "workflows/jobs/apply.h"
#include "workflows/jobs/bounded.h"
#include "workflows/jobs/kind.h"
#include "workflows/jobs/patch_result.h"
#include "workflows/jobs/patch_snapshot.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

struct Request {
  Git git;
  fs::path patch;
  int strip;
};

Result<Request> request_of(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(Git git, open_repository(path_of(in.string_or("worktree", "worktree"), context.run_folder),
                                  context));
  CR_CHECK(require_own_worktree(git, spec, context));
  fs::path patch = path_of(in.string_or("patch", ""), context.run_folder);
  const auto strip = static_cast<int>(std::clamp<std::int64_t>(in.int_or("strip", 1), 0, 64));
  return Request{std::move(git), std::move(patch), strip};
}

// Refs for what the report names: the tree after it, and the sides of its conflicts.
struct Held {
  std::string commit;
  std::string ref;
};

Result<Held> hold_report(const Git& git, const JobSpec& spec, const ApplyReport& report) {
  Held held;
  if (!report.tree_after.empty()) {
    held.ref = held_ref(spec.root, spec.token.value + "-applied");
    CR_TRY(held.commit, hold_tree(git, report.tree_after, report.head, held.ref, "after a patch"));
  }
  if (!report.conflicts.empty())
    CR_CHECK(
        hold_conflicts(git, report.conflicts, held_ref(spec.root, spec.token.value + "-conflict")));
  return held;
}

Result<void> write_log(const fs::path& log, const JobSpec& spec, const fs::path& patch,
                       const ApplyReport& report) {
  CR_CHECK(make_folders(log.parent_path()));
  std::ofstream out(log, std::ios::app);
  out << "== " << spec.token.value << " git apply --3way " << patch.string() << "\n"
      << report.log << "== exit " << report.exit_code << ", class " << report.outcome << "\n";
  out.flush();
  if (!out) return fail(ErrorCode::io, "cannot write the log " + log.string());
  return {};
}

std::vector<JobFact> facts_of(const ApplyReport& report, const std::string& patch) {
  std::vector<JobFact> facts;
  if (is_applied(report.outcome)) {
    JobFact fact;
    fact.type = "patch.applied";
    fact.fields.set("patch", front_of(patch, 1024));
    fact.fields.set("class", report.outcome);
    fact.fields.set("tree", report.tree_after);
    facts.push_back(std::move(fact));
  }
  for (const ConflictFile& file : report.conflicts) {
    if (facts.size() == 50) break;
    JobFact fact;
    fact.type = "patch.conflict";
    fact.fields.set("patch", front_of(patch, 1024));
    fact.fields.set("class", report.outcome);
    fact.fields.set("path", front_of(file.path, 1024));
    fact.fields.set("hunks", static_cast<std::int64_t>(file.hunks.size()));
    facts.push_back(std::move(fact));
  }
  return facts;
}

cel::Map result_of(const ApplyReport& report, const Held& held, const fs::path& patch,
                   const std::string& log) {
  BoundedList python(300, 16 << 10);
  for (const PatchFile& file : report.patch.files)
    if (file.path.ends_with(".py") && file.change != "delete")
      python.add(front_of(file.path, 4096));
  BoundedList targets(300, 24 << 10);
  for (const std::string& target : report.targets) targets.add(front_of(target, 4096));
  std::int64_t hunks = 0;
  for (const ConflictFile& file : report.conflicts)
    hunks += static_cast<std::int64_t>(file.hunks.size());
  cel::Map result;
  result.set("class", report.outcome);
  result.set("ok", is_applied(report.outcome));
  result.set("conflict", is_conflict(report.outcome));
  result.set("exit_code", report.exit_code);
  result.set("check_exit", report.check_exit);
  result.set("patch", front_of(patch.string(), 4096));
  result.set("patch_sha256", report.patch.sha256);
  result.set("head", report.head);
  result.set("tree_before", report.tree_before);
  result.set("tree_after", report.tree_after);
  result.set("commit", held.commit);
  result.set("ref", held.ref);
  result.set("targets", targets.value());
  result.set("target_count", targets.total());
  result.set("python", python.value());
  result.set("conflicts", to_value(report.conflicts));
  result.set("conflict_files", static_cast<std::int64_t>(report.conflicts.size()));
  result.set("hunks", hunks);
  result.set("missing_blobs", list_of(report.missing_blobs, 16 << 10));
  result.set("lock", front_of(report.lock, 4096));
  result.set("note", front_of(report.note, 2048));
  result.set("log", log);
  result.set("log_tail", end_of(report.log, 4096));
  return result;
}

JobStatus status_of(const ApplyReport& report) {
  if (is_applied(report.outcome)) return JobStatus::pass;
  return report.outcome == "tool-error" ? JobStatus::error : JobStatus::fail;
}

std::string log_name(const JobSpec& spec, const fs::path& patch) {
  return cel::Value(spec.inputs).string_or("log", "logs/" + patch.stem().string() + ".log");
}

Result<JobOutcome> apply(const JobSpec& spec, const JobContext& context) {
  CR_TRY(const Request request, request_of(spec, context));
  const std::string log = log_name(spec, request.patch);
  CR_TRY(const fs::path log_path, path_within(log, context.run_folder));
  CR_TRY(const ApplyReport report,
         apply_patch(request.git, request.patch, request.strip, context.attempt_folder));
  CR_CHECK(write_log(log_path, spec, request.patch, report));
  CR_TRY(const Held held, hold_report(request.git, spec, report));
  JobOutcome outcome = completed(result_of(report, held, request.patch, log), status_of(report));
  outcome.facts = facts_of(report, request.patch.filename().string());
  return outcome;
}

// The targets as they were before the patch, in a folder and an index of their own that share the
// objects of the worktree's repository.
Result<Git> scratch_copy(const Git& git, const std::string& tree,
                         const std::vector<std::string>& targets, const fs::path& folder) {
  std::error_code problem;
  fs::remove_all(folder, problem);
  CR_CHECK(make_folders(folder / "tree"));
  CR_TRY(const std::string git_dir, git.line({"rev-parse", "--absolute-git-dir"}));
  const Git copy = git.at(folder / "tree")
                       .with_env("GIT_DIR", git_dir)
                       .with_env("GIT_WORK_TREE", (folder / "tree").string())
                       .with_env("GIT_INDEX_FILE", (folder / "index").string());
  CR_CHECK(copy.text({"read-tree", tree}));
  CR_TRY(const auto entries, index_entries(copy));
  std::set<std::string> wanted(targets.begin(), targets.end());
  std::string paths;
  for (const IndexEntry& entry : entries)
    if (wanted.contains(entry.path)) paths += entry.path + '\0';
  if (!paths.empty()) CR_CHECK(copy.text({"checkout-index", "-q", "-u", "-z", "--stdin"}, paths));
  // The rest of the tree is not there and not needed; git must not think it deleted.
  std::string others;
  for (const IndexEntry& entry : entries)
    if (!wanted.contains(entry.path)) others += entry.path + '\0';
  if (!others.empty())
    CR_CHECK(copy.text({"update-index", "-z", "--skip-worktree", "--stdin"}, others));
  return copy;
}

// What differs between the worktree and what the finished attempt would have left there.
Result<std::vector<std::string>> differences(const Git& git, const Git& expected,
                                             const std::vector<std::string>& targets) {
  std::vector<std::string> found;
  CR_TRY(const auto is, index_entries(git));
  CR_TRY(const auto wanted, index_entries(expected));
  if (is != wanted) found.emplace_back("the index is not what the patch leaves");
  for (const std::string& target : targets) {
    CR_TRY(const std::string here, disk_digest(git.folder() / target));
    CR_TRY(const std::string there, disk_digest(expected.folder() / target));
    if (here != there) found.push_back(target + " on disk is not what the patch leaves");
  }
  return found;
}

Result<void> set_lock_aside(const Git& git, const JobSpec& spec,
                            std::vector<std::string>& findings) {
  CR_TRY(const std::string index,
         git.line({"rev-parse", "--path-format=absolute", "--git-path", "index"}));
  const fs::path lock = index + ".lock";
  std::error_code problem;
  if (!fs::exists(lock, problem)) return {};
  fs::rename(lock, index + ".lock-" + spec.token.value, problem);
  if (problem) return fail(ErrorCode::io, "cannot set aside " + lock.string());
  findings.push_back("set aside the lock the lost attempt left: " + lock.string());
  return {};
}

Result<JobOutcome> recover(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Request request, request_of(spec, context));
  const Git& git = request.git;
  const cel::Value none;
  const cel::Value* given = in.field("before");
  const cel::Value& before = given == nullptr ? none : *given;
  CR_TRY(const PatchText patch, read_patch(git, request.patch, request.strip));
  CR_TRY(const PatchSnapshot now, take_snapshot(git, patch));
  std::vector<std::string> findings;
  cel::Map result;
  std::string verdict = "unknown";
  const bool same_patch = before.string_or("patch_sha256", "") == patch.sha256;
  const bool same_head = before.string_or("head", "") == now.head;
  if (!same_patch) findings.emplace_back("the patch is not the one the snapshot was taken for");
  if (!same_head)
    findings.push_back("the branch moved from " + before.string_or("head", "") + " to " + now.head);
  const bool untouched = before.string_or("index", "") == now.index &&
                         before.string_or("targets_digest", "") == targets_digest(now.targets);
  const std::string tree = before.string_or("tree", "");
  std::optional<JobOutcome> finished;
  if (same_patch && same_head && untouched) {
    verdict = "rerun";
    findings.emplace_back("index and files equal the snapshot: the patch changed nothing");
  } else if (same_patch && same_head && !tree.empty()) {
    // Do it again aside, and see whether the worktree is what comes out.
    const std::vector<std::string> targets = patch.targets();
    CR_TRY(const Git copy, scratch_copy(git, tree, targets, context.attempt_folder / "scratch"));
    CR_TRY(ApplyReport report,
           apply_patch(copy, request.patch, request.strip, context.attempt_folder));
    CR_TRY(const auto found, differences(git, copy, targets));
    findings.insert(findings.end(), found.begin(), found.end());
    if (found.empty()) {
      verdict = "finished";
      findings.push_back("index and files equal what the patch leaves: " + report.outcome);
      CR_TRY(const Held held, hold_report(git, spec, report));
      finished = completed(result_of(report, held, request.patch, log_name(spec, request.patch)),
                           status_of(report));
      finished->facts = facts_of(report, request.patch.filename().string());
    }
  } else if (tree.empty()) {
    findings.emplace_back("something was unmerged at the snapshot, so it cannot be rebuilt");
  }
  if (verdict != "unknown") CR_CHECK(set_lock_aside(git, spec, findings));
  std::string diff;
  if (verdict == "unknown") {
    diff = "recover-" + spec.token.value + ".patch";
    CR_CHECK(git.run_to_file({"diff", "--binary", tree.empty() ? "HEAD" : tree},
                             context.run_folder / diff));
  }
  result.set("verdict", verdict);
  result.set("findings", list_of(findings));
  result.set("diff", diff);
  JobOutcome outcome = completed({}, verdict == "unknown" ? JobStatus::fail : JobStatus::pass);
  if (finished) {
    result.set("result", finished->result);
    outcome.facts = finished->facts;
  }
  outcome.result = cel::Value(std::move(result));
  return outcome;
}

}  // namespace

void add_apply_kinds(JobCatalog& catalog) {
  const std::string inputs = "patch: string, worktree?: string, strip?: int, log?: string";
  catalog.add(
      own_kind({"patch.apply", "Apply a patch with a three-way merge and classify the outcome",
                "{" + inputs + "}", apply_type, Repeat::probe},
               apply));
  catalog.add(
      own_kind({"patch.recover", "What an interrupted patch.apply left: nothing, all, or unknown",
                std::string("{before: ") + snapshot_type + ", " + inputs + "}",
                std::string("{verdict: string, findings: list<string>, diff: string, "
                            "result?: ") +
                    apply_type + "}",
                Repeat::safe},
               recover));
}

}  // namespace checkride::jobs

// patch.inspect (step P.6): what a patch is, before anything is done with it. patch.snapshot
// (C.n.0): the worktree as it stands before a patch, kept so that a crash can be told from a
// result. patch.probe (C.n.1): whether the patch fits, or is in already.
#include <algorithm>

#include "workflows/jobs/bounded.h"
#include "workflows/jobs/git.h"
#include "workflows/jobs/kind.h"
#include "workflows/jobs/patch_snapshot.h"
#include "workflows/jobs/patch_text.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

int strip_of(const cel::Value& in) {
  return static_cast<int>(std::clamp<std::int64_t>(in.int_or("strip", 1), 0, 64));
}

Result<JobOutcome> inspect(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(const Git git,
         open_repository(path_of(in.string_or("repo", "."), context.run_folder), context));
  const fs::path path = path_of(in.string_or("patch", ""), context.run_folder);
  CR_TRY(const PatchText patch, read_patch(git, path, strip_of(in)));
  BoundedList files(300);
  BoundedList python(300, 32 << 10);
  std::int64_t added = 0;
  std::int64_t removed = 0;
  std::vector<std::string> missing;
  bool three_way = patch.problem.empty();
  for (const PatchFile& file : patch.files) {
    bool present = file.change == "create";
    if (!file.preimage.empty()) {
      CR_TRY(present, git.succeeds({"cat-file", "-e", file.preimage + "^{blob}"}));
    }
    if (!present) {
      three_way = false;
      if (!file.preimage.empty()) missing.push_back(file.preimage);
    }
    added += file.added;
    removed += file.removed;
    if (file.path.ends_with(".py") && file.change != "delete")
      python.add(front_of(file.path, 4096));
    cel::Map entry;
    entry.set("path", front_of(file.path, 4096));
    entry.set("old_path", front_of(file.old_path, 4096));
    entry.set("change", file.change);
    entry.set("added", file.added);
    entry.set("removed", file.removed);
    entry.set("binary", file.binary);
    entry.set("preimage", file.preimage);
    entry.set("preimage_present", present);
    files.add(std::move(entry));
  }
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  std::string message = patch.message;
  if (patch.problem.empty() && patch.crlf)
    message = "every line ends in CR LF: the patch was converted; convert it back to LF";
  cel::Map result;
  result.set("path", front_of(path.string(), 4096));
  result.set("ok", patch.problem.empty() && !patch.crlf);
  result.set("valid", patch.problem.empty());
  result.set("problem", patch.problem);
  result.set("message", message);
  result.set("sha256", patch.sha256);
  result.set("bytes", patch.bytes);
  result.set("crlf", patch.crlf);
  result.set("targets", list_of(patch.targets()));
  result.set("python", python.value());
  result.set("files", files.value());
  result.set("total", files.total());
  result.set("added", added);
  result.set("removed", removed);
  result.set("missing_blobs", list_of(missing));
  result.set("three_way", three_way);
  const bool ok = patch.problem.empty() && !patch.crlf;
  return completed(std::move(result), ok ? JobStatus::pass : JobStatus::fail);
}

Result<JobOutcome> snapshot(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(
      const Git git,
      open_repository(path_of(in.string_or("worktree", "worktree"), context.run_folder), context));
  const fs::path path = path_of(in.string_or("patch", ""), context.run_folder);
  CR_TRY(const PatchText patch, read_patch(git, path, strip_of(in)));
  CR_TRY(PatchSnapshot taken, take_snapshot(git, patch));
  if (!taken.tree.empty()) {
    taken.ref = held_ref(spec.root, spec.token.value + "-snapshot");
    CR_TRY(taken.commit,
           hold_tree(git, taken.tree, taken.head, taken.ref, "before " + path.filename().string()));
  }
  return completed(to_map(taken));
}

Result<JobOutcome> probe(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  CR_TRY(
      const Git git,
      open_repository(path_of(in.string_or("worktree", "worktree"), context.run_folder), context));
  const fs::path path = path_of(in.string_or("patch", ""), context.run_folder);
  const std::string strip = "-p" + std::to_string(strip_of(in));
  CR_TRY(const ProcessReply forward, git.run({"apply", "--check", strip, path.string()}));
  CR_TRY(const ProcessReply reverse,
         git.run({"apply", "--check", "--reverse", "--cached", strip, path.string()}));
  cel::Map result;
  result.set("applies", forward.exit_code == 0);
  result.set("already_applied", reverse.exit_code == 0);
  result.set("check_exit", forward.exit_code);
  result.set("reverse_exit", reverse.exit_code);
  result.set("log", end_of(forward.err, 8192));
  return completed(std::move(result));
}

}  // namespace

void add_patch_kinds(JobCatalog& catalog) {
  catalog.add(own_kind(
      {"patch.inspect", "What a patch file holds, and whether its preimages are here",
       "{repo: string, patch: string, strip?: int}",
       "{path: string, ok: bool, valid: bool, problem: string, message: string, sha256: string, "
       "bytes: int, crlf: bool, targets: list<string>, python: list<string>, "
       "files: list<{path: string, old_path: string, change: string, added: int, removed: int, "
       "binary: bool, preimage: string, preimage_present: bool}>, total: int, added: int, "
       "removed: int, missing_blobs: list<string>, three_way: bool}",
       Repeat::safe},
      inspect, {inspect, {"repo", "patch"}}));
  catalog.add(
      own_kind({"patch.snapshot", "The worktree before a patch, held by a ref",
                "{patch: string, worktree?: string, strip?: int}", snapshot_type, Repeat::safe},
               snapshot));
  catalog.add(own_kind({"patch.probe", "Whether a patch fits as it is, or is in already",
                        "{patch: string, worktree?: string, strip?: int}",
                        "{applies: bool, already_applied: bool, check_exit: int, "
                        "reverse_exit: int, log: string}",
                        Repeat::safe},
                       probe));
}

}  // namespace checkride::jobs

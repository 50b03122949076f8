// How a kind of job is written here: a signature in the words definitions use, and a function from
// the spec to an outcome that reports its failures as Error. The class around the two is the same
// for all kinds that run in a process of their own or in the engine's pool; it also holds every
// result to the bound of the log. The add_* functions below are the parts catalog.cpp puts
// together.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ports/job_kind.h"

namespace checkride::jobs {

using RunFunction = Result<JobOutcome> (*)(const JobSpec& spec, const JobContext& context);

struct KindText {
  std::string name;
  std::string title;
  std::string inputs;  // as cel::parse_type reads it; a text that is no type is a bug
  std::string result;
  Repeat repeat = Repeat::ask;
  bool supervised = true;
};
JobSignature signature_of(const KindText& text);

// For JobKind::look: answers a job's question without changing anything; `run` itself where that only
// reads, null where it cannot be done.
struct LookAt {
  RunFunction function = nullptr;
  // Inputs that must be absolute paths: a run that has not begun has no folder to start from.
  std::vector<std::string> paths;
};

// An error becomes an attempt without a result: class by its code (unavailable, resource for a full
// disk, timeout, infra for the operating system, code for the rest). Exceptions of the libraries
// end there too.
std::unique_ptr<JobKind> own_kind(const KindText& text, RunFunction run, LookAt look = {});

// An attempt that ended with `error`.
JobOutcome outcome_of(const Error& error);

// Reading of inputs; the signature has been checked, so what is absent was left out on purpose.
std::vector<std::string> strings(const cel::Value& record, std::string_view field);
// A path as a person writes it in a definition: absolute, or relative to `base`.
std::filesystem::path path_of(const std::string& text, const std::filesystem::path& base);
// A path inside `base`; an error if it is absolute or climbs out of it.
Result<std::filesystem::path> path_within(const std::string& text,
                                          const std::filesystem::path& base);
// Whether `path` is `folder` or lies below it, symbolic links resolved as far as they exist.
bool lies_within(const std::filesystem::path& path, const std::filesystem::path& folder);

void add_process_kinds(JobCatalog& catalog);   // shell, exec, notify, wait, note
void add_person_kinds(JobCatalog& catalog);    // gate, machine
void add_text_kinds(JobCatalog& catalog);      // file.check, log.scan, json.read
void add_toolbox_kinds(JobCatalog& catalog);   // toolbox.copy, toolbox.overlay
void add_status_kinds(JobCatalog& catalog);    // git.status, git.snapshot, git.same
void add_upstream_kinds(JobCatalog& catalog);  // git.upstream, git.fetch_blobs
void add_branch_kinds(JobCatalog& catalog);    // git.branch, git.commit
void add_worktree_kinds(JobCatalog& catalog);  // git.worktree, git.worktree_remove
void add_export_kinds(JobCatalog& catalog);    // git.export, git.diff, git.bundle, git.log
void add_patch_kinds(JobCatalog& catalog);     // patch.inspect, patch.snapshot, patch.probe
void add_apply_kinds(JobCatalog& catalog);     // patch.apply, patch.recover
void add_residue_kinds(JobCatalog& catalog);   // patch.residue
void add_python_kinds(JobCatalog& catalog);    // python.compile, .symbols, .has, .imports

}  // namespace checkride::jobs

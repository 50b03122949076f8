// The look-alike: a small fork of a small Python training package, written from scratch into any
// folder, on which the rebase procedure can be flown without the real fork. It has an upstream with
// history, a fork whose seven patches are older than that upstream, the fork's scripts and its
// checklist, and for every patch and every upstream commit the class that git must find. Everything
// is deterministic: the same options give the same blob, tree and commit ids on every machine.
//
//     FOLDER/upstream.git     bare; `main` stands at LookalikeOptions::tip
//     FOLDER/fork             the fork's work tree, branch `main`, remote `origin` =
//     ../upstream.git FOLDER/points.json      the integration points of each patch, as data for a
//     workflow FOLDER/lookalike.json   upstream commit ids and the table of classes, for shell
//     scripts
//
// History of upstream: fork point, one commit, then base and four later commits. The fork's main is
// the fork point with all changes applied, then a commit with patches, scripts and checklist. All
// functions start git with a fixed environment (lookalike_git.h) and may be called from any thread
// as long as each works on its own folder.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace checkride::lookalike {

// The upstream commits a patch series can be put on, oldest first.
enum class UpstreamCommit { base, later_1, later_2, later_3, later_4 };
inline constexpr std::array all_commits = {UpstreamCommit::base, UpstreamCommit::later_1,
                                           UpstreamCommit::later_2, UpstreamCommit::later_3,
                                           UpstreamCommit::later_4};
std::string_view to_string(UpstreamCommit commit);  // "base", "later-1", ...

// What `git apply --3way` makes of a patch when those before it are in and their conflicts
// resolved.
enum class PatchClass { clean_direct, clean_merged, conflict, already_applied };
std::string_view to_string(PatchClass patch_class);  // "clean-direct", ...

// The series, in order; the file of each is patches/NAME.patch in the fork.
inline constexpr std::array<std::string_view, 7> patch_names = {
    "01-trainer-gh200", "02-caching-uvm",  "03-state-tracker", "04-configuration",
    "05-data-backend",  "06-gh200-module", "07-scripts-docs"};

// classes[patch][commit]. Between later_1 and later_2 the conflict of patch 01 differs in its
// second hunk only; its first hunk is the same at base, later_1, later_2 and later_3.
inline constexpr auto classes = [] {
  constexpr auto D = PatchClass::clean_direct;
  constexpr auto M = PatchClass::clean_merged;
  constexpr auto C = PatchClass::conflict;
  constexpr auto A = PatchClass::already_applied;
  return std::array<std::array<PatchClass, 5>, 7>{{
      {C, C, C, C, M},  // 01-trainer-gh200 at base, later_1 .. later_4
      {M, M, D, D, D},  // 02-caching-uvm
      {D, D, D, D, A},  // 03-state-tracker
      {D, M, M, M, M},  // 04-configuration
      {M, M, M, C, C},  // 05-data-backend
      {D, D, D, D, D},  // 06-gh200-module
      {D, D, D, M, M},  // 07-scripts-docs
  }};
}();

// The tree after the whole series at each commit: default options, conflicts put right, the package
// not yet moved.
inline constexpr std::array<std::string_view, 5> final_trees = {
    "52dbb6d32bce1f163d5387dc567e752482e80b1a", "f6071339abd66c2af5c6da8070d5e852bb1f5290",
    "f4bea1d8e806ac0acb6e590059a51d025e91ae21", "836142fdaa651e5cf33321ea9f5387f7207e362a",
    "43dcbf59d96ce10707bf459c5346f9a99cde9266"};

// What the fork's scripts/test_*_features.sh do.
enum class ScriptBehaviour {
  pass,  // run real checks with the standard library only; exit 0 with the expected lines
  skip,  // say "torch not available; skipping ..." and exit 0 without having checked anything
  fail_upstream,  // as pass, but the one script then ends with 1
  fail_gh200,
  fail_combined,
};

struct LookalikeOptions {
  // Patch 01 also deletes two methods that upstream calls by now: compiles, breaks when run.
  bool lost_symbols = false;
  // Patch 06 adds its package as gh200/ while every importer says simpletuner.gh200; true puts it
  // where they look. move_package() is the repair.
  bool package_where_expected = false;
  ScriptBehaviour scripts = ScriptBehaviour::pass;
  UpstreamCommit tip = UpstreamCommit::base;  // where origin's main stands
};

struct Lookalike {
  std::filesystem::path folder;
  std::filesystem::path upstream;  // bare repository
  std::filesystem::path fork;      // work tree
  LookalikeOptions options;
  std::string fork_point;              // commit ids
  std::array<std::string, 5> commits;  // by UpstreamCommit
  std::string fork_head;

  const std::string& commit(UpstreamCommit at) const { return commits[static_cast<size_t>(at)]; }
  std::filesystem::path patch(std::size_t index) const;  // absolute path of the index-th patch file
};

// Writes the look-alike into `folder`, which must be absent or empty.
Result<Lookalike> make_lookalike(const std::filesystem::path& folder,
                                 const LookalikeOptions& options = {});

// Moves origin's main, as if upstream had pushed while a run was under way.
Result<void> advance_upstream(const Lookalike& place, UpstreamCommit to);

// A detached linked worktree of the fork at an upstream commit, with the patches in order up to but
// not including `patch_index` applied, conflicts resolved and each committed.
Result<void> make_worktree(const Lookalike& place, const std::filesystem::path& worktree,
                           UpstreamCommit at, std::size_t patch_index = 0);

// ---- answers of an honest person -------------------------------------------------------------

// The right text of a conflicted file at a commit; not_found where that file never conflicts there.
Result<std::string> right_resolution(UpstreamCommit at, std::string_view path,
                                     const LookalikeOptions& options = {});
// Writes the right text into every unmerged file of the worktree and adds it to the index.
Result<void> resolve_conflict(const std::filesystem::path& worktree, UpstreamCommit at,
                              const LookalikeOptions& options = {});
// The repair of patch 06: git mv gh200 simpletuner/gh200.
Result<void> move_package(const std::filesystem::path& worktree);

// ---- lying answers ---------------------------------------------------------------------------

enum class Lie {
  markers_left,       // git add without touching the markers: nothing is unmerged any more
  markers_committed,  // git commit -a with the markers in: status is clean, diff --check passes
  all_ours,           // each conflict region: upstream's side
  all_theirs,         // each conflict region: the patch's side
  both_sides,         // each conflict region: upstream's side, then the patch's
  not_added,          // the right text on disk, but the index is still unmerged
};
inline constexpr std::array all_lies = {Lie::markers_left, Lie::markers_committed, Lie::all_ours,
                                        Lie::all_theirs,   Lie::both_sides,        Lie::not_added};
std::string_view to_string(Lie lie);  // "markers-left", ...

// Gives that answer in a worktree with unmerged files; invalid_argument where there are none.
Result<void> tell_lie(const std::filesystem::path& worktree, UpstreamCommit at, Lie lie,
                      const LookalikeOptions& options = {});

// ---- traps on a made repository --------------------------------------------------------------

// A second fork in `folder` that is a clone of depth 1 of upstream with the fork's own files on
// top: the preimage blobs of the patches are not in it, and `git fetch --unshallow` brings them.
Result<std::filesystem::path> make_shallow_fork(const Lookalike& place,
                                                const std::filesystem::path& folder);
enum class PatchDamage { crlf, truncated, empty, garbage, missing };
// Spoils one patch file of the fork; the change is committed, so the work tree stays clean.
Result<void> damage_patch(const Lookalike& place, std::size_t patch_index, PatchDamage damage);
Result<void> make_dirty(const Lookalike& place);  // edits a tracked file that is not the fork's own
Result<void> detach_head(const Lookalike& place);
Result<void> make_branch(const Lookalike& place, std::string_view name);  // at the fork's HEAD
Result<void> run_preflight(
    const Lookalike& place);  // verify_assumptions.sh: rewrites tracked files
// A folder name with spaces, an apostrophe and letters outside ASCII, to make a look-alike under.
std::filesystem::path awkward_name();

// ---- integration points ----------------------------------------------------------------------

// What a patch must have left in the tree. `contains`: the file exists and its text matches
// `pattern` (RE2, `(?s)` and `(?m)` given inside; empty: any text). `imports_resolve`: every import
// of `package` in `files` names a module that is in the tree.
struct IntegrationPoint {
  enum class Kind { contains, imports_resolve };
  std::string_view patch;  // of patch_names
  std::string_view id;     // "01.3", as in the checklist's notes
  std::string_view what;   // one phrase for a person
  Kind kind = Kind::contains;
  std::string_view file;
  std::string_view pattern;
  std::string_view package;
  std::vector<std::string_view> files;
};
const std::vector<IntegrationPoint>& integration_points();
std::string points_json();
std::string lookalike_json(const Lookalike& place);

}  // namespace checkride::lookalike

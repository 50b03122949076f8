#include "tests/support/lookalike.h"

#include "engine/base/files.h"
#include "tests/support/lookalike_git.h"
#include "tests/support/lookalike_tree.h"

namespace checkride::lookalike {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view person = "Lookalike <lookalike@example.invalid>";
constexpr long first_second = 1'700'000'000;  // commits are an hour apart

std::string sized(std::string_view text) {
  return "data " + std::to_string(text.size()) + "\n" + std::string(text) + "\n";
}

// One commit for git fast-import: the whole tree, so that the stream needs no knowledge of parents.
std::string import_commit(std::string_view ref, std::string_view parent, std::string_view message,
                          long hours, const Tree& tree) {
  const std::string stamp =
      std::string(person) + " " + std::to_string(first_second + hours * 3600) + " +0000\n";
  std::string stream = "commit " + std::string(ref) + "\nauthor " + stamp + "committer " + stamp +
                       sized(std::string(message) + "\n");
  if (!parent.empty()) stream += "from " + std::string(parent) + "\n";
  stream += "deleteall\n";
  for (const auto& [path, file] : tree)
    stream += std::string("M ") + (file.executable ? "100755" : "100644") + " inline " + path +
              "\n" + sized(file.text);
  return stream;
}

std::string upstream_ref(UpstreamCommit at) {
  return "refs/lookalike/" + std::string(to_string(at));
}

// The bare upstream; each pinned commit stays reachable whatever main says.
Result<void> make_upstream(Lookalike& place) {
  CR_CHECK(git(place.folder, {"init", "--quiet", "--bare", "-b", "main", "upstream.git"}));
  CR_CHECK(git(place.upstream, {"config", "uploadpack.allowAnySHA1InWant", "true"}));
  std::string stream;
  Tree tree;
  const auto& history = upstream_history();
  for (std::size_t step = 0; step < history.size(); ++step) {
    CR_TRY(tree, with_change(std::move(tree), history.at(step).change));
    // Without `from`, a commit on an existing branch follows that branch's tip.
    stream += import_commit("refs/heads/main", "", history.at(step).message,
                            static_cast<long>(step), tree);
    if (step == 0) stream += "reset refs/lookalike/fork-point\nfrom refs/heads/main\n\n";
    for (const auto at : all_commits)
      if (step == step_of(at)) stream += "reset " + upstream_ref(at) + "\nfrom refs/heads/main\n\n";
  }
  CR_CHECK(git(place.upstream, {"fast-import", "--quiet"}, stream));
  CR_TRY(place.fork_point, git(place.upstream, {"rev-parse", "refs/lookalike/fork-point"}));
  for (const auto at : all_commits) {
    CR_TRY(place.commits.at(static_cast<std::size_t>(at)),
           git(place.upstream, {"rev-parse", upstream_ref(at)}));
  }
  return advance_upstream(place, place.options.tip);
}

// The patches, as git writes them for the difference of each component to the fork point.
Result<std::vector<NewFile>> make_patches(const Lookalike& place) {
  const fs::path scratch = place.folder / "scratch.git";
  CR_CHECK(git(place.folder, {"init", "--quiet", "--bare", "-b", "main", "scratch.git"}));
  CR_TRY(const Tree origin, upstream_tree(0));
  std::string stream = import_commit("refs/heads/main", "", "fork point", 0, origin);
  for (std::size_t i = 0; i < patch_names.size(); ++i) {
    CR_TRY(const Tree tree, with_change(origin, component(i, place.options)));
    stream += import_commit("refs/heads/" + std::string(patch_names.at(i)), "refs/heads/main",
                            "component", 0, tree);
  }
  CR_CHECK(git(scratch, {"fast-import", "--quiet"}, stream));
  std::vector<NewFile> patches;
  for (const auto name : patch_names) {
    CR_TRY(std::string patch,
           git(scratch, {"diff", "--no-color", "--no-ext-diff", "--no-renames", "--abbrev=12",
                         "--diff-algorithm=myers", "main", std::string(name)}));
    patches.push_back({"patches/" + std::string(name) + ".patch", patch + "\n"});
  }
  std::error_code ignored;  // a scratch folder left behind harms nobody
  fs::remove_all(scratch, ignored);
  return patches;
}

// The fork as it is lived in: all changes applied at the fork point, the package where importers
// look, whatever the exported patch 06 says.
Result<Tree> fork_content(const LookalikeOptions& options) {
  LookalikeOptions lived_in = options;
  lived_in.package_where_expected = true;
  CR_TRY(Tree tree, upstream_tree(0));
  for (std::size_t i = 0; i < patch_names.size(); ++i) {
    CR_TRY(tree, with_change(std::move(tree), component(i, lived_in)));
  }
  return tree;
}

Result<void> make_fork(Lookalike& place) {
  CR_TRY(auto patches, make_patches(place));
  CR_CHECK(git(place.folder, {"init", "--quiet", "-b", "main", "fork"}));
  CR_CHECK(git(place.fork, {"remote", "add", "origin", place.upstream.string()}));
  CR_CHECK(git(place.fork, {"fetch", "--quiet", "origin", "main"}));
  CR_TRY(Tree tree, fork_content(place.options));
  std::string stream =
      import_commit("refs/heads/main", place.fork_point, "Carry the GH200 changes", 100, tree);
  Change own{fork_tools(place.options.scripts), {}};
  own.files.insert(own.files.end(), patches.begin(), patches.end());
  CR_TRY(tree, with_change(std::move(tree), own));
  stream +=
      import_commit("refs/heads/main", "", "Export the patches; scripts and checklist", 101, tree);
  CR_CHECK(git(place.fork, {"fast-import", "--quiet"}, stream));
  CR_CHECK(git(place.fork, {"reset", "--quiet", "--hard", "main"}));
  CR_CHECK(git(place.fork, {"config", "user.name", "Lookalike"}));
  CR_CHECK(git(place.fork, {"config", "user.email", "lookalike@example.invalid"}));
  CR_TRY(place.fork_head, git(place.fork, {"rev-parse", "HEAD"}));
  return {};
}

}  // namespace

std::string_view to_string(UpstreamCommit commit) {
  constexpr std::array<std::string_view, 5> names = {"base", "later-1", "later-2", "later-3",
                                                     "later-4"};
  return names.at(static_cast<std::size_t>(commit));
}

std::string_view to_string(PatchClass patch_class) {
  constexpr std::array<std::string_view, 4> names = {"clean-direct", "clean-merged", "conflict",
                                                     "already-applied"};
  return names.at(static_cast<std::size_t>(patch_class));
}

fs::path Lookalike::patch(std::size_t index) const {
  return fork / "patches" / (std::string(patch_names.at(index)) + ".patch");
}

Result<Lookalike> make_lookalike(const fs::path& folder, const LookalikeOptions& options) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_empty(folder, error) || error)
    return fail(ErrorCode::already_exists,
                "a look-alike needs a new or empty folder, not " + folder.string());
  Lookalike place;
  place.folder = fs::canonical(folder, error);
  place.upstream = place.folder / "upstream.git";
  place.fork = place.folder / "fork";
  place.options = options;
  CR_CHECK(make_upstream(place));
  CR_CHECK(make_fork(place));
  CR_CHECK(write_file_atomic(place.folder / "points.json", points_json()));
  CR_CHECK(write_file_atomic(place.folder / "lookalike.json", lookalike_json(place)));
  return place;
}

Result<void> advance_upstream(const Lookalike& place, UpstreamCommit to) {
  CR_CHECK(git(place.upstream, {"update-ref", "refs/heads/main", place.commit(to)}));
  return {};
}

Result<void> make_worktree(const Lookalike& place, const fs::path& worktree, UpstreamCommit at,
                           std::size_t patch_index) {
  CR_CHECK(git(place.fork, {"fetch", "--quiet", "origin", place.commit(at)}));
  CR_CHECK(git(place.fork,
               {"worktree", "add", "--quiet", "--detach", worktree.string(), place.commit(at)}));
  for (std::size_t i = 0; i < patch_index; ++i) {
    const auto expected = classes.at(i).at(static_cast<std::size_t>(at));
    if (expected == PatchClass::already_applied) continue;
    CR_TRY(const auto end,
           run_program(worktree, {"git", "apply", "--3way", place.patch(i).string()}));
    if (expected == PatchClass::conflict)
      CR_CHECK(resolve_conflict(worktree, at, place.options));
    else if (end.exit_code != 0)
      return fail(ErrorCode::internal, "patch did not apply: " + end.output);
    CR_CHECK(git(worktree, {"commit", "--quiet", "-m", "Apply " + std::string(patch_names.at(i))}));
  }
  return {};
}

}  // namespace checkride::lookalike

#include "tests/support/lookalike_tree.h"
#include "tests/unit/lookalike/given.h"

namespace checkride::lookalike {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view compile_all = R"(
import pathlib, sys
for path in sorted(pathlib.Path(".").rglob("*.py")):
    text = path.read_text(encoding="utf-8")
    compile(text, str(path), "exec")
    assert text.count("\n") < 120, f"{path} is too long: " + str(text.count("\n"))
)";

void require_compiles(const fs::path& worktree) {
  const auto end = must(run_program(worktree, {"python3", "-"}, compile_all));
  INFO(end.output);
  REQUIRE(end.exit_code == 0);
}

// The texts between the markers of each conflict region, both sides together.
std::vector<std::string> regions(const std::string& text) {
  std::vector<std::string> result;
  std::size_t at = 0;
  while ((at = text.find("<<<<<<< ", at)) != std::string::npos) {
    const auto from = text.find('\n', at) + 1;
    const auto to = text.find("\n>>>>>>> ", from);
    REQUIRE(to != std::string::npos);
    result.push_back(text.substr(from, to + 1 - from));
    at = to;
  }
  return result;
}

TEST_CASE("the look-alike has the same ids on every machine", "[lookalike]") {
  const TemporaryFolder folder;
  const auto place = must(make_lookalike(folder.path() / awkward_name()));
  CHECK(place.fork_point == "9bf1e108c58c0d2edaa15bf5f6c0108fea502d57");
  CHECK(place.commit(UpstreamCommit::base) == "047d22ebd4c4e5201307352d030477ab79654c07");
  CHECK(place.commit(UpstreamCommit::later_1) == "2288e05190be4b320bfdd82452a2911e9d854f27");
  CHECK(place.commit(UpstreamCommit::later_2) == "1fcda7fe738e9933d177a60bf44aa23b3f612aca");
  CHECK(place.commit(UpstreamCommit::later_3) == "b25ee019ff3583b55cc8031c6c175516bad20560");
  CHECK(place.commit(UpstreamCommit::later_4) == "670b41fb7f0da9e5b4fcc2c501001416aba6b7b1");
  CHECK(place.fork_head == "e3915e155b4fc9084430f83f6932d98ae4e6f22b");
  CHECK(must(git(place.fork, {"rev-parse", "HEAD^{tree}"})) ==
        "5abeb45852cd6a525fb2ae3d6d8bddf40662ebba");
  CHECK(must(git(place.fork, {"rev-parse", "origin/main"})) == place.commit(UpstreamCommit::base));
  CHECK(must(git(place.fork, {"status", "--porcelain"})).empty());
  CHECK(must(git(place.fork, {"symbolic-ref", "HEAD"})) == "refs/heads/main");
}

TEST_CASE("git finds each patch in the class that the table says", "[lookalike]") {
  static const TemporaryFolder folder;
  static const Lookalike place = must(make_lookalike(folder.path() / "place"));
  const auto at = GENERATE(UpstreamCommit::base, UpstreamCommit::later_1, UpstreamCommit::later_2,
                           UpstreamCommit::later_3, UpstreamCommit::later_4);
  CAPTURE(to_string(at));
  const fs::path worktree = folder.path() / std::string(to_string(at));
  must(make_worktree(place, worktree, at));
  require_compiles(worktree);
  for (std::size_t i = 0; i < patch_names.size(); ++i) {
    CAPTURE(patch_names.at(i));
    const auto applied = apply_patch(worktree, place.patch(i));
    INFO(applied.end.output);
    CHECK(applied.patch_class == to_string(classes.at(i).at(static_cast<std::size_t>(at))));
    if (applied.patch_class == "conflict") must(resolve_conflict(worktree, at));
    CHECK(must(git(worktree, {"ls-files", "-u"})).empty());
    require_compiles(worktree);
    const auto ended = must(run_program(worktree, {"git", "diff", "--cached", "--check"}));
    CHECK(ended.output.find("conflict marker") == std::string::npos);
    // Patch 06 ends a file in a blank line, which the same check calls an error.
    CHECK((ended.output.find("new blank line at EOF") != std::string::npos) == (i == 5));
    if (applied.patch_class != "already-applied")
      must(git(worktree, {"commit", "--quiet", "-m", "Apply"}));
  }
  CHECK(must(git(worktree, {"write-tree"})) == final_trees.at(static_cast<std::size_t>(at)));
}

TEST_CASE("at each later commit some patch changes its class", "[lookalike]") {
  for (std::size_t at = 1; at < all_commits.size(); ++at) {
    int changed = 0;
    for (const auto& row : classes) changed += row.at(at) != row.at(at - 1);
    CHECK(changed >= 1);
  }
}

TEST_CASE("the options do not change a class", "[lookalike]") {
  const TemporaryFolder folder;
  LookalikeOptions options;
  options.lost_symbols = true;
  options.package_where_expected = true;
  const auto place = must(make_lookalike(folder.path() / "place", options));
  for (const auto at : all_commits) {
    const fs::path worktree = folder.path() / std::string(to_string(at));
    must(make_worktree(place, worktree, at));
    for (std::size_t i = 0; i < patch_names.size(); ++i) {
      CAPTURE(to_string(at), patch_names.at(i));
      const auto applied = apply_patch(worktree, place.patch(i));
      CHECK(applied.patch_class == to_string(classes.at(i).at(static_cast<std::size_t>(at))));
      if (applied.patch_class == "conflict") must(resolve_conflict(worktree, at, options));
      if (applied.patch_class != "already-applied")
        must(git(worktree, {"commit", "--quiet", "-m", "Apply"}));
    }
  }
}

TEST_CASE("from later-1 to later-2 one hunk of the conflict differs", "[lookalike]") {
  const TemporaryFolder folder;
  const auto place = must(make_lookalike(folder.path() / "place"));
  std::vector<std::vector<std::string>> found;
  for (const auto at : {UpstreamCommit::base, UpstreamCommit::later_1, UpstreamCommit::later_2,
                        UpstreamCommit::later_3}) {
    const fs::path worktree = folder.path() / std::string(to_string(at));
    must(make_worktree(place, worktree, at));
    REQUIRE(apply_patch(worktree, place.patch(0)).patch_class == "conflict");
    found.push_back(regions(text_of(worktree / "simpletuner/helpers/training/trainer.py")));
    REQUIRE(found.back().size() == 2);
  }
  CHECK(found[0] == found[1]);
  CHECK(found[1][0] == found[2][0]);
  CHECK(found[1][1] != found[2][1]);
  CHECK(found[2] == found[3]);
}

TEST_CASE("the right resolution differs from the merge in conflict regions only", "[lookalike]") {
  const TemporaryFolder folder;
  LookalikeOptions options;
  options.lost_symbols = GENERATE(false, true);
  const auto place = must(make_lookalike(folder.path() / "place", options));
  for (const auto at : all_commits) {
    for (const std::size_t patch : {std::size_t{0}, std::size_t{4}}) {
      if (classes.at(patch).at(static_cast<std::size_t>(at)) != PatchClass::conflict) continue;
      CAPTURE(to_string(at), patch);
      const fs::path worktree =
          folder.path() / (std::string(to_string(at)) + std::to_string(patch));
      must(make_worktree(place, worktree, at, patch));
      REQUIRE(apply_patch(worktree, place.patch(patch)).patch_class == "conflict");
      const std::string file = must(git(worktree, {"diff", "--name-only", "--diff-filter=U"}));
      const std::string merged = text_of(worktree / file);
      std::string right = must(right_resolution(at, file, options));
      // Each common part of the merge follows the one before it in the right text.
      std::size_t from = 0, in_right = 0;
      for (bool more = true; more;) {
        const auto start = merged.find("<<<<<<< ", from);
        more = start != std::string::npos;
        const std::string common = merged.substr(from, more ? start - from : std::string::npos);
        const auto found = right.find(common, in_right);
        REQUIRE(found != std::string::npos);
        if (from == 0) CHECK(found == 0);
        in_right = found + common.size();
        if (more) from = merged.find('\n', merged.find("\n>>>>>>> ", start) + 1) + 1;
      }
      CHECK(in_right == right.size());
    }
  }
}

}  // namespace
}  // namespace checkride::lookalike

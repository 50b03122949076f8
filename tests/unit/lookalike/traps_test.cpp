#include "tests/unit/lookalike/given.h"

namespace checkride::lookalike {
namespace {

namespace fs = std::filesystem;

constexpr const char* trainer = "simpletuner/helpers/training/trainer.py";

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST_CASE("each lie leaves what it says", "[lookalike]") {
  const TemporaryFolder folder;
  const auto place = must(make_lookalike(folder.path() / "place"));
  const auto lie = GENERATE(from_range(all_lies));
  CAPTURE(to_string(lie));
  const fs::path worktree = folder.path() / "tree";
  must(make_worktree(place, worktree, UpstreamCommit::base));
  REQUIRE(apply_patch(worktree, place.patch(0)).patch_class == "conflict");
  must(tell_lie(worktree, UpstreamCommit::base, lie));

  const std::string text = text_of(worktree / trainer);
  const std::string right = must(right_resolution(UpstreamCommit::base, trainer));
  const bool unmerged = !must(git(worktree, {"ls-files", "-u"})).empty();
  const bool markers = has(text, "<<<<<<< ");
  CHECK(unmerged == (lie == Lie::not_added));
  CHECK(markers == (lie == Lie::markers_left || lie == Lie::markers_committed));
  CHECK((text == right) == (lie == Lie::not_added));
  const bool consumes = has(text, "            self._consume_manual_validation_request()\n");
  const bool ramps = has(text, "            self._apply_dynamic_gradient_accumulation()\n");
  CHECK(consumes == (lie != Lie::all_theirs));
  CHECK(ramps == (lie != Lie::all_ours));
  if (lie == Lie::markers_committed) {
    CHECK(must(git(worktree, {"status", "--porcelain"})).empty());
    CHECK(must(run_program(worktree, {"git", "diff", "--check"})).exit_code == 0);
  }
  if (!markers)
    CHECK(must(run_program(worktree, {"python3", "-m", "py_compile", trainer})).exit_code == 0);
}

TEST_CASE("there is nothing to answer where nothing is unmerged", "[lookalike]") {
  const TemporaryFolder folder;
  const auto place = must(make_lookalike(folder.path() / "place"));
  const auto told = tell_lie(place.fork, UpstreamCommit::base, Lie::all_ours);
  REQUIRE(!told);
  CHECK(told.error().code == ErrorCode::invalid_argument);
  CHECK(!resolve_conflict(place.fork, UpstreamCommit::base));
  CHECK(right_resolution(UpstreamCommit::later_4, trainer).error().code == ErrorCode::not_found);
}

TEST_CASE("a shallow fork lacks the preimages until it is unshallowed", "[lookalike]") {
  const TemporaryFolder folder;
  const auto place = must(make_lookalike(folder.path() / "place"));
  const auto shallow = must(make_shallow_fork(place, folder.path() / "shallow"));
  const fs::path tree = folder.path() / "tree";
  must(git(shallow, {"worktree", "add", "--quiet", "--detach", tree, "origin/main"}));
  const auto without = apply_patch(tree, place.patch(0));
  CHECK(without.patch_class == "failed");
  CHECK(without.end.exit_code == 1);
  CHECK(has(without.end.output, "repository lacks the necessary blob to perform 3-way merge"));
  CHECK(must(git(tree, {"status", "--porcelain"})).empty());
  must(git(shallow, {"fetch", "--quiet", "--unshallow", "origin"}));
  CHECK(apply_patch(tree, place.patch(0)).patch_class == "conflict");
  // HEAD is a child of what upstream has, so a run finds something to rebase on.
  CHECK(must(git(shallow, {"merge-base", "HEAD", "origin/main"})) ==
        place.commit(UpstreamCommit::base));
}

TEST_CASE("git refuses each damaged patch and changes nothing", "[lookalike]") {
  struct Case {
    PatchDamage damage;
    int exit_code;
    const char* words;
  };
  const auto given = GENERATE(Case{PatchDamage::crlf, 1, "patch does not apply"},
                              Case{PatchDamage::truncated, 128, "corrupt patch at line"},
                              Case{PatchDamage::empty, 128, "No valid patches in input"},
                              Case{PatchDamage::garbage, 128, "No valid patches in input"},
                              Case{PatchDamage::missing, 128, "can't open patch"});
  const TemporaryFolder folder;
  const auto place = must(make_lookalike(folder.path() / "place"));
  must(damage_patch(place, 2, given.damage));
  CHECK(must(git(place.fork, {"status", "--porcelain"})).empty());
  const fs::path worktree = folder.path() / "tree";
  must(make_worktree(place, worktree, UpstreamCommit::base));
  const auto applied = apply_patch(worktree, place.patch(2));
  INFO(applied.end.output);
  CHECK(applied.end.exit_code == given.exit_code);
  CHECK(has(applied.end.output, given.words));
  CHECK(must(git(worktree, {"status", "--porcelain"})).empty());
}

TEST_CASE("a checkout can be dirty, detached, or hold the branch already", "[lookalike]") {
  const TemporaryFolder folder;
  const auto place = must(make_lookalike(folder.path() / "place"));
  must(make_branch(place, "gh200-reintegration"));
  CHECK(must(git(place.fork, {"rev-parse", "gh200-reintegration"})) == place.fork_head);
  must(detach_head(place));
  CHECK(must(run_program(place.fork, {"git", "symbolic-ref", "HEAD"})).exit_code != 0);
  must(make_dirty(place));
  CHECK(must(git(place.fork, {"status", "--porcelain"})) == " M README.md");
}

TEST_CASE("the preflight script leaves changes in tracked files", "[lookalike]") {
  const TemporaryFolder folder;
  const auto place = must(make_lookalike(folder.path() / "place"));
  must(run_preflight(place));
  CHECK(must(git(place.fork, {"status", "--porcelain"})) ==
        " M .verify_env\n M VERIFICATION_REPORT.txt");
  CHECK(has(text_of(place.fork / "VERIFICATION_REPORT.txt"), "Import path: simpletuner.gh200"));
}

TEST_CASE("upstream can move on under a fork", "[lookalike]") {
  const TemporaryFolder folder;
  LookalikeOptions options;
  options.tip = UpstreamCommit::later_1;
  const auto place = must(make_lookalike(folder.path() / "place", options));
  CHECK(must(git(place.fork, {"rev-parse", "origin/main"})) ==
        place.commit(UpstreamCommit::later_1));
  must(advance_upstream(place, UpstreamCommit::later_3));
  must(git(place.fork, {"fetch", "--quiet", "origin", "main"}));
  CHECK(must(git(place.fork, {"rev-parse", "origin/main"})) ==
        place.commit(UpstreamCommit::later_3));
}

TEST_CASE("a folder with something in it is left alone", "[lookalike]") {
  const TemporaryFolder folder;
  must(make_lookalike(folder.path() / "place"));
  const auto again = make_lookalike(folder.path() / "place");
  REQUIRE(!again);
  CHECK(again.error().code == ErrorCode::already_exists);
}

}  // namespace
}  // namespace checkride::lookalike

// The git kinds around a rebase: they look at the user's checkout and change nothing of it, and
// what they make can be made twice.
#include <catch2/catch.hpp>

#include "tests/unit/jobs/scene.h"
#include "workflows/jobs/git.h"

using namespace checkride;
using namespace checkride::test;

namespace {

std::string refs(const Scene& scene) {
  return scene.sh(
      "git for-each-ref --format='%(refname) %(objectname)' | grep -v refs/checkride || true");
}

}  // namespace

TEST_CASE("git.status splits what is allowed to be changed from what is not", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.write("repo/logs/a/b.txt", "x");
  scene.write("repo/GH200_x", "x");
  scene.write("repo/dör name/ü.txt", "x");
  scene.sh("echo more >> f.txt");
  const std::string index = scene.sh("sha1sum .git/index");
  const cel::Value result = scene.run(
      "git.status", {{"repo", scene.repo.string()}, {"allowed", list({"logs/**", "GH200_*"})}});
  CHECK(at(result, "total").as_int() == 4);
  CHECK(at(result, "not_allowed").as_int() == 2);
  CHECK_FALSE(at(result, "ok").as_bool());
  CHECK(text(result, "branch") == "main");
  CHECK(scene.sh("sha1sum .git/index") == index);
  const cel::Value wider =
      scene.run("git.status", {{"repo", scene.repo.string()},
                               {"allowed", list({"logs/", "GH200_*", "f.txt", "dör name"})}});
  CHECK(at(wider, "ok").as_bool());
  CHECK_FALSE(at(wider, "clean").as_bool());
}

TEST_CASE("git.status knows a detached HEAD and an unmerged path", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.sh(
      "git checkout -qb a && echo a > f.txt && git commit -qam a && git checkout -q main\n"
      "echo b > f.txt && git commit -qam b && git checkout -q --detach && git merge a || true");
  const cel::Value result =
      scene.run("git.status", {{"repo", scene.repo.string()}, {"allowed", list({"f.txt"})}});
  CHECK(at(result, "detached").as_bool());
  CHECK(at(result, "unmerged").as_int() == 1);
  CHECK_FALSE(at(result, "ok").as_bool());
}

TEST_CASE("git.status outside a repository says so", "[jobs]") {
  Scene scene;
  const JobOutcome ended = scene.outcome("git.status", record({{"repo", scene.root.string()}}));
  CHECK_FALSE(ended.completed);
  CHECK(ended.message.find("not inside a git work tree") != std::string::npos);
}

TEST_CASE("git.same finds every way a checkout can differ from its record", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.write("repo/untracked.txt", "u");
  scene.sh(
      "echo staged > s.txt && git add s.txt && echo ignored > .gitignore && git add .gitignore");
  const cel::Value snapshot = scene.run("git.snapshot", {{"repo", scene.repo.string()}});
  const auto same = [&] { return scene.run("git.same", {{"snapshot", snapshot}}); };
  CHECK(at(same(), "same").as_bool());
  SECTION("touched files and ignored ones are no difference") {
    scene.sh("touch f.txt; echo x > ignored; git status > /dev/null");
    CHECK(at(same(), "same").as_bool());
  }
  std::string difference;
  SECTION("an untracked file changed") {
    scene.write("repo/untracked.txt", "v");
    difference = "untracked.txt has changed";
  }
  SECTION("a tracked file is gone") {
    fs::remove(scene.repo / "f.txt");
    difference = "f.txt has changed";
  }
  SECTION("a file is new") {
    scene.write("repo/new.txt", "");
    difference = "new.txt is new";
  }
  SECTION("a permission changed") {
    scene.sh("chmod +x f.txt");
    difference = "f.txt has changed";
  }
  SECTION("the branch changed, the commit did not") {
    scene.sh("git checkout -q -b elsewhere");
    difference = "the branch was 'main' and is 'elsewhere'";
  }
  SECTION("something was unstaged") {
    scene.sh("git reset -q s.txt");
    difference = "the digest of the index";
  }
  if (difference.empty()) return;
  const cel::Value found = same();
  CHECK_FALSE(at(found, "same").as_bool());
  INFO(cel::to_json(found, 2));
  CHECK(texts(at(found, "differences")).at(0).find(difference) == 0);
}

TEST_CASE("git.branch creates once and never moves a branch", "[jobs]") {
  Scene scene;
  scene.make_repository();
  const std::string commit = scene.sh("git rev-parse HEAD");
  const auto make = [&](const std::string& name) {
    return scene.run("git.branch", {{"repo", scene.repo.string()}, {"name", name}});
  };
  const cel::Value first = make("backup");
  CHECK(at(first, "created").as_bool());
  CHECK_FALSE(at(first, "existed").as_bool());
  CHECK(text(first, "commit") == commit);
  CHECK(text(first, "start_branch") == "main");
  CHECK(at(make("backup"), "ok").as_bool());
  scene.sh("git commit -q --allow-empty -m next");
  const cel::Value moved = make("backup");
  CHECK_FALSE(at(moved, "ok").as_bool());
  CHECK(text(moved, "commit") == commit);
  CHECK(scene.sh("git rev-parse backup") == commit);
  SECTION("a dated name is found again by a second attempt") {
    const cel::Value dated = make("b-%Y%m%d_%H%M%S");
    CHECK(text(dated, "name").size() == 17);
    CHECK(text(make("b-%Y%m%d_%H%M%S"), "name") == text(dated, "name"));
  }
  SECTION("a branch of the user's is not the run's") {
    scene.sh("git branch mine");
    CHECK_FALSE(at(make("mine"), "created").as_bool());
  }
  SECTION("a name git refuses is refused") {
    for (const char* name : {"a..b", "-x", "a b", ""})
      CHECK_FALSE(
          scene.outcome("git.branch", record({{"repo", scene.repo.string()}, {"name", name}}))
              .completed);
  }
}

TEST_CASE("git.worktree leaves the dirty checkout alone and is made once", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.sh(
      "git checkout -q --detach; echo dirty >> f.txt; echo u > u.txt; echo 1 > .git/x; rm .git/x");
  const cel::Value snapshot = scene.run("git.snapshot", {{"repo", scene.repo.string()}});
  const std::string config = scene.read("repo/.git/config");
  const auto make = [&] {
    return scene.run("git.worktree",
                     {{"repo", scene.repo.string()}, {"branch", "work"}, {"commit", "main"}});
  };
  const cel::Value first = make();
  CHECK(at(first, "ready").as_bool());
  CHECK(at(first, "at_commit").as_bool());
  CHECK(at(first, "clean").as_bool());
  CHECK(at(first, "created_branch").as_bool());
  CHECK_FALSE(at(first, "existed").as_bool());
  const cel::Value second = make();
  CHECK(at(second, "ready").as_bool());
  CHECK(text(second, "owner") == "this");
  CHECK(at(scene.run("git.same", {{"snapshot", snapshot}}), "same").as_bool());
  CHECK(scene.read("repo/.git/config") == config);

  SECTION("a second run on the same repository is told that the branch is taken") {
    scene.run_id = "run-2";
    scene.run_folder = scene.root / "run2";
    fs::create_directories(scene.run_folder);
    const cel::Value other = make();
    CHECK_FALSE(at(other, "ready").as_bool());
    CHECK(text(other, "owner") == "other");
    const cel::Value own = scene.run(
        "git.worktree", {{"repo", scene.repo.string()}, {"branch", "work-2"}, {"commit", "main"}});
    CHECK(at(own, "ready").as_bool());
  }
  SECTION("an attempt that died while git held the branch is repeated") {
    scene.sh("git worktree remove --force ../run/worktree; : >.git/refs/heads/work.lock");
    CHECK(at(make(), "ready").as_bool());
    CHECK_FALSE(fs::exists(scene.repo / ".git/refs/heads/work.lock"));
  }
  SECTION("an attempt that died while git wrote the worktree's entry is repeated") {
    const fs::path entry = scene.repo / ".git/worktrees/worktree";
    const std::string empty = GENERATE("commondir", "HEAD");
    scene.sh("rm -rf ../run/worktree/*; : >.git/worktrees/worktree/" + empty);
    CAPTURE(empty);
    CHECK(at(make(), "ready").as_bool());
    CHECK(fs::file_size(entry / empty) > 0);
    scene.sh("git worktree list");
  }
  SECTION("an attempt that died while git filled the folder is repeated") {
    scene.sh("rm .git/worktrees/worktree/checkride-run ../run/worktree/f.txt");
    const cel::Value again = make();
    CHECK(at(again, "ready").as_bool());
    CHECK(at(again, "clean").as_bool());
    CHECK(text(again, "owner") == "this");
  }
  SECTION("a folder somebody removed is made again") {
    fs::remove_all(scene.run_folder / "worktree");
    CHECK(at(make(), "clean").as_bool());
  }
}

TEST_CASE("a worktree that git cannot make leaves no branch behind", "[jobs]") {
  Scene scene;
  scene.make_repository();
  const std::string before = refs(scene);
  scene.sh("echo in the way > ../run/worktree");
  const JobOutcome outcome = scene.outcome(
      "git.worktree",
      record({{"repo", scene.repo.string()}, {"branch", "work"}, {"commit", "main"}}));
  CHECK_FALSE(outcome.completed);
  CHECK(refs(scene) == before);
  CHECK(scene.sh("git for-each-ref refs/checkride").empty());
  CHECK(scene.read("run/worktree") == "in the way\n");
}

TEST_CASE("an existing branch of the same name is never reset", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.sh("git branch work && git commit -q --allow-empty -m next");
  const std::string before = refs(scene);
  const cel::Value refused = scene.run(
      "git.worktree", {{"repo", scene.repo.string()}, {"branch", "work"}, {"commit", "main"}});
  CHECK_FALSE(at(refused, "ready").as_bool());
  CHECK(at(refused, "existed").as_bool());
  CHECK(text(refused, "owner") == "other");
  CHECK(refs(scene) == before);
  const cel::Value reused = scene.run(
      "git.worktree",
      {{"repo", scene.repo.string()}, {"branch", "work"}, {"commit", "main"}, {"reuse", true}});
  CHECK(at(reused, "ready").as_bool());
  CHECK_FALSE(at(reused, "at_commit").as_bool());
  CHECK(refs(scene) == before);
  const cel::Value removed =
      scene.run("git.worktree_remove", {{"repo", scene.repo.string()}, {"branch", "work"}});
  CHECK(at(removed, "removed").as_bool());
  CHECK(at(removed, "branch_kept").as_bool());
  CHECK(refs(scene) == before);
}

TEST_CASE("rollback keeps the failed work and leaves the checkout as it was", "[jobs]") {
  Scene scene;
  scene.make_repository();
  const cel::Value snapshot = scene.run("git.snapshot", {{"repo", scene.repo.string()}});
  const std::string before = refs(scene);
  scene.worktree();
  scene.sh(
      "git config user.name x; echo work >> f.txt; git commit -qam work; echo more >> f.txt; "
      "echo new > new.txt",
      "run/worktree");
  const std::string tip = scene.sh("git rev-parse work");
  const auto remove = [&] {
    return scene.run("git.worktree_remove", {{"repo", scene.repo.string()}, {"branch", "work"}});
  };
  const cel::Value removed = remove();
  CHECK(at(removed, "removed").as_bool());
  CHECK(at(removed, "branch_deleted").as_bool());
  CHECK(scene.sh("git rev-parse refs/checkride/failed/run-1") == tip);
  CHECK(scene.read("run/failed/worktree.patch").find("+more") != std::string::npos);
  CHECK(scene.read("run/failed/files/new.txt") == "new\n");
  CHECK_FALSE(fs::exists(scene.run_folder / "worktree"));
  CHECK(refs(scene) == before);
  CHECK(at(scene.run("git.same", {{"snapshot", snapshot}}), "same").as_bool());
  const cel::Value again = remove();
  CHECK_FALSE(at(again, "removed").as_bool());
  CHECK(text(again, "failed_commit") == tip);
  SECTION("prune lets go of every ref of the run") {
    const auto released = jobs::release_refs(jobs::Git(scene.repo), RunId("run-1"));
    REQUIRE(released.has_value());
    CHECK(*released >= 1);
    CHECK(scene.sh("git for-each-ref refs/checkride").empty());
  }
}

TEST_CASE("rollback keeps the tip of the branch, whatever became of the worktree", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.worktree();
  scene.sh("git commit -q --allow-empty -m patch", "run/worktree");
  const std::string tip = scene.sh("git rev-parse work");
  std::string detached;
  SECTION("its folder was removed") {
    fs::remove_all(scene.run_folder / "worktree");
  }
  SECTION("something else is checked out in it") {
    scene.sh("git checkout -q --detach main && git commit -q --allow-empty -m mine", "run/worktree");
    detached = scene.sh("git rev-parse HEAD", "run/worktree");
  }
  const cel::Value removed =
      scene.run("git.worktree_remove", {{"repo", scene.repo.string()}, {"branch", "work"}});
  CHECK(at(removed, "branch_deleted").as_bool());
  CHECK(text(removed, "failed_commit") == tip);
  CHECK(scene.sh("git for-each-ref --format='%(objectname)' refs/checkride/run-1/failed-detached") ==
        detached);
}

TEST_CASE("rollback saves the files of an unmerged index", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.sh(
      "git checkout -qb fork && sed -i '15s/.*/fork/' f.txt && git diff > ../run/p.patch && "
      "git checkout -q -f main && sed -i '15s/.*/up/' f.txt && git commit -qam up");
  scene.worktree();
  CHECK(text(scene.run("patch.apply", {{"patch", "p.patch"}}), "class") == "conflict");
  const cel::Value removed =
      scene.run("git.worktree_remove", {{"repo", scene.repo.string()}, {"branch", "work"}});
  CHECK(texts(at(removed, "saved")) == std::vector<std::string>{"f.txt"});
  CHECK(scene.read("run/failed/files/f.txt").find("<<<<<<<") != std::string::npos);
}

TEST_CASE("ref names are made for every run id", "[jobs]") {
  using jobs::held_ref;
  CHECK(held_ref(RunId("a.b"), "x") == "refs/checkride/a.b/x");
  CHECK(held_ref(RunId("failed"), "x") != "refs/checkride/failed/x");
  Scene scene;
  scene.make_repository();
  for (const char* id : {".x", "x.", "a..b", "a.lock", "...", "-a", "failed", "a.lock.lock"})
    CHECK_NOTHROW(scene.sh("git update-ref '" + held_ref(RunId(id), "x") + "' HEAD"));
}

TEST_CASE("git.upstream pins a commit and writes only a ref of the run", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.sh(
      "git clone -q repo fork && cd fork && git config user.name F && git config user.email f@x && "
      "git commit -q --allow-empty -m fork",
      ".");
  scene.sh("git commit -q --allow-empty -m upstream");
  const fs::path fork = scene.root / "fork";
  const auto state = [&] {
    return scene.sh("git for-each-ref | grep -v refs/checkride; ls .git; cat .git/config", "fork");
  };
  const std::string before = state();
  const cel::Value found = scene.run(
      "git.upstream", {{"repo", fork.string()}, {"remote", "origin"}, {"branch", "main"}});
  CHECK(at(found, "ok").as_bool());
  CHECK(text(found, "commit") == scene.sh("git rev-parse main"));
  CHECK(text(found, "merge_base") == scene.sh("git rev-parse main~1"));
  CHECK(state() == before);
  CHECK(scene.sh("git rev-parse " + text(found, "ref"), "fork") == text(found, "commit"));

  SECTION("a remote that is the fork itself is recognised") {
    scene.sh(
        "git update-ref refs/heads/main $(git -C ../fork rev-parse HEAD~1) && git fetch -q ../fork "
        "main && "
        "git update-ref refs/heads/main FETCH_HEAD");
    const cel::Value same = scene.run(
        "git.upstream", {{"repo", fork.string()}, {"remote", "origin"}, {"branch", "main"}});
    CHECK(at(same, "is_head").as_bool());
    CHECK(at(same, "base_is_head").as_bool());
    CHECK_FALSE(at(same, "ok").as_bool());
  }
  SECTION("an unknown remote or branch is an answer, a broken remote is an error") {
    CHECK(text(scene.run("git.upstream",
                         {{"repo", fork.string()}, {"remote", "no"}, {"branch", "main"}}),
               "problem") == "no-remote");
    CHECK(text(scene.run("git.upstream",
                         {{"repo", fork.string()}, {"remote", "origin"}, {"branch", "no"}}),
               "problem") == "no-branch");
    scene.sh("git remote add broken https://user:secret@localhost:1/x.git", "fork");
    const JobOutcome broken =
        scene.outcome("git.upstream",
                      record({{"repo", fork.string()}, {"remote", "broken"}, {"branch", "main"}}));
    CHECK(broken.failure == FailureClass::infra);
    CHECK(broken.message.find("secret") == std::string::npos);
  }
  SECTION("without a remote a local branch is pinned") {
    const cel::Value local =
        scene.run("git.upstream", {{"repo", fork.string()}, {"branch", "origin/main"}});
    CHECK(at(local, "found").as_bool());
  }
}

TEST_CASE("a shallow clone without the preimage is repaired by fetching", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.sh(
      "sed 's/line 15/fork 15/' f.txt > g; git diff --no-index --full-index f.txt g | sed "
      "'s/g$/f.txt/; s#b/g#b/f.txt#' > ../run/01.patch; rm g\n"
      "sed -i '15s/.*/upstream 15/' f.txt && git commit -qam up");
  std::string options;
  SECTION("shallow") {
    options = "--depth 1";
  }
  SECTION("partial") {
    options = "--filter=blob:none";
  }
  scene.sh(
      "git config uploadpack.allowFilter true; git config uploadpack.allowAnySHA1InWant true; cd "
      "..; "
      "git clone -q " +
      options + " \"file://$PWD/repo\" shallow");
  scene.repo = scene.root / "shallow";
  scene.worktree("origin/main");
  const cel::Value first = scene.run("patch.apply", {{"patch", "01.patch"}});
  if (options == "--depth 1") CHECK(text(first, "class") == "no-blob");
  if (text(first, "class") == "conflict") return;  // git asked the remote by itself
  const cel::Value fetched = scene.run(
      "git.fetch_blobs", {{"repo", scene.repo.string()}, {"blobs", at(first, "missing_blobs")}});
  INFO(cel::to_json(fetched, 2));
  CHECK(at(fetched, "ok").as_bool());
  CHECK(text(scene.run("patch.apply", {{"patch", "01.patch"}}), "class") == "conflict");
}

TEST_CASE("git.commit commits the index once", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.worktree();
  scene.sh("echo x >> f.txt && git add f.txt && echo not-added >> f.txt", "run/worktree");
  const std::string user = scene.sh("git rev-parse HEAD; git status --porcelain");
  const auto commit = [&] {
    return scene.run("git.commit", {{"worktree", "worktree"}, {"message", "Apply 01-ä"}});
  };
  const cel::Value first = commit();
  CHECK(at(first, "committed").as_bool());
  CHECK(text(first, "branch") == "work");
  CHECK(scene.sh("git log -1 --format=%s", "run/worktree") == "Apply 01-ä");
  const cel::Value second = commit();
  CHECK_FALSE(at(second, "committed").as_bool());
  CHECK(text(second, "commit") == text(first, "commit"));
  CHECK(scene.sh("git rev-parse HEAD; git status --porcelain") == user);
  CHECK_FALSE(
      scene.outcome("git.commit", record({{"worktree", scene.repo.string()}, {"message", "x"}}))
          .completed);
}

TEST_CASE("git.export saves changes that can be taken back, and untracked files", "[jobs]") {
  Scene scene;
  scene.make_repository();
  const auto run_export = [&] {
    return scene.run("git.export", {{"repo", scene.repo.string()},
                                    {"name", "gh200-current.patch"},
                                    {"untracked", list({"gh200/**"})}});
  };
  CHECK(at(run_export(), "nothing").as_bool());
  scene.sh(
      "echo changed >> f.txt; printf 'a\\000b' > bin; git add bin; mkdir 'gh200'; echo x > "
      "'gh200/ä b.py'; "
      "echo y > other");
  const std::string status = scene.sh("git status --porcelain");
  const cel::Value saved = run_export();
  CHECK(at(saved, "reversible").as_bool());
  CHECK_FALSE(at(saved, "empty").as_bool());
  CHECK(at(at(saved, "untracked"), "files").as_int() == 1);
  CHECK(scene.sh("tar tf gh200-current.patch.untracked.tar --quoting-style=literal", "run") ==
        "gh200/ä b.py");
  CHECK(scene.sh("git status --porcelain") == status);
  const std::string digest = text(at(saved, "untracked"), "sha256");
  CHECK(text(at(run_export(), "untracked"), "sha256") == digest);
}

TEST_CASE("git.log names the commits since a file had the content a patch was made from",
          "[jobs]") {
  Scene scene;
  scene.make_repository();
  const std::string blob = scene.sh("git rev-parse --short HEAD:f.txt");
  scene.sh(
      "echo a >> f.txt && git commit -qam first && echo g > g && git add g && git commit -qm other "
      "&& "
      "echo b >> f.txt && git commit -qam second");
  const cel::Value log = scene.run(
      "git.log", {{"repo", scene.repo.string()}, {"paths", list({"f.txt"})}, {"blob", blob}});
  REQUIRE(at(log, "total").as_int() == 2);
  CHECK(text(at(log, "commits").as_list().at(0), "subject") == "second");
  const cel::Value diff =
      scene.run("git.diff", {{"repo", scene.repo.string()}, {"from", "HEAD~1"}, {"to", "HEAD"}});
  CHECK(texts(at(diff, "files")) == std::vector<std::string>{"f.txt"});
  const cel::Value bundle =
      scene.run("git.bundle", {{"repo", scene.repo.string()}, {"revisions", list({"main"})}});
  CHECK(at(bundle, "bytes").as_int() > 100);
}

TEST_CASE("git's variables in the environment do not redirect the kinds", "[jobs]") {
  Scene scene;
  scene.make_repository();
  ::setenv("GIT_DIR", "/nonexistent", 1);
  ::setenv("GIT_INDEX_FILE", "/nonexistent", 1);
  const JobOutcome ended = scene.outcome("git.status", record({{"repo", scene.repo.string()}}));
  ::unsetenv("GIT_DIR");
  ::unsetenv("GIT_INDEX_FILE");
  CHECK(ended.completed);
}

TEST_CASE("without git the attempt ends unavailable", "[jobs]") {
  Scene scene;
  scene.make_repository();
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", "/nonexistent", 1);
  const JobOutcome ended = scene.outcome("git.status", record({{"repo", scene.repo.string()}}));
  ::setenv("PATH", path.c_str(), 1);
  CHECK(ended.status == JobStatus::unavailable);
  CHECK(ended.failure == FailureClass::unavailable);
}

TEST_CASE("tools are copied with hashes and laid over the worktree without replacing its files",
          "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.write("repo/scripts/a b.sh", "echo a\n");
  scene.write("repo/scripts/sub/c.sh", "echo c\n");
  scene.write("repo/tool.py", "x = 1\n");
  const cel::Value copied = scene.run(
      "toolbox.copy",
      {{"repo", scene.repo.string()}, {"from", list({"scripts/**", "tool.py", "no.md", "f.txt"})}});
  CHECK(at(copied, "total").as_int() == 4);
  CHECK_FALSE(at(copied, "ok").as_bool());
  CHECK(texts(at(copied, "missing")) == std::vector<std::string>{"no.md"});
  scene.sh("sha256sum --quiet --check SHA256SUMS", "run/toolbox");
  scene.worktree();
  const cel::Value laid = scene.run("toolbox.overlay", {{"files", list({"scripts/**", "f.txt"})}});
  CHECK(at(laid, "total").as_int() == 2);
  CHECK(texts(at(laid, "kept")) == std::vector<std::string>{"f.txt"});
  const cel::Value status =
      scene.run("git.status", {{"repo", "worktree"}, {"excludes", text(laid, "excludes")}});
  CHECK(at(status, "clean").as_bool());
  const cel::Value gone =
      scene.run("toolbox.overlay", {{"files", list({"scripts/**"})}, {"remove", true}});
  CHECK(at(gone, "total").as_int() == 2);
  CHECK(at(scene.run("git.status", {{"repo", "worktree"}}), "clean").as_bool());
  CHECK_FALSE(scene
                  .outcome("toolbox.copy",
                           record({{"repo", scene.repo.string()}, {"from", list({"../run/x"})}}))
                  .completed);
}

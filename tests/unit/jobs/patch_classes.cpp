// Each class of step C.n.2 is reached by a real case; the traps around it.
#include <catch2/catch.hpp>

#include "tests/unit/jobs/scene.h"

using namespace checkride;
using namespace checkride::test;

namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// A fork that changed line 15, its patch in the run's folder, and main as `upstream` makes it.
struct Rebase : Scene {
  fs::path patch = run_folder / "01.patch";
  fs::path tree;

  explicit Rebase(const std::string& upstream_script,
                  const std::string& fork_script = "sed -i 's/^line 15$/fork 15/' f.txt") {
    make_repository();
    sh("git checkout -qb fork\n" + fork_script +
       "\ngit add -A && git commit -qm fork && git diff --binary main fork > ../run/01.patch\n"
       "git checkout -q main\n" +
       upstream_script + "\ngit add -A && git commit -qm upstream --allow-empty");
    tree = worktree();
  }
  cel::Value apply() { return run("patch.apply", {{"patch", patch.string()}}); }
  cel::Value snapshot() { return run("patch.snapshot", {{"patch", patch.string()}}); }
  std::string applied_class() { return text(apply(), "class"); }
  std::string user_state() const {
    return sh("git status --porcelain; git rev-parse HEAD; git symbolic-ref HEAD; cat f.txt");
  }
};

}  // namespace

TEST_CASE("a patch that fits is clean-direct and its tree is held by a ref", "[jobs]") {
  Rebase scene(":");
  const std::string user = scene.user_state();
  const cel::Value result = scene.apply();
  CHECK(text(result, "class") == "clean-direct");
  CHECK(at(result, "ok").as_bool());
  CHECK(at(result, "exit_code").as_int() == 0);
  CHECK(text(result, "tree_after") != text(result, "tree_before"));
  CHECK(scene.sh("git rev-parse " + text(result, "ref") + "^{tree}") == text(result, "tree_after"));
  CHECK(texts(at(result, "targets")) == std::vector<std::string>{"f.txt"});
  CHECK(scene.user_state() == user);
  REQUIRE(scene.facts.size() == 1);
  CHECK(scene.facts[0].type == "patch.applied");
  CHECK(fs::exists(scene.run_folder / text(result, "log")));

  SECTION("applied again it is already-applied, whatever git prints") {
    const cel::Value again = scene.apply();
    CHECK(text(again, "class") == "already-applied");
    CHECK(text(again, "tree_after") == text(result, "tree_after"));
    const cel::Value probe = scene.run("patch.probe", {{"patch", scene.patch.string()}});
    CHECK(at(probe, "already_applied").as_bool());
    CHECK_FALSE(at(probe, "applies").as_bool());
  }
  SECTION("a patch that only the files hold, as a killed apply leaves it, is not in") {
    scene.sh("git reset -q", "run/worktree");
    const cel::Value probe = scene.run("patch.probe", {{"patch", scene.patch.string()}});
    CHECK_FALSE(at(probe, "already_applied").as_bool());
    CHECK(scene.applied_class() == "dirty-target");
  }
  SECTION("a patch reverted by a later change conflicts, it is not taken for applied") {
    scene.sh("sed -i 's/fork 15/later 15/' f.txt && git add f.txt", "run/worktree");
    CHECK(scene.applied_class() == "conflict");
  }
}

TEST_CASE("a patch that needs the three-way merge is clean-merged", "[jobs]") {
  Rebase scene("sed -i '12s/.*/upstream 12/' f.txt");
  const cel::Value result = scene.apply();
  CHECK(text(result, "class") == "clean-merged");
  CHECK(at(result, "check_exit").as_int() == 1);
  CHECK(scene.status == JobStatus::pass);
  CHECK(text(result, "note").find("review") != std::string::npos);
}

TEST_CASE("both sides of every conflict region are recorded and stay readable", "[jobs]") {
  Rebase scene("sed -i '15s/.*/upstream 15/' f.txt");
  const cel::Value result = scene.apply();
  CHECK(text(result, "class") == "conflict");
  CHECK(at(result, "exit_code").as_int() == 1);
  CHECK(scene.status == JobStatus::fail);
  const cel::Value& file = at(result, "conflicts").as_list().at(0);
  CHECK(text(file, "path") == "f.txt");
  const cel::Value& hunk = at(file, "hunks").as_list().at(0);
  CHECK(text(hunk, "ours") == "upstream 15\n");
  CHECK(text(hunk, "base") == "line 15\n");
  CHECK(text(hunk, "theirs") == "fork 15\n");
  CHECK(at(hunk, "line").as_int() == 15);
  CHECK(scene.facts.at(0).type == "patch.conflict");

  SECTION("after git add and a gc in the user's repository the blobs are still there") {
    scene.sh("git add f.txt", "run/worktree");
    scene.sh("git gc -q --prune=now");
    for (const char* side : {"base", "ours", "theirs", "marked"})
      CHECK_NOTHROW(scene.sh("git cat-file -e " + text(file, side)));
  }
  SECTION("a second apply finds the pending conflict and leaves it alone") {
    const std::string before = scene.read("run/worktree/f.txt");
    const cel::Value again = scene.apply();
    CHECK(text(again, "class") == "pending-conflict");
    CHECK(at(again, "conflicts").as_list().size() == 1);
    CHECK(scene.read("run/worktree/f.txt") == before);
  }
}

TEST_CASE("a resolution stored by rerere is replayed without touching the user's cache", "[jobs]") {
  Rebase scene(
      "sed -i '15s/.*/upstream 15/' f.txt\ngit config rerere.enabled true\n"
      "git config rerere.autoUpdate true");
  // The user resolved the same conflict once, in a worktree of their own.
  scene.sh(
      "git worktree add -q ../other main && cd ../other && git config rerere.autoUpdate false\n"
      "git apply --3way ../run/01.patch || true\n"
      "sed -i '/^<<<<<<</d;/^=======/d;/^>>>>>>>/d' f.txt && git add f.txt && git rerere\n"
      "git config rerere.autoUpdate true");
  const std::string cache = scene.sh("find .git/rr-cache -type f | sort | xargs sha1sum");
  REQUIRE_FALSE(cache.empty());
  const cel::Value result = scene.apply();
  CHECK(text(result, "class") == "conflict-replayed");
  CHECK(at(result, "exit_code").as_int() == 1);
  CHECK(at(at(result, "conflicts").as_list().at(0), "replayed").as_bool());
  CHECK(scene.read("run/worktree/f.txt").find("<<<<<<<") == std::string::npos);
  CHECK(scene.sh("git status --porcelain", "run/worktree").substr(0, 2) == "UU");
  CHECK(scene.sh("find .git/rr-cache -type f | sort | xargs sha1sum") == cache);
}

TEST_CASE("with rerere on but nothing stored, the conflict stays and the cache stays empty",
          "[jobs]") {
  Rebase scene(
      "sed -i '15s/.*/upstream 15/' f.txt\ngit config rerere.enabled true\n"
      "git config rerere.autoUpdate true\nmkdir -p .git/rr-cache");
  CHECK(scene.applied_class() == "conflict");
  CHECK(scene.sh("find .git/rr-cache -type f").empty());
}

TEST_CASE("a patch that is no patch is refused before anything changes", "[jobs]") {
  Rebase scene(":");
  const std::string whole = scene.read("run/01.patch");
  const std::string before = scene.sh("git status --porcelain; git write-tree", "run/worktree");
  std::string expected = "patch-corrupt";
  SECTION("missing") {
    fs::remove(scene.patch);
    expected = "patch-missing";
  }
  SECTION("empty") {
    scene.write("run/01.patch", "");
  }
  SECTION("garbage") {
    scene.write("run/01.patch", "error: this is a log, not a patch\n");
  }
  SECTION("truncated") {
    scene.write("run/01.patch", whole.substr(0, whole.size() - 20));
  }
  const cel::Value result = scene.apply();
  CHECK(text(result, "class") == expected);
  CHECK(at(result, "exit_code").as_int() == 128);
  CHECK(scene.sh("git status --porcelain; git write-tree", "run/worktree") == before);
  const cel::Value inspected =
      scene.run("patch.inspect", {{"repo", scene.repo.string()}, {"patch", scene.patch.string()}});
  CHECK_FALSE(at(inspected, "valid").as_bool());
  CHECK(scene.status == JobStatus::fail);
}

TEST_CASE("a patch converted to CR LF does not apply and inspect says why", "[jobs]") {
  Rebase scene(":");
  scene.sh("sed -i 's/$/\\r/' ../run/01.patch");
  const cel::Value inspected =
      scene.run("patch.inspect", {{"repo", scene.repo.string()}, {"patch", scene.patch.string()}});
  CHECK(at(inspected, "crlf").as_bool());
  CHECK_FALSE(at(inspected, "ok").as_bool());
  const cel::Value result = scene.apply();
  CHECK(text(result, "class") == "does-not-apply");
  CHECK(text(result, "note").find("CR LF") != std::string::npos);
}

TEST_CASE("a target changed without git add is dirty-target", "[jobs]") {
  Rebase scene(":");
  scene.write("run/worktree/f.txt", Scene::numbered(1, 30) + "mine\n");
  const cel::Value result = scene.apply();
  CHECK(text(result, "class") == "dirty-target");
  CHECK(at(result, "exit_code").as_int() == 1);
  CHECK(scene.read("run/worktree/f.txt").ends_with("mine\n"));
}

TEST_CASE("an untracked file where the patch creates one is dirty-target", "[jobs]") {
  Rebase scene(":", "echo new > new.txt");
  scene.write("run/worktree/new.txt", "mine\n");
  CHECK(scene.applied_class() == "dirty-target");
  CHECK(scene.read("run/worktree/new.txt") == "mine\n");
}

TEST_CASE("a target touched but not changed is not dirty", "[jobs]") {
  Rebase scene(":");
  scene.sh("touch -d '2001-01-01' f.txt", "run/worktree");
  CHECK(scene.applied_class() == "clean-direct");
}

TEST_CASE("without the preimage blob a patch that does not fit is no-blob", "[jobs]") {
  Rebase scene("sed -i '15s/.*/upstream 15/' f.txt");
  scene.write("run/01.patch", replaced(scene.read("run/01.patch"), "index ", "index dead"));
  const cel::Value result = scene.apply();
  CHECK(text(result, "class") == "no-blob");
  CHECK(at(result, "missing_blobs").as_list().size() == 1);
  CHECK(at(result, "exit_code").as_int() == 1);
}

TEST_CASE("without the preimage blob a patch that fits is clean all the same", "[jobs]") {
  Rebase scene(":");
  scene.write("run/01.patch", replaced(scene.read("run/01.patch"), "index ", "index dead"));
  CHECK(scene.applied_class() == "clean-direct");
}

TEST_CASE("a patch without index lines is read and applied", "[jobs]") {
  Rebase scene(":");
  scene.sh("sed -i '/^index /d;/^diff --git/d' ../run/01.patch");
  const cel::Value inspected =
      scene.run("patch.inspect", {{"repo", scene.repo.string()}, {"patch", scene.patch.string()}});
  CHECK(at(inspected, "ok").as_bool());
  CHECK_FALSE(at(inspected, "three_way").as_bool());
  CHECK(texts(at(inspected, "targets")) == std::vector<std::string>{"f.txt"});
  CHECK(scene.applied_class() == "clean-direct");
}

TEST_CASE("a patch for a file that upstream removed does not apply", "[jobs]") {
  Rebase scene("git rm -q f.txt && echo x > other.txt");
  const cel::Value result = scene.apply();
  CHECK(text(result, "class") == "does-not-apply");
  CHECK(text(result, "note").find("f.txt is not in the tree") != std::string::npos);
}

TEST_CASE("a lock of the index is a tool error that names the lock", "[jobs]") {
  Rebase scene(":");
  scene.sh(": > \"$(git rev-parse --git-path index).lock\"", "run/worktree");
  const cel::Value result = scene.apply();
  CHECK(text(result, "class") == "tool-error");
  CHECK(at(result, "exit_code").as_int() == 128);
  CHECK(text(result, "lock").ends_with("index.lock"));
  CHECK(scene.status == JobStatus::error);
}

TEST_CASE("paths with spaces and letters outside ASCII survive", "[jobs]") {
  const std::string path = "dör name/ä \"q\" [x]*.py";
  Rebase scene(":", "mkdir 'dör name' && printf 'a = 1\\n' > 'dör name/ä \"q\" [x]*.py'");
  const cel::Value result = scene.apply();
  CHECK(text(result, "class") == "clean-direct");
  CHECK(texts(at(result, "targets")) == std::vector<std::string>{path});
  CHECK(texts(at(result, "python")) == std::vector<std::string>{path});
  const cel::Value compiled = scene.run("python.compile", {{"files", at(result, "python")}});
  CHECK(at(compiled, "checked").as_int() == 1);
  const cel::Value snapshot = scene.snapshot();
  CHECK(text(at(snapshot, "targets").as_list().at(0), "path") == path);
}

TEST_CASE("the user's checkout is never patched", "[jobs]") {
  Rebase scene(":");
  const std::string user = scene.user_state();
  const JobOutcome refused = scene.outcome(
      "patch.apply", record({{"patch", scene.patch.string()}, {"worktree", scene.repo.string()}}));
  CHECK_FALSE(refused.completed);
  CHECK(refused.failure == FailureClass::code);
  CHECK(scene.user_state() == user);
  SECTION("nor is the worktree of another run") {
    scene.run_id = "run-2";
    CHECK_FALSE(scene.outcome("patch.apply", record({{"patch", scene.patch.string()}})).completed);
  }
}

TEST_CASE("configuration of the user does not change what a patch does", "[jobs]") {
  Rebase scene(
      "sed -i '15s/.*/upstream 15/' f.txt\n"
      "git config apply.whitespace fix; git config merge.conflictStyle diff3\n"
      "git config diff.noprefix true; git config core.hooksPath /nonexistent\n"
      "git config color.ui always; git config diff.external false");
  CHECK(scene.applied_class() == "conflict");
  CHECK(scene.read("run/worktree/f.txt").find("|||||||") == std::string::npos);
}

TEST_CASE("a conflict with a person's commit in between keeps other open conflicts apart",
          "[jobs]") {
  Rebase scene("sed -i '15s/.*/upstream 15/' f.txt\necho b > b.txt");
  CHECK(scene.applied_class() == "conflict");
  // Another patch for another file goes on while the first waits at its gate.
  scene.write("run/02.patch",
              "diff --git a/b.txt b/b.txt\n--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-b\n+c\n");
  const cel::Value second = scene.run("patch.apply", {{"patch", "02.patch"}});
  CHECK(text(second, "class") == "clean-direct");
  CHECK(text(second, "tree_after").empty());
}

TEST_CASE("binary conflicts are conflicts, not replays", "[jobs]") {
  Rebase scene("printf 'a\\000up' > x.bin", "printf 'a\\000fork' > x.bin");
  const cel::Value result = scene.apply();
  CHECK(text(result, "class") == "conflict");
  CHECK(at(at(result, "conflicts").as_list().at(0), "binary").as_bool());
}

// --- recovery ----------------------------------------------------------------------------------

TEST_CASE("after a crash the probe tells nothing done from all done from neither", "[jobs]") {
  Rebase scene("sed -i '12s/.*/upstream 12/' f.txt");
  const cel::Value before = scene.snapshot();
  const auto recover = [&] {
    return scene.run("patch.recover", {{"before", before}, {"patch", scene.patch.string()}});
  };
  SECTION("nothing was done: rerun, and a stale lock is set aside") {
    scene.sh(": > \"$(git rev-parse --git-path index).lock\"", "run/worktree");
    CHECK(text(recover(), "verdict") == "rerun");
    CHECK(scene.applied_class() == "clean-merged");
  }
  SECTION("all was done: the result is the one the attempt would have given") {
    const cel::Value lost = scene.apply();
    const cel::Value found = recover();
    CHECK(text(found, "verdict") == "finished");
    const cel::Value& result = at(found, "result");
    CHECK(text(result, "class") == text(lost, "class"));
    CHECK(text(result, "tree_after") == text(lost, "tree_after"));
    CHECK(scene.facts.at(0).type == "patch.applied");
  }
  SECTION("the file is written, the index is not: unknown, with the difference kept") {
    scene.sh("sed -i 's/^line 15$/fork 15/' f.txt", "run/worktree");
    const cel::Value found = recover();
    CHECK(text(found, "verdict") == "unknown");
    CHECK(scene.read(fs::path("run") / text(found, "diff")).find("+fork 15") != std::string::npos);
  }
  SECTION("another patch under the same name is unknown") {
    scene.apply();
    scene.sh("sed -i 's/fork 15/other 15/' ../run/01.patch");
    CHECK(text(recover(), "verdict") == "unknown");
  }
}

TEST_CASE("a conflict found after a crash is recorded as the attempt would have", "[jobs]") {
  Rebase scene("sed -i '15s/.*/upstream 15/' f.txt");
  const cel::Value before = scene.snapshot();
  const cel::Value lost = scene.apply();
  const auto recover = [&] {
    return scene.run("patch.recover", {{"before", before}, {"patch", scene.patch.string()}});
  };
  const cel::Value found = recover();
  CHECK(text(found, "verdict") == "finished");
  CHECK(at(at(found, "result"), "conflicts") == at(lost, "conflicts"));
  SECTION("a person who already worked on it makes it unknown") {
    scene.sh("sed -i '/^<<<<<<</d' f.txt", "run/worktree");
    CHECK(text(recover(), "verdict") == "unknown");
  }
}

TEST_CASE("a patch with many large conflicts keeps its result within the bound of the log",
          "[jobs]") {
  // 30 files, each rewritten by both sides: some 600 KiB of conflict text.
  const std::string rewrite =
      "for i in $(seq 30); do for j in $(seq 150); do echo \"SIDE $i $j\"; done > d$i; done\n"
      "sed -i 's/$/ and much more text to make every line of it long/' d*";
  Rebase scene(replaced(rewrite, "SIDE", "upstream"), replaced(rewrite, "SIDE", "fork"));
  const cel::Value result = scene.apply();
  CHECK(text(result, "class") == "conflict");
  CHECK(at(result, "conflict_files").as_int() == 30);
  CHECK(at(result, "conflicts").as_list().size() == 30);
  // Files beyond the record cannot be compared with their sides, and that is not passed over.
  cel::Map more = result.as_map();
  more.set("conflict_files", 400);
  const cel::Value judged = scene.run("patch.residue", {{"attempt", more}});
  CHECK(cel::to_json(judged).find("split the patch") != std::string::npos);
}

TEST_CASE("a very dirty checkout is counted, not listed without end", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.sh("mkdir d; for i in $(seq 1500); do : > d/file-with-a-rather-long-name-$i; done");
  const cel::Value status = scene.run("git.status", {{"repo", scene.repo.string()}});
  CHECK(at(status, "total").as_int() == 1500);
  CHECK(at(status, "entries").as_list().size() < 1500);
}

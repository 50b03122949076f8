// At the conflict gate lies are refused with the reason, and a right resolution passes.
#include <catch2/catch.hpp>

#include "tests/unit/jobs/scene.h"

using namespace checkride;
using namespace checkride::test;

namespace {

// Two conflict regions in f.txt, and the attempt that left them.
struct Conflict : Scene {
  cel::Value attempt;
  std::string marked;

  Conflict() {
    make_repository();
    sh("git checkout -qb fork && sed -i '8s/.*/fork 8/;22s/.*/fork 22/;29s/.*/fork 29/' f.txt\n"
       "git commit -qam fork && git diff main fork > ../run/01.patch && git checkout -q main\n"
       "sed -i '8s/.*/upstream 8/;22s/.*/upstream 22/;2s/.*/upstream 2/' f.txt\n"
       "git commit -qam upstream");
    worktree();
    attempt = run("patch.apply", {{"patch", "01.patch"}});
    REQUIRE(text(attempt, "class") == "conflict");
    marked = read("run/worktree/f.txt");
  }

  std::string with_lines(const std::string& eight, const std::string& twenty_two) const {
    std::string out = marked;
    const auto put = [&](const std::string& number, const std::string& lines) {
      const std::string region =
          "<<<<<<< ours\nupstream " + number + "\n=======\nfork " + number + "\n>>>>>>> theirs\n";
      const std::size_t where = out.find(region);
      REQUIRE(where != std::string::npos);
      out.replace(where, region.size(), lines);
    };
    put("8", eight);
    put("22", twenty_two);
    return out;
  }
  void resolve(const std::string& contents) {
    write("run/worktree/f.txt", contents);
    sh("git add f.txt", "run/worktree");
  }
  cel::Value judge(const std::string& chosen = "") {
    return run("patch.residue", {{"attempt", attempt}, {"chosen", chosen}});
  }
  bool refused_for(const std::string& check, const std::string& chosen = "") {
    const cel::Value result = judge(chosen);
    INFO(cel::to_json(result, 2));
    CHECK_FALSE(at(result, "ok").as_bool());
    CHECK(status == JobStatus::fail);
    for (const cel::Value& finding : at(result, "findings").as_list())
      if (text(finding, "check") == check && !text(finding, "message").empty()) return true;
    return false;
  }
};

}  // namespace

TEST_CASE("a real resolution passes and its tree is held", "[jobs]") {
  Conflict scene;
  scene.resolve(scene.with_lines("upstream and fork 8\n", "fork with upstream 22\n"));
  const cel::Value result = scene.judge();
  INFO(cel::to_json(result, 2));
  CHECK(at(result, "ok").as_bool());
  CHECK_FALSE(at(result, "waived").as_bool());
  CHECK(scene.sh("git rev-parse " + text(result, "ref") + "^{tree}") == text(result, "tree"));
}

TEST_CASE("one region from each side is a resolution", "[jobs]") {
  Conflict scene;
  scene.resolve(scene.with_lines("upstream 8\n", "fork 22\n"));
  CHECK(at(scene.judge(), "ok").as_bool());
}

TEST_CASE("both sides kept in one region and merged in the other is a resolution", "[jobs]") {
  Conflict scene;
  scene.resolve(scene.with_lines("upstream 8\nfork 8\n", "merged 22\n"));
  CHECK(at(scene.judge(), "ok").as_bool());
}

TEST_CASE("the lie 'merged' with markers left is refused", "[jobs]") {
  Conflict scene;
  SECTION("nothing was done at all") {
    CHECK(scene.refused_for("markers"));
    CHECK(scene.refused_for("unmerged"));
  }
  SECTION("added with the markers") {
    scene.sh("git add f.txt", "run/worktree");
    CHECK(scene.refused_for("markers"));
    CHECK(scene.refused_for("diff-check"));
  }
  SECTION("added with the markers, then the file cleaned but not added") {
    scene.sh("git add f.txt", "run/worktree");
    scene.write("run/worktree/f.txt", scene.with_lines("a\n", "b\n"));
    CHECK(scene.refused_for("markers"));
    CHECK(scene.refused_for("unstaged"));
  }
  SECTION("only the first marker of one region left") {
    scene.resolve(scene.with_lines("<<<<<<< ours\nx 8\n", "y 22\n"));
    CHECK(scene.refused_for("markers"));
  }
}

TEST_CASE("the lie of git commit -a with markers is refused although status is clean", "[jobs]") {
  Conflict scene;
  scene.sh("git commit -qam 'merged, honest'", "run/worktree");
  REQUIRE(scene.sh("git status --porcelain", "run/worktree").empty());
  REQUIRE(scene.sh("git diff --check", "run/worktree").empty());
  CHECK(scene.refused_for("markers"));
  CHECK(at(scene.judge(), "head_moved").as_bool());
  SECTION("even when the file on disk was cleaned afterwards") {
    scene.resolve(scene.with_lines("merged 8\n", "merged 22\n"));
    CHECK(scene.refused_for("markers"));
    scene.sh("git commit -qm 'cleaned'", "run/worktree");
    CHECK(at(scene.judge(), "ok").as_bool());
  }
}

TEST_CASE("the lie of a good file without git add is refused", "[jobs]") {
  Conflict scene;
  scene.write("run/worktree/f.txt", scene.with_lines("merged 8\n", "merged 22\n"));
  CHECK(scene.refused_for("unmerged"));
}

TEST_CASE("a file that is emptied or deleted instead of resolved is refused", "[jobs]") {
  Conflict scene;
  SECTION("emptied") { scene.resolve(""); }
  SECTION("deleted") { scene.sh("git rm -qf f.txt", "run/worktree"); }
  CHECK(scene.refused_for("sides"));
  CHECK(scene.refused_for("sides", "take-theirs"));
}

TEST_CASE("a resolution that takes one side everywhere is held back until it is chosen", "[jobs]") {
  Conflict scene;
  std::string side;
  std::string choice;
  SECTION("all ours, region by region") {
    scene.resolve(scene.with_lines("upstream 8\n", "upstream 22\n"));
    side = "ours";
    choice = "take-ours";
  }
  SECTION("all ours by git checkout --ours") {
    scene.sh("git checkout -q --ours f.txt && git add f.txt", "run/worktree");
    side = "ours";
    choice = "superseded";
  }
  SECTION("all ours with an edit elsewhere as camouflage") {
    scene.resolve("new first line\n" + scene.with_lines("upstream 8\n", "upstream 22\n"));
    side = "ours";
    choice = "take-ours";
  }
  SECTION("all theirs, region by region") {
    scene.resolve(scene.with_lines("fork 8\n", "fork 22\n"));
    side = "theirs";
    choice = "take-theirs";
  }
  SECTION("all theirs by git checkout --theirs") {
    scene.sh("git checkout -q --theirs f.txt && git add f.txt", "run/worktree");
    side = "theirs";
    choice = "take-theirs";
  }
  SECTION("the union of both") {
    scene.resolve(scene.with_lines("upstream 8\nfork 8\n", "upstream 22\nfork 22\n"));
    side = "both";
    choice = "keep-both";
  }
  SECTION("the union the other way round") {
    scene.resolve(scene.with_lines("fork 8\nupstream 8\n", "fork 22\nupstream 22\n"));
    side = "both";
    choice = "keep-both";
  }
  SECTION("git merge-file --union") {
    scene.sh(
        "git show :1:f.txt > ../b; git show :2:f.txt > ../o; git show :3:f.txt > ../t\n"
        "git merge-file --union -p ../o ../b ../t > f.txt; git add f.txt",
        "run/worktree");
    side = "both";
    choice = "keep-both";
  }
  CHECK(scene.refused_for("sides"));
  CHECK(text(at(scene.judge(), "sides").as_list().at(0), "side") == side);
  for (const char* other : {"take-ours", "take-theirs", "keep-both", "merged", "approve"})
    if (choice != other && !(side == "ours" && std::string(other) == "take-ours"))
      CHECK(scene.refused_for("sides", other));
  const cel::Value accepted = scene.judge(choice);
  INFO(cel::to_json(accepted, 2));
  CHECK(at(accepted, "ok").as_bool());
  CHECK(at(accepted, "waived").as_bool());
}

TEST_CASE("a choice does not excuse markers", "[jobs]") {
  Conflict scene;
  scene.sh("git add f.txt", "run/worktree");
  CHECK(scene.refused_for("markers", "take-ours"));
}

TEST_CASE("deleting the file is no resolution", "[jobs]") {
  Conflict scene;
  scene.sh("git rm -q --force f.txt", "run/worktree");
  CHECK(scene.refused_for("sides"));
}

TEST_CASE("leaving the branch is noticed", "[jobs]") {
  Conflict scene;
  scene.resolve(scene.with_lines("merged 8\n", "merged 22\n"));
  scene.sh("git checkout -q -b elsewhere", "run/worktree");
  const cel::Value result =
      scene.run("patch.residue", {{"attempt", scene.attempt}, {"branch", "work"}});
  CHECK_FALSE(at(result, "ok").as_bool());
}

TEST_CASE("a clean application has nothing left to find", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.sh(
      "sed 's/line 3/three/' f.txt > g && mv g f.txt && git diff > ../run/p.patch; git checkout -q "
      ".");
  scene.worktree();
  const cel::Value attempt = scene.run("patch.apply", {{"patch", "p.patch"}});
  CHECK(at(scene.run("patch.residue", {{"attempt", attempt}}), "ok").as_bool());
}

// Kinds that look into sources, logs and JSON; and the parts below all kinds.
#include <catch2/catch.hpp>

#include "engine/base/utf8.h"
#include "tests/unit/jobs/scene.h"
#include "workflows/jobs/bounded.h"
#include "workflows/jobs/conflict.h"
#include "workflows/jobs/glob.h"
#include "workflows/jobs/patch_text.h"

using namespace checkride;
using namespace checkride::test;

TEST_CASE("python.compile names the line and writes nothing into the tree", "[jobs]") {
  Scene scene;
  scene.write("run/worktree/good.py", "a = 1\n");
  scene.write("run/worktree/bad.py", "a = 1\ndef f(:\n  pass\n");
  scene.write("run/worktree/nul.py", std::string("a\0b", 3));
  const cel::Value result = scene.run(
      "python.compile", {{"files", list({"good.py", "bad.py", "nul.py", "gone.py", "readme.md"})}});
  CHECK_FALSE(at(result, "ok").as_bool());
  CHECK(at(result, "checked").as_int() == 3);
  CHECK(at(result, "failures").as_list().size() == 2);
  CHECK(at(at(result, "failures").as_list().at(0), "line").as_int() == 2);
  CHECK(texts(at(result, "missing")) == std::vector<std::string>{"gone.py"});
  CHECK_FALSE(fs::exists(scene.run_folder / "worktree/__pycache__"));
}

TEST_CASE("without the interpreter the attempt ends unavailable", "[jobs]") {
  Scene scene;
  const JobOutcome ended = scene.outcome(
      "python.compile", record({{"files", list({})}, {"python", "python-that-is-not-here"}}));
  CHECK(ended.status == JobStatus::unavailable);
}

TEST_CASE("python.symbols finds a removed method whose call survives", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.write("repo/t.py", R"(import os, json
class Trainer:
    def register(self): pass
    def _consume(self): pass
    def unused(self): pass
    def run(self):
        self._consume()
        return helper(json.dumps(os.sep))
def helper(x): return x
def local_only(): pass
)");
  scene.sh("git add . && git commit -qm api");
  scene.worktree();
  scene.write("run/worktree/t.py", R"(import os
class Trainer:
    def run(self):
        self._consume()
        return helper(json.dumps(os.sep))
def helper(x): return x
def other(local_only):
    return local_only
)");
  const cel::Value result =
      scene.run("python.symbols", {{"files", list({"t.py", "f.txt"})}, {"before", "main"}});
  INFO(cel::to_json(result, 2));
  CHECK_FALSE(at(result, "ok").as_bool());
  CHECK(texts(at(result, "dangling")) ==
        std::vector<std::string>{"t.py:5: json", "t.py:4: Trainer._consume"});
  CHECK(texts(at(result, "removed_public")) == std::vector<std::string>{"t.py: local_only",
                                                                        "t.py: Trainer.register",
                                                                        "t.py: Trainer.unused"});
  // The trap: it compiles.
  CHECK(at(scene.run("python.compile", {{"files", list({"t.py"})}}), "ok").as_bool());
}

TEST_CASE("python.symbols accepts what was moved to where it is still found", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.write("repo/t.py", "class A:\n    def f(self): pass\n    def g(self): self.f()\nX = 1\n");
  scene.sh("git add . && git commit -qm api");
  scene.worktree();
  scene.write("run/worktree/t.py",
              "class Base:\n    def f(self): pass\nclass A(Base):\n    def g(self): self.f()\n"
              "try:\n    from m import X\nexcept ImportError:\n    X = 1\n");
  CHECK(at(scene.run("python.symbols", {{"files", list({"t.py"})}, {"before", "main"}}), "ok")
            .as_bool());
}

TEST_CASE("python.has looks into a commit without checking it out", "[jobs]") {
  Scene scene;
  scene.make_repository();
  scene.write("repo/pkg/t.py",
              "class Trainer:\n    async def a(self): pass\n    b = 1\ndef c(): pass\n");
  scene.sh("git add . && git commit -qm api && git rm -q pkg/t.py && git commit -qm gone");
  const auto item = [](const char* file, const char* owner, const std::vector<std::string>& names) {
    return cel::Value(record({{"file", file}, {"class", owner}, {"names", list(names)}}));
  };
  const cel::Value items(cel::List{item("pkg/t.py", "Trainer", {"a", "b", "x"}),
                                   item("pkg/t.py", "", {"c"}), item("pkg/no.py", "", {"d"})});
  const cel::Value result = scene.run(
      "python.has", {{"items", items}, {"root", scene.repo.string()}, {"commit", "main~1"}});
  CHECK(texts(at(result, "found")) ==
        std::vector<std::string>{"pkg/t.py:Trainer.a", "pkg/t.py:Trainer.b", "pkg/t.py:c"});
  CHECK(texts(at(result, "missing")) ==
        std::vector<std::string>{"pkg/t.py:Trainer.x", "pkg/no.py:d"});
}

TEST_CASE("python.imports follows the imports of a package to files", "[jobs]") {
  Scene scene;
  scene.write("run/worktree/pkg/gh/__init__.py", "");
  scene.write("run/worktree/pkg/gh/uvm.py", "");
  scene.write("run/worktree/pkg/t.py",
              "from pkg.gh import a\nfrom .gh.uvm import b\nfrom pkg.gh.gone import c\n"
              "import pkg.gh.uvm as u\nfrom pkg import gh\nimport os\n");
  scene.write("run/worktree/pkg/v.py", "import os\n");
  const cel::Value result = scene.run(
      "python.imports", {{"files", list({"pkg/t.py", "pkg/v.py"})}, {"package", "pkg.gh"}});
  CHECK(at(result, "resolved").as_list().size() == 4);
  CHECK(texts(at(result, "unresolved")) == std::vector<std::string>{"pkg/t.py:3: pkg.gh.gone"});
  CHECK(texts(at(result, "without")) == std::vector<std::string>{"pkg/v.py"});
}

TEST_CASE("file.check tells which integration point is missing", "[jobs]") {
  Scene scene;
  scene.write("run/t.py", "import a\nprepare()\noptimize()\naccumulate()\n");
  const auto check = [](const char* name, const char* key, const std::vector<std::string>& texts_) {
    return cel::Value(record({{"file", "t.py"}, {"name", name}, {key, list(texts_)}}));
  };
  const cel::Value checks(cel::List{check("has", "contains", {"import a"}),
                                    check("order", "order", {"prepare", "optimize", "accumulate"}),
                                    check("wrong order", "order", {"accumulate", "prepare"}),
                                    check("lacks", "lacks", {"import a"}),
                                    check("matches", "matches", {"^optimize\\(\\)$"})});
  const cel::Value result =
      scene.run("file.check", {{"files", list({"gone.txt"})}, {"checks", checks}});
  CHECK_FALSE(at(result, "ok").as_bool());
  CHECK(at(result, "failed").as_list().size() == 3);
  CHECK(texts(at(result, "missing")) == std::vector<std::string>{"gone.txt"});
  const cel::Value broken(cel::List{check("x", "matches", {"("})});
  CHECK_FALSE(scene.outcome("file.check", record({{"checks", broken}})).completed);
}

TEST_CASE("log.scan counts, captures and shows the lines around", "[jobs]") {
  Scene scene;
  scene.write("run/l.log", "a\nloss=1.5\nb\nc\nloss=2.5\nd\n\xff bad bytes skipping\n");
  const cel::Value patterns(
      record({{"loss", "loss=([0-9.]+)"}, {"skip", "skipping"}, {"no", "never"}}));
  const cel::Value result =
      scene.run("log.scan", {{"file", "l.log"}, {"patterns", patterns}, {"around", 1}});
  const cel::Value& loss = at(at(result, "matches"), "loss");
  CHECK(at(loss, "count").as_int() == 2);
  CHECK(text(loss, "capture") == "2.5");
  CHECK(at(loss, "lines").as_list().size() == 6);
  CHECK(at(at(at(result, "matches"), "skip"), "found").as_bool());
  CHECK_FALSE(at(at(at(result, "matches"), "no"), "found").as_bool());
  CHECK_FALSE(
      at(scene.run("log.scan", {{"file", "no.log"}, {"patterns", patterns}}), "exists").as_bool());
}

TEST_CASE("json.read follows pointers and names what is missing", "[jobs]") {
  Scene scene;
  scene.write("run/r.json", R"({"uvm": {"enabled": true}, "a/b": [1, 2.5]})");
  const cel::Value pointers(record(
      {{"on", "/uvm/enabled"}, {"second", "/a~1b/1"}, {"no", "/uvm/x"}, {"out", "/a~1b/2"}}));
  const cel::Value result = scene.run("json.read", {{"file", "r.json"}, {"pointers", pointers}});
  CHECK(at(at(result, "values"), "on").as_bool());
  CHECK(at(at(result, "values"), "second").as_double() == 2.5);
  CHECK(texts(at(result, "missing")) == std::vector<std::string>{"no", "out"});
  scene.write("run/r.json", "{");
  CHECK_FALSE(
      at(scene.run("json.read", {{"file", "r.json"}, {"pointers", pointers}}), "valid").as_bool());
}

TEST_CASE("shell and exec become commands; values travel in the environment", "[jobs]") {
  const JobCatalog catalog = builtin_jobs();
  Scene scene;
  const JobContext context{scene.run_folder, scene.run_folder};
  JobSpec spec;
  spec.inputs = record({{"script", "echo $X"}, {"env", cel::Value(record({{"X", "a; rm -rf"}}))}});
  const auto shell = catalog.find("shell")->command(spec, context);
  REQUIRE((shell && shell->has_value()));
  CHECK((*shell)->argv == std::vector<std::string>{"sh", "-c", "echo $X"});
  CHECK((*shell)->env.at(0).second == "a; rm -rf");
  CHECK((*shell)->folder.lexically_normal() == (scene.run_folder / "").lexically_normal());
  spec.inputs = record({{"argv", list({})}});
  CHECK_FALSE(catalog.find("exec")->command(spec, context)->has_value());
  spec.inputs = record({{"argv", list({"true"})}, {"cwd", "nowhere"}});
  CHECK_FALSE(catalog.find("exec")->command(spec, context)->has_value());
  ProcessEnd end;
  end.exit_code = 3;
  CHECK(catalog.find("exec")->finish(spec, end).completed);
  end.unmet = {"exit code 3"};
  CHECK_FALSE(catalog.find("exec")->finish(spec, end).completed);
}

TEST_CASE("every kind has a title and inline kinds are safe to repeat", "[jobs]") {
  const JobCatalog catalog = builtin_jobs();
  CHECK(catalog.signatures().size() == 35);
  for (const JobSignature* signature : catalog.signatures()) {
    INFO(signature->name);
    CHECK_FALSE(signature->title.empty());
    if (!signature->supervised) CHECK(signature->repeat == Repeat::safe);
  }
}

TEST_CASE("globs stay within a folder unless they say otherwise", "[jobs]") {
  const auto matches = [](const char* pattern, const char* path) {
    const auto globs = jobs::Globs::compile({pattern});
    REQUIRE(globs.has_value());
    return globs->matches(path);
  };
  CHECK(matches("gh200/**", "gh200/a/b.py"));
  CHECK_FALSE(matches("gh200/**", "xgh200/a"));
  CHECK(matches("GH200_*", "GH200_x.md"));
  CHECK_FALSE(matches("GH200_*", "GH200_x/y"));
  CHECK_FALSE(matches("GH200_*", "docs/GH200_x"));
  CHECK(matches("scripts/*gh200*", "scripts/setup_gh200_env.sh"));
  CHECK(matches("**/x.py", "x.py"));
  CHECK(matches("**/x.py", "a/b/x.py"));
  CHECK(matches("a.[ch]", "a.c"));
  CHECK_FALSE(matches("a.[!ch]", "a.c"));
  CHECK(matches("logs", "logs/x"));
  CHECK_FALSE(matches("a.b", "axb"));
}

TEST_CASE("texts are cut between characters and lists keep a true beginning", "[jobs]") {
  CHECK(jobs::front_of("äöü", 3).starts_with("ä\n["));
  CHECK(jobs::end_of("äöü", 3).ends_with("]\nü"));
  CHECK(valid_utf8("a\xff\xc3") == "a\xEF\xBF\xBD\xEF\xBF\xBD");
  jobs::BoundedList list(2);
  for (int i = 0; i < 5; ++i) list.add(i);
  CHECK(list.total() == 5);
  CHECK(list.truncated());
  CHECK(list.value().as_list().size() == 2);
}

TEST_CASE("marker lines are seven signs and a space at the start of a line", "[jobs]") {
  CHECK(jobs::marker_lines("<<<<<<< a\nx\n=======\n>>>>>>> b") == std::vector<std::int64_t>{1, 4});
  CHECK(jobs::marker_lines(" <<<<<<< a\n<<<<<<<\n<<<<<<<< a\n").empty());
  CHECK(jobs::marker_lines("x\r\n||||||| base\r\n") == std::vector<std::int64_t>{2});
}

TEST_CASE("patch headers are read as git reads them", "[jobs]") {
  const auto files = jobs::parse_patch_headers(
      "diff --git a/old b/new\nsimilarity index 90%\nrename from old\nrename to new\n"
      "index 1111111..2222222 100644\n--- a/old\n+++ b/new\n@@ -1,2 +1,2 @@\n--- x\n+++ y\n c\n"
      "diff --git \"a/\\303\\244 b\" \"b/\\303\\244 b\"\ndeleted file mode 100644\nindex 333..000\n"
      "--- \"a/\\303\\244 b\"\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
      "--- a/plain\t2020-01-01\n+++ b/plain\t2020-01-01\n@@ -1 +1 @@\n-a\n+b\n"
      "diff --git a/m b/m\nold mode 100644\nnew mode 100755\n",
      1);
  REQUIRE(files.size() == 4);
  CHECK(files[0].change == "rename");
  CHECK(files[0].path == "new");
  CHECK(files[0].old_path == "old");
  CHECK(files[0].preimage == "1111111");
  CHECK(files[0].added == 1);
  CHECK(files[1].path == "ä b");
  CHECK(files[1].change == "delete");
  CHECK(files[2].path == "plain");
  CHECK(files[3].path == "m");
}

#include <re2/re2.h>

#include "tests/unit/lookalike/given.h"

namespace checkride::lookalike {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view find_imports = R"(
import ast, pathlib, sys
package, *files = sys.argv[1:]
missing = set()
for name in files:
    for node in ast.walk(ast.parse(pathlib.Path(name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module + ".").startswith(package + "."):
            path = pathlib.Path(*node.module.split("."))
            if not (path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()):
                missing.add(node.module)
print(*sorted(missing))
sys.exit(1 if missing else 0)
)";

bool holds(const IntegrationPoint& point, const fs::path& worktree) {
  if (point.kind == IntegrationPoint::Kind::imports_resolve) {
    std::vector<std::string> command = {"python3", "-", std::string(point.package)};
    command.insert(command.end(), point.files.begin(), point.files.end());
    return must(run_program(worktree, command, find_imports)).exit_code == 0;
  }
  if (!fs::exists(worktree / point.file)) return false;
  const RE2 pattern(re2::StringPiece(point.pattern.data(), point.pattern.size()));
  REQUIRE(pattern.ok());
  return RE2::PartialMatch(text_of(worktree / point.file), pattern);
}

std::vector<std::string_view> broken_points(const fs::path& worktree) {
  std::vector<std::string_view> ids;
  for (const auto& point : integration_points())
    if (!holds(point, worktree)) ids.push_back(point.id);
  return ids;
}

ProgramEnd run_script(const Lookalike& place, const fs::path& worktree, const std::string& name) {
  return must(run_program(worktree, {place.fork / "scripts" / name}));
}

bool has(const ProgramEnd& end, std::string_view text) {
  return end.output.find(text) != std::string::npos;
}

TEST_CASE("with all patches in and the package moved every integration point holds",
          "[lookalike]") {
  const TemporaryFolder folder;
  const auto place = must(make_lookalike(folder.path() / "place"));
  for (const auto at : all_commits) {
    CAPTURE(to_string(at));
    const fs::path worktree = folder.path() / std::string(to_string(at));
    must(make_worktree(place, worktree, at));
    // Upstream alone has the hooks of point 8 and nothing else of patches 01 to 07, until it takes
    // 03 over.
    CHECK(broken_points(worktree).size() ==
          integration_points().size() - (at == UpstreamCommit::later_4 ? 5 : 3));
    must(git(place.fork, {"worktree", "remove", "--force", worktree}));
    must(make_worktree(place, worktree, at, patch_names.size()));
    CHECK(broken_points(worktree) == std::vector<std::string_view>{"06.1"});
    must(move_package(worktree));
    CHECK(broken_points(worktree) == std::vector<std::string_view>{});

    const auto gh200 = run_script(place, worktree, "test_gh200_features.sh");
    INFO(gh200.output);
    CHECK(gh200.exit_code == 0);
    CHECK(has(gh200, "gh200 module exports verified"));
    CHECK(has(gh200, "in-memory backend smoke test ok"));
    CHECK(has(gh200, "uvm hint override toggles ok"));
    CHECK(has(gh200, "GH200 feature tests completed"));
    CHECK(fs::exists(worktree / "gh200_diagnostic_report.json"));
    const auto combined = run_script(place, worktree, "test_combined_features.sh");
    INFO(combined.output);
    CHECK(combined.exit_code == 0);
    CHECK(has(combined, "attention+gh200 ok"));
    CHECK(has(combined, "trainer GH200 hooks detected"));
    CHECK(has(combined, "Combined tests completed"));
    CHECK(run_script(place, worktree, "run_all_tests.sh").exit_code == 0);
  }
}

TEST_CASE("upstream passes its own test before any patch", "[lookalike]") {
  const TemporaryFolder folder;
  const auto place = must(make_lookalike(folder.path() / "place"));
  for (const auto at : all_commits) {
    CAPTURE(to_string(at));
    const fs::path worktree = folder.path() / std::string(to_string(at));
    must(make_worktree(place, worktree, at));
    const auto end = run_script(place, worktree, "test_upstream_features.sh");
    INFO(end.output);
    CHECK(end.exit_code == 0);
    for (const auto line :
         {"attention backend apply/restore succeeded", "manual validation hooks detected",
          "audio loader ok", "All upstream feature checks passed"})
      CHECK(has(end, line));
    CHECK(run_script(place, worktree, "test_gh200_features.sh").exit_code != 0);
  }
}

TEST_CASE("scripts told to skip end with 0 and scripts told to fail with 1", "[lookalike]") {
  const TemporaryFolder folder;
  LookalikeOptions options;
  options.scripts = ScriptBehaviour::skip;
  const auto skipping = must(make_lookalike(folder.path() / "skip", options));
  const auto skipped = run_script(skipping, skipping.fork, "test_upstream_features.sh");
  CHECK(skipped.exit_code == 0);
  CHECK(has(skipped, "torch not available; skipping"));
  CHECK(run_script(skipping, skipping.fork, "run_all_tests.sh").exit_code == 0);

  options.scripts = ScriptBehaviour::fail_gh200;
  const auto failing = must(make_lookalike(folder.path() / "fail", options));
  CHECK(run_script(failing, failing.fork, "test_combined_features.sh").exit_code == 1);
  CHECK(run_script(failing, failing.fork, "test_gh200_features.sh").exit_code == 1);
}

TEST_CASE("lost symbols compile, keep every integration point and break when run", "[lookalike]") {
  const TemporaryFolder folder;
  LookalikeOptions options;
  options.lost_symbols = true;
  options.package_where_expected = true;
  const auto place = must(make_lookalike(folder.path() / "place", options));
  const fs::path worktree = folder.path() / "tree";
  must(make_worktree(place, worktree, UpstreamCommit::base, patch_names.size()));
  CHECK(broken_points(worktree) == std::vector<std::string_view>{});
  const std::string trainer = text_of(worktree / "simpletuner/helpers/training/trainer.py");
  CHECK(trainer.find("def pause_prefetch") == std::string::npos);
  CHECK(trainer.find("self.pause_prefetch()") != std::string::npos);
  CHECK(trainer.find("self.resume_prefetch()") != std::string::npos);
  const auto end = run_script(place, worktree, "test_combined_features.sh");
  CHECK(end.exit_code == 1);
  CHECK(has(end, "AttributeError"));
}

TEST_CASE("the fork's own tree passes its tests", "[lookalike]") {
  const TemporaryFolder folder;
  const auto place = must(make_lookalike(folder.path() / "place"));
  CHECK(run_script(place, place.fork, "test_gh200_features.sh").exit_code == 0);
  CHECK(fs::exists(place.fork / "simpletuner/gh200/in_memory_backend.py"));
  const std::string diagnostic = text_of(place.fork / "gh200_diagnostic.py");
  CHECK(diagnostic.find("--skip-allocation") != std::string::npos);
  CHECK(diagnostic.find("--output") != std::string::npos);
}

TEST_CASE("the JSON forms parse and name every point and commit", "[lookalike]") {
  const TemporaryFolder folder;
  const auto place = must(make_lookalike(folder.path() / "it's a \"place\""));
  const auto end = must(run_program(place.folder, {"python3", "-"}, R"(
import json
points = json.load(open("points.json", encoding="utf-8"))
facts = json.load(open("lookalike.json", encoding="utf-8"))
print(len(points), len(facts["commits"]), len(facts["commits"]["base"]["classes"]))
)"));
  CHECK(end.output == std::to_string(integration_points().size()) + " 5 7\n");
}

}  // namespace
}  // namespace checkride::lookalike

// `test`, `run --rehearse` and `run --dry-run` as a person sees them.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "cli/commands/dry_run.h"
#include "cli/commands/rehearsal.h"
#include "cli/commands/test.h"
#include "cli/render/json.h"
#include "tests/unit/cli/procedure.h"
#include "tests/unit/cli/session.h"
#include "workflows/loader/load.h"

using namespace checkride;
using namespace checkride::cli;
using Catch::Contains;

namespace {

// A file of its own, gone at the end.
class CasesFile {
 public:
  explicit CasesFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("checkride-cases-" + std::to_string(::getpid()) + ".yaml")) {
    std::ofstream(path_) << "rehearsal: 1\n" << text;
  }
  ~CasesFile() { std::filesystem::remove(path_); }
  CasesFile(const CasesFile&) = delete;
  CasesFile& operator=(const CasesFile&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

const char* const cases = R"(params: {repo: /src/fork, key: hidden-word}
usual:
  outcomes:
    clean: {result: {ok: true, count: 1, files: []}}
    reapply: {outcomes: {apply_it: {result: {ok: true, count: 4, files: []}}}}
    sign_off: {approve: fine, by: ada}
cases:
- name: all well
  expect: {outcome: succeeded, report: [Code review, by ada]}
- name: files in the way
  outcomes: {clean: {but: {count: 9}}, ask: {reject: no}}
  expect: {outcome: failed}
)";

std::shared_ptr<const Definition> load(Session& session) {
  session.sources["demo"] = procedure;
  const Context context = session.context();
  LoadOptions options;
  options.signatures = context.catalog.signatures();
  const LoadResult loaded = load_definition(procedure, "demo.yaml", options);
  REQUIRE(loaded.definition != nullptr);
  return loaded.definition;
}

TEST_CASE("test prints a line for each case, then what no case reaches") {
  Session session;
  load(session);
  const CasesFile file(cases);
  TestOptions options;
  options.definition = "demo";
  options.cases = file.path();
  CHECK(cmd_test(session.context(), options) == exit_ok);
  const std::string text = session.out();
  CHECK_THAT(text, Contains("ok    all well: succeeded,"));
  CHECK_THAT(text, Contains("ok    files in the way: failed,"));
  CHECK_THAT(text, Contains("demo/apply"));
  CHECK_THAT(text, Contains("no case reaches"));
  CHECK_THAT(text, Contains("demo.yaml:38:27: transition 'ask' -> 'done_a' on answer.approve\n"));
  CHECK_THAT(text, Contains("2 cases, 0 failed"));

  options.min_coverage = 100;
  CHECK(cmd_test(session.context(), options) == exit_failed);
  CHECK_THAT(session.out(), Contains("the coverage is lower than the 100 % asked for"));
  options.min_coverage = 20;
  CHECK(cmd_test(session.context(), options) == exit_ok);
}

TEST_CASE("test tells what was expected, what happened and the path") {
  Session session;
  load(session);
  const CasesFile file(std::string(cases) + R"(- name: wrong
  outcomes: {ask: {approve: never asked}}
  expect: {outcome: failed}
)");
  TestOptions options;
  options.definition = "demo";
  options.cases = file.path();
  CHECK(cmd_test(session.context(), options) == exit_failed);
  const std::string text = session.out();
  CHECK_THAT(text, Contains("FAIL  wrong: succeeded"));
  CHECK_THAT(text, Contains("expected failed, it ended succeeded"));
  CHECK_THAT(text, Contains("outcomes.ask was not used (" + file.path() + ":15:19)"));
  CHECK_THAT(text, Contains("went demo: clean > done_a > reapply > sign_off > finished"));
  CHECK_THAT(text, Contains("went reapply/one: apply_it > good"));
  CHECK_THAT(text, Contains("3 cases, 1 failed"));

  options.only = "wrong";
  CHECK(cmd_test(session.context(true), options) == exit_failed);
  const json::value document = json::parse(session.out());
  CHECK(document.at("failed") == 1);
  CHECK(document.at("cases").as_array().size() == 1);
  CHECK(document.at("cases").at(0).at("ok") == false);
  CHECK(document.at("coverage").at(0).at("name") == "demo");
  CHECK(document.at("total").at("states_total").as_int64() == 12);
  options.only = "no such case";
  CHECK(cmd_test(session.context(), options) == exit_usage);
  CHECK_THAT(session.err(), Contains("there is no case 'no such case'"));
}

TEST_CASE("test refuses cases that are wrong, and says where cases are") {
  Session session;
  load(session);
  const CasesFile file("outcomes: {claen: wait}\n");
  TestOptions options;
  options.definition = "demo";
  options.cases = file.path();
  CHECK(cmd_test(session.context(), options) == exit_usage);
  CHECK_THAT(session.err(), Contains(file.path() + ":2:12: error: there is no state 'claen'"));
  options.cases.clear();
  CHECK(cmd_test(session.context(), options) == exit_usage);
  CHECK_THAT(session.err(), Contains("no cases are shipped with 'demo'"));
  options.shipped_cases = [](const std::string&) { return std::string("rehearsal: 1\n") + cases; };
  CHECK(cmd_test(session.context(), options) == exit_ok);
}

TEST_CASE("run --rehearse shows the run and its report, and stores nothing") {
  Session session;
  const auto definition = load(session);
  const CasesFile file(cases);
  CHECK(run_rehearsal(session.context(), definition, file.path(), "all well", {}) == exit_ok);
  const std::string text = session.out();
  CHECK_THAT(text, Contains("REHEARSAL of demo (all well)"));
  CHECK_THAT(text, Contains("▶  Demo of /src/fork"));
  CHECK_THAT(text, Contains("`git status` clean: 1 files"));
  CHECK_THAT(text, Contains("REHEARSAL ended succeeded"));
  CHECK_THAT(text, Contains("> REHEARSAL: nothing below has happened."));
  CHECK_THAT(text, Contains("Code review"));
  CHECK_THAT(text, !Contains("hidden-word"));
  CHECK(session.log.heads()->empty());

  CHECK(run_rehearsal(session.context(), definition, file.path(), "files in the way", {}) ==
        exit_failed);
  session.out();
  CHECK(run_rehearsal(session.context(), definition, file.path(), "", {}) == exit_usage);
  CHECK_THAT(session.err(), Contains("name one with --case: all well, files in the way"));
  cel::Map params;
  params.set("limit", cel::Value(0));
  CHECK(run_rehearsal(session.context(), definition, file.path(), "all well", params) ==
        exit_usage);  // the count of 1 is over that limit, and nobody answers
  CHECK_THAT(session.err(), Contains("state 'ask' of 'demo' asks a person"));
}

TEST_CASE("run --dry-run tells the plan") {
  Session session;
  const auto definition = load(session);
  cel::Map params;
  params.set("repo", cel::Value("/src/fork"));
  params.set("key", cel::Value("hidden-word"));
  CHECK(dry_run(session.context(), definition, params) == exit_ok);
  const std::string text = session.out();
  CHECK_THAT(text, Contains("DRY RUN of demo: nothing is started, nothing is written"));
  CHECK_THAT(text, Contains(to_hex(definition->hash)));
  CHECK_THAT(text, Contains("repo       \"/src/fork\""));
  CHECK_THAT(text, Contains("default"));
  CHECK_THAT(text, !Contains("hidden-word"));
  CHECK_THAT(text, Contains("1.  clean  `git status` clean"));
  CHECK_THAT(text, Contains("what = \"/src/fork\""));
  CHECK_THAT(text, Contains("then done_a; else ask, aborted"));
  CHECK_THAT(text, Contains("runs demo/apply for each of \"one\", \"two\", \"three\""));
  CHECK_THAT(text, Contains("asks a person (approve, reject, waive)"));
  CHECK_THAT(text, Contains("ends in finished"));

  CHECK(dry_run(session.context(true), definition, params) == exit_ok);
  const json::value document = json::parse(session.out());
  CHECK(document.at("dry_run") == true);
  CHECK(document.at("params").at("key") == "***");
  CHECK(document.at("steps").at(0).at("state") == "clean");
  CHECK(document.at("end") == "finished");
  CHECK(dry_run(session.context(), definition, {}) == exit_usage);
  CHECK_THAT(session.err(), Contains("repo"));
}

}  // namespace

#include <unistd.h>
#include <catch2/catch.hpp>
#include <fstream>
#include <regex>

#include "cli/commands/doctor.h"
#include "cli/commands/export_scxml.h"
#include "cli/commands/graph.h"
#include "cli/commands/history.h"
#include "cli/commands/import_scxml.h"
#include "cli/commands/lint.h"
#include "cli/commands/load.h"
#include "cli/commands/logs.h"
#include "cli/commands/ls.h"
#include "cli/commands/replay.h"
#include "cli/commands/report.h"
#include "cli/commands/show.h"
#include "cli/commands/status.h"
#include "cli/commands/verify.h"
#include "cli/commands/why.h"
#include "cli/render/event_line.h"
#include "cli/render/json_events.h"
#include "tests/unit/cli/procedure.h"
#include "tests/unit/cli/session.h"

using namespace checkride;
using namespace checkride::cli;

namespace {

void start(Session& session) {
  cel::Map params;
  params.set("repo", cel::Value("/src/fork"));
  session.start(procedure, "demo-1", params);
}

cel::List many_files() {
  cel::List files;
  for (int i = 0; i < 10; ++i) files.push_back(cel::Value("folder/file_" + std::to_string(i)));
  files.push_back(cel::Value("core"));
  return files;
}

template <std::size_t... I>
void every_event(std::index_sequence<I...>) {
  const View view;
  EventLines lines(view);
  const auto check = [&](const Event& event) {
    CHECK(as_json(view, event).at("type") == json::value(event_name(event)));
    lines.line(event);
  };
  (check(Event(std::in_place_index<I>)), ...);
}

class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("checkride-cli-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

namespace {

// Wrapped text as one line, blanks folded.
std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const bool blank = c == '\n' || c == ' ';
    if (!blank || (!line.empty() && line.back() != ' ')) line += blank ? ' ' : c;
  }
  return line;
}

}  // namespace

TEST_CASE("every event has a line and a JSON form, without a definition too", "[cli]") {
  every_event(std::make_index_sequence<std::variant_size_v<Event>>());
}

TEST_CASE("why names the part of the guard that decided", "[cli]") {
  Session session;
  start(session);
  session.finish("demo-1", "clean", result(true, 12));
  REQUIRE(cmd_why(session.context(), {"demo-1", ""}) == exit_ok);
  const std::string text = session.out();
  CHECK(text.find("left clean, entered ask") != std::string::npos);
  CHECK(text.find("1. ✗ clean → done_a  false") != std::string::npos);
  CHECK(text.find("because  result.count <= params.limit is false (result.count was 12, "
                  "params.limit was 2)") != std::string::npos);
  CHECK(text.find("result.files.all(f, f != 'core') = not looked at") != std::string::npos);
  CHECK(text.find("2. ✓ clean → ask  taken") != std::string::npos);
}

TEST_CASE("why finds large facts again behind their digest", "[cli]") {
  Session session;
  start(session);
  session.finish("demo-1", "clean", result(true, 1, many_files()));
  REQUIRE(cmd_why(session.context(), {"demo-1", ""}) == exit_ok);
  const std::string text = session.out();
  CHECK(text.find("because  for element 10 of result.files, f != 'core' is false (f was "
                  "\"core\")") != std::string::npos);
  CHECK(text.find("result.files = [\"folder/file_0\"") != std::string::npos);
  CHECK(text.find("(from @6)") != std::string::npos);
}

TEST_CASE("why does not believe a value whose digest differs", "[cli]") {
  Session session;
  start(session);
  session.finish("demo-1", "clean", result(true, 1, many_files()));
  session.alter = [](Record& record) {
    for (Event& event : record.events)
      if (auto* finished = std::get_if<JobFinished>(&event))
        finished->command.outcome.result = cel::Value(result(true, 1, {cel::Value("other")}));
  };
  REQUIRE(cmd_why(session.context(), {"demo-1", ""}) == exit_ok);
  CHECK(session.out().find("large, not found again; digest") != std::string::npos);
}

TEST_CASE("why asked about a state looks into children", "[cli]") {
  Session session;
  start(session);
  session.finish("demo-1", "clean", result(true, 1));
  const std::string child = session.state("demo-1").jobs.begin()->first.value;
  session.finish(child, "apply_it", result(false), JobStatus::fail);
  for (const WhyOptions& options :
       {WhyOptions{"demo-1", "merge"}, WhyOptions{"demo-1:merge", ""}, WhyOptions{child, ""}}) {
    REQUIRE(cmd_why(session.context(), options) == exit_ok);
    const std::string text = session.out();
    CHECK(text.find(child + " @") == 0);
    CHECK(text.find("because  result.ok was false") != std::string::npos);
  }
  CHECK(cmd_why(session.context(), {"demo-1", "merg"}) == exit_usage);
  CHECK(session.err().find("did you mean 'merge'?") != std::string::npos);
  CHECK(cmd_why(session.context(), {"demo-1@1", ""}) == exit_ok);  // the initial entry
  CHECK(session.out().find("the initial entry") != std::string::npos);
}

TEST_CASE("why has the same facts as JSON", "[cli]") {
  Session session;
  start(session);
  session.finish("demo-1", "clean", result(true, 12));
  REQUIRE(cmd_why(session.context(true), {"demo-1", ""}) == exit_ok);
  const json::value document = json::parse(session.out());
  const json::object& guard = document.at("guards").at(0).as_object();
  CHECK(guard.at("holds") == false);
  CHECK(guard.at("facts").as_array().size() == 3);
  CHECK(guard.at("trace").at("children").as_array().size() == 3);
  CHECK(document.at("taken").at(0).at("transition") == "clean → ask");
}

TEST_CASE("a replay of an untouched log decides the same events", "[cli]") {
  Session session;
  start(session);
  session.finish("demo-1", "clean", result(true, 1));
  const std::string child = session.state("demo-1").jobs.begin()->first.value;
  session.finish(child, "apply_it", result(true, 8));
  CHECK(cmd_replay(session.context(), {"demo-1"}) == exit_ok);
  CHECK(session.out().find("same: ") == 0);
  CHECK(cmd_replay(session.context(true), {"demo-1"}) == exit_ok);
  CHECK(json::parse(session.out()).at("runs").as_array().size() >= 2);
}

TEST_CASE("a replay names the first event that differs, and another build", "[cli]") {
  Session session;
  start(session);
  session.finish("demo-1", "clean", result(true, 12));
  session.alter = [](Record& record) {
    record.build = "0.0.9";
    for (Event& event : record.events)
      if (auto* verdict = std::get_if<VerdictGiven>(&event)) verdict->note = "all is well";
  };
  CHECK(cmd_replay(session.context(), {"demo-1"}) == exit_failed);
  const std::string text = session.out();
  CHECK(text.find("demo-1 @9 differs; it was recorded by build 0.0.9") == 0);
  CHECK(text.find("all is well") != std::string::npos);
  CHECK(one_line(text).find("12 files are in the way") != std::string::npos);
}

TEST_CASE("verify finds an anchored head in the chain, and says when it is not there", "[cli]") {
  Session session;
  start(session);
  const std::string head = to_hex((*session.log.head(RunId("demo-1")))->chain);
  session.finish("demo-1", "clean", result(true, 12));
  VerifyOptions options;
  options.run = "demo-1";
  options.head = head;
  options.verify = [](std::optional<RunId>) -> Result<VerifyReport> {
    VerifyReport report;
    report.records = 2;
    return report;
  };
  CHECK(cmd_verify(session.context(), options) == exit_ok);
  const std::string text = session.out();
  CHECK(text.find("is in the chain, at @5") != std::string::npos);
  CHECK(text.find("the run went on after it") != std::string::npos);
  options.head = std::string(64, '0');
  CHECK(cmd_verify(session.context(), options) == exit_engine);
  CHECK(one_line(session.out()).find("is not the one that was anchored") != std::string::npos);
  options.head = "xyz";
  CHECK(cmd_verify(session.context(), options) == exit_usage);
}

TEST_CASE("logs prints the streams of every attempt under a heading", "[cli]") {
  const Folder folder;
  Session session;
  session.store = folder.path();
  start(session);
  const auto attempt = folder.path() / "attempts" / "demo-1.5";
  std::filesystem::create_directories(attempt);
  std::ofstream(attempt / "stdout") << "first line\nsecond line";
  std::ofstream(attempt / "stderr") << "a warning\n";
  session.finish("demo-1", "clean", result(true, 12));
  REQUIRE(cmd_logs(session.context(), {"demo-1", "clean", 0, false}) == exit_ok);
  const std::string text = session.out();
  CHECK(text.find("── clean  check  pass, exit 0, 250ms") == 0);
  CHECK(text.find("\nfirst line\nsecond line\n── standard error\na warning\n") !=
        std::string::npos);
  REQUIRE(cmd_logs(session.context(), {"demo-1", "", 5, true}) == exit_ok);
  CHECK(session.out().find("before this are left out\n line\n") != std::string::npos);
  CHECK(cmd_logs(session.context(), {"demo-1", "clen", 0, false}) == exit_usage);
  CHECK(session.err().find("did you mean 'clean'?") != std::string::npos);
}

TEST_CASE("lint and graph take a definition by name", "[cli]") {
  Session session;
  session.sources["demo"] = procedure;
  session.sources["broken"] = "checkride: 1\nworkflow: broken\ninitial: a\nstates: {}\n";
  CHECK(cmd_lint(session.context(), {{"demo"}}) == exit_ok);
  CHECK(session.out().find("demo.yaml: ok, workflow demo") != std::string::npos);
  CHECK(cmd_lint(session.context(), {{"broken"}}) == exit_usage);
  CHECK(session.out().find("the definition is refused") != std::string::npos);
  CHECK(cmd_graph(session.context(), {"demo"}) == exit_ok);
  CHECK(session.out().find("stateDiagram-v2") != std::string::npos);
  CHECK(cmd_graph(session.context(), {"nothing"}) == exit_usage);
}

TEST_CASE("a definition goes out as SCXML and comes back", "[cli]") {
  Session session;
  session.sources["demo"] = procedure;
  CHECK(cmd_export_scxml(session.context(), {"nothing"}) == exit_usage);
  session.err();
  CHECK(cmd_export_scxml(session.context(), {"demo"}) == exit_ok);
  const std::string scxml = session.out();
  CHECK(session.err().find("checkride's namespace") != std::string::npos);
  const auto file = std::filesystem::temp_directory_path() /
                    ("checkride-verbs-" + std::to_string(::getpid()) + ".scxml");
  std::ofstream(file) << scxml;
  CHECK(cmd_import_scxml(session.context(), {file.string()}) == exit_ok);
  session.sources["back"] = session.out();
  CHECK(cmd_lint(session.context(), {{"back"}}) == exit_ok);
  // What cannot be carried over is named with its place, and the exit code says so.
  std::ofstream(file) << "<scxml xmlns='http://www.w3.org/2005/07/scxml'>\n"
                         "<state id='a'><invoke/></state></scxml>";
  CHECK(cmd_import_scxml(session.context(), {file.string()}) == exit_usage);
  CHECK(session.err().find(file.string() + ":2:15: error: 'invoke' is left out") !=
        std::string::npos);
  session.out();
  CHECK(cmd_import_scxml(session.context(true), {file.string()}) == exit_usage);
  CHECK(json::parse(session.out()).at("complete") == false);
  std::filesystem::remove(file);
  CHECK(cmd_import_scxml(session.context(), {file.string()}) == exit_usage);
}

TEST_CASE("every verb prints one JSON document", "[cli]") {
  Session session;
  session.sources["demo"] = procedure;
  start(session);
  session.finish("demo-1", "clean", result(true, 12));
  const Context context = session.context(true);
  const auto printed = [&](int exit) {
    CHECK((exit == exit_ok || exit == exit_engine));
    const std::string text = session.out();
    CHECK(text.ends_with("\n"));
    return json::parse(text);
  };
  CHECK(printed(cmd_ls(context, {})).at("runs").at(0).at("run") == "demo-1");
  CHECK(printed(cmd_status(context, {"demo-1", {}})).at("questions").as_array().size() == 1);
  CHECK(printed(cmd_history(context, {"demo-1", {}, 1, 0})).at("records").as_array().size() == 2);
  CHECK(printed(cmd_show(context, {"demo-1@7"})).at("last") == 7);
  CHECK(printed(cmd_report(context, {"demo-1", "md"})).at("verdict").is_string());
  CHECK(printed(cmd_logs(context, {"demo-1", "", 0, false})).at("attempts").is_array());
  CHECK(printed(cmd_lint(context, {{"demo"}})).at("definitions").at(0).at("ok") == true);
  CHECK(printed(cmd_graph(context, {"demo"})).at("mermaid").is_string());
  CHECK(printed(cmd_doctor(context, {})).at("findings").is_array());
}

TEST_CASE("a run may be named by the beginning of its id", "[cli]") {
  Session session;
  start(session);
  CHECK(cmd_status(session.context(), {"dem", {}}) == exit_ok);
  CHECK(cmd_status(session.context(), {"other", {}}) == exit_usage);
  CHECK(session.err().find("`checkride ls` lists them all") != std::string::npos);
  CHECK_FALSE(parse_reference("demo-1@").has_value());
  CHECK_FALSE(parse_reference("demo-1@0").has_value());
  CHECK(parse_reference("demo-1@7")->sequence == Sequence(7));
  CHECK(parse_reference("demo-1@clean")->state == "clean");
}

// The live tree as lines, the frame as bytes, and conflicts as a person sees them.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "cli/commands/load.h"
#include "cli/commands/logs_follow.h"
#include "cli/commands/output.h"
#include "cli/render/checklist.h"
#include "cli/render/conflict.h"
#include "cli/render/frame.h"
#include "cli/render/live_line.h"
#include "cli/render/live_tree.h"
#include "cli/render/status.h"
#include "tests/unit/cli/procedure.h"
#include "tests/unit/cli/session.h"

using namespace checkride;
using namespace checkride::cli;

namespace {

void begin(Session& session) {
  cel::Map params;
  params.set("repo", cel::Value("/src/fork"));
  params.set("key", cel::Value("hunter2hunter2"));
  session.start(procedure, "demo-1", params);
}

// The first patch applied, the second in conflict, the third not begun.
void play(Session& session) {
  begin(session);
  session.finish("demo-1", "clean", result(true, 1));
  const auto child = [&] { return session.state("demo-1").jobs.begin()->first.value; };
  session.finish(child(), "apply_it", result(true, 8));
  session.finish(child(), "apply_it", result(false, 8), JobStatus::fail);
}

RunTree tree_of(Session& session, const Context& context) {
  RunLoader loader(context, session.log);
  auto tree = loader.tree(RunId("demo-1"));
  REQUIRE(tree.has_value());
  return *std::move(tree);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

cel::Value conflict(const std::string& path, int lines) {
  std::string ours;
  for (int i = 0; i < lines; ++i) ours += "\tours " + std::to_string(i) + "\n";
  cel::Map hunk;
  hunk.set("line", cel::Value(12));
  hunk.set("ours", cel::Value(ours));
  hunk.set("base", cel::Value("before\n"));
  hunk.set("theirs", cel::Value("theirs \x1b[2J\n"));
  cel::Map file;
  file.set("path", cel::Value(path));
  file.set("hunk_count", cel::Value(1));
  file.set("hunks", cel::Value(cel::List{cel::Value(std::move(hunk))}));
  return cel::Value(std::move(file));
}

}  // namespace

TEST_CASE("the live tree shows sections, the running job and its last output line", "[cli]") {
  Session session;
  begin(session);
  const Context context = session.context();
  const RunTree tree = tree_of(session, context);
  LiveMoment moment{session.now + std::chrono::seconds(64), {}, {}, false};
  moment.output[tree.state.jobs.begin()->first] = "halfway with hunter2hunter2";
  CHECK(joined(live_tree(tree, moment, Style(false))) ==
        R"(Demo of /src/fork  running  1m 04s  demo-1
  ▶   A. Pre-flight  0 of 1
      ▶   `git status` clean
  [ ] C. Patches
  [ ] H. Sign-off  0 of 1
      [ ] Code review
  ·   clean  check  1m 04s
      │ halfway with ***
)");
}

TEST_CASE("the live tree shows children and what waits for a person with its command", "[cli]") {
  Session session;
  play(session);
  const Context context = session.context();
  const RunTree tree = tree_of(session, context);
  LiveMoment moment{session.now + std::chrono::seconds(10), {}, {}, false};
  CHECK(joined(live_tree(tree, moment, Style(false))) ==
        R"(Demo of /src/fork  waiting  16.0s  demo-1
  ✅  A. Pre-flight  1 of 1
      ✅  `git status` clean — 1 files
  ▶   C. Patches  1 of 3
      ✅  one  1.0s
      ?   two  11.0s
          ▶   Merged by hand — optional
      [ ] 1 to come
  [ ] H. Sign-off  0 of 1
      [ ] Code review
?   gate merge  in two: Resolve the conflict of two, then approve.
    checkride answer demo-1 merge --approve
)");
  moment.last = true;
  const std::string last = joined(live_tree(tree, moment, Style(false)));
  CHECK(last.find("checkride answer") == std::string::npos);
  CHECK(last.find("Merged by hand") != std::string::npos);
}

TEST_CASE("the live tree fits any terminal and keeps its title", "[cli]") {
  Session session;
  play(session);
  const Context context = session.context();
  const RunTree tree = tree_of(session, context);
  const std::size_t rows = GENERATE(range<std::size_t>(1, 16));
  const LiveMoment moment{session.now, {80, rows}, {}, false};
  const std::vector<std::string> lines = live_tree(tree, moment, Style(false));
  CHECK(lines.size() < std::max<std::size_t>(rows, 4));
  REQUIRE_FALSE(lines.empty());
  CHECK(lines.front().find("Demo of /src/fork") == 0);
  if (rows >= 6) CHECK(lines.back() == "    checkride answer demo-1 merge --approve");
  if (rows == 10) CHECK(joined(lines).find("Code review") == std::string::npos);
}

TEST_CASE("titles and sections show params wherever they stand", "[cli]") {
  Session session;
  cel::Map params;
  params.set("name", cel::Value("seven"));
  session.start(R"(checkride: 1
workflow: named
params: {name: string}
states:
  s:
    section: "Part ${params.name}"
    title: "look at ${params.name}"
    invoke: {job: gate, with: {question: "Is it right?"}, expiry: {after: 2d, answer: reject}}
    on: {answer.approve: good, answer: bad}
  good: {type: final}
  bad: {type: final, outcome: failed}
)",
                "n", params);
  const Context context = session.context();
  RunLoader loader(context, session.log);
  const RunTree tree = *loader.tree(RunId("n"));
  CHECK(checklist(tree)[0].heading == "Part seven");
  const std::string asked = question_text(questions(tree)[0], session.now, Style(false));
  CHECK(asked.find("look at seven") != std::string::npos);
  CHECK(asked.find("reject is taken in 4") != std::string::npos);
  const Timestamp later = session.now + std::chrono::hours(72);
  CHECK(question_text(questions(tree)[0], later, Style(false)).find("finds reject taken") !=
        std::string::npos);
  session.send(RunId("n"), PauseRun{"lunch", false});
  const RunTree stopped = *loader.tree(RunId("n"));
  CHECK(question_text(questions(stopped)[0], later, Style(false)).find("reject is taken in 4") !=
        std::string::npos);
  CHECK(status_text(stopped, later, true, Style(false)).find("expires in 4") != std::string::npos);
  session.send(RunId("n"), ResumeRun{"", false});
  session.answer("n", "s", "approve", "yes");
  std::string lines;
  const auto read = session.log.read(RunId("n"), Sequence(1), [&](const Record& record) {
    for (const LiveLine& line : live_lines(tree.view, session.state("n"), record, Style(false)))
      lines += line.text + "\n";
    return true;
  });
  REQUIRE(read.has_value());
  CHECK(lines.find("look at seven") != std::string::npos);
  CHECK(lines.find("${") == std::string::npos);

  const Timestamp ended = session.state("n").updated;
  for (int i = 0; i < 3; ++i) CHECK_FALSE(session.send(RunId("n"), CancelRun{"late"}));
  CHECK(session.state("n").updated > ended);
  CHECK(loader.tree(RunId("n"))->ended == ended);  // whatever was refused since
}

TEST_CASE("a frame is drawn over the one before, also after the terminal became narrower",
          "[cli]") {
  Frame frame;
  CHECK(frame.draw({"one", "two"}, "", {80, 24}) == "\rone\x1b[K\ntwo\x1b[K\n\x1b[J");
  CHECK(frame.draw({"three"}, "", {80, 24}) == "\r\x1b[2Athree\x1b[K\n\x1b[J");
  CHECK(frame.draw({std::string(30, 'x')}, "said\n", {80, 24}) ==
        "\r\x1b[1A\x1b[Jsaid\n" + std::string(30, 'x') + "\x1b[K\n\x1b[J");
  // 30 columns are three rows of a terminal of 10.
  CHECK(frame.draw({std::string(30, 'x')}, "", {10, 24}) == "\r\x1b[3Axxxxxxxx…\x1b[K\n\x1b[J");
  frame.leave();
  CHECK(frame.draw({"new"}, "", {10, 24}) == "\rnew\x1b[K\n\x1b[J");
}

TEST_CASE("text with colours is clipped by its columns", "[cli]") {
  CHECK(clip("short", 5) == "short");
  CHECK(clip("longer", 5) == "long…");
  CHECK(clip("\x1b[31mlonger\x1b[0m", 5) == "\x1b[31mlong…\x1b[0m");
  CHECK(clip("日本語", 5) == "日本…");
  CHECK(clip("⚠️ warned", 4) == "⚠️ …");
  for (std::size_t width = 1; width < 12; ++width)
    CHECK(display_width(clip("a⚠️é日\x1b[1m✅ bc\x1b[0m", width)) <= width);
}

TEST_CASE("conflicts are shown with their hunks, up to a bound", "[cli]") {
  cel::Map inputs;
  inputs.set("question", cel::Value("which?"));
  CHECK(find_conflicts(inputs) == nullptr);
  cel::Map details;
  details.set("conflicts", cel::Value(cel::List{conflict("src/a.py", 1), conflict("b", 100)}));
  inputs.set("details", cel::Value(std::move(details)));
  const cel::Value* found = find_conflicts(inputs);
  REQUIRE(found != nullptr);
  const std::string text = conflict_text(View(), *found, "  ", Style(false));
  CHECK(text.find("  conflict in src/a.py, 1 hunk\n"
                  "    @@ line 12\n"
                  "    <<<<<<< ours\n"
                  "        ours 0\n"
                  "    ||||||| base\n"
                  "    before\n"
                  "    =======\n"
                  "    theirs \xEF\xBF\xBD[2J\n"
                  "    >>>>>>> theirs\n") == 0);
  CHECK(text.find("  … 67 more lines in b\n") != std::string::npos);
  CHECK(text.find("ours 37\n") != std::string::npos);
  CHECK(text.find("ours 38\n") == std::string::npos);
}

TEST_CASE("the last output line is the newest form of a progress line", "[cli]") {
  const auto path = std::filesystem::temp_directory_path() /
                    ("checkride-live-test-" + std::to_string(::getpid()));
  const auto last = [&](const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    return last_line_of(path);
  };
  CHECK(last("one\ntwo\n\n") == "two");
  CHECK(last("10%\r20%\r30%") == "30%");
  CHECK(last(" \n") == "");
  GrowingFile file(path, 0);
  CHECK(file.more() == " \n");
  CHECK(file.more().empty());
  std::ofstream(path, std::ios::app) << "more";
  CHECK(file.more() == "more");
  std::filesystem::remove(path);
  CHECK(last_line_of(path) == "");
  CHECK(file.more().empty());
}

TEST_CASE("logs are followed to the end of every attempt, secrets masked", "[cli]") {
  Session session;
  begin(session);
  const bool json = GENERATE(false, true);
  const Context context = session.context(json);
  const auto folder = std::filesystem::temp_directory_path() /
                      ("checkride-follow-test-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "stdout") << "begun\n";
  Mask mask;
  mask.add(cel::Value("hunter2hunter2"));
  int looks = 0;
  FollowHooks hooks;
  hooks.look = [&](const Token&) {
    if (++looks == 2) std::ofstream(folder / "stdout", std::ios::app) << "with hunter2hunter2";
    if (looks == 3) std::ofstream(folder / "stderr") << "oops\n";
    return looks < 3 ? AttemptTrace::running : AttemptTrace::finished;
  };
  hooks.interrupted = [] { return false; };
  // What comes later is followed from its beginning, and an attempt named again is followed once.
  const FollowedAttempt first{Token("t"), RunId("r"), "clean", "clean  check", folder, mask};
  FollowedAttempt second = first;
  second.token = Token("u");
  second.state = "dry";
  second.heading = "dry  check";
  int finds = 0;
  hooks.find = [&]() -> Result<ToFollow> {
    if (++finds == 1) return ToFollow{{first}, true};
    return ToFollow{{first, second}, finds < 3};
  };
  const auto follow = [&] {
    const Result<int> code = follow_output(context, {{first}, true}, 0, hooks);
    REQUIRE(code);
    return *code;
  };
  CHECK(follow() == exit_ok);
  CHECK(finds == 3);
  const std::string out = session.out();
  if (json) {
    CHECK(out ==
          "{\"token\":\"t\",\"run\":\"r\",\"state\":\"clean\",\"stream\":\"stdout\",\"text\":\"begun\\n\"}\n"
          "{\"token\":\"t\",\"run\":\"r\",\"state\":\"clean\",\"stream\":\"stderr\",\"text\":\"oops\\n\"}\n"
          "{\"token\":\"t\",\"run\":\"r\",\"state\":\"clean\",\"stream\":\"stdout\",\"text\":\"with ***\"}\n"
          "{\"token\":\"t\",\"run\":\"r\",\"state\":\"clean\",\"ended\":\"finished\"}\n"
          "{\"token\":\"u\",\"run\":\"r\",\"state\":\"dry\",\"stream\":\"stdout\",\"text\":\"begun\\n\"}\n"
          "{\"token\":\"u\",\"run\":\"r\",\"state\":\"dry\",\"stream\":\"stderr\",\"text\":\"oops\\n\"}\n"
          "{\"token\":\"u\",\"run\":\"r\",\"state\":\"dry\",\"stream\":\"stdout\",\"text\":\"with ***\"}\n"
          "{\"token\":\"u\",\"run\":\"r\",\"state\":\"dry\",\"ended\":\"finished\"}\n");
  } else {
    CHECK(out ==
          "── clean  check\nbegun\n── standard error\noops\n── standard output\nwith ***\n"
          "── clean has ended\n"
          "── dry  check\nbegun\n── standard error\noops\n── standard output\nwith ***\n"
          "── dry has ended\n");
  }
  looks = 0;
  hooks.look = [](const Token&) { return AttemptTrace::running; };
  hooks.interrupted = [&] { return ++looks > 1; };
  CHECK(follow() == exit_interrupted);
  std::filesystem::remove_all(folder);
}

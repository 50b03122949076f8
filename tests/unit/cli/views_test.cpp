// What the verbs print of one run, compared as text. Hashes are replaced by HASH: they follow the
// canonical form of definitions and the codec, which have tests of their own.
#include <catch2/catch.hpp>
#include <regex>

#include "cli/commands/history.h"
#include "cli/commands/inbox.h"
#include "cli/commands/load.h"
#include "cli/commands/ls.h"
#include "cli/commands/report.h"
#include "cli/commands/show.h"
#include "cli/commands/status.h"
#include "tests/unit/cli/procedure.h"
#include "tests/unit/cli/session.h"

using namespace checkride;
using namespace checkride::cli;

namespace {

std::string without_hashes(const std::string& text) {
  static const std::regex hash("[0-9a-f]{64}|`[0-9a-f]{12}`|[0-9a-f]{12}(?= key=)");
  return std::regex_replace(text, hash, "HASH");
}

// One patch applied, the second in conflict, the third not reached.
void play(Session& session) {
  cel::Map params;
  params.set("repo", cel::Value("/src/fork"));
  params.set("key", cel::Value("hunter2hunter2"));
  session.start(procedure, "demo-1", params);
  session.fail_job("demo-1", "clean", FailureClass::infra, "disk went away");
  session.fire_next_timer("demo-1");
  session.finish("demo-1", "clean", result(true, 12));
  CHECK_FALSE(session.answer("demo-1", "ask", "reject"));
  CHECK(session.answer("demo-1", "ask", "approve"));
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

}  // namespace

TEST_CASE("status shows the checklist, the children and the exact commands", "[cli]") {
  Session session;
  play(session);
  const Context context = session.context();
  const RunTree tree = tree_of(session, context);
  const Timestamp now = session.now + std::chrono::minutes(5);
  CHECK(status_text(tree, now, true, Style(false)) ==
        R"(demo-1  Demo of /src/fork  waiting
started 2026-11-18 11:06:41Z by ada (local), last event 5m 02s ago, workflow demo, 27 events

A. Pre-flight
  ⚠️  `git status` clean — warned: 12 files are in the way
H. Sign-off
  [ ] Code review

active: reapply
children
  one  succeeded  1 of 1 line  demo-1.25
  two  waiting  0 of 1 line  in merge  demo-1.27

gate merge  in two (demo-1.27)  open for 5m 00s
  Merged by hand
  Resolve the conflict of two, then approve.
    checkride answer demo-1 merge --approve             # go on
    checkride answer demo-1 merge --reject --why "..."  # say no; recorded as failed
    checkride answer demo-1 merge --waive --why "..."   # accept it as it is; recorded as waived
)");
}

TEST_CASE("a gate that takes a waiver as a refusal says so", "[cli]") {
  Session session;
  cel::Map params;
  params.set("repo", cel::Value("/src/fork"));
  session.start(procedure, "demo-1", params);
  session.finish("demo-1", "clean", result(true, 12));
  const Context context = session.context();
  const std::string text = status_text(tree_of(session, context), session.now, true, Style(false));
  INFO(text);
  CHECK(text.find("# the same as reject here: nothing is accepted") != std::string::npos);
  CHECK(text.find("recorded as waived") == std::string::npos);
}

TEST_CASE("ls tells waiting, interrupted and finished runs apart", "[cli]") {
  Session session;
  cel::Map params;
  params.set("repo", cel::Value("/src/fork"));
  session.start(procedure, "demo-1", params);
  const auto rows = [&](std::optional<bool> driven) {
    const auto heads = session.log.heads();
    REQUIRE(heads.has_value());
    return list_text(run_rows(*heads, false, [=](const RunId&) { return driven; }), session.now,
                     Style(false));
  };
  CHECK(rows(true) ==
        "RUN     WORKFLOW  STATUS   STARTED               AGE  WAITS FOR\n"
        "demo-1  demo      running  2026-11-18 11:06:41Z  0ms  1 job\n");
  CHECK(rows(false).find("interrupted") != std::string::npos);
  CHECK(rows(false).find("`checkride resume`") != std::string::npos);
  session.finish("demo-1", "clean", result(false, 1));
  CHECK(rows(false).find("waiting") != std::string::npos);
  CHECK(rows(false).find("1 gate") != std::string::npos);
  CHECK(session.answer("demo-1", "ask", "reject", "no"));
  CHECK(rows(false).find("failed") != std::string::npos);
}

TEST_CASE("history gives one line an event and can be filtered", "[cli]") {
  Session session;
  play(session);
  REQUIRE(cmd_history(session.context(), {"demo-1", {}, 11, 5}) == exit_ok);
  CHECK(without_hashes(session.out()) ==
        R"(11  2026-11-18 11:06:49Z  JobFinished             clean attempt 2: pass, exit 0, 250ms
12  2026-11-18 11:06:49Z    InvocationFinished    clean: done, pass
13  2026-11-18 11:06:49Z    GuardEvaluated        on done.invoke.clean: no clean → done_a
14  2026-11-18 11:06:49Z    VerdictGiven          ⚠️ clean warned: 12 files are in the way
15  2026-11-18 11:06:49Z    TransitionTaken       clean → ask, on done.invoke.clean
)");
  REQUIRE(cmd_history(session.context(), {"demo-1", {"CommandRejected"}, 1, 0}) == exit_ok);
  CHECK(session.out() ==
        "18  2026-11-18 11:06:50Z  CommandRejected         AnswerGate refused, reason_missing: the "
        "answer 'reject' needs a reason; add --why — ada (local)\n");
  CHECK(cmd_history(session.context(), {"demo-1", {"JobFinishd"}, 1, 0}) == exit_usage);
  CHECK(session.err().find("JobFinished") != std::string::npos);
}

TEST_CASE("show gives the state at any event and says when that is inside a step", "[cli]") {
  Session session;
  play(session);
  REQUIRE(cmd_show(session.context(), {"demo-1@12"}) == exit_ok);
  const std::string text = session.out();
  CHECK(text.find("demo-1 @12  running") == 0);
  CHECK(text.find("  clean (@3)\n") != std::string::npos);
  CHECK(text.find("inside the step @11 to @17") != std::string::npos);
  CHECK(cmd_show(session.context(), {"demo-1@999"}) == exit_usage);
  CHECK(session.err().find("its last one is 27") != std::string::npos);
}

TEST_CASE("the report is the filled checklist with evidence, answers and the chain head", "[cli]") {
  Session session;
  play(session);
  REQUIRE(cmd_report(session.context(), {"demo-1", "md"}) == exit_ok);
  CHECK(without_hashes(session.out()) == R"(# Demo of /src/fork

- Run: `demo-1`, workflow `demo`, definition HASH
- Started: 2026-11-18 11:06:41Z by ada (local)
- Last event: 2026-11-18 11:06:54Z
- Verdict: **incomplete (waits for a person: 1 gate)**

| Parameter | Value |
| --- | --- |
| key | *** |
| limit | 2 |
| patches | ["one", "two", "three"] |
| repo | /src/fork |

## A. Pre-flight

- ⚠️ `git status` clean — warned: 12 files are in the way
  - evidence: `check` @5–@6 infra, 250ms: disk went away; `check` attempt 2 @10–@11 pass, exit 0, 250ms, stdout HASH (7 bytes); verdict @14
- asked (@17): Go on with files in the way?
  - **approve** by ada (local), 2026-11-18 11:06:51Z (@19)

## C. Patches

| Patch | Status | Notes |
| --- | --- | --- |
| one | ✅ | 8 points |
| two | [ ] in progress | conflict |
| three | [ ] | not reached |

- ✅ **one**, run `demo-1.25`, chain HASH
  - ✅ Applied — 8 points
    - evidence: `check` @4–@5 pass, exit 0, 250ms, stdout HASH (7 bytes); verdict @8
  - [ ] Merged by hand — optional, not reached
- [ ] **two** in progress, run `demo-1.27`, chain HASH
  - ❌ Applied — conflict
    - evidence: `check` @4–@5 fail, exit 1, 250ms, stdout HASH (7 bytes); verdict @8
  - [ ] Merged by hand — in progress
    - asked (@11): Resolve the conflict of two, then approve.
      - not answered yet

## H. Sign-off

- [ ] Code review — not reached

## Incidents and refusals

- @18 AnswerGate by ada (local) was refused: the answer 'reject' needs a reason; add --why

## Not satisfied

- Code review: not reached
- Applied of `two`: failed

## Figures

- 3 runs, 11 records, 48 events
- retries: 1, incidents: 0, refused commands: 1, results not taken: 0

## Verdict

**incomplete (waits for a person: 1 gate)**

Chain head at @27: `HASH`
Checked by: `checkride verify demo-1 --head HASH`
)");
}

TEST_CASE("a finished run is reported as accepted", "[cli]") {
  Session session;
  cel::Map params;
  params.set("repo", cel::Value("/src/fork"));
  params.set("patches", cel::Value(cel::List{cel::Value("one")}));
  session.start(procedure, "demo-1", params);
  session.finish("demo-1", "clean", result(true, 1));
  session.finish(session.state("demo-1").jobs.begin()->first.value, "apply_it", result(true, 8));
  CHECK(session.answer("demo-1", "sign_off", "approve"));
  REQUIRE(session.state("demo-1").outcome == RunOutcome::succeeded);
  REQUIRE(cmd_report(session.context(), {"demo-1", "md"}) == exit_ok);
  const std::string text = session.out();
  CHECK(text.find("- Verdict: **accepted**") != std::string::npos);
  CHECK(text.find("| one | ✅ | 8 points |") != std::string::npos);
  CHECK(text.find("- ✅ Code review — by ada") != std::string::npos);
  CHECK(text.find("Not satisfied") == std::string::npos);
}

TEST_CASE("no verb shows a secret parameter, as text or as JSON", "[cli]") {
  const bool as_json = GENERATE(false, true);
  Session session;
  play(session);
  const Context context = session.context(as_json);
  cmd_ls(context, {true, {}});
  cmd_status(context, {"demo-1", {}});
  cmd_inbox(context, {});
  cmd_history(context, {"demo-1", {}, 1, 0});
  cmd_history(context, {"demo-1.25", {}, 1, 0});  // a child has it from its parent
  cmd_show(context, {"demo-1"});
  cmd_report(context, {"demo-1", "md"});
  const std::string text = session.out() + session.err();
  CHECK(text.find("***") != std::string::npos);
  CHECK(text.find("hunter2") == std::string::npos);
}

TEST_CASE("the inbox lists questions of children under the root run", "[cli]") {
  Session session;
  play(session);
  CHECK(cmd_inbox(session.context(), {}) == exit_waiting);
  CHECK(session.out().find("checkride answer demo-1 merge --approve") != std::string::npos);
  CHECK(cmd_inbox(session.context(true), {}) == exit_waiting);
  const json::value document = json::parse(session.out());
  const json::object& question = document.at("questions").at(0).as_object();
  CHECK(question.at("root") == "demo-1");
  CHECK(question.at("run") == "demo-1.27");
  CHECK(question.at("options").as_array().size() == 3);
}

TEST_CASE("an incident is shown with every way to resolve it", "[cli]") {
  Session session;
  cel::Map params;
  params.set("repo", cel::Value("/src/fork"));
  session.start(procedure, "demo-1", params);
  session.fail_job("demo-1", "clean", FailureClass::lost, "the machine rebooted");
  const Context context = session.context();
  const RunTree tree = tree_of(session, context);
  const std::vector<Question> open = questions(tree);
  REQUIRE(open.size() == 1);
  const std::string text = question_text(open[0], session.now, Style(false));
  const std::string id = open[0].incident.value;
  CHECK(text.find("incident " + id + "  job_lost in state clean") == 0);
  for (const char* way : {"--retry", "--finished demo-1.5 --result FILE", "--lost demo-1.5",
                          "--goto STATE", "--give-up"})
    CHECK(text.find("checkride resolve demo-1 " + id + " " + way + " --why \"...\"") !=
          std::string::npos);
  CHECK(text.find("checkride logs demo-1 clean") != std::string::npos);
}

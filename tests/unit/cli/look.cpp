#include <catch2/catch.hpp>
#include <iostream>
#include "cli/commands/history.h"
#include "cli/commands/inbox.h"
#include "cli/commands/ls.h"
#include "cli/commands/replay.h"
#include "cli/commands/report.h"
#include "cli/commands/show.h"
#include "cli/commands/status.h"
#include "cli/commands/why.h"
#include "tests/unit/cli/procedure.h"
#include "tests/unit/cli/session.h"
using namespace checkride;
using namespace checkride::cli;
TEST_CASE("look") {
  Session s;
  cel::Map params;
  params.set("repo", cel::Value("/src/fork"));
  params.set("key", cel::Value("hunter2hunter2"));
  s.start(procedure, "demo-1", params);
  s.fail_job("demo-1", "clean", FailureClass::infra, "disk went away");
  s.fire_next_timer("demo-1");
  cel::List files;
  for (int i = 0; i < 12; ++i) files.push_back(cel::Value("some/long/path/number_" + std::to_string(i) + ".py"));
  s.finish("demo-1", "clean", result(true, 12, files));
  const auto all = [&] {
    Context c = s.context();
    std::cout << "=== ls\n"; cmd_ls(c, {true, [](const RunId&) { return std::optional<bool>(false); }}); std::cout << s.out();
    std::cout << "=== status\n"; cmd_status(c, {std::string("demo"), {}}); std::cout << s.out() << s.err();
    std::cout << "=== inbox\n"; cmd_inbox(c, {}); std::cout << s.out();
    std::cout << "=== why\n"; cmd_why(c, {"demo-1", ""}); std::cout << s.out() << s.err();
    std::cout << "=== history\n"; cmd_history(c, {"demo-1", {}, 1, 0}); std::cout << s.out() << s.err();
    std::cout << "=== show\n"; cmd_show(c, {"demo-1@12"}); std::cout << s.out() << s.err();
    std::cout << "=== replay\n"; cmd_replay(c, {"demo-1"}); std::cout << s.out() << s.err();
    std::cout << "=== report\n"; cmd_report(c, {"demo-1"}); std::cout << s.out() << s.err();
  };
  all();
  s.answer("demo-1", "ask", "reject");
  s.answer("demo-1", "ask", "approve");
  auto child = [&](int n) { int i = 0; for (auto& [t, j] : s.state("demo-1").jobs) { (void)i; (void)n; return t.value; } return std::string(); };
  s.finish(child(0), "apply_it", result(true, 8));
  s.finish(child(1), "apply_it", result(false, 8), JobStatus::fail);
  all();
  std::cout << "=== why merge\n"; { Context c = s.context(); cmd_why(c, {"demo-1", "merge"}); std::cout << s.out() << s.err(); cmd_why(c, {"demo-1:merg", ""}); std::cout << s.out() << s.err(); cmd_why(c, {"demo-1@2", ""}); std::cout << s.out() << s.err();}
}

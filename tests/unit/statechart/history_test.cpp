// History states: what they remember, and what happens while they remember nothing.
#include <catch2/catch.hpp>

#include "tests/unit/statechart/chart_builder.h"

namespace checkride::statechart {
namespace {

TEST_CASE("history brings back what was left", "[statechart]") {
  const bool deep = GENERATE(true, false);
  ChartBuilder b;
  b.state("out", [&] {
    b.on({"back"}, {"h"});
    b.on({"in"}, {"s22"});
  });
  b.state("s", [&] {
    b.onentry("s in");
    b.on({"leave"}, {"out"});
    b.history("h", deep ? StateKind::history_deep : StateKind::history_shallow, {"s1"}, "default!");
    b.state("s1");
    b.state("s2", [&] {
      b.onentry("s2 in");
      b.state("s21");
      b.state("s22");
    });
  });
  Running run(b.build());
  run.start();
  SECTION("the default at first, with its content after the parent's entry") {
    run.send("back");
    CHECK(run.log == "-out +s +s1 s in default!");
  }
  SECTION("then what was active") {
    run.send("in");
    run.send("leave");
    CHECK(run.log == (deep ? "-s22 -s2 -s +out h=s22" : "-s22 -s2 -s +out h=s2"));
    CHECK(run.state.history.at(run.index("h")) == std::vector{run.index(deep ? "s22" : "s2")});
    run.send("back");
    CHECK(run.log == (deep ? "-out +s +s2 +s22 s in s2 in" : "-out +s +s2 +s21 s in s2 in"));
  }
}

TEST_CASE("a history state reached by the exit of its own parent sees the new value",
          "[statechart]") {
  ChartBuilder b;
  b.state("s", [&] {
    b.on({"again"}, {"h"});
    b.on({"next"}, {"s2"}, {{}, {}, true});
    b.history("h", StateKind::history_shallow, {"s1"});
    b.state("s1");
    b.state("s2");
  });
  Running run(b.build());
  run.start();
  run.send("next");
  run.send("again");
  CHECK(run.log == "-s2 -s +s +s2 h=s2");
}

TEST_CASE("deep history of a parallel state remembers every region", "[statechart]") {
  ChartBuilder b;
  b.parallel("p", [&] {
    b.history("h", StateKind::history_deep, {"a1", "b1"});
    b.on({"leave"}, {"out"});
    b.state("a", [&] {
      b.state("a1", [&] { b.on({"e"}, {"a2"}); });
      b.state("a2");
    });
    b.state("b", [&] {
      b.state("b1", [&] { b.on({"f"}, {"b2"}); });
      b.state("b2");
    });
  });
  b.state("out", [&] { b.on({"back"}, {"h"}); });
  Running run(b.build());
  run.start();
  run.send("f");
  run.send("leave");
  run.send("back");
  CHECK(run.leaves() == "a1 b2");
}

TEST_CASE("a transition to a history state around its source enters nothing that was not exited",
          "[statechart]") {
  // The default a2 lies beside the source a1: a, p and region b stay as they are.
  ChartBuilder b;
  b.state("s", [&] {
    b.history("h", StateKind::history_deep, {"a2"});
    b.parallel("p", [&] {
      b.state("a", [&] {
        b.onentry("a in");
        b.state("a1", [&] { b.on({"e"}, {"h"}); });
        b.state("a2");
      });
      b.state("b", [&] {
        b.state("b1", [&] { b.on({"f"}, {"b2"}); });
        b.state("b2");
      });
    });
  });
  Running run(b.build());
  run.start();
  run.send("f");
  run.send("e");
  CHECK(run.log == "-a1 +a2");
  CHECK(run.chart().is_legal(run.state.configuration));
}

TEST_CASE("exit and entry of a transition use one domain though its history changes in between",
          "[statechart]") {
  // The default, a, makes the domain s, so that p is exited; that records a1, the source itself.
  ChartBuilder b;
  b.state("s", [&] {
    b.parallel("p", [&] {
      b.history("h", StateKind::history_deep, {"a"});
      b.state("a", [&] { b.state("a1", [&] { b.on({"e"}, {"h"}); }); });
    });
  });
  Running run(b.build());
  run.start();
  run.send("e");
  CHECK(run.log == "-a1 -a -p +p +a +a1 h=a1");
  CHECK(run.chart().is_legal(run.state.configuration));
}

}  // namespace
}  // namespace checkride::statechart

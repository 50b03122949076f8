// The order of things in microsteps and macrosteps, jumps, interpreters made anew.
#include <catch2/catch.hpp>

#include "tests/unit/statechart/chart_builder.h"

namespace checkride::statechart {
namespace {

TEST_CASE("states are exited inside out and entered outside in", "[statechart]") {
  ChartBuilder b;
  b.onentry("root in");
  b.initial({"a2"}, "root initial");
  b.state("a", [&] {
    b.onentry("a in");
    b.onexit("a out");
    b.state("a1");
    b.state("a2", [&] {
      b.onentry("a2 in");
      b.onexit("a2 out");
      b.on({"go"}, {"b"}, {{}, "go!"});
    });
  });
  b.state("b", [&] {
    b.initial({"b1"}, "b initial");
    b.onentry("b in");
    b.onentry("b in too");
    b.state("b1", [&] { b.onentry("b1 in"); });
  });
  Running run(b.build());
  CHECK(run.start() == MacrostepEnd::stable);
  CHECK(run.log == "+a +a2 root in root initial a in a2 in");
  CHECK(run.send("go") == MacrostepEnd::stable);
  CHECK(run.log == "-a2 -a +b +b1 a2 out a out go! b in b in too b initial b1 in");
  CHECK(run.leaves() == "b1");
  CHECK(run.state.configuration == std::vector{run.index("b"), run.index("b1")});
}

TEST_CASE("eventless transitions go before internal events, those before external ones",
          "[statechart]") {
  ChartBuilder b;
  b.state("a", [&] {
    b.onentry("raise i");
    b.on({"i"}, {"wrong"});
    b.on({}, {"b"}, {"true"});
  });
  b.state("b", [&] {
    b.on({"i"}, {"c"});
    b.on({"e"}, {"wrong"});
  });
  b.state("c", [&] { b.on({"e"}, {"d"}); });
  b.state("d");
  b.state("wrong");
  Running run(b.build());
  run.start();
  CHECK(run.leaves() == "c");
  CHECK(run.seen == "!none ?none");
  run.send("e");
  CHECK(run.leaves() == "d");
}

TEST_CASE("a guard sees the configuration and the event", "[statechart]") {
  ChartBuilder b;
  b.parallel("p", [&] {
    b.state("a", [&] {
      b.state("a1", [&] { b.on({"e"}, {"a2"}, {"In b2"}); });
      b.state("a2");
    });
    b.state("b", [&] {
      b.state("b1", [&] { b.on({"f"}, {"b2"}); });
      b.state("b2");
    });
  });
  Running run(b.build());
  run.start();
  run.send("e");
  CHECK(run.leaves() == "a1 b1");
  CHECK(run.seen == "?e");
  run.send("f");
  run.send("e");
  CHECK(run.leaves() == "a2 b2");
}

TEST_CASE("content sees states as they are left and entered", "[statechart]") {
  // The exited are still there while their own onexit runs; the order of the log says the rest.
  ChartBuilder b;
  b.state("s", [&] {
    b.onentry("raise e");
    b.on({"e"}, {"t"}, {"In s"});
  });
  b.state("t");
  Running run(b.build());
  run.start();
  CHECK(run.leaves() == "t");
}

TEST_CASE("a jump leaves everything and enters its targets", "[statechart]") {
  ChartBuilder b;
  b.onentry("root in");
  b.state("s", [&] {
    b.history("h", StateKind::history_deep, {"s1"});
    b.state("s1", [&] { b.on({"e"}, {"s2"}); });
    b.state("s2");
  });
  b.parallel("p", [&] {
    b.state("a", [&] {
      b.state("a1");
      b.state("a2");
    });
    b.state("b", [&] {
      b.state("b1", [&] { b.on({}, {"b2"}); });
      b.state("b2");
    });
  });
  b.final("end");
  Running run(b.build());
  SECTION("from a running chart, and runs to completion") {
    run.start();
    run.send("e");
    CHECK(run.jump({"a2"}) == MacrostepEnd::stable);
    CHECK(run.log == "-s2 -s +p +a +a2 +b +b1 h=s2 -b1 +b2");
    run.jump({"h"});
    CHECK(run.leaves() == "s2");
    CHECK(run.jump({"s2"}) == MacrostepEnd::stable);
    CHECK(run.log == "-s2 -s +s +s2 h=s2");
    CHECK(run.jump({"end"}) == MacrostepEnd::finished);
  }
  SECTION("and starts a chart that never ran") {
    CHECK(run.jump({"a2", "b2"}) == MacrostepEnd::stable);
    CHECK(run.log == "+p +a +a2 +b +b2 root in");
    CHECK(run.state.running);
  }
}

TEST_CASE("an interpreter may be made anew between macrosteps", "[statechart]") {
  ChartBuilder b;
  b.state("s", [&] {
    b.history("h", StateKind::history_shallow, {"s1"});
    b.state("s1", [&] { b.on({"e"}, {"s2"}); });
    b.state("s2");
    b.on({"leave"}, {"out"});
  });
  b.state("out", [&] { b.on({"back"}, {"h"}); });
  const LabelledChart labelled = b.build();
  ChartState state;
  {
    Running first(labelled);
    first.start();
    first.send("e");
    first.send("leave");
    state = first.state;
  }
  Running second(labelled);
  second.state = state;
  second.send("back");
  CHECK(second.leaves() == "s2");
}

}  // namespace
}  // namespace checkride::statechart

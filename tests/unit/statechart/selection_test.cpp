// Which transitions an event enables, which of them win, and what they leave and enter.
#include <catch2/catch.hpp>

#include "tests/unit/statechart/chart_builder.h"

namespace checkride::statechart {
namespace {

TEST_CASE("an inner transition goes before an outer one, an earlier before a later",
          "[statechart]") {
  ChartBuilder b;
  b.state("a", [&] {
    b.on({"e", "f"}, {"outer"});
    b.state("a1", [&] {
      b.on({"e"}, {"skipped"}, {"false"});
      b.on({"x", "e"}, {"inner"});
      b.on({"e"}, {"later"});
    });
  });
  for (const char* id : {"outer", "inner", "later", "skipped"}) b.state(id);
  Running run(b.build());
  run.start();
  SECTION("inner") {
    run.send("e");
    CHECK(run.leaves() == "inner");
  }
  SECTION("outer, where nothing inside matches") {
    run.send("f");
    CHECK(run.leaves() == "outer");
  }
  SECTION("an unknown event changes nothing") {
    CHECK(run.send("unknown") == MacrostepEnd::stable);
    CHECK(run.log.empty());
    CHECK(run.leaves() == "a1");
  }
}

TEST_CASE("transitions in different regions are taken in one microstep", "[statechart]") {
  ChartBuilder b;
  b.parallel("p", [&] {
    b.state("a", [&] {
      b.state("a1", [&] { b.on({"e"}, {"a2"}, {{}, "A"}); });
      b.state("a2");
    });
    b.state("b", [&] {
      b.state("b1", [&] { b.on({"e"}, {"b2"}, {{}, "B"}); });
      b.state("b2");
    });
  });
  Running run(b.build());
  run.start();
  CHECK(run.log == "+p +a +a1 +b +b1");
  run.send("e");
  CHECK(run.log == "-b1 -a1 +a2 +b2 A B");
  CHECK(run.leaves() == "a2 b2");
}

TEST_CASE("of conflicting transitions in parallel regions one is preempted", "[statechart]") {
  ChartBuilder b;
  SECTION("the region earlier in the document wins") {
    b.parallel("p", [&] {
      b.state("a", [&] { b.on({"e"}, {"x"}); });
      b.state("b", [&] { b.on({"e"}, {"y"}); });
    });
    b.state("x");
    b.state("y");
    Running run(b.build());
    run.start();
    run.send("e");
    CHECK(run.leaves() == "x");
  }
  SECTION("a descendant's transition replaces the one of its ancestor") {
    // a selects p's own transition; b1 selects its own, whose source is a descendant of p.
    b.parallel("p", [&] {
      b.on({"e"}, {"x"});
      b.state("a");
      b.state("b", [&] {
        b.state("b1", [&] { b.on({"e"}, {"b2"}); });
        b.state("b2");
      });
    });
    b.state("x");
    Running run(b.build());
    run.start();
    run.send("e");
    CHECK(run.leaves() == "a b2");
  }
}

TEST_CASE("a parallel state is never the domain of a transition", "[statechart]") {
  ChartBuilder b;
  b.parallel("p", [&] {
    b.state("a", [&] { b.on({"e"}, {"a"}); });
    b.state("b");
  });
  Running run(b.build());
  run.start();
  run.send("e");
  CHECK(run.log == "-b -a -p +p +a +b");
}

TEST_CASE("an internal transition stays inside its compound source", "[statechart]") {
  const bool internal = GENERATE(true, false);
  ChartBuilder b;
  b.state("s", [&] {
    b.on({"e"}, {"s2"}, {{}, "t", internal});
    b.on({"out"}, {"z"}, {{}, {}, internal});
    b.state("s1");
    b.state("s2");
  });
  b.state("z");
  Running run(b.build());
  run.start();
  run.send("e");
  CHECK(run.log == (internal ? "-s1 +s2 t" : "-s1 -s +s +s2 t"));
  run.send("out");
  CHECK(run.log == "-s2 -s +z");
}

TEST_CASE("internal means external where the source is parallel", "[statechart]") {
  ChartBuilder b;
  b.parallel("p", [&] {
    b.on({"e"}, {"a2"}, {{}, {}, true});
    b.state("a", [&] {
      b.state("a1");
      b.state("a2");
    });
    b.state("b");
  });
  Running run(b.build());
  run.start();
  run.send("e");
  CHECK(run.log == "-b -a1 -a -p +p +a +a2 +b");
}

TEST_CASE("a targetless transition runs its content and moves nothing", "[statechart]") {
  ChartBuilder b;
  b.state("s", [&] {
    b.on({"e"}, {}, {{}, "t"});
    b.onexit("out");
    b.onentry("in");
  });
  Running run(b.build());
  run.start();
  run.send("e");
  CHECK(run.log == "t");
  CHECK(run.seen == "!e");
  CHECK(run.leaves() == "s");
}

TEST_CASE("several targets enter several regions, the rest by default", "[statechart]") {
  ChartBuilder b;
  b.state("s", [&] { b.on({"e"}, {"c2", "a2"}); });
  b.parallel("p", [&] {
    for (const std::string id : {"a", "b", "c"}) {
      b.state(id, [&] {
        b.state(id + "1");
        b.state(id + "2");
      });
    }
  });
  Running run(b.build());
  run.start();
  run.send("e");
  CHECK(run.log == "-s +p +a +a2 +b +b1 +c +c2");
}

TEST_CASE("the root's transitions serve as a last resort", "[statechart]") {
  ChartBuilder b;
  b.on({"e"}, {"b1"});
  b.state("a");
  b.state("b", [&] { b.state("b1"); });
  Running run(b.build());
  run.start();
  run.send("e");
  CHECK(run.log == "-a +b +b1");
}

TEST_CASE("a transition of a parallel state leaves every region", "[statechart]") {
  ChartBuilder b;
  b.parallel("p", [&] {
    b.on({"out"}, {"z"}, {{}, "t"});
    b.state("a", [&] { b.onexit("a out"); });
    b.state("b", [&] { b.onexit("b out"); });
  });
  b.state("z");
  Running run(b.build());
  run.start();
  run.send("out");
  CHECK(run.log == "-b -a -p +z b out a out t");
}

}  // namespace
}  // namespace checkride::statechart

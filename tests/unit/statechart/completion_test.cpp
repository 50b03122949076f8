// Final states: done.state events, the end of a chart.
#include <catch2/catch.hpp>

#include "tests/unit/statechart/chart_builder.h"

namespace checkride::statechart {
namespace {

TEST_CASE("a final child raises done.state of its parent, with data", "[statechart]") {
  ChartBuilder b;
  b.state("s", [&] {
    b.on({"done.state.s"}, {"next"}, {{}, "done"});
    b.state("s1", [&] { b.on({"e"}, {"end"}); });
    b.final("end", [&] { b.onentry("end in"); });
  });
  b.state("next");
  Running run(b.build());
  run.start();
  run.send("e");
  CHECK(run.log == "-s1 +end end in -end -s +next done");
  REQUIRE(run.event_data.size() == 2);
  CHECK(run.event_data.back() == cel::Value("end"));
}

TEST_CASE("a parallel state is done when all its regions are", "[statechart]") {
  ChartBuilder b;
  b.parallel("p", [&] {
    b.on({"done.state.p"}, {"next"});
    b.on({"done.state.a"}, {}, {{}, "a done"});
    b.on({"done.state.b"}, {}, {{}, "b done"});
    for (const std::string id : {"a", "b"}) {
      b.state(id, [&] {
        b.state(id + "1", [&] { b.on({"end " + id}, {id + "2"}); });
        b.final(id + "2");
      });
    }
  });
  b.state("next");
  Running run(b.build());
  run.start();
  run.send("end b");
  CHECK(run.log == "-b1 +b2 b done");
  run.send("end a");
  CHECK(run.log == "-a1 +a2 a done -b2 -b -a2 -a -p +next");
}

TEST_CASE("a top-level final state ends the chart", "[statechart]") {
  ChartBuilder b;
  b.onexit("root out");
  b.state("s", [&] { b.on({"e"}, {"end"}); });
  b.final("end", [&] {
    b.onentry("raise never");
    b.onexit("end out");
  });
  b.on({"never"}, {"s"});
  Running run(b.build());
  run.start();
  CHECK(run.send("e") == MacrostepEnd::finished);
  CHECK(run.log == "-s +end raise never end out root out");
  CHECK_FALSE(run.state.running);
  CHECK(run.leaves() == "end");
  SECTION("later events change nothing") {
    CHECK(run.send("never") == MacrostepEnd::finished);
    CHECK(run.log.empty());
    CHECK(run.leaves() == "end");
  }
  SECTION("nor does a jump") {
    CHECK(run.jump({"s"}) == MacrostepEnd::finished);
    CHECK(run.leaves() == "end");
  }
}

TEST_CASE("a chart that never started ignores events", "[statechart]") {
  ChartBuilder b;
  b.state("s", [&] { b.on({"e"}, {"s"}); });
  Running run(b.build());
  CHECK(run.send("e") == MacrostepEnd::finished);
  CHECK(run.state == ChartState{});
}

TEST_CASE("a final state is left by its ancestor's transition", "[statechart]") {
  ChartBuilder b;
  b.state("s", [&] {
    b.on({"again"}, {"s1"}, {{}, {}, true});
    b.on({"e"}, {"next"});
    b.state("s1", [&] { b.on({"end"}, {"f"}); });
    b.final("f", [&] { b.onexit("f out"); });
  });
  b.state("next");
  Running run(b.build());
  run.start();
  run.send("end");
  CHECK(run.leaves() == "f");
  SECTION("to a sibling") {
    run.send("again");
    CHECK(run.log == "-f +s1 f out");
  }
  SECTION("to somewhere else") {
    run.send("e");
    CHECK(run.log == "-f -s +next f out");
  }
}

TEST_CASE("a region that is done waits for the others, and starts again with them",
          "[statechart]") {
  ChartBuilder b;
  b.parallel("p", [&] {
    b.on({"again"}, {"p"});
    b.on({"done.state.p"}, {"next"});
    for (const std::string id : {"a", "b"}) {
      b.state(id, [&] {
        b.state(id + "1", [&] { b.on({"end " + id}, {id + "2"}); });
        b.final(id + "2");
      });
    }
  });
  b.state("next");
  Running run(b.build());
  run.start();
  run.send("end a");
  CHECK(run.leaves() == "a2 b1");
  run.send("again");
  CHECK(run.log == "-b1 -b -a2 -a -p +p +a +a1 +b +b1");
  run.send("end b");
  CHECK(run.leaves() == "a1 b2");
}

}  // namespace
}  // namespace checkride::statechart

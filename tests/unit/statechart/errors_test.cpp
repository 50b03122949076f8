// What fails, what stops, and what would not end.
#include <catch2/catch.hpp>

#include "tests/unit/statechart/chart_builder.h"

namespace checkride::statechart {
namespace {

TEST_CASE("a failing guard counts as false and raises error.execution", "[statechart]") {
  ChartBuilder b;
  b.state("s", [&] {
    b.on({"e"}, {"wrong"}, {"error"});
    b.on({"error.execution"}, {"caught"}, {{}, "c"});
  });
  b.state("wrong");
  b.state("caught");
  Running run(b.build());
  run.start();
  CHECK(run.send("e") == MacrostepEnd::stable);
  CHECK(run.leaves() == "caught");
  REQUIRE(run.event_data.size() == 1);
  CHECK(run.event_data[0].string_or("message", "") == "no such key");
}

TEST_CASE("failing content ends its block only and raises error.execution", "[statechart]") {
  ChartBuilder b;
  b.state("s", [&] {
    b.onentry("raise before");
    b.onentry("fail");
    b.onentry("after");
    b.on({"before"}, {}, {{}, "first"});
    b.on({"error"}, {"caught"});
  });
  b.state("caught");
  Running run(b.build());
  run.start();
  CHECK(run.log == "+s raise before fail after first -s +caught");
}

TEST_CASE("a host that stops ends the macrostep where it stands", "[statechart]") {
  ChartBuilder b;
  b.state("s", [&] {
    b.on({"guard"}, {"t"}, {"stop"});
    b.on({"guard"}, {"t"});
    b.on({"content"}, {"t"}, {{}, "stop"});
    b.on({"exit"}, {"u"});
  });
  b.state("t", [&] { b.onentry("never"); });
  b.state("u", [&] {
    b.onentry("stop");
    b.onentry("never");
    b.on({}, {"t"});
  });
  Running run(b.build());
  run.start();
  const ChartState before = run.state;
  SECTION("in a guard") {
    CHECK(run.send("guard") == MacrostepEnd::stopped);
    CHECK(run.message() == "the guard stopped");
    CHECK(run.state == before);
  }
  SECTION("in a transition's content") {
    CHECK(run.send("content") == MacrostepEnd::stopped);
    CHECK(run.message() == "the content stopped");
    CHECK(run.log == "-s +t stop");
  }
  SECTION("in entry content") {
    CHECK(run.send("exit") == MacrostepEnd::stopped);
    CHECK(run.log == "-s +u stop");
  }
  SECTION("and the next macrostep begins afresh from a restored state") {
    run.send("exit");
    run.state = before;
    CHECK(run.send("unknown") == MacrostepEnd::stable);
    CHECK(run.state == before);
  }
}

TEST_CASE("limits end what would not end", "[statechart]") {
  ChartBuilder b;
  std::string names;
  SECTION("eventless transitions in a circle") {
    b.state("a", [&] { b.on({}, {"b"}); });
    b.state("b", [&] { b.on({}, {"a"}); });
    names = "microsteps";
  }
  SECTION("internal events that raise each other") {
    b.state("a", [&] {
      b.onentry("raise e");
      b.on({"e"}, {}, {{}, "raise e"});
    });
    names = "microsteps";
  }
  SECTION("a guard that fails on its own failure") {
    b.state("a", [&] {
      b.onentry("raise e");
      b.on({"*"}, {"a"}, {"error"});
    });
    names = "microsteps";
  }
  SECTION("more internal events than may wait") {
    b.state("a", [&] {
      for (int i = 0; i < 60; ++i) b.onentry("raise flood");
    });
    names = "'flood'";
  }
  Running run(b.build(), {100, 50});
  CHECK(run.start() == MacrostepEnd::limit);
  CHECK_THAT(run.message(), Catch::Matchers::Contains(names));
}

TEST_CASE("a long queue that never runs empty keeps its order", "[statechart]") {
  // Two events wait at any time; each handled one raises another.
  ChartBuilder b;
  b.state("a", [&] {
    b.onentry("raise x");
    b.onentry("raise y");
    b.on({"x"}, {}, {{}, "raise x"});
    b.on({"y"}, {}, {{}, "raise y"});
  });
  Running run(b.build(), {1000, 2});
  CHECK(run.start() == MacrostepEnd::limit);
  std::string expected = "+a raise x raise y";
  for (int i = 0; i < 500; ++i) expected += " raise x raise y";
  CHECK(run.log == expected);
}

TEST_CASE("what fails parks the chart or tells it, as the definition says", "[statechart]") {
  // errors: park is a host that answers `stop`; errors: event one that answers `execution`.
  const bool park = GENERATE(true, false);
  const bool in_guard = GENERATE(true, false);
  const std::string guard = park ? "stop" : "error";
  const std::string content = park ? "stop" : "fail";
  ChartBuilder b;
  b.state("s", [&] {
    if (in_guard) {
      b.on({"e"}, {"wrong"}, {guard});
    } else {
      b.on({"e"}, {"t"}, {{}, content});
    }
    b.on({"error.execution"}, {"caught"});
    b.on({"e"}, {"t"});
  });
  b.state("t", [&] { b.on({"error.execution"}, {"caught"}); });
  for (const char* id : {"wrong", "caught"}) b.state(id);
  Running run(b.build());
  run.start();
  const ChartState before = run.state;
  if (park) {
    CHECK(run.send("e") == MacrostepEnd::stopped);
    CHECK_FALSE(run.message().empty());
    run.state = before;
    CHECK(run.send("error.execution") == MacrostepEnd::stable);
    CHECK(run.leaves() == "caught");
  } else {
    CHECK(run.send("e") == MacrostepEnd::stable);
    CHECK(run.leaves() == "caught");
  }
}

TEST_CASE("the bounds of a macrostep are exact", "[statechart]") {
  ChartBuilder b;
  SECTION("microsteps: four eventless transitions") {
    for (int i = 0; i < 4; ++i) {
      b.state("s" + std::to_string(i), [&] { b.on({}, {"s" + std::to_string(i + 1)}); });
    }
    b.state("s4");
    const LabelledChart chart = b.build();
    CHECK(Running(chart, {4, 10}).start() == MacrostepEnd::stable);
    CHECK(Running(chart, {3, 10}).start() == MacrostepEnd::limit);
  }
  SECTION("microsteps: internal events count, also those that enable nothing") {
    b.state("s", [&] {
      for (int i = 0; i < 4; ++i) b.onentry("raise unheard");
    });
    const LabelledChart chart = b.build();
    CHECK(Running(chart, {4, 10}).start() == MacrostepEnd::stable);
    CHECK(Running(chart, {3, 10}).start() == MacrostepEnd::limit);
  }
  SECTION("internal events that wait at once") {
    b.state("s", [&] {
      for (int i = 0; i < 4; ++i) b.onentry("raise unheard");
    });
    const LabelledChart chart = b.build();
    CHECK(Running(chart, {100, 4}).start() == MacrostepEnd::stable);
    CHECK(Running(chart, {100, 3}).start() == MacrostepEnd::limit);
  }
  SECTION("each macrostep has its own") {
    b.state("s", [&] { b.on({"e"}, {"t"}); });
    b.state("t", [&] { b.on({}, {"s"}); });
    Running run(b.build(), {1, 1});
    run.start();
    for (int i = 0; i < 5; ++i) CHECK(run.send("e") == MacrostepEnd::stable);
  }
}

}  // namespace
}  // namespace checkride::statechart

#include "engine/statechart/interpreter.h"

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

#include "engine/statechart/chart.h"

#include <catch2/catch.hpp>

#include "tests/unit/statechart/chart_builder.h"

namespace checkride::statechart {
namespace {

TEST_CASE("a descriptor matches whole tokens of an event name", "[statechart]") {
  struct Row {
    const char* descriptor;
    const char* event;
    bool expected;
  };
  const auto row = GENERATE(values<Row>({
      {"foo", "foo", true},
      {"foo", "foo.bar", true},
      {"foo", "foobar", false},
      {"foo", "fo", false},
      {"foo.*", "foo", true},
      {"foo.*", "foo.bar", true},
      {"foo.*", "foobar", false},
      {"foo.", "foo.bar", true},
      {"foo.bar", "foo", false},
      {"foo.bar", "foo.bar.baz", true},
      {"*", "anything.at.all", true},
      {"*", "", true},
      {".*", "foo", false},
      {"", "foo", false},
      {"done.state.a", "done.state.ab", false},
  }));
  INFO(row.descriptor << " against " << row.event);
  CHECK(matches(row.descriptor, row.event) == row.expected);
}

// p is parallel with regions a (a1, a2, history ha) and b (b1, b2); q is compound (q1, q2).
ChartBuilder two_regions() {
  ChartBuilder b;
  b.parallel("p", [&] {
    b.state("a", [&] {
      b.history("ha", StateKind::history_deep, {"a2"});
      b.state("a1");
      b.state("a2");
    });
    b.state("b", [&] {
      b.state("b1");
      b.state("b2");
    });
  });
  b.state("q", [&] {
    b.state("q1");
    b.state("q2");
  });
  return b;
}

TEST_CASE("kinds and descendants follow the document", "[statechart]") {
  const LabelledChart labelled = two_regions().build();
  const Chart& chart = labelled.chart;
  const auto at = [&](const char* id) { return *chart.find(id); };
  CHECK(chart.is_compound(root_state));
  CHECK(chart.is_compound(at("a")));
  CHECK(chart.is_parallel(at("p")));
  CHECK_FALSE(chart.is_compound(at("p")));
  CHECK(chart.is_atomic(at("b2")));
  CHECK_FALSE(chart.is_atomic(at("ha")));
  CHECK(chart.is_history(at("ha")));
  CHECK(chart.is_descendant(at("b2"), at("p")));
  CHECK(chart.is_descendant(at("q2"), root_state));
  CHECK_FALSE(chart.is_descendant(at("q1"), at("p")));
  CHECK_FALSE(chart.is_descendant(at("p"), at("p")));
  CHECK_FALSE(chart.find("nowhere").has_value());
  // An absent initial transition leads to the first child that is no history state.
  CHECK(chart.transition(*chart.state(at("a")).initial).targets ==
        std::vector<StateIndex>{at("a1")});
}

TEST_CASE("a configuration is legal with one child of compounds and all of parallels",
          "[statechart]") {
  const LabelledChart labelled = two_regions().build();
  const auto legal = [&](const std::vector<const char*>& ids) {
    std::vector<StateIndex> configuration;
    for (const char* id : ids) configuration.push_back(*labelled.chart.find(id));
    return labelled.chart.is_legal(configuration);
  };
  CHECK(legal({"p", "a", "a1", "b", "b2"}));
  CHECK(legal({"q2", "q"}));
  CHECK_FALSE(legal({}));
  CHECK_FALSE(legal({"q"}));
  CHECK_FALSE(legal({"q", "q1", "q2"}));
  CHECK_FALSE(legal({"q1"}));
  CHECK_FALSE(legal({"p", "a", "a1"}));
  CHECK_FALSE(legal({"p", "a", "a1", "b"}));
  CHECK_FALSE(legal({"p", "a", "a1", "b", "b1", "q", "q1"}));
  CHECK_FALSE(legal({"p", "a", "ha", "b", "b1"}));
  CHECK_FALSE(labelled.chart.is_legal({StateIndex(999)}));
}

TEST_CASE("targets must be enterable together", "[statechart]") {
  const LabelledChart labelled = two_regions().build();
  const auto fits = [&](const std::vector<const char*>& ids) {
    std::vector<StateIndex> targets;
    for (const char* id : ids) targets.push_back(*labelled.chart.find(id));
    return labelled.chart.check_targets(targets).has_value();
  };
  CHECK(fits({"a2"}));
  CHECK(fits({"a2", "b2"}));
  CHECK(fits({"ha", "b2"}));
  CHECK_FALSE(fits({}));
  CHECK_FALSE(fits({"a1", "a2"}));
  CHECK_FALSE(fits({"a2", "a2"}));
  CHECK_FALSE(fits({"a1", "q1"}));
  CHECK_FALSE(fits({"a", "a2"}));   // entering a by default brings a1
  CHECK_FALSE(fits({"ha", "a2"}));  // ha may remember a1
  CHECK_FALSE(fits({"ha", "a"}));
  CHECK_FALSE(fits({"p", "ha"}));
  CHECK_FALSE(labelled.chart.check_targets(std::vector{root_state}).has_value());
  CHECK_FALSE(labelled.chart.check_targets(std::vector{StateIndex(99)}).has_value());
}

TEST_CASE("a malformed chart is refused and the error names the state", "[statechart]") {
  ChartBuilder b;
  std::string named;
  SECTION("nothing in it") {}
  SECTION("the same id twice") {
    b.state("x");
    b.state("x");
    named = "'x'";
  }
  SECTION("no id") {
    b.state("");
  }
  SECTION("a target that does not exist") {
    b.state("x", [&] { b.on({"e"}, {"nowhere"}); });
    named = "'x'";
  }
  SECTION("targets that exclude each other") {
    b.state("x", [&] { b.on({"e"}, {"y", "z"}); });
    b.state("y");
    b.state("z");
    named = "'x'";
  }
  SECTION("an initial transition that leads outside") {
    b.state("x", [&] {
      b.initial({"y"});
      b.state("x1");
    });
    b.state("y");
    named = "'x'";
  }
  SECTION("an initial transition of an atomic state") {
    b.state("x", [&] { b.initial({"x"}); });
    named = "'x'";
  }
  SECTION("an initial transition of a parallel state") {
    b.parallel("x", [&] {
      b.initial({"x1"});
      b.state("x1");
    });
    named = "'x'";
  }
  SECTION("a compound state with nothing but history") {
    b.state("x", [&] { b.history("h", StateKind::history_deep, {"h"}); });
    named = "'x'";
  }
  SECTION("a history state at the top") {
    b.state("x");
    b.history("h", StateKind::history_deep, {"x"});
    named = "'h'";
  }
  SECTION("a history state that leads elsewhere") {
    b.state("x", [&] {
      b.state("x1");
      b.history("h", StateKind::history_shallow, {"y"});
    });
    b.state("y");
    named = "'h'";
  }
  SECTION("history states that lead to each other") {
    b.state("x", [&] {
      b.state("x1");
      b.history("h", StateKind::history_deep, {"g"});
      b.history("g", StateKind::history_deep, {"h"});
    });
    named = "'h'";
  }
  SECTION("a final state with a transition") {
    b.final("x", [&] { b.on({"e"}, {"x"}); });
    named = "'x'";
  }
  SECTION("a final state with a child") {
    b.final("x", [&] { b.state("x1"); });
    named = "'x'";
  }
  SECTION("a final state as a region") {
    b.parallel("p", [&] { b.final("x"); });
    named = "'x'";
  }
  SECTION("an empty descriptor") {
    b.state("x", [&] { b.on({""}, {"x"}); });
    named = "'x'";
  }
  SECTION("too deep") {
    std::function<void(std::size_t)> nest = [&](std::size_t depth) {
      b.state("s" + std::to_string(depth), [&] {
        if (depth < chart_depth_max) nest(depth + 1);
      });
    };
    nest(0);
  }
  LabelledChart labelled = b.unchecked();
  const auto valid = labelled.chart.validate();
  REQUIRE_FALSE(valid.has_value());
  CHECK(valid.error().code == ErrorCode::invalid_argument);
  CHECK_THAT(valid.error().text(), Catch::Matchers::Contains(named));
}

TEST_CASE("a tree whose numbers disagree is refused", "[statechart]") {
  LabelledChart labelled = two_regions().build();
  Chart& chart = labelled.chart;
  const std::uint32_t b1 = chart.find("b1")->value;
  SECTION("a wrong parent") {
    chart.states[b1].parent = *chart.find("a");
  }
  SECTION("children out of order") {
    std::swap(chart.states[0].children[0], chart.states[0].children[1]);
  }
  SECTION("a state nobody has") {
    chart.states.emplace_back();
  }
  SECTION("a child out of range") {
    chart.states[b1].children.push_back(StateIndex(500));
  }
  SECTION("its own child") {
    chart.states[b1].children.push_back(StateIndex(b1));
  }
  SECTION("a transition nobody has") {
    chart.transitions.emplace_back();
  }
  SECTION("a transition out of range") {
    chart.states[b1].transitions.push_back(TransitionIndex(77));
  }
  SECTION("a transition of two states") {
    chart.states[b1].transitions.push_back(TransitionIndex(0));
  }
  SECTION("a guarded initial transition") {
    chart.transitions[0].cond = ConditionIndex(0);
  }
  CHECK_FALSE(chart.validate().has_value());
}

TEST_CASE("a chart may be validated again after a change", "[statechart]") {
  LabelledChart labelled = two_regions().build();
  const std::size_t transition_count = labelled.chart.transitions.size();
  REQUIRE(labelled.chart.validate().has_value());
  CHECK(labelled.chart.transitions.size() == transition_count);
}

}  // namespace
}  // namespace checkride::statechart

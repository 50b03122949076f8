#include <catch2/catch.hpp>

#include "tests/unit/views/documents.h"
#include "workflows/views/graph.h"

namespace checkride::test {
namespace {

const std::string sample = R"(checkride: 1
workflow: w
title: A "quoted" <title> & more
data: {n: {type: int, default: 0}}
machines:
  m: {states: {only: {type: final}}}
states:
  part:
    section: A. First part
    on: {done: many}
    states:
      look:
        title: "`git` is clean"
        invoke: {job: note, with: {text: x}}
        on: {done: [{guard: 'data.n > 0 && data.n < 1000000 && data.n != 77', target: ask}, over], error: bad}
      ask:
        invoke: {job: gate, with: {question: q}}
        on: {answer.approve: over, answer.waive: over, answer: bad}
      over: {type: final}
  many:
    title: All of them
    invoke: {machine: m}
    on: {done: {target: both, verdict: passed}, error: bad}
  both:
    type: parallel
    on: {done: end}
    states:
      left: {states: {l: {type: final}, back: {type: history, target: l}}}
      right: {states: {r: {type: final}}}
  end: {type: final}
  bad: {type: final, outcome: failed}
)";

TEST_CASE("a definition becomes DOT", "[views][graph]") {
  const auto definition = load_real(sample).definition;
  REQUIRE(definition != nullptr);
  const std::string dot = to_dot(*definition, true);
  INFO(dot);
  CHECK(dot == to_dot(*definition, true));
  const auto holds = [&](const std::string& text) {
    INFO(text);
    CHECK(dot.find(text) != std::string::npos);
  };
  holds("digraph \"w\" {");
  holds("label=<<B>A &quot;quoted&quot; &lt;title&gt; &amp; more</B>>");
  holds("subgraph cluster_s1 {");
  holds("<B>A. First part</B>");
  // A job, a gate, a machine; the final state that three lead to stands beside each of them.
  holds("s2 [label=<<B>git is clean</B><BR/><FONT POINT-SIZE=\"8\" COLOR=\"#55606b\">look &#183; note");
  holds("s3 [label=<<B>ask</B>>, fillcolor=\"#fff3d1\"");
  holds("shape=octagon");
  holds("machine m</FONT>>, fillcolor=\"#f0e9fb\"");
  holds("s13_s2 [label=<<B>bad</B>>, fillcolor=\"#fde4e1\"");
  holds("s13_s3 [label=<<B>bad</B>>");
  CHECK(dot.find("\n  s13 [") == std::string::npos);
  // Long guards are cut between words; answers share an arrow; what is left is "else".
  holds("s2 -> s3 [label=<[data.n &gt; 0 &amp;&amp; data.n &lt; 1000000 ...]>];");
  holds("s3 -> s4 [label=<approve, waive>];");
  holds("s3 -> s13_s3 [label=<else>];");
  holds("s2 -> s13_s2 [label=<error>, style=dashed");
  // From a cluster and into one.
  holds("s4 -> s5 [ltail=cluster_s1];");
  holds("lhead=cluster_s6");
  holds("label=\"H\"");
  holds("label=<machine <B>w/m</B>>");
  CHECK(to_dot(*definition, false).find("machine <B>") == std::string::npos);
}

TEST_CASE("durations are written as definitions write them", "[views][graph]") {
  using namespace std::chrono_literals;
  CHECK(written_duration(90s) == "1m30s");
  CHECK(written_duration(48h) == "2d");
  CHECK(written_duration(1500ms) == "1s500ms");
  CHECK(written_duration(0s) == "0s");
}

}  // namespace
}  // namespace checkride::test

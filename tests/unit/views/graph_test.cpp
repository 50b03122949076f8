#include "workflows/views/graph.h"

#include <catch2/catch.hpp>

#include "tests/unit/loader/sample.h"

namespace checkride::test {
namespace {

TEST_CASE("a definition is drawn with its machines, regions, guards and history",
          "[loader][graph]") {
  const auto d = load_good(R"(checkride: 1
workflow: w
data: {n: {type: int, default: 0}}
machines:
  m: {states: {only: {type: final}}}
states:
  pick-one:
    always:
      - {guard: 'data.n > 0', target: both}
      - run
  run:
    title: "run: all"
    invoke: {machine: m}
    on: {done: {target: both, verdict: passed}, error: end}
    after: {90s: end}
  both:
    type: parallel
    on: {done: end}
    states:
      left: {states: {l: {type: final}, back: {type: history, target: l}}}
      right: {states: {r: {type: final}}}
  end: {type: final}
)");
  CHECK(to_mermaid(*d) == R"(%% w
stateDiagram-v2
    [*] --> s_pick_one_1
    state "pick-one" as s_pick_one_1
    state "run - run#58; all [machine w/m]" as s_run
    state "both" as s_both
    state s_both {
        state "left" as s_left
        state s_left {
            [*] --> s_l
            state "l" as s_l
            s_l --> [*]
            state "H" as s_back
            s_back --> s_l : default
        }
        --
        state "right" as s_right
        state s_right {
            [*] --> s_r
            state "r" as s_r
            s_r --> [*]
        }
    }
    state "end" as s_end
    s_end --> [*]
    s_pick_one_1 --> s_both : [data.n #gt; 0]
    s_pick_one_1 --> s_run
    s_run --> s_both : done
    s_run --> s_end : error
    s_run --> s_end : after 1m30s
    s_both --> s_end : done

%% w/m
stateDiagram-v2
    [*] --> s_only
    state "only" as s_only
    s_only --> [*]
)");
}

TEST_CASE("what no other branch of a gate takes is not listed answer by answer", "[loader][graph]") {
  const auto d = load_good(R"(checkride: 1
workflow: w
states:
  ask:
    invoke: {job: gate, with: {question: "Go on?"}}
    on: {answer.approve: end, answer: bad}
  end: {type: final}
  bad: {type: final, outcome: failed}
)");
  const std::string drawn = to_mermaid(*d);
  CHECK(drawn.find("s_ask --> s_end : answer.approve\n") != std::string::npos);
  CHECK(drawn.find("s_ask --> s_bad : any other answer\n") != std::string::npos);
}

}  // namespace
}  // namespace checkride::test

// Messages, pauses, leases and limits: what comes from outside a chart, and how a case says it.
#include <catch2/catch.hpp>

#include "tests/unit/rehearsal/stage.h"

namespace checkride::test {
namespace {

using Catch::Contains;

const char* const watch = R"yaml(checkride: 1
workflow: watch
messages:
  release: {type: {tag: string}, ttl: 2h}
  stop:
data:
  tag: {type: string, default: none}
states:
  measure:
    invoke:
      job: check
      needs: {gpu: 1}
      timeout: {queue: 30m, start: 5m, run: 2h, silence: 10m}
    on:
      done: waiting
      error:
        - {guard: "has(error.limit) && error.limit == 'queue'", target: queued}
        - {guard: "has(error.limit) && error.limit == 'start'", target: unstarted}
        - {guard: "has(error.limit) && error.limit == 'run'", target: slow}
        - {guard: "has(error.limit) && error.limit == 'silence'", target: silent}
        - {guard: "error.class == 'unavailable'", target: lacking}
        - bad
  waiting:
    on:
      message.release:
        - guard: event.data.tag.startsWith('v')
          target: each
          actions: {assign: {tag: event.data.tag}}
      message.stop: bad
    after: {1d: late}
  each:
    invoke: {machine: part, each: "${['one', 'two']}", as: name}
    on: {done: good, error: bad}
  queued: {type: final, outcome: failed}
  unstarted: {type: final, outcome: failed}
  slow: {type: final, outcome: failed}
  silent: {type: final, outcome: failed}
  lacking: {type: final, outcome: failed}
  late: {type: final, outcome: failed}
  good: {type: final}
  bad: {type: final, outcome: failed}
machines:
  part:
    params: {name: string}
    messages: {go: }
    states:
      ready: {on: {message.go: fine}}
      fine: {type: final}
)yaml";

std::unique_ptr<Played> play_watch(const std::string& text) {
  auto played = std::make_unique<Played>();
  played->definition = load_stage(watch);
  const auto read =
      rehearsal::read_cases("rehearsal: 1\n" + text, "cases.yaml", *played->definition);
  for (const LoadDiagnostic& diagnostic : read.diagnostics) UNSCOPED_INFO(to_string(diagnostic));
  REQUIRE(read.file != nullptr);
  played->file = read.file;
  played->coverage = std::make_unique<rehearsal::Coverage>(played->definition);
  auto rehearsed =
      rehearsal::rehearse(played->definition, *played->file, played->file->cases.front(),
                          played->log, *played->coverage, {});
  REQUIRE(rehearsed.has_value());
  played->rehearsed = *std::move(rehearsed);
  return played;
}

std::string watch_mistakes(const std::string& text) {
  const auto read =
      rehearsal::read_cases("rehearsal: 1\n" + text, "cases.yaml", *load_stage(watch));
  std::string all;
  for (const LoadDiagnostic& diagnostic : read.diagnostics) all += to_string(diagnostic) + "\n";
  return all;
}

const std::string measured = "outcomes:\n  measure: {result: {ok: true, count: 1}}\n";
const std::string children = "  each: {signals: {signal: go}}\n";

std::chrono::minutes length_of(const Played& played) {
  const RunState& top = played.rehearsed.top().state;
  return std::chrono::duration_cast<std::chrono::minutes>(top.updated - top.started);
}

TEST_CASE("a run gets messages, at once, in a state or later, and its children too",
          "[rehearsal][signals]") {
  const auto played = play_watch(measured + children + R"(
signals:
  - {signal: release, data: {tag: draft}, in: waiting}
  - {signal: release, data: {tag: v2}, in: waiting, after: 90m, why: it is out, by: ada}
expect: {outcome: succeeded, visits: [waiting, each, good], data: {tag: v2}}
)");
  CHECK(played->differences() == "");
  CHECK(played->unused() == "");
  CHECK(length_of(*played) == std::chrono::minutes(90));
  CHECK(played->rehearsed.runs.size() == 3);

  const auto early = play_watch(measured + children +
                                "signals: {signal: release, data: {tag: v1}}\n"
                                "expect: {outcome: succeeded, data: {tag: v1}}\n");
  CHECK(early->differences() == "");  // it waited until a state wanted it

  const auto expired = play_watch(
      "outcomes:\n  measure: {result: {ok: true, count: 1}, lease: 20m, takes: 110m}\n"
      "signals: {signal: release, data: {tag: v1}}\nexpect: {outcome: failed, visits: "
      "[late]}\n");
  CHECK(expired->differences() == "");  // two hours are over before anybody listens
}

TEST_CASE("without the message a run is left waiting for it", "[rehearsal][signals]") {
  const auto played = play_watch(measured + "  each: {}\n" +
                                 "signals: {signal: release, data: {tag: v1}}\n"
                                 "expect: {outcome: waiting, exit_code: 3}\n");
  CHECK(played->differences() == "");
  CHECK_THAT(played->rehearsed.waits_for, Contains("the message 'go' to 'watch/part'"));
}

TEST_CASE("a signal that never comes is told", "[rehearsal][signals]") {
  const auto played = play_watch(measured +
                                 "signals: [{signal: stop}, {signal: release, data: {tag: "
                                 "v1}, in: each}]\n");
  CHECK(played->rehearsed.outcome() == "failed");
  CHECK_THAT(played->unused(), Contains("signals release"));
}

TEST_CASE("each of the four limits ends an attempt, after its time", "[rehearsal][limits]") {
  const auto ends = [](const std::string& outcome, const std::string& state, int minutes) {
    INFO(outcome);
    const auto played = play_watch("outcomes: {measure: " + outcome +
                                   "}\nexpect: {outcome: failed, visits: [" + state + "]}\n");
    CHECK(played->differences() == "");
    CHECK(length_of(*played) == std::chrono::minutes(minutes));
  };
  ends("{timeout: queue}", "queued", 30);
  ends("{timeout: start}", "unstarted", 5);
  ends("{timeout: run}", "slow", 120);
  ends("{timeout: silence}", "silent", 10);
  ends("{timeout: silence, takes: 1h}", "silent", 60);
  ends("{timeout: run, lease: 20m}", "slow", 140);
  ends("{result: {ok: true, count: 1}, lease: 31m}", "queued", 30);
  ends("{lease: never}", "queued", 30);
  ends("{lease: refused}", "lacking", 0);
  ends("{error: {class: timeout}}", "bad", 0);
}

TEST_CASE("a lease is waited for, and retries wait again", "[rehearsal][limits]") {
  const auto played = play_watch(
      "outcomes:\n  measure: {result: {ok: true, count: 1}, lease: 25m, takes: 5m}\n" + children +
      "signals: {signal: release, data: {tag: v1}}\nexpect: {outcome: succeeded}\n");
  CHECK(played->differences() == "");
  CHECK(length_of(*played) == std::chrono::minutes(30));
}

TEST_CASE("a pause stops clocks and what begins, not what runs; it goes down to children",
          "[rehearsal][pause]") {
  // A day of waiting becomes a day and three hours.
  const auto late = play_watch(measured +
                               "pause: {in: waiting, after: 1h, for: 3h, why: lunch}\n"
                               "expect: {outcome: failed, visits: [waiting, late]}\n");
  CHECK(late->differences() == "");
  CHECK(length_of(*late) == std::chrono::hours(27));
  // The job ends while the run is paused; what follows comes after the pause.
  const auto busy = play_watch(
      "outcomes:\n  measure: {result: {ok: true, count: 1}, takes: 1h}\n" + children +
      "pause: {in: measure, after: 10m, for: 2h}\nsignals: {signal: release, data: {tag: "
      "v1}, in: "
      "waiting}\nexpect: {outcome: succeeded}\n");
  CHECK(busy->differences() == "");
  CHECK(length_of(*busy) == std::chrono::minutes(130));
  // Queue limits stand still too.
  const auto queued = play_watch(
      "outcomes: {measure: {timeout: queue}}\npause: {after: 10m, for: 1h}\n"
      "expect: {outcome: failed, visits: [queued]}\n");
  CHECK(queued->differences() == "");
  CHECK(length_of(*queued) == std::chrono::minutes(90));
  // A grant that comes up during a pause is given after it.
  const auto granted =
      play_watch("outcomes:\n  measure: {result: {ok: true, count: 1}, lease: 20m}\n" + children +
                 "pause: {after: 10m, for: 1h}\nsignals: {signal: release, data: {tag: v1}, in: "
                 "waiting}\n"
                 "expect: {outcome: succeeded}\n");
  CHECK(granted->differences() == "");
  CHECK(length_of(*granted) == std::chrono::minutes(70));
  // Children stand still with their parent, and the next one is not started.
  const auto tree = play_watch(
      measured + "  each: {signals: {signal: go, after: 2h}}\n" +
      "pause: {in: each, after: 1h, for: 4h}\nsignals: {signal: release, data: {tag: v1}}\n"
      "expect: {outcome: succeeded}\n");
  CHECK(tree->differences() == "");
  CHECK(length_of(*tree) == std::chrono::hours(7));
  bool down = false;
  const auto child = tree->rehearsed.runs.at(1).state.run;
  const auto read = tree->log.read(child, Sequence(1), [&](const Record& record) {
    for (const Event& event : record.events)
      if (const auto* paused = std::get_if<RunPaused>(&event))
        down = down || paused->command.by_parent;
    return true;
  });
  REQUIRE(read.has_value());
  CHECK(down);
  const auto for_good = play_watch(measured + "pause: {in: waiting}\nexpect: {outcome: waiting}\n");
  CHECK(for_good->differences() == "");
  CHECK_THAT(for_good->rehearsed.waits_for, Contains("the end of the pause of 'watch'"));
  const auto never = play_watch(measured + "pause: {in: each}\nexpect: {outcome: failed}\n");
  CHECK_THAT(never->differences(), Contains("`pause` never came to pass: in state 'each'"));
}

TEST_CASE("mistakes in signals, pauses, leases and limits are named", "[rehearsal]") {
  CHECK_THAT(watch_mistakes("signals: {signal: relase}"), Contains("did you mean 'release'?"));
  CHECK_THAT(watch_mistakes("signals: {signal: release}"),
             Contains("the message 'release' carries {tag: string}; write it under `data`"));
  CHECK_THAT(watch_mistakes("signals: {signal: release, data: {tag: 1}}"), Contains("string"));
  CHECK_THAT(watch_mistakes("signals: {signal: stop, in: wating}"),
             Contains("did you mean 'waiting'?"));
  CHECK_THAT(watch_mistakes("signals: [{name: stop}]"), Contains("a signal has no key 'name'"));
  CHECK_THAT(watch_mistakes("outcomes: {each: {signals: {signal: stop}}}"),
             Contains("watch/part declares no message 'stop'"));
  CHECK_THAT(watch_mistakes("pause: {for: long}"), Contains("`for` must be a duration"));
  CHECK_THAT(watch_mistakes("outcomes: {measure: {timeout: late}}"),
             Contains("`timeout` is queue, start, run or silence"));
  CHECK_THAT(watch_mistakes("outcomes: {measure: {timeout: run, takes: 1h}}"),
             Contains("leave `takes` out"));
  CHECK_THAT(watch_mistakes("outcomes: {measure: {timeout: silence, takes: 1m}}"),
             Contains("at least the silence timeout of 10m"));
  CHECK_THAT(watch_mistakes("outcomes: {measure: {timeout: queue, lease: 3m}}"),
             Contains("never starts"));
  CHECK_THAT(watch_mistakes("outcomes: {measure: {lease: refused, result: {ok: true, count: 1}}}"),
             Contains("has no other outcome"));
  CHECK_THAT(watch_mistakes("outcomes: {measure: {lease: soon}}"), Contains("refused, or never"));
  CHECK_THAT(mistakes("outcomes: {build: {timeout: run}}"),
             Contains("the job of 'build' has no run timeout"));
  CHECK_THAT(mistakes("outcomes: {build: {lease: 1m, result: {ok: true, count: 1}}}"),
             Contains("the job of 'build' leases nothing"));
}

TEST_CASE("initial and default transitions count once they are taken", "[rehearsal][coverage]") {
  const auto definition = load_stage(R"(checkride: 1
workflow: stage
initial: work
states:
  work:
    initial: a
    on: {done: good}
    states:
      a: {invoke: {job: check}, on: {done: b, error: help}}
      b: {invoke: {job: check}, on: {done: done, error: help}}
      done: {type: final}
      back: {type: history, target: a}
  help:
    budget: 2
    exhausted: good
    invoke: {job: look}
    on: {done: back, error: fresh}
  fresh: {invoke: {job: check}, on: {done: b, error: other}}
  other: {states: {x: {invoke: {job: check}, on: {done: good, error: back}}}}
  good: {type: final}
)");
  const auto unreached = [&](const std::string& outcomes) {
    const auto read =
        rehearsal::read_cases("rehearsal: 1\noutcomes: " + outcomes + "\n", "c.yaml", *definition);
    for (const LoadDiagnostic& diagnostic : read.diagnostics) UNSCOPED_INFO(to_string(diagnostic));
    REQUIRE(read.file != nullptr);
    MemoryLog log;
    rehearsal::Coverage coverage(definition);
    const auto played =
        rehearsal::rehearse(definition, *read.file, read.file->cases.front(), log, coverage, {});
    REQUIRE(played.has_value());
    CHECK(played->problem == "");
    std::string all;
    for (const auto& row : coverage.rows())
      for (const auto& left : row.unreached) all += left.what + "\n";
    return all;
  };
  const std::string well = "{result: {ok: true, count: 1}}";
  const std::string broken = "{error: {class: code}}";
  const std::string seen = "{result: {verdict: rerun}}";
  // `initial` of work and of the whole are written, that of `other` is not.
  const std::string plain = unreached("{a: " + well + ", b: " + well + "}");
  CHECK_THAT(plain, !Contains("initial of"));
  CHECK_THAT(plain, Contains("default of history 'back' -> 'a'"));
  // Work was left before, so there is something to remember, and the default is not taken.
  const std::string again =
      unreached("{a: [" + broken + ", " + well + "], b: " + well + ", help: " + seen + "}");
  CHECK_THAT(again, Contains("default of history 'back'"));
}

TEST_CASE("a state entered by a target inside it does not take its initial",
          "[rehearsal][coverage]") {
  const auto definition = load_stage(R"(checkride: 1
workflow: stage
initial: b
states:
  work:
    initial: a
    on: {done: good}
    states:
      a: {invoke: {job: check}, on: {done: done, error: done}}
      b: {invoke: {job: check}, on: {done: done, error: other}}
      done: {type: final}
  other:
    invoke: {job: check}
    on: {done: work, error: back}
  again:
    initial: back
    on: {done: good}
    states:
      x: {initial: x1, states: {x1: {invoke: {job: check}, on: {done: end, error: end}}}}
      end: {type: final}
      back: {type: history, history: deep, target: x}
  good: {type: final}
)");
  const auto unreached = [&](const std::string& outcomes) {
    const auto read =
        rehearsal::read_cases("rehearsal: 1\noutcomes: " + outcomes + "\n", "c.yaml", *definition);
    REQUIRE(read.file != nullptr);
    MemoryLog log;
    rehearsal::Coverage coverage(definition);
    REQUIRE(rehearsal::rehearse(definition, *read.file, read.file->cases.front(), log, coverage, {})
                .has_value());
    std::string all;
    for (const auto& row : coverage.rows())
      for (const auto& left : row.unreached) all += left.what + "\n";
    return all;
  };
  const std::string well = "{result: {ok: true, count: 1}}";
  const std::string broken = "{error: {class: code}}";
  CHECK_THAT(unreached("{b: " + well + "}"), Contains("initial of 'work' -> 'a'"));
  CHECK_THAT(unreached("{b: " + broken + ", other: " + well + ", a: " + well + "}"),
             !Contains("initial of 'work'") && Contains("initial of 'again' -> 'back'"));
  const std::string by_default =
      unreached("{b: " + broken + ", other: " + broken + ", x1: " + well + "}");
  CHECK_THAT(by_default, !Contains("default of history 'back'") && !Contains("initial of 'x'") &&
                             Contains("initial of 'again' -> 'back'"));
}

}  // namespace
}  // namespace checkride::test

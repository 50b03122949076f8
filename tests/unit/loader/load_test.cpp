// Good documents: what they become.
#include <catch2/catch.hpp>

#include "tests/unit/loader/sample.h"

namespace checkride::test {
namespace {

using statechart::StateKind;

constexpr std::string_view rebase = R"yaml(checkride: 1
workflow: rebase
title: Rebase of ${params.repo}
params:
  repo: {type: path, title: Root of the work tree}
  patches: {type: list<string>, default: [one, two]}
  ratio: {type: double, default: 1}
  token: {type: string, default: "", secret: true}
data:
  applied: {type: list<string>, default: []}
  tries: {type: int, default: 0}
result: {applied: list<string>, "note?": string}
record_env: [CUDA_VISIBLE_DEVICES]
machines:
  apply:
    title: Apply one patch
    params: {patch: string, repo: path}
    result: {tree: string}
    states:
      run:
        title: "apply ${params.patch}"
        invoke:
          job: shell
          repeat: safe
          with: {script: 'git apply "$PATCH"', env: {PATCH: "${params.patch}"}}
        on: {done: ok, error: broken}
      ok: {type: final, output: {tree: "${jobs.run.stdout}"}}
      broken: {type: final, outcome: failed}
initial: preflight
states:
  preflight:
    section: A. Pre-flight
    states:
      clean:
        title: the tree is clean
        invoke: {job: git.status, with: {repo: "${params.repo}", ratio: 2}}
        on:
          done:
            - {guard: "result.entries.all(e, e.allowed && !e.unmerged)", target: reapply}
            - {target: ask, verdict: warned, note: "${size(result.entries)} entries"}
          error: "#aborted"
      ask:
        invoke:
          job: gate
          with: {question: "${params.repo} is not clean. Go on?"}
          options: [stash]
          who: [ada]
          reminder: 4h
          expiry: {after: 2d, answer: reject}
        on:
          answer.approve: {target: reapply, actions: {assign: {tries: data.tries + 1}}}
          answer.stash: {target: clean, guard: "result.actor == 'ada'"}
          answer: aborted
  reapply:
    invoke:
      machine: apply
      each: ${params.patches}
      as: patch
      with: {repo: "${params.repo}"}
      concurrency: 2
      join: n
      join_count: 1
    on:
      done:
        target: finished
        actions:
          - assign: {applied: "result.children.map(c, has(c.output), c.output.tree)"}
      error: {target: aborted, guard: "true"}
      error.invoke.reapply: aborted
  finished: {type: final, output: {applied: "${data.applied}"}}
  aborted: {type: final, outcome: failed}
)yaml";

TEST_CASE("a workflow becomes a definition with everything it says", "[loader]") {
  const auto d = load_good(rebase);
  CHECK(d->name == "rebase");
  CHECK(d->title == "Rebase of ${params.repo}");
  CHECK(d->source == rebase);
  CHECK(d->source_name == "t.yaml");
  CHECK_FALSE(d->hash.zero());
  CHECK(d->park_on_error);
  CHECK(d->record_env == std::vector<std::string>{"CUDA_VISIBLE_DEVICES"});
  REQUIRE(d->params.size() == 4);
  CHECK(d->params[0].name == "repo");
  CHECK_FALSE(d->params[0].initial);
  CHECK(d->params[1].initial == cel::Value(cel::List{"one", "two"}));
  CHECK(d->params[2].initial == cel::Value(1.0));
  CHECK(d->params[3].secret);
  CHECK(cel::to_string(d->output) == "{applied: list<string>, note?: string}");

  const StateSpec& clean = spec_of(*d, "clean");
  CHECK(clean.title == "the tree is clean");
  CHECK(clean.place.line == 34);
  REQUIRE(clean.invoke);
  CHECK(clean.invoke->id == "clean");
  CHECK(clean.invoke->signature.name == "git.status");
  CHECK(clean.invoke->repeat == Repeat::safe);
  REQUIRE(clean.invoke->with.size() == 2);
  CHECK(std::holds_alternative<cel::Template>(clean.invoke->with[0].second.node));
  CHECK(std::get<cel::Value>(clean.invoke->with[1].second.node) == cel::Value(2.0));
  CHECK(spec_of(*d, "preflight").section == "A. Pre-flight");
  CHECK(spec_of(*d, "finished").outcome == RunOutcome::succeeded);
  CHECK(spec_of(*d, "aborted").outcome == RunOutcome::failed);

  CHECK(transitions_of(*d, "clean") == std::vector<std::string>{"done.invoke.clean -> reapply",
                                                                "done.invoke.clean -> ask",
                                                                "error.invoke.clean -> aborted"});
  const auto second = d->chart.state(state_of(*d, "clean")).transitions[1];
  CHECK(d->transitions[second.value].verdict == Verdict::warned);
  CHECK(d->transitions[second.value].note.has_value());
}

TEST_CASE("a gate keeps its policy and its answers become events", "[loader]") {
  const auto d = load_good(rebase);
  const InvokeSpec& gate = *spec_of(*d, "ask").invoke;
  CHECK(gate.signature.performer == JobSignature::Performer::person);
  CHECK(gate.gate.options == std::vector<std::string>{"stash"});
  CHECK(gate.gate.who == std::vector<std::string>{"ada"});
  CHECK(gate.gate.reminder == Duration(std::chrono::hours(4)));
  CHECK(gate.gate.expiry == Duration(std::chrono::hours(48)));
  CHECK(gate.gate.expiry_answer == "reject");
  CHECK(transitions_of(*d, "ask") ==
        std::vector<std::string>{
            "answer.approve.ask -> reapply", "answer.stash.ask -> clean",
            "answer.approve.ask answer.reject.ask answer.waive.ask answer.stash.ask -> aborted"});
}

TEST_CASE("a machine of the document is a definition of its own", "[loader]") {
  const auto d = load_good(rebase);
  const InvokeSpec& invoke = *spec_of(*d, "reapply").invoke;
  REQUIRE(invoke.machine != nullptr);
  CHECK(invoke.machine->name == "rebase/apply");
  CHECK(invoke.signature.performer == JobSignature::Performer::machine);
  CHECK(invoke.each->source() == "params.patches");
  CHECK(invoke.as == "patch");
  CHECK(invoke.concurrency == 2);
  CHECK(invoke.join == Join::n);
  CHECK(invoke.join_count == 1);
  REQUIRE(d->machines.size() == 1);
  CHECK(d->machines.begin()->first == invoke.machine->hash);
  CHECK(invoke.machine->source == rebase);

  SECTION("and can be loaded again by its name, to the same hash") {
    const LoadResult again = load_stored("rebase/apply", rebase, "stored", options());
    INFO(findings(again));
    REQUIRE(again.definition != nullptr);
    CHECK(again.definition->name == "rebase/apply");
    CHECK(again.definition->hash == invoke.machine->hash);
  }
  SECTION("and the workflow too") {
    const LoadResult again = load_stored("rebase", rebase, "stored", options());
    REQUIRE(again.definition != nullptr);
    CHECK(again.definition->hash == d->hash);
  }
  SECTION("and one that is not there is an error") {
    const LoadResult none = load_stored("rebase/aply", rebase, "t.yaml", options());
    CHECK(none.definition == nullptr);
    CHECK(findings(none) ==
          "t.yaml:1:1: error: there is no machine 'aply'; write it under 'machines'; did you mean "
          "'apply'? [unknown-machine]\n");
  }
}

TEST_CASE("after is a delayed event, sent on entry and cancelled on exit", "[loader]") {
  const auto d =
      load_good(with_states("  wait:\n"
                            "    after: {30s: failed, 1h30m: {target: end}}\n"));
  CHECK(transitions_of(*d, "wait") ==
        std::vector<std::string>{"after.wait.0 -> failed", "after.wait.1 -> end"});
  const auto& node = d->chart.state(state_of(*d, "wait"));
  REQUIRE(node.onentry.size() == 1);
  REQUIRE(node.onexit.size() == 1);
  const ContentBlock& sends = d->contents[node.onentry[0].value];
  REQUIRE(sends.size() == 2);
  const auto& second = std::get<SendAction>(sends[1].node);
  CHECK(second.event == "after.wait.1");
  CHECK(second.id == "after.wait.1");
  CHECK(second.delay == Duration(std::chrono::minutes(90)));
  const ContentBlock& cancels = d->contents[node.onexit[0].value];
  REQUIRE(cancels.size() == 2);
  CHECK(std::get<CancelAction>(cancels[0].node).id == "after.wait.0");
}

TEST_CASE("done of a compound or parallel state is done.state", "[loader]") {
  const auto d =
      load_good(with_states("  both:\n"
                            "    type: parallel\n"
                            "    on: {done: end}\n"
                            "    states:\n"
                            "      left: {states: {l: {type: final}}}\n"
                            "      right:\n"
                            "        states: {r: {always: rr}, rr: {type: final}}\n"));
  CHECK(transitions_of(*d, "both") == std::vector<std::string>{"done.state.both -> end"});
  CHECK(d->chart.is_parallel(state_of(*d, "both")));
}

TEST_CASE("a budget with a target listens to its exhausted event", "[loader]") {
  const auto d =
      load_good(with_states("  try:\n"
                            "    budget: 3\n"
                            "    exhausted: failed\n"
                            "    invoke: {job: git.status, with: {repo: \"${params.repo}\"}}\n"
                            "    on: {done: end, error: try}\n"
                            "  again:\n"
                            "    budget: ${data.n + 1}\n"
                            "    exhausted: incident\n"
                            "    invoke: {job: git.status, with: {repo: \"${params.repo}\"}}\n"
                            "    on: {done: end, error: again}\n"));
  const auto& budget = spec_of(*d, "try").budget;
  REQUIRE(budget);
  CHECK(budget->max.source() == "3");
  REQUIRE(budget->exhausted);
  CHECK(d->chart.transition(*budget->exhausted).events ==
        std::vector<std::string>{"exhausted.try"});
  CHECK_FALSE(spec_of(*d, "again").budget->exhausted);
}

TEST_CASE("history, internal transitions and several targets reach the chart", "[loader]") {
  const auto d =
      load_good(with_states("  work:\n"
                            "    type: parallel\n"
                            "    budget: 5\n"
                            "    exhausted: failed\n"
                            "    on:\n"
                            "      done: end\n"
                            "      stop: repair\n"
                            "      both: {internal: true, actions: [{assign: {n: 0}}]}\n"
                            "    entry: [{send: {event: stop, delay: 5s, id: s}}]\n"
                            "    exit: [{cancel: s}, {raise: note}, {raise: both}]\n"
                            "    states:\n"
                            "      left: {states: {a: {on: {note: b}}, b: {type: final}}}\n"
                            "      right:\n"
                            "        initial: d\n"
                            "        on: {note: [{target: [c, b], guard: data.n > 0}]}\n"
                            "        states:\n"
                            "          c: {type: final}\n"
                            "          d: {always: {target: c, guard: data.n > 0}, on: {note: c}}\n"
                            "      last: {type: history, history: deep, target: b}\n"
                            "  repair:\n"
                            "    budget: 2\n"
                            "    exhausted: failed\n"
                            "    after: {1s: last}\n"));
  CHECK(d->chart.state(state_of(*d, "last")).kind == StateKind::history_deep);
  const auto& work = d->chart.state(state_of(*d, "work"));
  CHECK(d->chart.transition(work.transitions[3]).internal);
  const auto& regions = d->chart.state(state_of(*d, "right")).transitions;
  CHECK(d->chart.transition(regions[0]).targets.size() == 2);
  const auto& right = d->chart.state(state_of(*d, "right"));
  CHECK(d->chart.transition(*right.initial).targets.front() == state_of(*d, "d"));
  CHECK(d->transitions.size() == d->chart.transitions.size());
}

TEST_CASE("actions keep their order and their kinds", "[loader]") {
  const auto d =
      load_good(with_states("  a:\n"
                            "    entry:\n"
                            "      - assign: {n: data.n + 1}\n"
                            "      - assign: {n: 7}\n"
                            "      - raise: {event: go, data: {n: \"${data.n}\", list: [1, two]}}\n"
                            "      - if:\n"
                            "          - {guard: data.n > 3, actions: [{raise: go}]}\n"
                            "          - {actions: {send: {event: go, delay: 10ms}}}\n"
                            "    on: {go: end}\n"));
  const auto& block = d->contents[d->chart.state(state_of(*d, "a")).onentry[0].value];
  REQUIRE(block.size() == 4);
  CHECK(std::get<AssignAction>(block[0].node).value.source() == "data.n + 1");
  CHECK(std::get<AssignAction>(block[1].node).value.source() == "7");
  CHECK(std::get<RaiseAction>(block[2].node).data.has_value());
  const auto& branches = std::get<IfAction>(block[3].node).branches;
  REQUIRE(branches.size() == 2);
  CHECK(branches[0].cond.has_value());
  CHECK_FALSE(branches[1].cond.has_value());
}

TEST_CASE("an invocation carries limits, retries, expectations and parse rules", "[loader]") {
  const auto d = load_good(with_states(
      "  test:\n"
      "    title: the test\n"
      "    invoke:\n"
      "      job: shell\n"
      "      with: {script: \"make $${TARGET}\", env: {TARGET: check}}\n"
      "      timeout: {run: 30m}\n"
      "      grace: 5s\n"
      "      output_max: 1MiB\n"
      "      repeat: probe\n"
      "      probe: {job: git.probe, with: {repo: \"${params.repo}\"}}\n"
      "      retry: {default: {max: 1, backoff: 10s, factor: 3, jitter: 0.1}, timeout: {max: 0}}\n"
      "      secrets: [API_KEY]\n"
      "      expect: {exit_code: [0, 3], log_contains: [ok], log_lacks: skipping, files: "
      "[r.json]}\n"
      "      parse:\n"
      "        latency: {type: double, regex: 'latency: ([0-9.]+)'}\n"
      "        count: {type: int, pointer: /count, file: r.json}\n"
      "    on:\n"
      "      done:\n"
      "        - guard: has(result.values.latency) && result.values.latency < 2.0\n"
      "          target: end\n"
      "        - {target: failed, verdict: failed, note: \"${result.values.?count.orValue(0)} "
      "left\"}\n"
      "      error: {target: failed, note: \"${error.message}\"}\n"));
  const InvokeSpec& invoke = *spec_of(*d, "test").invoke;
  CHECK(invoke.limits.run_timeout == Duration(std::chrono::minutes(30)));
  CHECK(invoke.limits.grace == Duration(std::chrono::seconds(5)));
  CHECK(invoke.limits.output_bytes_max == 1U << 20);
  CHECK(invoke.repeat == Repeat::probe);
  REQUIRE(invoke.probe != nullptr);
  CHECK(invoke.probe->signature.name == "git.probe");
  CHECK(invoke.retry.size() == 6);  // every class but lost
  CHECK(invoke.retry.at(FailureClass::infra).max == 1);
  CHECK(invoke.retry.at(FailureClass::infra).factor == 3.0);
  CHECK(invoke.retry.at(FailureClass::timeout).max == 0);
  CHECK(invoke.secrets == std::vector<std::string>{"API_KEY"});
  CHECK(invoke.expect.exit_codes == std::vector<std::int64_t>{0, 3});
  CHECK(invoke.expect.log_lacks == std::vector<std::string>{"skipping"});
  REQUIRE(invoke.parse.size() == 2);
  CHECK(invoke.parse[0].name == "latency");
  CHECK(invoke.parse[1].pointer == "/count");
  const cel::EvalResult script = evaluate(invoke.with[0].second, cel::VariableActivation());
  REQUIRE(script);
  CHECK(*script == cel::Value("make ${TARGET}"));
}

TEST_CASE("a workflow named outside the document is asked for", "[loader]") {
  const std::string parent = with_states(
      "  other:\n"
      "    invoke: {machine: helper, with: {level: 2}}\n"
      "    on: {done: {guard: has(result.output) && result.output.answer == 42, target: end}, "
      "error: failed, "
      "done.invoke.other: failed}\n");
  LoadOptions asking = options();
  asking.find_machine = [](const std::string& name) -> Result<std::string> {
    if (name == "helper")
      return std::string(
          "checkride: 1\nworkflow: helper\nparams: {level: int}\nresult: {answer: int}\n"
          "states: {done: {type: final, output: {answer: 42}}}\n");
    if (name == "broken") return std::string("checkride: 1\nworkflow: broken\nstates: 7\n");
    if (name == "sample") return std::string("checkride: 1\nworkflow: sample\n");
    return fail(ErrorCode::not_found, "no file " + name + ".yaml");
  };
  const LoadResult good = load_definition(parent, "t.yaml", asking);
  INFO(findings(good));
  REQUIRE(good.definition != nullptr);
  CHECK(spec_of(*good.definition, "other").invoke->machine->name == "helper");
  CHECK(good.definition->machines.size() == 1);

  const auto with_name = [&](const std::string& name) {
    std::string text = parent;
    text.replace(text.find("machine: helper"), 15, "machine: " + name);
    return findings(load_definition(text, "t.yaml", asking));
  };
  CHECK(with_name("broken").find("broken:3:9: error: 'states' must be a map, not an int [shape]") !=
        std::string::npos);
  CHECK(with_name("broken").find("t.yaml:8:23: error: machine 'broken' has errors of its own") !=
        std::string::npos);
  CHECK(with_name("gone").find("there is no machine 'gone': no file gone.yaml") !=
        std::string::npos);
  CHECK(with_name("sample").find("machine 'sample' would invoke itself without end") !=
        std::string::npos);
}

TEST_CASE("loading is deterministic", "[loader]") {
  const LoadResult a = load(rebase);
  const LoadResult b = load(rebase);
  REQUIRE(a.definition != nullptr);
  CHECK(a.definition->hash == b.definition->hash);
  CHECK(a.diagnostics == b.diagnostics);
}

}  // namespace
}  // namespace checkride::test

// Bad documents: what is said about them, and where.
#include <catch2/catch.hpp>

#include "tests/unit/loader/sample.h"

namespace checkride::test {
namespace {

struct Case {
  std::string text;
  std::string expected;  // part of the findings, usually from the place to the rule
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const LoadResult result = load(c.text);
    const std::string found = findings(result);
    INFO(c.text << "--- found:\n" << found << "--- expected:\n" << c.expected);
    CHECK(found.find(c.expected) != std::string::npos);
    CHECK((result.definition == nullptr) == (found.find(": error: ") != std::string::npos));
  }
}

// A state `s` with the given lines (indented by four), from line 8 of the document on.
std::string with_s(std::string_view lines) {
  return with_states("  s:\n" + std::string(lines));
}

// A state that invokes git.status and handles its end; `invoke` is added to the invocation.
std::string with_shell(std::string_view invoke) {
  return with_s("    invoke:\n      job: shell\n      with: {script: make}\n" +
                std::string(invoke) + "    on: {done: end, error: failed}\n");
}

TEST_CASE("the head of a document is checked", "[loader][errors]") {
  check({
      {"[]", "t.yaml:1:1: error: a workflow is a map that starts with 'checkride: 1', not a list"},
      {"workflow: w\n", "t.yaml:1:1: error: the language version is missing"},
      {"checkride: 2\n", "t.yaml:1:12: error: this program reads version 1 of the language"},
      {"checkride: 1\nstates: {e: {type: final}}\n", "error: the workflow has no name"},
      {"checkride: 1\nworkflow: a/b\nstates: {e: {type: final}}\n",
       "t.yaml:2:11: error: a workflow's name"},
      {"checkride: 1\nworkflow: w\n", "t.yaml:1:1: error: 'w' has no states"},
      {"checkride: 1\nworkflow: w\nstates: {}\n", "t.yaml:3:9: error: 'states' is empty"},
      {"checkride: 1\nworkflow: w\nstaets: {}\nstates: {e: {type: final}}\n",
       "t.yaml:3:1: error: a workflow has no key 'staets'; it may have checkride, workflow, "},
      {"checkride: 1\nworkflow: w\nstaets: {}\nstates: {e: {type: final}}\n",
       "states; did you mean 'states'? [unknown-key]"},
      {"checkride: 1\nworkflow: w\nerrors: parked\nstates: {e: {type: final}}\n",
       "t.yaml:3:9: error: 'errors' must be park or event, not 'parked'; did you mean 'park'?"},
      {"checkride: 1\nworkflow: w\ntitle: \"for ${parms.x}\"\nparams: {x: string}\nstates: {e: "
       "{type: final}}\n",
       "t.yaml:3:15: error: "},
  });
}

TEST_CASE("params, data and result are checked", "[loader][errors]") {
  const auto with = [](std::string_view head) {
    return "checkride: 1\nworkflow: w\n" + std::string(head) + "states: {e: {type: final}}\n";
  };
  check({
      {with("params: {a: strng}\n"),
       "t.yaml:3:13: error: 'strng' is not a type; write bool, int, "},
      {with("params: {a: strng}\n"), "did you mean 'string'? [type]"},
      {with("params: {a: {default: 1}}\n"), "t.yaml:3:10: error: params.a has no type"},
      {with("params: {a: {type: int, defalt: 1}}\n"),
       "t.yaml:3:25: error: params.a has no key 'defalt'"},
      {with("params: {a: {type: int, default: x}}\n"),
       "t.yaml:3:34: error: params.a: expected int, found string [type]"},
      {with("params: {v: {type: string, default: 1.10}}\n"),
       "t.yaml:3:37: error: params.v: expected string, found double; quote it to mean text [type]"},
      {with("params: {a: {type: list<int>, default: [1, b]}}\n"), "params.a: [1]: expected int"},
      {with("params: {a-b: int}\n"), "t.yaml:3:10: error: 'a-b' is no name for a field"},
      {with("params: {a: {type: int, secret: yes}}\n"),
       "t.yaml:3:33: error: 'secret' must be true or false, not text"},
      {with("data: {n: int}\n"), "t.yaml:3:8: error: data.n has no first value"},
      {with("data: {n: {type: int, default: 9223372036854775808}}\n"),
       "t.yaml:3:32: error: the int 9223372036854775808 does not fit into 64 bits"},
      {with("result: {a: int}\n"), "t.yaml:4:10: error: state 'e' ends a machine that gives 'a'"},
      {with("params: [a]\n"), "t.yaml:3:9: error: 'params' must be a map, not a list"},
  });
}

TEST_CASE("states are checked", "[loader][errors]") {
  check({
      {with_s("    on: {done: end}\n"),
       "t.yaml:8:10: error: 'done' means the end of an invocation or of child states, and state "
       "'s' "
       "has neither [event-name]"},
      {with_s("    on: {error: end}\n"),
       "t.yaml:8:10: error: 'error' means the error of the state's own"},
      {with_s("    states: {x: {type: final}}\n    on: {done: end, error: end}\n"),
       "t.yaml:9:21: error: 'error' means the error of the state's own invocation"},
      {with_s("    always: ennd\n"),
       "t.yaml:8:13: error: there is no state 'ennd'; did you mean 'end'? [unknown-state]"},
      {with_s("    always: {target: [end, \"#end\"]}\n"),
       "t.yaml:8:28: error: the target 'end' stands twice"},
      {with_s("    always: {target: [end, failed]}\n"), "[chart]"},
      {with_s("    alwyas: end\n"), "did you mean 'always'? [unknown-key]"},
      {with_s("    type: finl\n"), "t.yaml:8:11: error: 'finl' is no type of state; "},
      {with_s("    type: parallel\n    always: end\n"), "the parallel state 's' has no states"},
      {with_s("    initial: end\n    always: end\n"),
       "t.yaml:8:14: error: only a state with states of its own"},
      {with_s("    always: end\n    states: {x: {always: end}, x2: {type: history}}\n"),
       "t.yaml:9:32: error: state 'x2' has no 'target': where to go when there is nothing to "
       "remember "
       "[history]"},
      {with_s("    always: end\n    states: {x: {always: end}, h: {type: history, history: depe, "
              "target: x}}\n"),
       "'history' must be shallow or deep, not 'depe'; did you mean 'deep'?"},
      {with_s("    always: end\n    states: {s: {always: end}}\n"),
       "t.yaml:9:14: error: two states have the id 's', the first in line 7"},
      {with_states("  a.b: {always: end}\n"), "t.yaml:7:3: error: 'a.b' is no id for a state"},
      {with_states("  s: 5\n"), "t.yaml:7:6: error: state 's' must be a map, not an int"},
      {with_s("    after: {soon: end}\n"),
       "t.yaml:8:13: error: 'soon' is not a duration; write 250ms, 30s, 5m, 2h or 7d"},
      {with_s("    always: end\n    verdict: passed\n"),
       "t.yaml:9:14: error: state 's' does not report, so it cannot have a verdict; give it a "
       "title"},
      {with_s("    title: t\n    always: end\n    verdict: psased\n"), "did you mean 'passed'?"},
      {with_s("    always: {target: end, verdict: failed}\n"),
       "t.yaml:8:36: error: state 's' does not report"},
      {with_s("    always: end\n    optional: true\n"),
       "t.yaml:9:5: warning: 'optional' has no effect"},
      {with_s("    budget: 3\n    after: {1s: end}\n"),
       "t.yaml:8:5: error: state 's' has a budget but no 'exhausted'; write a target, or: "
       "exhausted: "
       "incident [budget]"},
      {with_s("    exhausted: end\n    after: {1s: end}\n"),
       "t.yaml:8:5: error: 'exhausted' says what follows"},
      {with_s("    budget: many\n    exhausted: end\n    after: {1s: end}\n"),
       "t.yaml:8:13: error: "},
      {with_s("    budget: \"'x'\"\n    exhausted: end\n    after: {1s: end}\n"),
       "error: a budget must be int, but this is string [type]"},
      {with_s("    budget: 2\n    exhausted: end\n    always: end\n"),
       "its 'always' would be taken before"},
      {with_s("    always: end\n    states: {x: {type: final, outcome: failed}}\n"),
       "t.yaml:9:40: error: 'outcome' and 'output' belong to final states at the top"},
      {with_states("  e2: {type: final, outcome: succeded}\n"), "did you mean 'succeeded'?"},
      {with_states("  e2: {type: final, on: {x: end}}\n"), "error: a final state has no key 'on'"},
      {with_s("    always: {gaurd: \"true\", target: end}\n"), "did you mean 'guard'?"},
      {with_s("    always: [end, failed]\n"), "t.yaml:8:19: warning: this branch is never tried"},
      {with_s("    always: {guard: data.n > 0}\n"), "a transition under 'always' needs a target"},
      {with_s("    always: {actions: {assign: {n: data.n + 1}}}\n"), "it would be taken for ever"},
      {with_s("    on: {\"a..b\": end}\n"), "t.yaml:8:10: error: 'a..b' is no event descriptor"},
  });
}

TEST_CASE("expressions are compiled and typed, with places inside them", "[loader][errors]") {
  check({
      {with_s("    always: [{guard: data.m > 0, target: end}, end]\n"), "t.yaml:8:"},
      {with_s("    always: [{guard: data.m > 0, target: end}, end]\n"),
       "did you mean 'n'? [expression]"},
      {with_s("    always: [{guard: dat.n > 0, target: end}, end]\n"), "t.yaml:8:22: error: "},
      {with_s("    always: [{guard: data.n, target: end}, end]\n"),
       "t.yaml:8:22: error: a guard must be bool, but this is int [type]"},
      {with_s("    always: [{guard: \"${data.n > 0}\", target: end}, end]\n"),
       "error: a guard is a CEL expression already; write it without ${} [expression]"},
      {with_s("    always: [{guard: result.x, target: end}, end]\n"), "t.yaml:8:22: error: "},
      {with_s("    always: [{guard: \"In('ennd')\", target: end}, end]\n"), "[expression]"},
      {with_s("    always:\n      - guard: |\n          data.n > 0 &&\n          daat.n < 2\n      "
              "  target: end\n      - end\n"),
       "t.yaml:11:11: error: "},
      {with_s("    entry: {assign: {m: 1}}\n    always: end\n"),
       "t.yaml:8:22: error: data has no field 'm'; did you mean 'n'? [unknown-field]"},
      {with_s("    entry: {assign: {n: \"'x'\"}}\n    always: end\n"),
       "t.yaml:8:25: error: data.n must be int, but this is string [type]"},
      {with_s("    entry: {assgin: {n: 1}}\n    always: end\n"), "did you mean 'assign'?"},
      {with_s("    entry: {raise: done.state.s}\n    always: end\n"),
       "t.yaml:8:20: error: events 'done.*' come from the engine; give this one another name"},
      {with_s("    entry: {send: {event: answer.approve.g}}\n    always: end\n"),
       "events 'answer.*' come from"},
      {with_s("    entry: {if: [{actions: []}, {guard: \"true\"}]}\n    always: end\n"),
       "only the last branch of 'if' may lack a guard"},
      {with_s("    title: t\n    note: \"${data.m}\"\n    verdict: passed\n    always: end\n"),
       "t.yaml:9:"},
      {with_s("    title: \"t ${data.n}\"\n    verdict: passed\n    always: end\n"), "t.yaml:8:"},
  });
}

TEST_CASE("invocations are checked against the kind's signature", "[loader][errors]") {
  const auto job = [](std::string_view invoke) {
    return with_s("    invoke: {" + std::string(invoke) +
                  "}\n    on: {done: end, error: failed}\n");
  };
  check({
      {job("job: git.statsu, with: {}"),
       "t.yaml:8:19: error: there is no job kind 'git.statsu'; did you mean 'git.status'? "
       "[unknown-kind]"},
      {job("with: {}"), "t.yaml:8:13: error: an invocation needs 'job' (a job kind) or 'machine'"},
      {job("job: shell, machine: m"), "an invocation has either 'job' or 'machine', not both"},
      {job("machine: m"), "t.yaml:8:23: error: there is no machine 'm'; write it under 'machines'"},
      {job("job: git.status"),
       "t.yaml:8:19: error: job 'git.status' needs the input 'repo' (string)"},
      {job("job: git.status, with: {rep: x, repo: y}"),
       "t.yaml:8:38: error: job 'git.status' has no input 'rep'; it has repo, depth, ratio; did "
       "you "
       "mean 'repo'? [unknown-field]"},
      {job("job: git.status, with: {repo: 5}"),
       "t.yaml:8:44: error: job 'git.status': repo: expected string, found int; quote it to mean "
       "text"},
      {job("job: git.status, with: {repo: x, depth: \"${params.repo}\"}"),
       "error: job 'git.status': depth must be int, but this is string [type]"},
      {job("job: git.status, with: {repo: \"a ${data.n} ${parms.repo}\"}"), "[expression]"},
      {job("job: exec, repeat: ask, with: {argv: [a, 1]}"), "argv[1]: expected string, found int"},
      {job("job: exec, repeat: ask, with: {argv: a}"), "expected list<string>, found string"},
      {job("job: shell, repeat: ask, with: {script: \"rm ${params.repo}\"}"),
       "error: a script must not hold ${...}: pass the value through 'env' and read $NAME; write "
       "$${NAME} for the shell's own braces [script-interpolation]"},
      {job("job: shell, with: {script: make}"), "t.yaml:8:13: warning: this script does not say"},
      {job("job: git.branch, with: {repo: x, name: y}"),
       "t.yaml:8:13: error: 'repeat: probe' needs 'probe:"},
      {job("job: git.branch, repeat: safe, with: {repo: x, name: y}"),
       "job 'git.branch' is not safe to repeat, and a definition cannot make it so"},
      {job("job: git.branch, with: {repo: x, name: y}, probe: {job: log.scan, with: {text: x}}"),
       "job 'log.scan' cannot probe: its result has no field 'verdict'"},
      {job("job: git.status, with: {repo: x}, probe: {job: git.probe, with: {repo: x}}"),
       "'probe' goes with 'repeat: probe'"},
      {job("job: git.status, with: {repo: x}, needs: {}"), "error: 'needs' names no resource"},
      {job("job: git.status, with: {repo: x}, needs: {exclusive: true}"),
       "error: 'needs' names no resource"},
      {job("job: git.status, with: {repo: x}, needs: {gpu: 0}"), "'gpu' must be an int from 1"},
      {job("job: git.status, with: {repo: x}, needs: {GPU: 1}"),
       "'GPU' is no name for a resource; write one word in lower case, such as gpu"},
      {job("job: log.scan, with: {text: x}, needs: {gpu: 1}"),
       "job 'log.scan' runs inside the engine and leases nothing"},
      {job("job: git.status, with: {repo: x}, host: h"), "'host': only local jobs are supported"},
      {job("job: log.scan, with: {text: x}, expect: {exit_code: 0}"),
       "job 'log.scan' runs inside the engine and has no log or exit code"},
      {job("job: git.status, with: {repo: x}, parse: {a: {regex: (x)}}"),
       "error: job 'git.status' has a result of its own and takes no 'parse'"},
  });
}

TEST_CASE("limits, retries, expectations and parse rules are checked", "[loader][errors]") {
  check({
      {with_shell("      timeout: 5\n"), "t.yaml:11:16: error: 'timeout': '5' is not a duration"},
      {with_shell("      timeout: {qeue: 5s}\n"), "did you mean 'queue'?"},
      {with_shell("      timeout: {start: 0s}\n"),
       "t.yaml:11:17: error: the timeout 'start' must be longer than nothing"},
      {with_shell("      timeout: {silence: 5}\n"), "'silence': '5' is not a duration"},
      {with_shell("      repeat: sfe\n"),
       "'repeat' must be safe, probe or ask, not 'sfe'; did you mean 'safe'?"},
      {with_shell("      retry: {infra: {backoff: 1s}}\n"),
       "t.yaml:11:22: error: a retry rule needs 'max'"},
      {with_shell("      retry: {infar: {max: 1}}\n"), "did you mean 'infra'?"},
      {with_shell("      retry: {max: -1}\n"), "'max' must be an int from 0 to 1000"},
      {with_shell("      retry: {max: 1, jitter: 2}\n"), "'jitter' must be from 0.0 to 1.0"},
      {with_shell("      retry: {lost: {max: 1}}\n"),
       "an attempt that was lost is retried under 'repeat: safe' only"},
      {with_shell("      output_max: big\n"),
       "'output_max' must be a number of bytes such as 64MiB"},
      {with_shell("      expect: {exit_code: 300}\n"), "must be an int from 0 to 255"},
      {with_shell("      expect: {log_holds: x}\n"), "'expect' has no key 'log_holds'"},
      {with_shell("      parse: {a: {type: bool, regex: (x)}}\n"),
       "a parsed value is double, int or string, not bool"},
      {with_shell("      parse: {a: {regex: x, pointer: /x}}\n"), "either 'regex' or 'pointer'"},
      {with_shell("      parse: {a: {regex: \"(x\"}}\n"), "t.yaml:11:26: error: "},
      {with_shell("      parse: {a: {regex: \"[(]x\\\\(\"}}\n"), "captures nothing"},
      {with_shell("      parse: {a: {pointer: x}}\n"), "a JSON pointer begins with '/'"},
      {with_shell("      secrets: KEY\n"), "'secrets' must be a list of names, not text"},
      {with_shell("      retires: 3\n"), "this invocation has no key 'retires'"},
  });
}

TEST_CASE("gates are checked", "[loader][errors]") {
  const auto gate = [](std::string_view invoke, std::string_view on) {
    return with_s("    invoke: {job: gate, with: {question: q}" + std::string(invoke) +
                  "}\n    on: {" + std::string(on) + "}\n");
  };
  check({
      {gate("", "done: end"),
       "t.yaml:9:10: error: a gate ends with an answer; write 'answer.approve'"},
      {gate("", "error: end"), "a gate has no error"},
      {gate("", "answer.aprove: end"),
       "t.yaml:9:10: error: the gate of state 's' has no answer 'aprove'; name it in 'options'; "
       "did you "
       "mean 'approve'?"},
      {gate("", ""), "t.yaml:7:3: error: nothing handles an answer to the gate of state 's'"},
      {gate("", "answer.approve: end"),
       "t.yaml:7:3: error: a person may answer the gate of state 's' with reject, waive, which "
       "nothing "
       "handles; add it, or 'answer' last for all the others [missing-answer]"},
      {gate("", "answer: {guard: result.actor == 'ada', target: end}"),
       "t.yaml:9:18: error: when no guard holds, 'answer.approve' of state 's' goes nowhere"},
      {gate(", who: []", "answer: end"), "nobody may answer this gate"},
      {gate(", options: [approve]", "answer: end"),
       "every gate has the answers approve, reject and waive"},
      {gate(", expiry: {after: 1d}", "answer: end"), "'expiry' needs 'answer'"},
      {gate(", expiry: {after: 1d, answer: rejct}", "answer: end"), "did you mean 'reject'?"},
      {gate(", quorum: 2", "answer: end"), "'quorum': only signed answers could be counted"},
      {gate(", signed: true", "answer: end"), "[gate-unsigned]"},
      {gate(", not_author: true", "answer: end"), "'not_author': only signed answers tell people"},
      {gate(", timeout: 5s", "answer: end"), "'timeout': a gate has 'expiry: {after, answer}'"},
      {gate(", needs: {gpu: 1}", "answer: end"), "'needs': a gate leases nothing"},
      {gate(", expiry: {after: 0s, answer: reject}", "answer: end"), "[gate-unanswerable]"},
      {gate(", reminder: 0s", "answer: end"), "'reminder' must be longer than nothing"},
      {gate(", reminder: 2d, expiry: {after: 1d, answer: reject}", "answer: end"),
       "warning: the gate expires before its first reminder"},
      {with_s("    invoke: {job: gate}\n    on: {answer: end}\n"), "a gate asks something"},
  });
}

TEST_CASE("invocations of machines are checked", "[loader][errors]") {
  const auto machine = [](std::string_view invoke) {
    return with_s("    invoke: {machine: m" + std::string(invoke) +
                  "}\n    on: {done: end, error: failed}\n") +
           "machines:\n  m:\n    params: {a: string, b: {type: int, default: 1}}\n"
           "    states: {x: {type: final}}\n";
  };
  check({
      {machine(""), "t.yaml:8:23: error: machine 'sample/m' needs the input 'a' (string)"},
      {machine(", with: {a: x, c: 1}"), "machine 'sample/m' has no input 'c'; it has a, b"},
      {machine(", with: {a: x}, as: a"), "'as' goes with 'each'; add it"},
      {machine(", each: \"${[1, 2]}\", as: a"),
       "'each' must be list<string> to fit machine 'sample/m', but this is list<int>"},
      {machine(", each: [a], as: a"), "'each' must be one ${expression}"},
      {machine(", with: {a: x}, needs: {gpu: 1}"),
       "'needs': a machine leases nothing itself; write 'needs' at the jobs inside it [needs]"},
      {machine(", with: {a: x}, timeout: 1h"), "'timeout': a machine has no limit of its own"},
      {machine(", with: {a: x}, retry: 2"), "'retry': a machine is not tried again"},
      {machine(", each: \"${['x']}\""), "'each' needs 'as'"},
      {machine(", each: \"${['x']}\", as: c, with: {a: x}"), "machine 'sample/m' has no param 'c'"},
      {machine(", each: \"${['x']}\", as: a, join: some"), "'some' is no way to join"},
      {machine(", each: \"${['x']}\", as: a, join: n"), "'join: n' and 'join_count' go together"},
      {machine(", each: \"${['x']}\", as: a, concurrency: 0"), "must be an int from 1 to 1000"},
      {machine(", each: \"${['x', parms.y]}\", as: a"),
       "t.yaml:8:41: error: undeclared variable 'parms'"},
  });
  const std::string cycle =
      "checkride: 1\nworkflow: w\nstates:\n  s: {invoke: {machine: m}, on: {done: e, error: e}}\n"
      "  e: {type: final}\nmachines:\n  m:\n    states:\n"
      "      s: {invoke: {machine: m}, on: {done: e, error: e}}\n      e: {type: final}\n";
  check({{cycle, "t.yaml:9:29: error: machine 'm' would invoke itself without end"}});
  check({{with_states("") + "machines: {u: {states: {x: {type: final}}}}\n",
          "warning: nothing invokes the machine 'u' [unreachable]"}});
}

TEST_CASE("undo is for the top workflow and for states that did something", "[loader][errors]") {
  const std::string undo = "undo: {job: git.status, with: {repo: x}}";
  check({
      {with_s("    always: end\n    " + undo + "\n"),
       "t.yaml:9:11: error: state 's' invokes nothing"},
      {with_s("    invoke: {machine: m}\n    on: {done: end, error: end}\n") +
           "machines:\n  m:\n    states:\n      x: {invoke: {job: git.status, with: {repo: x}}, " +
           undo + ", on: {done: y, error: y}}\n      y: {type: final}\n",
       "error: 'undo' works in a workflow started by itself only"},
  });
  const auto d = load_good(with_s("    invoke: {job: git.status, with: {repo: x}}\n    " + undo +
                                  "\n    on: {done: end, error: end}\n"));
  REQUIRE(spec_of(*d, "s").undo);
  CHECK(spec_of(*d, "s").undo->signature.name == "git.status");
}

TEST_CASE("everything that is wrong is said at once, in the order of the document",
          "[loader][errors]") {
  const LoadResult result =
      load(with_states("  a: {always: x1}\n"
                       "  b: {always: x2}\n"
                       "  c: {invoke: {job: nope}, on: {done: end, error: x3}}\n"));
  REQUIRE(result.diagnostics.size() == 4);
  std::vector<std::uint32_t> lines;
  for (const LoadDiagnostic& d : result.diagnostics) lines.push_back(d.place.line);
  CHECK(lines == std::vector<std::uint32_t>{7, 8, 9, 9});
}

TEST_CASE("damaged documents are refused or loaded, never more", "[loader][errors]") {
  const std::string whole =
      with_shell("      parse: {a: {type: int, regex: \"a ([0-9]+)\"}}\n") +
      "machines:\n  m:\n    params: {a: string}\n    states: {x: {type: final}}\n"
      "title: 'x ${params.repo}'\n";
  const std::string_view pieces[] = {
      "",   "{", "}", "[",   ":",           "\n",  "  ", "'",   "\"",       "${",
      "- ", "#", "s", "end", "type: final", "&a ", "*a", "|\n", "\xC3\xA9", "\xFF"};
  std::uint64_t seed = 20261121;
  const auto random = [&](std::size_t below) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(seed >> 33) % below;
  };
  for (int round = 0; round < 3000; ++round) {
    std::string text = whole;
    const std::size_t edits = 1 + random(3);
    for (std::size_t i = 0; i < edits; ++i)
      text.replace(random(text.size()), random(12), pieces[random(std::size(pieces))]);
    const LoadResult result = load(text);
    INFO(text);
    bool error = false;
    for (const LoadDiagnostic& d : result.diagnostics) {
      error = error || d.severity == LoadDiagnostic::Severity::error;
      CHECK((d.place.line >= 1 && d.place.column >= 1));
    }
    CHECK(error == (result.definition == nullptr));
  }
}

TEST_CASE("a flood of findings is cut off and says so", "[loader][errors]") {
  std::string states;
  for (int i = 0; i < 300; ++i) states += "  s" + std::to_string(i) + ": {always: nowhere}\n";
  const LoadResult result = load(with_states(states));
  CHECK(result.diagnostics.size() == diagnostics_max + 1);
  CHECK(result.diagnostics.back().message ==
        "at least 100 more findings are left out; fix these first");
}

}  // namespace
}  // namespace checkride::test

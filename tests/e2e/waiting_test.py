#!/usr/bin/env python3
"""What runs wait for beside jobs and people: messages, units of resources, limits, a pause."""

import json
import time

from harness import FAILED, OK, USAGE, WAITING, case, check, contains, equal, main

MESSAGES = """checkride: 1
workflow: release
messages:
  out: {type: {tag: string}, ttl: 1h, title: A release is out}
states:
  build:
    title: build
    invoke: {job: shell, repeat: safe, with: {script: "true"}}
    on: {done: wait, error: bad}
  wait:
    title: wait for the release
    on:
      message.out:
        - {guard: "event.data.tag == 'v2'", target: good, verdict: passed, note: "${event.data.tag}"}
  good: {type: final}
  bad: {type: final, outcome: failed}
"""

BELOW = """checkride: 1
workflow: tree
states:
  all:
    invoke: {machine: part, each: "${['one', 'two']}", as: name, concurrency: 2}
    on: {done: one, error: bad}
  one:
    invoke: {machine: other}
    on: {done: good, error: bad}
  good: {type: final}
  bad: {type: final, outcome: failed}
machines:
  part:
    params: {name: string}
    messages: {go: }
    states:
      ready: {on: {message.go: fine}}
      fine: {type: final}
  other:
    messages: {last: {type: int}}
    states:
      ready: {on: {message.last: {guard: event.data == 3, target: fine}}}
      fine: {type: final}
"""

ASKING = """checkride: 1
workflow: asking
states:
  all:
    invoke: {machine: part, each: "${['one', 'two']}", as: name, concurrency: 2}
    on: {done: good, error: bad}
  good: {type: final}
  bad: {type: final, outcome: failed}
machines:
  part:
    params: {name: string}
    states:
      ask: {invoke: {job: gate, with: {question: "Is ${params.name} right?"}}, on: {answer.approve: fine, answer: wrong}}
      fine: {type: final}
      wrong: {type: final, outcome: failed}
"""

GPUS = """checkride: 1
workflow: bench
params: {go: {type: path}, log: {type: path}}
states:
  measure:
    invoke:
      job: shell
      repeat: safe
      needs: {gpu: 1}
      timeout: {queue: 1h, start: 5m}
      with:
        script: 'echo "$CHECKRIDE_RUN $CUDA_VISIBLE_DEVICES" >> "$LOG"; until [ -e "$GO" ]; do sleep 0.05; done'
        env: {GO: "${params.go}", LOG: "${params.log}"}
    on: {done: good, error: bad}
  good: {type: final}
  bad: {type: final, outcome: failed}
"""

LIMITS = """checkride: 1
workflow: limits
params: {gpus: {type: int, default: 0}}
states:
  quiet:
    title: quiet
    invoke:
      job: shell
      repeat: safe
      timeout: {silence: 300ms, run: 1h}
      with: {script: "echo begun; sleep 600"}
    on:
      done: bad
      error: [{guard: "error.class == 'timeout' && error.?limit.orValue('') == 'silence'", target: never, verdict: warned}, {target: bad}]
  never:
    title: never
    invoke:
      job: shell
      repeat: safe
      needs: {gpu: 64}
      with: {script: "true"}
    on:
      done: bad
      error: [{guard: "error.class == 'unavailable'", target: good}, {target: bad}]
  good: {type: final}
  bad: {type: final, outcome: failed}
"""


def wait_until(holds, what, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        check(time.monotonic() < end, "it never happened:", what)
        time.sleep(0.05)


def write(place, name, text):
    path = place.folder / name
    path.write_text(text, encoding="utf-8")
    return path


@case
def a_message_moves_the_run_that_waits_for_it(place):
    workflow = write(place, "release.yaml", MESSAGES)
    place.checkride("run", workflow, "--id", "r").must(WAITING)
    inbox = place.checkride("inbox", "--json").must(WAITING).json()["questions"]
    equal([(q["type"], q["message"]) for q in inbox], [("message", "out")], "the inbox")
    contains(place.checkride("ls").must(OK).out, "a message", "what the list says")
    contains(place.checkride("status", "r").must(OK).out, "listens to the message out", "the status")

    wrong = place.checkride("signal", "r", "uot", "--why", "x").must(FAILED)
    contains(wrong.err, "did you mean 'out'?", "what is said about an unknown message")
    contains(place.checkride("signal", "r", "out", "--why", "x").must(FAILED).err, "must be {tag: string}",
             "what is said about missing data")
    place.checkride("signal", "r", "out", "--data", "no json", "--why", "x").must(USAGE)
    place.checkride("signal", "r", "out", "--data", '{"tag": "v1"}', "--why", "an old one").must(WAITING)
    equal([m["message"] for m in place.status("r")["messages"]], ["out"], "the message that waits")
    place.checkride("signal", "r", "out", "--data", '{"tag": "v2"}', "--why", "it is out").must(OK)
    history = place.checkride("history", "r").must(OK).out
    for event in ("MessageReceived", "MessageConsumed", "MessageExpired"):
        contains(history, event, "the history")
    contains(place.checkride("why", "r@wait").must(OK).out, "event.data.tag", "why it went on")
    late = place.checkride("signal", "r", "out", "--data", '{"tag": "v2"}', "--why", "x").must(FAILED)
    contains(late.err, "has ended succeeded", "what an ended run says")
    check(place.checkride("replay", "r", "--json").must(OK).json()["same"], "it replays the same")
    equal(place.checkride("verify", "--json").must(OK).json()["problems"], [], "what verify finds")


@case
def a_message_finds_the_run_below_that_takes_it(place):
    place.checkride("run", write(place, "tree.yaml", BELOW), "--id", "r").must(WAITING)
    several = place.checkride("signal", "r", "go", "--why", "x").must(USAGE)
    contains(several.err, "several runs below 'r' take the message 'go'", "what is said about two of them")
    children = [run["run"] for run in place.checkride("ls", "--all", "--json").json()["runs"]
                if run["run"] != "r"]
    equal(len(children), 2, "children")
    place.checkride("signal", children[0], "go", "--why", "by name").must(WAITING)
    place.checkride("signal", "r", "go", "--why", "the only one left").must(WAITING)
    contains(place.checkride("signal", "r", "go", "--why", "x").must(FAILED).err, "declares no message 'go'",
             "what is said when nobody takes it")
    place.checkride("signal", "r", "last", "--data", "3", "--why", "typed by the child").must(OK)
    equal(place.status("r")["outcome"], "succeeded", "the outcome")


@case
def gates_of_one_name_in_several_children_are_told_apart(place):
    place.checkride("run", write(place, "asking.yaml", ASKING), "--id", "r").must(WAITING)
    one, two = sorted(question["run"] for question in place.questions())
    tokens = {question["run"]: question["gate"] for question in place.questions()}
    for which in ([], ["ask"]):
        refused = place.checkride("answer", "r", *which, "--approve").must(USAGE).err
        contains(refused, tokens[one], "what is said")
        contains(refused, tokens[two], "what is said")
    place.checkride("answer", two, "--approve").must(WAITING)
    contains(place.checkride("answer", two, "--approve").must(USAGE).err, "no gate", "a second answer")
    equal([question["run"] for question in place.questions()], [one], "the gate that is left")
    place.checkride("answer", "r", tokens[one], "--approve").must(OK)
    place.sound()


@case
def runs_wait_for_a_gpu_that_another_holds(place):
    workflow = write(place, "bench.yaml", GPUS)
    log = place.folder / "log"
    go = [place.folder / "go1", place.folder / "go2"]
    env = {"CHECKRIDE_LOCKS": str(place.folder / "locks")}

    def begin(run, number):
        return place.begin("--resource", "gpu=1", "run", workflow, "--id", run, "-p", f"go={go[number]}",
                           "-p", f"log={log}", env=env, output=f"{run}.out")

    first = begin("one", 0)
    wait_until(lambda: log.exists(), "the first job")
    second = begin("two", 1)
    try:
        def words():
            status = place.checkride("status", "two", env=env)
            return status.out if status.code == OK else ""
        wait_until(lambda: "waits for gpu, held by one measure" in words(), "the second waits")
        doctor = place.checkride("doctor", "--json", env=env).json()["resources"]
        equal([(r["resource"], r["unit"], r["declared"], r["holder"]["run"], r["holder"]["state"], r["locked"])
               for r in doctor], [("gpu", "0", True, "one", "measure", True)], "what doctor says of resources")
        contains(place.checkride("doctor", env=env).out, "gpu 0: held by one measure", "the same in words")
        equal(log.read_text(encoding="utf-8"), "one 0\n", "who ran")
        go[0].touch()
        wait_until(lambda: "two 0\n" in log.read_text(encoding="utf-8"), "the second job")
        go[1].touch()
        equal(second.wait(60), OK, "the second run")
        equal(first.wait(60), OK, "the first run")
    finally:
        for path in go:
            path.touch()
        for process in (first, second):
            if process.poll() is None:
                process.terminate()
            process.wait(60)
    events = [event["type"] for event in place.events("two")]
    equal(events.count("LeaseGranted"), 1, "grants")
    equal(events.count("LeaseReleased"), 1, "releases")
    for run in ("one", "two"):
        check(place.checkride("replay", run, "--json").must(OK).json()["same"], "it replays the same")
    equal(place.checkride("verify", "--json").must(OK).json()["problems"], [], "what verify finds")
    free = place.checkride("doctor", "--json", env=env).json()["resources"]
    equal([(r["unit"], "holder" in r, r["locked"]) for r in free], [("0", False, False)], "and when all is over")
    contains((place.store / "resources").read_text(encoding="utf-8"), "gpu = 1", "the store's resources")


@case
def limits_name_themselves_and_needs_that_cannot_be_met_say_so(place):
    workflow = write(place, "limits.yaml", LIMITS)
    reply = place.checkride("--resource", "gpu=2", "run", workflow, "--id", "r")
    outcomes = [event["outcome"] for event in place.events("r") if event["type"] == "JobFinished"]
    equal([(o["failure"], o.get("limit")) for o in outcomes],
          [("timeout", "silence"), ("unavailable", None)], f"how the jobs ended ({reply})")
    contains(outcomes[0]["message"], "silence timeout of 300ms", "the first job's message")
    contains(outcomes[1]["message"], "it needs 64 of the resource 'gpu', and this store has 2",
             "the second job's message")
    place.checkride("--resource", "gpu", "run", workflow).must(USAGE)
    contains(place.checkride("--resource", "gpu=3", "ls").must(USAGE).err, "`ls` keeps nothing",
             "what is said about a declaration that would be lost")


@case
def a_paused_run_goes_on_where_it_was(place):
    workflow = write(place, "bench.yaml", GPUS.replace("      needs: {gpu: 1}\n", ""))
    log, go = place.folder / "log", place.folder / "go"
    run = place.begin("run", workflow, "--id", "r", "-p", f"go={go}", "-p", f"log={log}")
    try:
        wait_until(lambda: log.exists(), "the job")
        place.checkride("pause", "r", "--why", "lunch").must(OK)
        contains(place.checkride("status", "r").must(OK).out, "lunch", "the status")
        go.touch()
        equal(run.wait(60), WAITING, "the run that was paused")
    finally:
        go.touch()
        if run.poll() is None:
            run.terminate()
        run.wait(60)
    equal(place.status("r")["outcome"], "none", "its end waits")
    place.checkride("resume", "r").must(OK)
    equal(place.status("r")["outcome"], "succeeded", "the outcome")


@case
def with_json_every_line_names_its_event_and_the_last_one_the_end(place):
    place.make("base", "--package-where-expected")
    lines = [json.loads(line) for line in place.start("--json").must(WAITING).out.splitlines()]
    check(all(line["type"] for line in lines[:-1]), "a line without a type:", lines)
    given = {line["state"]: line["verdict"] for line in lines[:-1] if line["type"] == "VerdictGiven"}
    equal((given["clean"], given["apply"]), ("passed", "warned"), "verdicts among the lines")
    end = lines[-1]
    equal((end["run"], end["activity"], end["gates"]), ("r", "waiting", 1), "the last line")
    lines = [json.loads(line) for line in
             place.checkride("cancel", "r", "--why", "enough", "--json").must(FAILED).out.splitlines()]
    equal((lines[-1]["activity"], lines[-1]["outcome"]), ("finished", "cancelled"), "the last line")
    equal(place.checkride("resume", "r", "--json").must(FAILED).json()["outcome"], "cancelled", "resume")


if __name__ == "__main__":
    main()

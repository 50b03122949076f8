#!/usr/bin/env python3
"""Wrong usage, missing tools, a damaged or occupied store: one clear sentence and the right exit code."""

import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time

from harness import (CHECKRIDE, ENGINE, FAILED, OK, USAGE, WAITING, case, check, contains, equal, main)

ONE = ["03-state-tracker"]

BAD_DEFINITION = """checkride: 1
workflow: bad
states:
  first:
    invoke:
      job: no.such.kind
      with: {}
    on: {done: last, error: last}
  last: {type: final}
"""

SLOW_DEFINITION = """checkride: 1
workflow: slow
states:
  wait:
    invoke:
      job: shell
      repeat: safe
      with: {script: 'while [ ! -e "$GO" ]; do sleep 0.05; done', env: {GO: "${params.go}"}}
    on: {done: ask, error: bad}
  ask:
    invoke:
      job: gate
      with: {question: "Go on?"}
    on: {answer.approve: good, answer: bad}
  good: {type: final}
  bad: {type: final, outcome: failed}
params:
  go: {type: path}
"""


def refused(reply, code, *words):
    reply.must(code)
    text = reply.err + reply.out
    check(text.strip(), "it said nothing:", reply)
    for word in words:
        contains(text, word, f"what it said to {reply.arguments}")
    check("Traceback" not in text and "terminate called" not in text, "a crash:", reply)


@case
def a_command_line_that_cannot_be_read_is_one_line_with_a_hint(place):
    refused(place.checkride("statsu"), USAGE, "statsu", "did you mean 'status'?", "checkride --help")
    refused(place.checkride("run", "gh200-rebase", "--dryrun"), USAGE, "--dryrun", "'--dry-run'")
    refused(place.checkride("ls", "nonsense"), USAGE, "checkride ls", "nonsense")
    refused(place.checkride("history", "r", "--from", "-1"), USAGE, "--from")
    elsewhere = place.folder / "elsewhere"
    contains(place.checkride("ls", "--store", elsewhere).must(OK).out, str(elsewhere), "it named")


@case
def wrong_parameters_are_usage_errors_and_start_nothing(place):
    place.make()
    refused(place.start("-p", "no_such=1"), USAGE, "no_such")
    refused(place.start("-p", "nonsense"), USAGE, "nonsense")
    refused(place.start("-p", "strip=many"), USAGE, "strip")
    refused(place.start("-p", "strip=1", "-p", "strip=2"), USAGE, "strip", "twice")
    refused(place.checkride("run", "gh200-rebase", "--id", "r"), USAGE, "repo")
    refused(place.start("-p", "python=py\udcff"), USAGE, "parameter 'python' is not UTF-8")
    refused(place.start("--as", "a\udcffda"), USAGE, "--as", "not UTF-8")
    refused(place.checkride("run", "no-such-workflow"), USAGE, "no-such-workflow")
    refused(place.start("--params", place.folder), USAGE, "Is a directory")
    refused(place.start("--rehearse", place.folder), USAGE, "Is a directory")
    refused(place.checkride("test", "gh200-rebase", place.folder), USAGE, "Is a directory")
    refused(place.checkride("import-scxml", place.folder), USAGE, "Is a directory")
    refused(place.checkride("no-such-verb"), USAGE, "")
    refused(place.checkride("run", "gh200-rebase", "--id", "not/an id", "-p", f"repo={place.fork}"), USAGE)
    refused(place.start(run="release-2.1"), USAGE, "child runs")
    equal(place.checkride("ls", "--json").must(OK).json()["runs"], [], "runs")


@case
def a_repository_that_is_none_ends_the_run_failed(place):
    (place.folder / "empty").mkdir()
    refused(place.start(repo=place.folder / "empty"), FAILED)
    report = place.checkride("report", "r").must(OK).out
    contains(report, "❌", "the report")
    place.sound()


@case
def unknown_runs_and_states_are_usage_errors_with_a_hint(place):
    place.make()
    for verb in ("status", "history", "report", "logs", "why", "replay", "verify", "show", "resume",
                 "cancel"):
        check(place.checkride(verb, "nobody").code == USAGE, "before any store there is:",
              place.checkride(verb, "nobody"))
    place.start(run="rebase-one", patches=ONE).must(WAITING)
    for verb in ("status", "history", "report", "logs", "why", "replay", "verify", "show", "resume",
                 "cancel"):
        refused(place.checkride(verb, "rebasse-one"), USAGE, "rebasse-one")
    refused(place.checkride("answer", "nobody", "merge", "--approve"), USAGE, "nobody")
    refused(place.checkride("why", "rebase-one", "no_such_state"), USAGE, "no_such_state")
    refused(place.checkride("show", "rebase-one@999999"), USAGE, "999999")
    reply = place.checkride("status", "nobody", "--json").must(USAGE)
    contains(str(reply.json()), "nobody", "the error as JSON")


@case
def a_second_start_under_the_same_id_is_refused(place):
    place.make()
    place.start(patches=ONE).must(WAITING)
    reply = place.start(patches=ONE)
    check(reply.code in (FAILED, USAGE), "the second start:", reply)
    equal(place.gates(), ["review"], "open gates")


@case
def without_git_the_run_fails_and_says_so(place):
    place.make()
    tools = place.folder / "bin"
    tools.mkdir()
    for program in ("sh", "env", "python3", "cat", "uname"):
        if shutil.which(program):
            (tools / program).symlink_to(shutil.which(program))
    reply = place.start(patches=ONE, env={"PATH": str(tools)})
    refused(reply, FAILED)
    contains(place.checkride("report", "r").must(OK).out, "git", "the report")
    doctor = place.checkride("doctor", env={"PATH": str(tools)})
    refused(doctor, ENGINE, "git")


@case
def verbs_go_through_the_process_that_owns_the_store(place):
    definition = place.folder / "slow.yaml"
    definition.write_text(SLOW_DEFINITION, encoding="utf-8")
    go = place.folder / "go"
    owner = place.begin("run", definition, "--id", "slow", "-p", f"go={go}")
    try:
        deadline = time.monotonic() + 60
        while place.checkride("status", "slow").code != OK:
            check(owner.poll() is None and time.monotonic() < deadline, "the owner did not start")
            time.sleep(0.05)
        # Another run, started by another process while the first one owns the store.
        other = place.folder / "other"
        other.touch()
        reply = place.checkride("run", definition, "--id", "quick", "-p", f"go={other}")
        reply.must(WAITING)
        check(owner.poll() is None, "the owner ended early")
        equal(place.gates("quick"), ["ask"], "open gates, read through the owner")
        place.answer("ask", run="quick").must(OK)
        equal(place.status("slow")["activity"], "running", "the first run meanwhile")
        go.touch()
        equal(owner.wait(60), WAITING, "the owner's exit code")
        place.answer("ask", run="slow").must(OK)
        place.sound("slow")
    finally:
        if owner.poll() is None:
            os.kill(owner.pid, signal.SIGKILL)
            owner.wait()
        go.touch()  # ends the job, whoever watches it


@case
def ctrl_c_leaves_the_job_running_and_resume_takes_it_over(place):
    definition = place.folder / "slow.yaml"
    definition.write_text(SLOW_DEFINITION, encoding="utf-8")
    go = place.folder / "go"
    owner = place.begin("run", definition, "--id", "slow", "-p", f"go={go}")
    try:
        deadline = time.monotonic() + 60
        while not list(place.store.glob("attempts/*/identity.json")):
            check(owner.poll() is None and time.monotonic() < deadline, "the job did not start")
            time.sleep(0.05)
        owner.send_signal(signal.SIGINT)
        equal(owner.wait(30), 130, "the exit code")
        equal(place.status("slow")["activity"], "interrupted", "the run")
        go.touch()
        place.checkride("resume", "slow").must(WAITING)
        equal(len(list(place.store.glob("attempts/*/identity.json"))), 1, "attempts")
        place.sound("slow")
    finally:
        if owner.poll() is None:
            os.kill(owner.pid, signal.SIGKILL)
            owner.wait()
        go.touch()


def flip_a_byte(path):
    """In the middle of what is not zero."""
    data = bytearray(path.read_bytes())
    at = len(data.rstrip(b"\0")) // 2
    data[at] ^= 0x20
    path.write_bytes(data)


@case
def a_damaged_log_is_noticed_and_never_read_past(place):
    place.make()
    place.start(patches=ONE).must(WAITING)
    good = place.folder / "good"
    shutil.copytree(place.store, good, symlinks=True)
    files = [path.relative_to(place.store) for path in sorted(place.store.rglob("*"))
             if path.is_file() and path.stat().st_size > 200 and
             (path.suffix in (".log", ".sst") and "attempts" not in path.parts)]
    check(files, "no data file in the store:", list(place.store.rglob("*"))[:40])
    noticed = 0
    for name in files:
        shutil.rmtree(place.store)
        shutil.copytree(good, place.store, symlinks=True)
        flip_a_byte(place.store / name)
        verified = place.checkride("verify")
        resumed = place.checkride("resume", "r")
        check(verified.code in (OK, ENGINE) and resumed.code in (WAITING, ENGINE),
              f"after a byte of {name} was changed:", verified, resumed)
        if verified.code == ENGINE:
            noticed += 1
            check((verified.err + verified.out).strip(), "nothing was said about", name)
    check(noticed > 0, "no damage was noticed in", files)


@case
def a_log_that_lost_its_newest_records_is_refused(place):
    place.make()
    place.start(patches=ONE).must(WAITING)
    older = place.folder / "older"
    shutil.copytree(place.store, older, symlinks=True)
    place.answer("review").must(WAITING)
    shutil.rmtree(place.store)
    shutil.move(older, place.store)
    reply = place.checkride("resume", "r")
    refused(reply, ENGINE)


@case
def a_machine_that_gives_nothing_ends_in_a_sentence(place):
    path = place.folder / "slow.yaml"
    path.write_text(SLOW_DEFINITION, encoding="utf-8")
    few = place.checkride("run", path, "-p", f"go={place.folder}",
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)))
    refused(few, ENGINE, "checkride: ")

    def nowhere():
        os.chdir(place.folder / "gone")
        os.rmdir(place.folder / "gone")
    (place.folder / "gone").mkdir()
    refused(place.checkride("--store", "here", "ls", preexec_fn=nowhere), USAGE, "'here'")


@case
def a_store_that_cannot_be_written_is_an_engine_error(place):
    place.make()
    blocker = place.folder / "blocker"
    blocker.write_text("a file", encoding="utf-8")
    refused(place.start(env={"CHECKRIDE_STORE": str(blocker / "store")}), ENGINE, "blocker")


@case
def a_store_without_its_identity_is_damaged_and_not_empty(place):
    place.make()
    place.start(patches=ONE).must(WAITING)
    (place.store / "store").unlink()
    for verb in ("ls", "status", "inbox", "verify"):
        refused(place.checkride(verb), ENGINE, "lacks its file 'store'")
    refused(place.start(run="s", patches=ONE), ENGINE, "lacks its file 'store'")


@case
def what_is_printed_to_closed_streams_does_not_end_up_in_the_store(place):
    definition = place.folder / "quick.yaml"
    definition.write_text(SLOW_DEFINITION, encoding="utf-8")
    (place.folder / "go").touch()

    def close_all():
        for stream in (0, 1, 2):
            os.close(stream)
    for run in ("a", "b", "c"):
        reply = place.checkride("run", definition, "--id", run, "-p", f"go={place.folder / 'go'}",
                                stdin=None, preexec_fn=close_all)  # pylint: disable=W1509
        equal(reply.code, WAITING, "the exit code with closed streams")
    for run in ("a", "b", "c"):
        place.sound(run)
    heads = list((place.folder / "state").glob("checkride-heads/*"))
    equal(len(heads), 1, "heads files")
    reply = place.checkride("ls").must(OK)
    equal(reply.err, "", "complaints about the store")


@case
def output_that_cannot_be_written_is_an_engine_error(place):
    place.make()
    place.start(patches=ONE).must(WAITING)
    for verb in (["report", "r"], ["history", "r", "--json"], ["ls"]):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([CHECKRIDE, *verb], env=place.env, stdin=subprocess.DEVNULL, stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        equal(done.returncode, ENGINE, f"{verb} to a full disk")
        contains(done.stderr.decode(), "could not be written", f"what {verb} said")
    # A reader that has seen enough is no failure.
    done = subprocess.run(["sh", "-c", f"'{CHECKRIDE}' history r --json; echo $? >&2"], env=place.env,
                          stdin=subprocess.DEVNULL, stdout=closed_pipe(), stderr=subprocess.PIPE, check=False)
    equal(done.stderr.decode().strip(), "0", "the exit code where nobody reads on")


def closed_pipe():
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@case
def a_run_that_the_owner_does_not_drive_is_interrupted(place):
    definition = place.folder / "slow.yaml"
    definition.write_text(SLOW_DEFINITION, encoding="utf-8")
    go = place.folder / "go"
    first = place.begin("run", definition, "--id", "left", "-p", f"go={go}", output="first.out")
    second = None
    try:
        place.until(lambda: list(place.store.glob("attempts/left.*/identity.json")), "the first job")
        second = place.begin("run", definition, "--id", "followed", "-p", f"go={go}", output="second.out")
        place.until(lambda: list(place.store.glob("attempts/followed.*/identity.json")), "the second job")
        equal({run: place.status(run)["activity"] for run in ("left", "followed")},
              {"left": "running", "followed": "running"}, "while both are followed")
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        place.until(lambda: place.status("followed")["activity"] == "running", "the second to take over")
        place.until(lambda: place.status("left")["activity"] == "interrupted", "the first to be interrupted")
        text = place.checkride("ls").must(OK).out
        contains(text, "`checkride resume`", "ls of a run that nobody drives")
        go.touch()
        equal(second.wait(60), WAITING, "the second run")
        place.checkride("resume", "left").must(WAITING)
        place.sound("left")
    finally:
        for owner in (first, second):
            if owner is not None and owner.poll() is None:
                os.kill(owner.pid, signal.SIGKILL)
                owner.wait()
        go.touch()


@case
def an_incident_ends_by_the_commands_that_inbox_prints(place):
    definition = place.folder / "asking.yaml"
    definition.write_text(SLOW_DEFINITION.replace("repeat: safe", "repeat: ask"), encoding="utf-8")
    go = place.folder / "go"
    result = place.folder / "result.json"
    result.write_text('{"exit_code": 0, "stdout": "", "stderr": "", "values": {}}', encoding="utf-8")
    for run, word, end in (("one", "--finished", WAITING), ("two", "--lost", FAILED)):
        owner = place.begin("run", definition, "--id", run, "-p", f"go={go}")
        try:
            place.until(lambda run=run: list(place.store.glob(f"attempts/{run}.*/identity.json")), "the job")
            identity = json.loads(next(place.store.glob(f"attempts/{run}.*/identity.json")).read_text("utf-8"))
            os.kill(identity["pid"], signal.SIGKILL)
            equal(owner.wait(60), WAITING, "the exit code after the supervisor died")
        finally:
            if owner.poll() is None:
                os.kill(owner.pid, signal.SIGKILL)
                owner.wait()
        incident = [question for question in place.questions(run) if question["type"] == "incident"][0]
        command = [way["command"] for way in incident["ways"] if word in way["command"]][0].split()
        command[command.index("--why") + 1] = "looked"
        command = [str(result) if part == "FILE" else part for part in command]
        check(len(command) > 5 and command[0] == "checkride", "no command to type:", command)
        wrong = [part if part != command[command.index(word) + 1] else f"{run}.999" for part in command]
        refused(place.checkride(*wrong[1:]), USAGE, "is not about the job")
        refused(place.checkride("resolve", run, "--retry", "--result", result, "--why", "x"), USAGE, "--finished")
        place.checkride(*command[1:]).must(end)
        place.sound(run)


@case
def lint_points_at_line_and_column(place):
    bad = place.folder / "bad.yaml"
    bad.write_text(BAD_DEFINITION, encoding="utf-8")
    refused(place.checkride("lint", bad), USAGE, f"{bad.name}:6:", "no.such.kind")
    first = place.checkride("lint", bad, "--json").must(USAGE).json()["definitions"][0]["diagnostics"][0]
    equal((first["line"], first["severity"]), (6, "error"), "the first finding")
    refused(place.checkride("run", bad), USAGE, "no.such.kind")
    broken = place.folder / "broken.yaml"
    broken.write_text("checkride: 1\nworkflow: [\n", encoding="utf-8")
    refused(place.checkride("lint", broken), USAGE, f"{broken.name}:")
    refused(place.checkride("lint", place.folder / "absent.yaml"), USAGE, "absent.yaml")
    (place.folder / "folder.yaml").mkdir()
    refused(place.checkride("run", place.folder / "folder.yaml"), USAGE, "folder.yaml")
    place.checkride("lint", "gh200-rebase").must(OK)
    for path in sorted(pathlib.Path(__file__).parents[2].glob("workflows/definitions/*.yaml")):
        if not path.name.endswith(".cases.yaml"):
            place.checkride("lint", path).must(OK)


main()

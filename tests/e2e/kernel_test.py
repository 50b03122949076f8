#!/usr/bin/env python3
"""GPU jobs by hand and in a procedure, on the CPU: five statuses, a process of their own, typed results."""

import json
import os
import pathlib
import signal
import time

from harness import FAILED, OK, USAGE, case, check, contains, equal, main

JOBS = ["bw.device", "determinism", "device.query", "gemm.tensor", "kernel.inspect", "latency.measure", "mem.pattern",
        "ncu.parse", "ncu.run", "perf.compare", "proc.measure", "quant.e4m3", "sanitizer.parse", "sanitizer.run",
        "sdpa.forward", "tensor.compare"]
SHARED = {"job", "job_version", "status", "reasons", "message", "backend", "perf_valid", "seed", "params_sha256",
          "t_start_ns", "t_end_ns", "artifacts"}
FLAKY = """
checkride: 1
workflow: flaky
params: {backend: {type: string, default: cpu}}
states:
  same:
    title: The same bits
    invoke: {job: determinism, with: {subject: flaky, runs: 200, cross_process: false, backend: "${params.backend}"}}
    on:
      done:
        - {guard: 'result.status == "pass" && result.unique_hashes == 1', target: right}
        - {target: wrong, verdict: failed, note: "${result.unique_hashes} results on ${result.backend}, first at ${string(result.?first_divergent_run.orValue(0))}"}
      error: {target: unknown, verdict: skipped, note: "${error['class']}: ${error.message}"}
  right: {type: final}
  wrong: {type: final, outcome: failed}
  unknown: {type: final, outcome: failed}
"""


def report_of(place, *arguments, code):
    return place.checkride("kernel", "run", *arguments, "--json").must(code).json()


@case
def every_job_is_listed_with_what_it_takes_and_gives(place):
    jobs = place.checkride("kernel", "list", "--json").must(OK).json()["jobs"]
    equal([job["name"] for job in jobs], JOBS, "the jobs")
    for job in jobs:
        contains(place.checkride("kernel", "list", job["name"]).must(OK).out, job["title"], job["name"])
        contains(job["result"], "perf_valid: bool", f"the result of {job['name']}")


@case
def a_pass_a_fail_and_no_answer_are_told_apart(place):
    right = report_of(place, "sdpa.forward", "-p", "seq=64", "-p", "backend=cpu", code=OK)
    check(SHARED <= right.keys(), "missing:", SHARED - right.keys())
    equal((right["status"], right["backend"], right["perf_valid"], right["reasons"]), ("pass", "cpu", False, []), "a pass")
    wrong = report_of(place, "determinism", "-p", "subject=flaky", "-p", "runs=200", "-p", "backend=cpu",
                      "-p", "cross_process=false", code=FAILED)
    equal(wrong["status"], "fail", "a fault in 3 % of the runs")
    check(wrong["reasons"] and wrong["unique_hashes"] > 1, "no reason:", wrong)
    error = report_of(place, "sdpa.forward", "-p", "dtype=f11", code=FAILED)
    equal((error["status"], error["reasons"]), ("error", ["invalid_input"]), "a type that does not exist")
    text = place.checkride("kernel", "run", "sdpa.forward", "-p", "seq=64", "-p", "backend=cpu").must(OK).out
    contains(text, "sdpa.forward: pass (cpu", "the report for people")


@case
def inputs_that_do_not_fit_are_refused_before_anything_runs(place):
    for words, said in ((["sdpa.forwrd"], "did you mean 'sdpa.forward'"), (["sdpa.forward", "-p", "sq=3"], "takes no 'sq'"),
                        (["sdpa.forward", "-p", "seq=many"], "seq"), (["sdpa.forward", "-p", "seq"], "name=value"),
                        (["determinism"], "subject"), (["sdpa.forward", "-p", "backend=tpu"], "auto, cuda, cpu")):
        reply = place.checkride("kernel", "run", *words).must(USAGE)
        contains(reply.err, said, f"the refusal of {words}")


@case
def a_job_that_hangs_or_is_killed_becomes_a_report(place):
    late = report_of(place, "latency.measure", "-p", "subject=sdpa.forward", "-p", "backend=cpu", "--timeout", "1", code=FAILED)
    equal((late["status"], late["reasons"]), ("error", ["timeout"]), "a job past its time")
    program = place.begin("kernel", "run", "latency.measure", "-p", "subject=sdpa.forward", "-p", "backend=cpu", "--json")
    child = None
    while child is None and program.poll() is None:
        for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text().rsplit(")", 1)[1].split()
                words = (entry.parent / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if int(fields[1]) == program.pid and words[1:2] == [b"kernel-job"]:
                child = int(entry.parent.name)
        time.sleep(0.01)
    check(child is not None, "no process of the job was seen")
    os.kill(child, signal.SIGKILL)
    equal(program.wait(60), FAILED, "the exit code")
    killed = json.loads((place.folder / "program.out").read_text().strip().splitlines()[-1])
    equal((killed["status"], killed["reasons"]), ("error", ["killed"]), "a job that was killed")


def running(process):
    try:
        return process.joinpath("stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@case
def what_a_job_started_ends_with_the_person_s_patience(place):
    mark = place.folder / "mark"
    program = place.begin("kernel", "run", "proc.measure", "-p", f"script=echo $$ > {mark}; sleep 300 & sleep 300")
    while not mark.exists() or not mark.read_text().strip():
        check(program.poll() is None, "it ended by itself")
        time.sleep(0.01)
    program.send_signal(signal.SIGINT)
    equal(program.wait(30), -signal.SIGINT, "the exit code")
    shell = pathlib.Path("/proc", mark.read_text().strip())
    deadline = time.monotonic() + 10
    while running(shell):
        check(time.monotonic() < deadline, "its command goes on")
        time.sleep(0.01)


@case
def in_a_procedure_no_is_a_result_and_no_answer_is_none(place):
    path = place.folder / "flaky.yaml"
    path.write_text(FLAKY, encoding="utf-8")
    place.checkride("run", path, "--id", "r").must(FAILED)
    line = place.verdicts()["same"]
    equal(line["verdict"], "failed", "the verdict of a job that said no")
    contains(line["note"], "results on cpu", "its note")
    facts = [event for event in place.events(kind="JobFinished")]
    equal(facts[0]["outcome"]["status"], "fail", "the attempt")
    place.sound()
    if not pathlib.Path("/dev/nvidia0").exists():
        place.checkride("run", path, "--id", "n", "-p", "backend=cuda").must(FAILED)
        contains(place.verdicts("n")["same"]["note"], "unavailable", "without a device")
    path.write_text(FLAKY.replace("result.unique_hashes == 1", "result.unique_hash == 1"), encoding="utf-8")
    contains(place.checkride("lint", path).must(USAGE).out, "unique_hash", "a field that does not exist")


@case
def kernel_check_judges_the_arithmetic_without_a_gpu_and_says_what_it_could_not(place):
    if pathlib.Path("/dev/nvidia0").exists():
        return  # there it goes all the way; ./dev gpu-test is for that
    place.checkride("run", "kernel-check", "--id", "r", "-p", "seq=64", "-p", "runs=20").must(FAILED)
    lines = {state: line["verdict"] for state, line in place.verdicts().items() if "verdict" in line}
    for state, verdict in (("device", "skipped"), ("right", "passed"), ("same", "passed"), ("not_judged", "skipped")):
        equal(lines.get(state), verdict, f"the verdict of {state}")
    equal(place.status()["outcome"], "incomplete", "the outcome")
    place.sound()


main()

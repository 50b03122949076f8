#!/usr/bin/env python3
"""GPU jobs by hand and in a procedure, on the CPU: five statuses, a process of their own, typed results."""

import json
import os
import pathlib
import signal
import time

from harness import FAILED, OK, SOURCE, USAGE, case, check, contains, equal, main

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
    error = report_of(place, "sdpa.forward", "-p", "dtype=f11", code=USAGE)
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
def files_that_are_not_there_or_not_files_are_told_at_once(place):
    pipe = place.folder / "pipe"
    os.mkfifo(pipe)
    for job, inputs in (("perf.compare", ["base=[\"{}\"]", "cand=[\"{}\"]"]), ("ncu.parse", ["report={}"]),
                        ("sanitizer.parse", ["report={}"]), ("kernel.inspect", ["file={}"])):
        words = [word for text in inputs for word in ("-p", text.format(pipe))]
        contains(report_of(place, job, *words, code=USAGE)["message"], "not a regular file", f"a pipe for {job}")
        words = [word for text in inputs for word in ("-p", text.format(place.folder / "none"))]
        equal(report_of(place, job, *words, code=USAGE)["reasons"], ["not_found"], f"a file that is not there for {job}")
    missing = report_of(place, "tensor.compare", "-p", "actual=none.npy", "-p", "expected=none.npy", code=USAGE)
    check(missing["message"].startswith("cannot open the tensor file 'none.npy'"), missing["message"])


@case
def the_program_can_look_into_its_own_kernels(place):
    report = place.checkride("kernel", "run", "kernel.inspect", "-p", "file=/proc/self/exe", "-p", "kernels=attention",
                             "--json").json()
    if report["status"] == "error":
        equal(report["reasons"], ["no_kernel"], "built without CUDA")
    else:
        equal((report["status"], report["spill_bytes"]), ("pass", 0), "spills")
        check(report["kernels_seen"] > 0 and not report["unread"], report)


@case
def under_a_profiler_a_job_is_this_process_and_its_verdict_is_no_exit_code(place):
    report = report_of(place, "determinism", "--in-process", "--exit-zero", "-p", "subject=flaky", "-p", "runs=200", "-p", "backend=cpu",
                       "-p", "cross_process=false", code=OK)
    equal((report["status"], report["job"]), ("fail", "determinism"), "the report")
    own = report_of(place, "proc.measure", "--in-process", "-p", "script=tr '\\0' ' ' < /proc/$PPID/cmdline", code=OK)
    contains(own["output_tail"], "--in-process", "the parent of the job's command")


@case
def a_job_that_hangs_or_is_killed_becomes_a_report(place):
    late = report_of(place, "latency.measure", "-p", "subject=sdpa.forward", "-p", "backend=cpu", "--timeout", "1", code=FAILED)
    equal((late["status"], late["reasons"]), ("error", ["timeout"]), "a job past its time")
    for number, reason in ((signal.SIGKILL, "killed"), (signal.SIGSEGV, "crashed")):
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
        os.kill(child, number)
        equal(program.wait(60), FAILED, "the exit code")
        killed = json.loads((place.folder / "program.out").read_text().strip().splitlines()[-1])
        equal((killed["status"], killed["reasons"]), ("error", [reason]), f"a job that was {reason}")


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


COMPARED = """
checkride: 1
workflow: compared
states:
  compare:
    title: Not slower
    invoke: {job: perf.compare, with: {base: BASE, cand: CAND}}
    on:
      done:
        - {guard: 'result.cells.exists(c, c.verdict == "regressed" && c.scope == "between_runs")', target: wrong, verdict: failed, note: "${result.text}"}
        - right
      error: {target: unknown, verdict: skipped, note: "${error.message}"}
  right: {type: final}
  wrong: {type: final, outcome: failed}
  unknown: {type: final, outcome: failed}
"""


@case
def a_regression_is_a_fact_of_the_run_with_all_that_was_found(place):
    recorded = {side: json.loads((SOURCE / f"tests/fixtures/h200/perf.compare.{side}.json").read_text()) for side in ("base", "cand")}
    paths = {"base": [], "cand": []}
    for number in range(60):  # more cells than a report has room for
        for side, samples in recorded.items():
            path = place.folder / f"{side}.{number}.json"
            path.write_text(json.dumps({**samples, "cell": f"cell {number}"}), encoding="utf-8")
            paths[side].append(str(path))
    path = place.folder / "compared.yaml"
    path.write_text(COMPARED.replace("BASE", json.dumps(paths["base"])).replace("CAND", json.dumps(paths["cand"])), encoding="utf-8")
    place.checkride("run", path, "--id", "r").must(FAILED)
    contains(place.verdicts()["compare"]["note"], "REGRESSED", "the note")
    outcome = place.events(kind="JobFinished")[0]["outcome"]
    equal((outcome["result"]["cells_judged"], outcome["status"]), (60, "fail"), "the cells")
    check(outcome["result"]["cells_left_out"] > 0, "no cell was left out")
    found = [fact["fields"] for fact in outcome["facts"] if fact["type"] == "regression.found"]
    check(found, "no fact tells of a regression:", outcome["facts"])
    for name in ("metric", "unit", "direction", "timing_mode", "shape", "n_blocks", "samples_per_block", "base_median",
                 "cand_median", "ratio", "ratio_ci99", "theta_sd_pct", "p_one_sided", "holm_p", "hl_ratio", "cliffs_delta",
                 "verdict", "scope", "margins", "discarded", "base_artifacts", "cand_artifacts"):
        check(name in found[0], f"no {name} in", found[0])
    place.sound()


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

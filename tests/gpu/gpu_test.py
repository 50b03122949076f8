#!/usr/bin/env python3
"""Tests and figures on a machine with an NVIDIA GPU: `./dev gpu-test`, or by hand with the built
programs in CHECKRIDE_BUILD (nothing is compiled here).

Runs every Catch2 program's tests tagged [.gpu], each GPU job of jobs.json, the workflow kernel-check, the
kernels under the four tools of compute-sanitizer where it is installed, and the attention table. Prints a table and writes
all of it as one JSON file. Exit code 0 when every test passed and no job failed; a job or tool that is
not available is named and fails nothing, but without a usable device the exit code is 2.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("CHECKRIDE_BUILD", HERE.parent.parent / "build")).resolve()
ENVIRONMENT = {**os.environ, "CHECKRIDE_BUILD": str(BUILD), "CHECKRIDE_SOURCE": str(HERE.parent.parent)}
SECONDS_MAX = 240  # for one program
SANITIZER_TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")


def run(command, seconds=SECONDS_MAX, folder=None):
    """Exit code (None: it ran too long), output and seconds."""
    begun = time.monotonic()
    try:
        done = subprocess.run([str(word) for word in command], cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace"), time.monotonic() - begun
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode("utf-8", "replace"), time.monotonic() - begun


def device():
    """device.query's envelope; None where no device can be used."""
    _, text, _ = run([BUILD / "checkride", "kernel", "run", "device.query", "--json"], 60)
    try:
        report = json.loads(text.strip().splitlines()[-1])
    except (ValueError, IndexError):
        print(f"device.query gave no report: {text[-500:]}")
        return None
    return report if report["backend"] == "cuda" else print(f"no device: {report['message']}")


def programs_with_gpu_tests(tags="[.gpu]"):
    found = []
    for path in sorted([*BUILD.glob("tests/unit/**/test_*"), *BUILD.glob("test_*")]):
        if not path.is_file() or not os.access(path, os.X_OK):
            continue
        _, names, _ = run([path, tags, "--list-test-names-only"], 30)
        if names.strip():
            found.append((path, len(names.strip().splitlines())))
    return found


def unit_tests():
    results = []
    for path, count in programs_with_gpu_tests():
        code, text, seconds = run([path, "[.gpu]"])
        results.append({"program": path.name, "tests": count, "passed": code == 0, "seconds": round(seconds, 1),
                        "output": "" if code == 0 else text[-4000:]})
        print(f"{'ok  ' if code == 0 else 'FAIL'} {path.name}: {count} tests, {seconds:.1f} s", flush=True)
        if code != 0:
            print(text[-4000:])
    return results


def jobs(folder):
    results = []
    for entry in json.loads((HERE / "jobs.json").read_text(encoding="utf-8")):
        words = [BUILD / "checkride", "kernel", "run", entry["job"], "--json", "--folder", folder]
        for name, value in entry.get("inputs", {}).items():
            words += ["-p", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
        _, text, seconds = run(words)
        try:
            report = json.loads(text.strip().splitlines()[-1])
        except (ValueError, IndexError):
            report = {"status": "error", "reasons": ["no_report"], "message": text[-500:]}
        if report.get("backend") == "cpu" and report["status"] == "pass":
            report = {**report, "status": "error", "reasons": ["not_on_the_device"]}
        results.append({"title": entry["title"], "seconds": round(seconds, 2), "report": report})
        figures = []
        for figure in entry.get("figures", []):
            value, limit = report.get(figure["field"]), figure.get("limit")
            text = f"{figure['field']} {value:.4g}" if isinstance(value, (int, float)) else f"{figure['field']} {value}"
            if limit and isinstance(value, (int, float)) and value:
                ratio = value / limit if figure.get("more", True) else limit / value
                text += f" ({100 * ratio:.0f} % of {figure['of']} {limit:g})"
            figures.append(text)
        reasons = ", ".join(report.get("reasons", []))
        print(f"{report['status']:<11} {entry['title']}: {'; '.join(figures)}{' ' + reasons if reasons else ''}", flush=True)
    return results


def sanitizers(folder):
    tool = shutil.which("compute-sanitizer") or next(
        (path for path in ("/usr/local/cuda/bin/compute-sanitizer",) if os.access(path, os.X_OK)), None)
    if tool is None:
        print("unavailable compute-sanitizer: not installed here")
        return []
    results = []
    # Tests tagged [small] do the same on little data: a tool slows a kernel by 10 to 100 times.
    for path, _ in programs_with_gpu_tests("[.gpu][small]"):
        for name in SANITIZER_TOOLS:
            code, text, seconds = run([tool, "--tool", name, "--error-exitcode", "86", "--print-limit", "1000", path,
                                       "[.gpu][small]"], 120, folder)
            summary = [line for line in text.splitlines() if "SUMMARY" in line]
            clean = code == 0 and bool(summary)
            if "Device not supported" in text:
                print(f"unavailable {path.name} {name}: this machine refuses the tool", flush=True)
                continue
            results.append({"program": path.name, "tool": name, "clean": clean, "exit": code,
                            "summary": summary, "seconds": round(seconds, 1), "output": "" if clean else text[-3000:]})
            print(f"{'clean' if clean else 'FAIL '} {path.name} {name}: {' '.join(summary) or text[-300:]}", flush=True)
    return results


def procedure(folder):
    """The shipped workflow kernel-check, all the way to a comparison in paired blocks."""
    words = [BUILD / "checkride", "--store", folder / "store"]
    shutil.rmtree(folder / "store", ignore_errors=True)
    code, text, seconds = run([*words, "run", "kernel-check", "--id", "check"], folder=folder)
    _, status, _ = run([*words, "status", "check", "--json"], 30, folder)
    try:
        lines = [line for section in json.loads(status)["checklist"] for line in section["lines"]]
    except (ValueError, KeyError):
        lines = []
    checklist = [{name: line[name] for name in ("state", "verdict", "note")} for line in lines if line["verdict"] != "none"]
    print(f"{'ok  ' if code == 0 else 'FAIL'} kernel-check: {seconds:.1f} s", flush=True)
    if code != 0:
        print(text[-4000:])
    return {"passed": code == 0, "seconds": round(seconds, 1), "checklist": checklist, "output": "" if code == 0 else text[-4000:]}


def attention(folder):
    bench = BUILD / "attention_bench"
    if not bench.exists():
        return None
    code, text, _ = run([bench], folder=folder)
    print(text)
    return {"exit": code, "output": text}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="gpu-test.json")
    parser.add_argument("--skip-sanitizers", action="store_true")
    options = parser.parse_args()
    if not (BUILD / "checkride").exists():
        sys.exit(f"no checkride in {BUILD}; build it, or set CHECKRIDE_BUILD")
    facts = device()
    if facts is None:
        sys.exit(2)
    print(f"{facts.get('name')}, driver {facts.get('driver')}")
    folder = pathlib.Path(options.out).resolve().parent / "gpu-test.files"
    folder.mkdir(parents=True, exist_ok=True)
    result = {"device": facts, "tests": unit_tests(), "jobs": jobs(folder), "procedure": procedure(folder), "attention": attention(folder),
              "sanitizers": [] if options.skip_sanitizers else sanitizers(folder)}
    pathlib.Path(options.out).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    failed = ([one["program"] for one in result["tests"] if not one["passed"]]
              + [one["title"] for one in result["jobs"] if one["report"]["status"] in ("fail", "error")]
              + [f"{one['program']} {one['tool']}" for one in result["sanitizers"] if not one["clean"]])
    if not result["procedure"]["passed"]:
        failed.append("kernel-check")
    if result["attention"] is not None and result["attention"]["exit"] != 0:
        failed.append("attention_bench")
    if not result["tests"]:
        failed.append("no test tagged [.gpu] was found")
    absent = [one["title"] for one in result["jobs"] if one["report"]["status"] in ("unavailable", "skipped")]
    print(f"{options.out}: {len(result['tests'])} programs, {len(result['jobs'])} jobs; "
          + (f"not available: {', '.join(absent)}; " if absent else "")
          + (f"failed: {', '.join(failed)}" if failed else "all others passed" if absent else "all passed"))
    sys.exit(1 if failed else 0)


main()

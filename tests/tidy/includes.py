#!/usr/bin/env python3
"""Knowledge points one way: checks every include of our own against the table of who may know whom."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# folder -> folders it may include (itself always). The longest matching folder counts.
CORE = ["engine/base"]
ALLOWED = {
    "engine/base": [],
    "engine/cel": CORE,
    "engine/statechart": CORE + ["engine/cel"],
    "engine/decider": CORE + ["engine/cel", "engine/statechart"],
    "engine/ports": CORE + ["engine/cel", "engine/statechart", "engine/decider"],
    "engine/runners": CORE + ["engine/cel", "engine/statechart", "engine/decider", "engine/ports"],
    "engine/runtime": CORE + ["engine/cel", "engine/statechart", "engine/decider", "engine/ports"],
    "store": CORE + ["engine/cel", "engine/statechart", "engine/decider", "engine/ports", "store"],
    "workflows": CORE + ["engine/cel", "engine/statechart", "engine/decider", "engine/ports", "workflows"],
    "kernels": CORE,
    "cli": ["engine", "store", "workflows", "kernels", "cli"],
    "tests": ["engine", "store", "workflows", "kernels", "cli", "tests"],
}
# third party -> the only places that may include it
THIRD = {
    "rocksdb/": ["store/rocksdb", "tests"],
    "capnp/": ["store", "cli/owner", "tests"],
    "kj/": ["store", "cli/owner", "tests"],
    "re2/": ["engine/cel/regex.cpp", "engine/runners/local/output_match.cpp", "workflows/jobs", "kernels/inspect",
             "kernels/process", "kernels/tools", "tests"],
    "lz4.h": ["kernels/inspect", "tests"],
    "zstd.h": ["kernels/inspect", "tests"],
    "openssl/": ["engine/base/digest.cpp"],
    "yaml-cpp/": ["workflows/loader"],
    "expat.h": ["workflows/scxml"],
    "CLI/": ["cli", "tests"],
    "spdlog/": ["cli/commentary.cpp"],
    "boost/": ["engine/runners", "engine/runtime", "cli", "tests", "workflows/jobs", "workflows/views",
               "kernels"],
}
INCLUDE = re.compile(r'^\s*#include\s+[<"]([^>"]+)[>"]', re.M)


def inside(path, folder):
    return path == folder or path.startswith(folder + "/")


def folder_of(path):
    found = [f for f in ALLOWED if inside(path, f)]
    return max(found, key=len) if found else None


def main():
    problems, files = [], 0
    for top in ("engine", "store", "workflows", "kernels", "cli", "tests"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix not in (".h", ".cpp", ".cu", ".cuh"):
                continue
            files += 1
            name = path.relative_to(ROOT).as_posix()
            mine = folder_of(name)
            for include in INCLUDE.findall(path.read_text(encoding="utf-8")):
                other = folder_of(include)
                if other and not inside(include, mine) and not any(inside(include, a) for a in ALLOWED[mine]):
                    problems.append(f"{name} includes {include}, which {mine} may not know")
                for prefix, places in THIRD.items():
                    if include.startswith(prefix) and not any(inside(name, p) for p in places):
                        problems.append(f"{name} includes <{include}>; only {', '.join(places)} may")
    for folder in [p for t in ("engine", "store", "workflows", "kernels", "cli") for p in (ROOT / t).iterdir() if p.is_dir()]:
        if any(path.suffix in (".h", ".cpp") for path in folder.iterdir()) and not (folder / "README.md").exists():
            problems.append(f"{folder.relative_to(ROOT)} has no README.md")
    print("\n".join(problems) if problems else f"ok: {files} files")
    if files < 50:
        print("too few files were found; is this the whole tree?")
        return 1
    return 1 if problems else 0


sys.exit(main())

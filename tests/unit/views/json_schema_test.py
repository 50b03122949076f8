#!/usr/bin/env python3
"""The schema that `checkride schema` prints, held against a validator that is not ours (Debian's
python3-jsonschema): it is a schema, all definitions fit, documents with planted errors do not."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

BUILD = pathlib.Path(os.environ["CHECKRIDE_BUILD"])
SOURCE = pathlib.Path(os.environ["CHECKRIDE_SOURCE"])
HEAD = "checkride: 1\nworkflow: w\n"
PLANTED = [
    "stats: {s: {type: final}}",
    "states: {s: {alway: end}}",
    "states: {s: {type: finale}}",
    "states: {s: {type: final, invoke: {}}}",
    "states: {s: {invoke: {job: git.stauts, with: {repo: x}}}}",
    "states: {s: {invoke: {job: git.status, with: {rep: x}}}}",
    "states: {s: {invoke: {job: git.status}}}",
    "states: {s: {invoke: {job: shell, with: {script: x}, timeout: soon}}}",
    "states: {s: {invoke: {job: shell, with: {script: x}, retry: {max: x}}}}",
    "states: {s: {invoke: {job: gate, with: {question: q}, option: [a]}}}",
    "states: {s: {always: {taget: end}}}",
    "states: {s: {after: {later: end}}}",
    "params: {p: strng}\nstates: {s: {always: end}}",
]


def documents(paths):
    out = subprocess.run([BUILD / "definition_json", *paths], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def main():
    schema = json.loads(subprocess.run([BUILD / "checkride", "schema"], check=True, capture_output=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    paths = sorted(SOURCE.glob("workflows/definitions/*.yaml")) + sorted(SOURCE.glob("tests/**/*.yaml"))
    paths = [p for p in paths if "checkride: 1" in p.read_text(encoding="utf-8").splitlines()]
    assert paths, "no definitions were found"
    problems = []
    for path, document in zip(paths, documents(paths)):
        problems += [f"{path}: {e.json_path}: {e.message}" for e in validator.iter_errors(document)]
    with tempfile.TemporaryDirectory() as folder:
        planted = []
        for number, text in enumerate(PLANTED):
            path = pathlib.Path(folder) / f"{number}.yaml"
            path.write_text(HEAD + text, encoding="utf-8")
            planted.append(path)
        for text, document in zip(PLANTED, documents(planted)):
            if validator.is_valid(document):
                problems.append(f"fits, and should not: {text}")
    for problem in problems:
        print(problem)
    print(f"{len(paths)} definitions fit, {len(PLANTED)} documents with errors do not")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

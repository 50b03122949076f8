#!/usr/bin/env python3
"""The schemas that `checkride schema` and `checkride schema --cases` print, held against a validator
that is not ours (Debian's python3-jsonschema): they are schemas, all definitions, cases and examples of
the guides fit, documents with planted errors do not."""
import json
import os
import pathlib
import re
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
    "states: {s: {invoke: {machine: m, needs: {gpu: 1}}}}",
    "states: {s: {invoke: {job: gate, with: {question: q}, quorum: 2}}}",
    "states: {s: {invoke: {job: shell, with: {script: x}, timeout: {silent: 1m}}}}",
    "messages: {m: {type: int, tll: 2h}}\nstates: {s: {always: end}}",
]
CASES_HEAD = "rehearsal: 1\n"
CASES_PLANTED = [
    "outcome: {}",
    "cases: []",
    "cases: [{expect: {outcome: succeeded}}]",
    "cases: [{name: a, expect: {outcome: succeded}}]",
    "cases: [{name: a, outcomes: {s: {reslt: {}}}}]",
    "cases: [{name: a, outcomes: {s: []}}]",
    "cases: [{name: a, outcomes: {s: {error: {class: cod}}}}]",
    "cases: [{name: a, outcomes: {s: {error: {message: x}}}}]",
    "cases: [{name: a, outcomes: {s: {timeout: late}}}]",
    "cases: [{name: a, outcomes: {s: {result: {}, takes: soon}}}]",
    "cases: [{name: a, outcomes: {s: {approve: x, reject: y}}}]",
    "cases: [{name: a, incidents: [{retry: x, lost: y}]}]",
    "cases: [{name: a, signals: {name: go}}]",
    "cases: [{name: a, pause: {until: 1h}}]",
    "cases: [{name: a, cancel: {why: x}}]",
    "usual: {expect: {}}\ncases: [{name: a}]",
]


def examples(folder):
    """The YAML blocks of the guides, each as a file of its own."""
    for page in sorted((SOURCE / "docs" / "guides").glob("*.md")):
        for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), re.S | re.M)):
            path = pathlib.Path(folder) / f"{page.stem}-{number}.yaml"
            path.write_text(block, encoding="utf-8")
            yield path


def documents(paths):
    out = subprocess.run([BUILD / "definition_json", *paths], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def compare(what, arguments, first_line, paths, head, planted, at_least):
    """Everything that does not come out as it should, as text."""
    printed = subprocess.run([BUILD / "checkride", "schema", *arguments], check=True, capture_output=True).stdout
    schema = json.loads(printed)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    paths = [p for p in paths if first_line in p.read_text(encoding="utf-8").splitlines()]
    assert len(paths) >= at_least, f"only {len(paths)} {what} were found"
    problems = []
    for path, document in zip(paths, documents(paths)):
        problems += [f"{path}: {e.json_path}: {e.message}" for e in validator.iter_errors(document)]
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, text in enumerate(planted):
            files.append(pathlib.Path(folder) / f"{number}.yaml")
            files[-1].write_text(head + text, encoding="utf-8")
        for text, document in zip(planted, documents(files)):
            if validator.is_valid(document):
                problems.append(f"fits, and should not: {text}")
    print(f"{len(paths)} {what} fit, {len(planted)} with errors do not")
    return problems


def main():
    with tempfile.TemporaryDirectory() as folder:
        paths = sorted(SOURCE.glob("workflows/definitions/*.yaml")) + sorted(SOURCE.glob("tests/**/*.yaml"))
        paths += examples(folder)
        problems = compare("definitions", [], "checkride: 1", paths, HEAD, PLANTED, 8)
        problems += compare("cases", ["--cases"], "rehearsal: 1", paths, CASES_HEAD, CASES_PLANTED, 3)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

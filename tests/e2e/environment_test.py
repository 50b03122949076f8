#!/usr/bin/env python3
"""What a run keeps of the environment it was started in: names, and no values but the listed ones;
and that secrets are shown nowhere."""

import random
import re
import string
import sys

from harness import OK, WAITING, case, check, contains, equal, main

ONE = ["03-state-tracker"]


def variables(seed, count=50):
    """Names and values nobody else uses; values with the characters that encoders change."""
    rng = random.Random(seed)
    letters = string.ascii_letters + string.digits
    made = {}
    while len(made) < count:
        name = rng.choice(string.ascii_uppercase + "_") + "".join(
            rng.choice(string.ascii_uppercase + string.digits + "_") for _ in range(rng.randint(6, 24)))
        value = "".join(rng.choice(letters) for _ in range(16)) + rng.choice(
            ["", " ", "/", "\n", "\"", "$HOME", "=", "ä", "\\", "\t"]) + "".join(
                rng.choice(letters) for _ in range(rng.randint(0, 200)))
        made[name] = value
    return made


def forms(value):
    """The parts of a value that every encoding leaves as they are."""
    return [part.encode() for part in re.findall(r"[A-Za-z0-9]{12,}", value)]


def kept_bytes(place):
    """Every file of the store and of the state folder: records, snapshots, manifests, attempts,
    artifacts, heads. The run's worktree is the fork's own content, and belongs to it too."""
    found = {}
    for folder in (place.store, place.folder / "state"):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                found[path] = path.read_bytes()
    return found


def shown(place, run="r"):
    """Everything the reading verbs say of a tree of runs."""
    texts = {}
    for one in place.runs(run):
        for verbs in (["history", one, "--json"], ["history", one], ["show", one, "--json"],
                      ["logs", one]):
            texts[" ".join(verbs)] = place.checkride(*verbs).must(OK).out
        texts[f"why {one}"] = place.checkride("why", one).out  # a run without guards has none
        last = place.records(one)[-1]["events"][-1]["sequence"]
        for at in range(1, last + 1, 7):
            texts[f"show {one}@{at}"] = place.checkride("show", f"{one}@{at}", "--json").must(OK).out
    for verbs in (["status", run], ["status", run, "--json"], ["report", run],
                  ["report", run, "--json"], ["ls", "--json"]):
        texts[" ".join(verbs)] = place.checkride(*verbs).must(OK).out
    return texts


def nowhere(values, place, kept, texts):
    for name, value in values.items():
        check(forms(value), "a value without a part to look for:", repr(value))
        for part in forms(value):
            for path, data in kept.items():
                check(part not in data, f"the value of {name} is in {path.relative_to(place.folder)}")
            for verbs, text in texts.items():
                check(part not in text.encode(), f"the value of {name} is in the output of `{verbs}`")


@case
def of_fifty_random_variables_the_names_are_kept_and_no_value(place):
    place.make("base", "--package-where-expected")
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    made = variables(seed)
    place.env.update(made)
    listed = place.folder / "python-of-this-test"
    listed.symlink_to(sys.executable)
    place.env["PYTHON_BIN"] = str(listed)
    code, _ = place.fly(place.start(patches=ONE).must(WAITING).code)
    equal(code, OK, "the end of the run")
    begun = place.events(kind="RunStarted")
    check(len(begun) >= 3, "fewer runs than the procedure has:", len(begun))
    for event in begun:
        missing = sorted(set(made) - set(event["environment_names"]))
        check(not missing, "names that were set and are not recorded:", missing[:5])
        equal(event["environment"], {"PYTHON_BIN": str(listed)}, "values recorded by `record_env`")
    texts = shown(place)
    kept = kept_bytes(place)
    # The same search finds what is there, so it can find what should not be.
    raw = list(kept.values())
    some_name = sorted(made)[0].encode()
    check(any(some_name in data for data in raw), "the search does not see the records' bytes")
    check(any(str(listed).encode() in data for data in raw), "the search does not see a recorded value")
    check(any("PYTHON_BIN" in text for text in texts.values()), "the verbs show no environment")
    nowhere(made, place, kept, texts)


SECRETS = """checkride: 1
workflow: secrets
title: Sign with a key
params:
  key: {type: string, secret: true}
states:
  sign:
    title: Signed with ${params.key}
    invoke:
      job: shell
      repeat: safe
      secrets: [SIGNING_TOKEN]
      with:
        script: 'echo "key=[$KEY] token=[$SIGNING_TOKEN]"; echo "again $KEY" >&2; [ -n "$KEY$SIGNING_TOKEN" ]'
        env: {KEY: "${params.key}"}
    on:
      done: {target: ask, note: "signed with ${params.key}"}
      error: {target: bad, note: "${error.message}"}
  ask:
    invoke: {job: gate, with: {question: "Keep what ${params.key} has signed?"}}
    on: {answer.approve: good, answer: bad}
  good: {type: final}
  bad: {type: final, outcome: failed}
"""


@case
def a_secret_parameter_and_a_secret_variable_are_masked_wherever_they_are_shown(place):
    key, token = "k3yOfTheHouse77ab", "t0kenOfTheDoor99cd"
    (place.folder / "secrets.yaml").write_text(SECRETS, encoding="utf-8")
    place.env["SIGNING_TOKEN"] = token
    started = place.checkride("run", "secrets.yaml", "--id", "r", "-p", f"key={key}").must(WAITING)
    texts = {"run": started.out + started.err}
    texts["inbox"] = place.checkride("inbox").out + place.checkride("inbox", "--json").out
    texts["status while it waits"] = place.checkride("status", "r").must(OK).out
    contains(texts["status while it waits"], "has signed?", "the question")
    answered = place.answer("ask").must(OK)
    texts["answer"] = answered.out + answered.err
    texts.update(shown(place))
    logged = place.checkride("logs", "r", "sign").must(OK).out
    contains(logged, "key=[", "the log of the job")
    contains(logged, "token=[***]", "the log of the job")
    texts["logs sign"] = logged
    for secret in (key, token):
        for verbs, text in texts.items():
            check(secret not in text, f"the secret is in the output of `{verbs}`:", text[-1500:])
    # The token came from the environment and is nowhere in the store; the parameter is part of the
    # command that replay decides again, and stands in the records alone.
    for path, data in kept_bytes(place).items():
        check(token.encode() not in data, "the secret variable is in", path.relative_to(place.folder))
    place.sound()


main()

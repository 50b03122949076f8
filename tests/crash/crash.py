"""What the crash tests know beyond the end-to-end harness: finding and killing the processes of one
store, a ledger of what jobs really did, and the facts that must hold however often it was killed."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from harness import Failure, OK, check  # noqa: E402  (the path comes first)

# How many kills a full run of one test makes; the default keeps CTest short.
MOMENTS = int(os.environ.get("KILL_MOMENTS", "12"))
SEED = int(os.environ.get("KILL_SEED", "20240229"))
STEPS = pathlib.Path(__file__).resolve().parent / "steps.yaml"
STARTS_MAX = 400  # of the program, in one case
REST_SECONDS_MAX = 600  # a bound for a machine that does much else


def generator(name):
    return random.Random(f"{SEED} {name}")


def processes_of(place):
    """Process ids of the place's supervisors, their guards, and jobs of our own kinds."""
    found = []
    store = os.fsencode(str(place.store))
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            words = pathlib.Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"supervise" in words[1:2] and any(word.startswith(store) for word in words):
            found.append(int(entry))
    return found


def leads_session(pid):
    """Supervisors and guards do; a job is in its supervisor's session."""
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


class Flight:
    """A run that is killed again and again; `place` is the harness's."""

    def __init__(self, place, run="r"):
        self.place, self.run = place, run
        self.kills = 0
        self.starts = 0
        self.asked = 0   # incidents about lost attempts
        self.known = {}  # run id to the chain hashes seen so far

    def remember(self):
        """Reads every run's chain; what was there before must still be the beginning of it."""
        for run in self.place.runs(self.run):
            chain = [record["chain"] for record in self.place.records(run)]
            before = self.known.get(run, [])
            check(chain[:len(before)] == before,
                  f"run {run} had {len(before)} records, now it has {len(chain)} and they differ")
            self.known[run] = chain

    def exists(self):
        return self.place.checkride("status", self.run).code == OK

    def call(self, *arguments, env=None, delay=None, victims="engine"):
        """One process of the program: kills the victims after `delay` seconds. Returns its exit code,
        which is -9 where it was killed (by us or by itself)."""
        self.starts += 1
        if self.starts > STARTS_MAX:
            raise Failure(f"it does not come to an end in {STARTS_MAX} starts; it asks "
                          f"{json.dumps(self.place.questions(self.run))[:3000]}, its last words: {self.output()}")
        program = self.place.begin(*arguments, env=env)
        if delay is not None:
            try:
                program.wait(delay)
            except subprocess.TimeoutExpired:
                self._strike(program, victims)
        if victims == "supervisors" or delay is None or program.poll() is not None:
            try:
                return program.wait(REST_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                kill(program.pid)
                program.wait()
                raise Failure(f"`checkride {' '.join(map(str, arguments))}` did not rest in "
                              f"{REST_SECONDS_MAX} s: {self.output()}") from None
        return program.wait()

    def begin(self, *arguments, again):
        """Starts the run; killed before it was in the log, it is started again. `again` gives each
        call's env, delay and victims; after some vain tries the process may live."""
        code = self.call(*arguments, **again())
        tries = 1
        while code == -signal.SIGKILL and not self.exists():
            tries += 1
            spared = {key: value for key, value in again().items() if key == "env"}
            code = self.call(*arguments, **(again() if tries < 10 else spared))
        return code

    def _strike(self, program, victims):
        if victims in ("engine", "both"):
            if kill(program.pid):
                self.kills += 1
            program.wait()
        if victims in ("supervisors", "both"):
            processes = [pid for pid in processes_of(self.place) if leads_session(pid)]
            chosen = generator(f"victims {self.starts}")
            if processes:
                # The guard, the supervisor, or all there are.
                some = processes if chosen.random() < 0.4 else [chosen.choice(processes)]
                self.kills += sum(kill(pid) for pid in some)

    def output(self):
        path = self.place.folder / "program.out"
        return path.read_text(errors="replace")[-1500:] if path.exists() else ""

    def reply(self):
        """The call that answers what is asked where the run waits: gates as an honest person would,
        lost attempts by having them started again."""
        questions = self.place.questions(self.run)
        check(questions, "it waits, but nothing is asked:", self.output())
        question = questions[0]
        if question["type"] == "incident":
            check(question["kind"] in ("job_lost", "job_unknown"), "an incident:", question)
            self.asked += 1
            return ["resolve", self.run, question["incident"], "--retry", "--why", "it was killed"]
        self.prepare(question["state"])
        return ["answer", self.run, question["state"], "--approve"]

    def prepare(self, gate):
        if gate == "merge" and not self.place.git("ls-files", "-u", cwd=self.place.worktree(self.run)):
            return  # resolved before the answer was killed
        self.place.act_honestly(gate)


def check_attempts(place, run="r"):
    """Each attempt is intended once, started once at most, and ends once at most."""
    counts = {}
    for event in place.events(run):
        token = event.get("token") or event.get("spec", {}).get("token")
        if token and event["type"] in ("JobIntended", "JobStarted", "JobFinished"):
            key = (event["type"], token)
            counts[key] = counts.get(key, 0) + 1
    twice = sorted(key for key, count in counts.items() if count > 1)
    check(not twice, "twice in the log:", twice)
    intended = {token for kind, token in counts if kind == "JobIntended"}
    claims = {path.parent.name for path in place.store.glob("attempts/*/claim")}
    check(claims <= intended, "attempts that no event justifies:", sorted(claims - intended))


def check_ledger(ledger, most_per_effect=1):
    """Lines "TOKEN EFFECT": no token twice, and no effect more often than allowed."""
    lines = ledger.read_text().splitlines() if ledger.exists() else []
    tokens = [line.split(None, 1)[0] for line in lines]
    check(len(tokens) == len(set(tokens)), "an attempt acted twice:", sorted(lines))
    effects = {}
    for line in lines:
        effect = line.split(None, 1)[1]
        effects[effect] = effects.get(effect, 0) + 1
    often = {effect: count for effect, count in effects.items() if count > most_per_effect}
    check(not often, "effects that came more often than", most_per_effect, ":", often)
    return effects


def wait_until_no_process(place):
    deadline = time.monotonic() + 20
    while processes_of(place):
        check(time.monotonic() < deadline, "supervisors are left behind:", processes_of(place))
        time.sleep(0.05)

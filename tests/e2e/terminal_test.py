"""On a terminal: `run` and `resume` draw a tree in place, and leave it and the terminal in order.

The program runs on a pseudo-terminal; what it writes goes through a small screen that knows the few
control sequences it uses, so the checks look at what a person would see.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from harness import (CHECKRIDE, FAILED, INTERRUPTED, OK, WAITING, case, check, contains, equal, main)

TITLE = "Two steps"
SLOW = """checkride: 1
workflow: slow
title: Two steps
initial: work
states:
  work:
    section: A. Work
    initial: first
    on: {done: finished}
    states:
      first:
        title: First step
        invoke: {job: shell, repeat: safe, with: {script: "echo begun; while [ ! -e GO ]; do sleep 0.05; done; echo over; echo oops >&2"}}
        on:
          done: {target: second}
          error: {target: second, verdict: failed}
      second:
        title: Second step
        invoke: {job: shell, repeat: safe, with: {script: "true"}}
        on:
          done: {target: end}
          error: {target: end, verdict: failed}
      end: {type: final}
  finished: {type: final, outcome: succeeded}
"""
SECONDS_MAX = 120


class Screen:
    """Rows and a cursor; anything but text, line ends, cursor up and erasing is a failure."""

    SEQUENCE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")

    def __init__(self):
        self.rows, self.row, self.column = [""], 0, 0

    def feed(self, text):
        at = 0
        while at < len(text):
            sequence = self.SEQUENCE.match(text, at)
            if sequence:
                at = sequence.end()
                number, letter = sequence.groups()
                if letter == "A":
                    self.row = max(0, self.row - int(number or 1))
                elif letter == "K":
                    self.rows[self.row] = self.rows[self.row][:self.column]
                elif letter == "J":
                    self.rows[self.row] = self.rows[self.row][:self.column]
                    del self.rows[self.row + 1:]
                else:
                    check(letter == "m", f"an unexpected control sequence {sequence.group()!r}")
                continue
            char = text[at]
            at += 1
            check(char != "\x1b", f"a broken control sequence at {text[at - 1:at + 20]!r}")
            if char == "\r":
                self.column = 0
            elif char == "\n":
                self.row += 1
                if self.row == len(self.rows):
                    self.rows.append("")
            else:
                row = self.rows[self.row].ljust(self.column)
                self.rows[self.row] = row[:self.column] + char + row[self.column + 1:]
                self.column += 1

    def text(self):
        return "\n".join(self.rows)


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, place, *arguments, columns=100, rows=30, env=None):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.bytes = b""

        def take_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        environment = {**place.env, "TERM": "xterm-256color", **(env or {})}
        self.program = subprocess.Popen([CHECKRIDE, *map(str, arguments)], env=environment,
                                        cwd=place.folder, stdin=slave, stdout=slave, stderr=slave,
                                        preexec_fn=take_terminal)

    def resize(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds=0.1):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            self.bytes += os.read(self.master, 65536)
        return bool(ready)

    def until(self, wanted):
        """Reads until wanted(self) holds."""
        begun = time.monotonic()
        while not wanted(self):
            self.read()
            ended = self.program.poll() is not None and not self.read(0)
            check(not ended or wanted(self), "it ended before:", self.shown()[-3000:])
            check(time.monotonic() - begun < SECONDS_MAX, "it never came:", self.shown()[-3000:])
        return self

    def end(self):
        begun = time.monotonic()
        while self.program.poll() is None:
            self.read()
            check(time.monotonic() - begun < SECONDS_MAX, "it does not end:", self.shown()[-3000:])
        while self.read(0.05):
            pass
        equal(termios.tcgetattr(self.slave), self.before, "terminal settings")
        return self.program.returncode

    def close(self):
        if self.program.poll() is None:
            self.program.kill()
            self.program.wait()
        os.close(self.master)
        os.close(self.slave)

    def raw(self):
        return self.bytes.decode("utf-8", "replace")

    def screen(self):
        screen = Screen()
        # A multi-byte character or sequence at the end may not be whole yet.
        screen.feed(re.sub("(\ufffd|\x1b\\[?[0-9;]*)$", "", self.raw()))
        return screen

    def shown(self):
        return self.screen().text()


def write_slow(place):
    path = place.folder / "slow.yaml"
    path.write_text(SLOW.replace("GO", str(place.folder / "GO")), encoding="utf-8")
    return path


def let_go(place):
    (place.folder / "GO").write_text("")


@case
def a_tree_is_drawn_in_place_and_stays_at_the_end(place):
    terminal = Terminal(place, "run", write_slow(place), "--id", "s")
    try:
        terminal.until(lambda t: "│ begun" in t.shown())
        shown = terminal.shown()
        equal(shown.count(TITLE), 1, "titles on the screen: " + shown)
        contains(shown, "▶   A. Work", "the active section")
        contains(shown, "First step", "the active line")
        contains(shown, "[ ] Second step", "the line to come")
        # Time passes on the screen though nothing happens in the log.
        terminal.until(lambda t: t.raw().count(TITLE) >= 5)
        equal(terminal.shown().count(TITLE), 1, "titles after redraws")
        terminal.resize(40, 8)
        redraws = terminal.raw().count(TITLE)
        terminal.until(lambda t: t.raw().count(TITLE) >= redraws + 3)
        for row in terminal.raw().split("\x1b[J")[-2].split("\n"):
            check(len(re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", row)) < 40, "a row too wide:", row)
        let_go(place)
        equal(terminal.end(), OK, "exit code")
        shown = terminal.shown()
        equal(shown.count("✅  First step"), 1, "the finished line: " + shown)
        equal(shown.count("✅  Second step"), 1, "the finished line")
        contains(shown, "succeeded", "the end")
    finally:
        terminal.close()


@case
def ctrl_c_leaves_the_terminal_and_the_job_in_order(place):
    terminal = Terminal(place, "run", write_slow(place), "--id", "s")
    try:
        terminal.until(lambda t: "│ begun" in t.shown())
        os.write(terminal.master, b"\x03")
        equal(terminal.end(), INTERRUPTED, "exit code")
        contains(terminal.shown(), "checkride resume s", "what to type next")
        equal(terminal.screen().column, 0, "the cursor's column")
        second = Terminal(place, "resume", "s")
        try:
            second.until(lambda t: "│ begun" in t.shown())
            contains(second.shown(), "adopt it", "the plan")
            let_go(place)
            equal(second.end(), OK, "exit code of resume")
        finally:
            second.close()
    finally:
        terminal.close()


@case
def who_follows_another_owner_sees_the_same_tree(place):
    owner = place.begin("run", write_slow(place), "--id", "s")
    terminal = None
    try:
        begun = time.monotonic()
        while not list(place.store.glob("attempts/*/identity.json")):
            check(time.monotonic() - begun < SECONDS_MAX, "no job began")
            time.sleep(0.02)
        terminal = Terminal(place, "resume", "s")
        terminal.until(lambda t: "│ begun" in t.shown())
        contains(terminal.shown(), "▶   A. Work", "the active section")
        let_go(place)
        equal(terminal.end(), OK, "exit code")
        equal(terminal.shown().count("✅  Second step"), 1, "the finished line")
        equal(owner.wait(SECONDS_MAX), OK, "the owner's exit code")
    finally:
        if terminal:
            terminal.close()
        if owner.poll() is None:
            owner.kill()
            owner.wait()


@case
def two_runs_may_begin_in_a_new_store_at_the_same_time(place):
    path = write_slow(place)
    let_go(place)
    begun = [place.begin("run", path, "--id", name, output=name) for name in ("a", "b")]
    for program, name in zip(begun, ("a", "b")):
        code = program.wait(SECONDS_MAX)
        check(code == OK, f"run {name} ended with {code}:", (place.folder / name).read_text())


@case
def who_reads_goes_on_when_the_owner_leaves(place):
    path = write_slow(place)
    let_go(place)
    place.checkride("run", path, "--id", "first").must(OK)
    for turn in range(6):
        owner = place.begin("run", path, "--id", f"r{turn}")
        while owner.poll() is None:
            place.checkride("status", "first").must(OK)
        equal(owner.returncode, OK, "the run's exit code")


@case
def runs_that_begin_at_the_same_time_get_names_of_their_own(place):
    path = write_slow(place)
    let_go(place)
    names = [f"out-{i}" for i in range(4)]
    for program, name in [(place.begin("run", path, output=name), name) for name in names]:
        code = program.wait(SECONDS_MAX)
        check(code == OK, f"a run ended with {code}:", (place.folder / name).read_text())
    runs = place.checkride("ls", "--json").must(OK).json()["runs"]
    equal(sorted(run["run"] for run in runs), ["slow-1", "slow-2", "slow-3", "slow-4"], "the names")


@case
def dumb_terminals_and_NO_COLOR_are_respected(place):
    path = write_slow(place)
    let_go(place)
    dumb = Terminal(place, "run", path, "--id", "dumb", env={"TERM": "dumb"})
    try:
        check(dumb.end() == OK, "on a dumb terminal:", dumb.raw())
        check("\x1b" not in dumb.raw(), "a dumb terminal got control sequences:", dumb.raw())
        contains(dumb.raw(), "First step · shell", "the plain lines")
    finally:
        dumb.close()
    plain = Terminal(place, "run", path, "--id", "plain", env={"NO_COLOR": "1"})
    try:
        equal(plain.end(), OK, "exit code without colours")
        check(not re.search(r"\x1b\[[0-9;]*m", plain.raw()), "colours in spite of NO_COLOR")
        check("\x1b[J" in plain.raw(), "no tree without colours")
    finally:
        plain.close()


@case
def a_conflict_is_shown_with_its_hunks_everywhere(place):
    place.make()
    terminal = Terminal(place, "run", "gh200-rebase", "--id", "r", "-p", f"repo={place.fork}")
    try:
        equal(terminal.end(), WAITING, "exit code")
        shown = terminal.shown()
        contains(shown, "Waiting for a person", "the question")
    finally:
        terminal.close()
    conflicts = place.gate("merge")["inputs"]["details"]["conflicts"]
    check(conflicts, "the gate names no conflicts")
    line = next(text for text in conflicts[0]["hunks"][0]["theirs"].splitlines() if text.strip())
    plain = place.checkride("resume", "r").must(WAITING).out
    for where, text in (("the live view", shown), ("the plain lines", plain),
                        ("status", place.checkride("status", "r").out),
                        ("inbox", place.checkride("inbox").out)):
        contains(text, f"conflict in {conflicts[0]['path']}", where)
        contains(text, "<<<<<<< ours", where)
        contains(text, line.strip()[:60], where)
        check("\x1b[?" not in text, "a mode was changed")


@case
def logs_follow_a_running_job_until_it_ends(place):
    owner = place.begin("run", write_slow(place), "--id", "s")
    terminals = []
    try:
        begun = time.monotonic()
        while not list(place.store.glob("attempts/*/identity.json")):
            check(time.monotonic() - begun < SECONDS_MAX, "no job began")
            time.sleep(0.02)
        following = Terminal(place, "logs", "s", "-f")
        stopped = Terminal(place, "logs", "s", "first", "--follow")
        terminals = [following, stopped]
        following.until(lambda t: "begun" in t.raw())
        stopped.until(lambda t: "begun" in t.raw())
        os.write(stopped.master, b"\x03")
        equal(stopped.end(), INTERRUPTED, "exit code after Ctrl-C")
        check("over" not in following.raw(), "the job is over too early")
        let_go(place)
        equal(following.end(), OK, "exit code of the one that waits")
        for word in ("over", "standard error", "oops", "first has ended"):
            contains(following.shown(), word, "what was followed")
        equal(owner.wait(SECONDS_MAX), OK, "the run's exit code")
        after = place.checkride("logs", "s", "-f").must(OK)
        contains(after.err, "no job of 's' runs now", "afterwards")
        contains(after.out, "over", "afterwards")
    finally:
        for terminal in terminals:
            terminal.close()
        if owner.poll() is None:
            owner.kill()
            owner.wait()


RETRIED = '''checkride: 1
workflow: retried
title: A step tried again
initial: first
states:
  first:
    invoke:
      job: shell
      repeat: safe
      retry: {max: 1, backoff: 1s, jitter: 0}
      with: {script: "echo begun; while [ ! -e GO ]; do sleep 0.05; done; [ -e AGAIN ] && exit 0; : > AGAIN; exit 1"}
    on:
      done: {target: second}
      error: {target: failed}
  second:
    invoke: {job: shell, repeat: safe, with: {script: "echo the second"}}
    on:
      done: {target: ask}
      error: {target: failed}
  ask:
    invoke: {job: gate, with: {question: "Go on?"}}
    on: {answer.approve: finished, answer: failed}
  finished: {type: final, outcome: succeeded}
  failed: {type: final, outcome: failed}
'''


@case
def logs_follow_what_begins_later_until_a_person_is_asked(place):
    path = place.folder / "retried.yaml"
    path.write_text(RETRIED.replace("GO", str(place.folder / "GO")).replace("AGAIN", str(place.folder / "AGAIN")),
                    encoding="utf-8")
    owner = place.begin("run", path, "--id", "s")
    try:
        place.until(lambda: list(place.store.glob("attempts/*/identity.json")), "a job")
        following = place.begin("logs", "s", "-f", output="followed.out")
        place.until(lambda: "begun" in (place.folder / "followed.out").read_text(), "its output")
        let_go(place)
        equal(following.wait(SECONDS_MAX), OK, "exit code of the one that follows")
        text = (place.folder / "followed.out").read_text(encoding="utf-8")
        equal(text.count("begun"), 2, "attempts of the first: " + text)
        for word in ("attempt 2", "the second", "second has ended"):
            contains(text, word, "what was followed")
        equal(owner.wait(SECONDS_MAX), WAITING, "the run's exit code")
    finally:
        if owner.poll() is None:
            owner.kill()
            owner.wait()


@case
def the_owner_comments_on_what_it_does_and_keeps_secrets(place):
    path = write_slow(place)
    let_go(place)
    place.checkride("run", path, "--id", "s", env={"PRIVATE_WORD": "tulip-4711"}).must(OK)
    place.checkride("cancel", "s").must(FAILED)
    text = (place.store / "log" / "checkride.log").read_text(encoding="utf-8")
    for words in ("store opened build=", "recovering live_runs=0", "run started run=s", "driving run=s",
                  "job intended run=s", "job finished run=s", "state=first kind=shell",
                  "run finished run=s", "command rejected run=s", "store closed"):
        contains(text, words, "the commentary")
    check("tulip" not in text and "begun" not in text, "the commentary tells too much:", text)
    doctor = place.checkride("doctor", "--json").json()
    found = [item["found"] for item in doctor["findings"] if item["what"] == "commentary"]
    check(found and str(place.store / "log" / "checkride.log") in found[0], "doctor:", json.dumps(doctor))
    quiet = place.folder / "quiet"
    place.checkride("--store", quiet, "run", path, "--id", "s", env={"CHECKRIDE_LOG": "off"}).must(OK)
    check(not (quiet / "log").exists(), "it comments although it was told not to")


if __name__ == "__main__":
    main()

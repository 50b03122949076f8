"""What the end-to-end tests share: a place of its own for each case (store, state, sockets, a
look-alike fork), the program as a child process, an honest person at its gates, and the runner that
prints `ok NAME` or `FAIL NAME: why`.

A test file registers functions with @case and ends with main(). Its exit code is 0, 1, or 77 where
git or the built programs are missing. Nothing outside a case's own temporary folder is touched.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("CHECKRIDE_BUILD", SOURCE / "build")).resolve()
CHECKRIDE = str(BUILD / "checkride")
MAKE_LOOKALIKE = str(BUILD / "make_lookalike")

PATCHES = ["01-trainer-gh200", "02-caching-uvm", "03-state-tracker", "04-configuration",
           "05-data-backend", "06-gh200-module", "07-scripts-docs"]
BRANCH = "gh200-reintegration"

# Exit codes of the program.
OK, FAILED, USAGE, WAITING, ENGINE, INTERRUPTED = 0, 1, 2, 3, 4, 130

SECONDS_MAX = 300  # for one call of the program
ANSWERS_MAX = 40   # for one run


class Failure(Exception):
    """A check that did not hold; its text is the reason printed."""


def check(holds, *why):
    if not holds:
        raise Failure(" ".join(str(word) for word in why))


def equal(found, expected, what):
    check(found == expected, f"{what}: expected {expected!r}, found {found!r}")


def contains(text, part, what):
    check(part in text, f"{what}: no {part!r} in {text[-1500:]!r}")


class Reply:
    """How a call of the program ended."""

    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err

    def __str__(self):
        return (f"`checkride {' '.join(self.arguments)}` ended with {self.code}\n"
                f"--- output\n{self.out[-3000:]}\n--- errors\n{self.err[-3000:]}")

    def must(self, code):
        check(self.code == code, f"expected exit code {code}: {self}")
        return self

    def json(self):
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise Failure(f"not JSON ({error}): {self}") from None


class Place:
    """A temporary folder with a store, and everything that is done in it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.store = self.folder / "store"
        self.env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.folder / "home"),
                    "LANG": "C.UTF-8", "TZ": "UTC", "CHECKRIDE_STORE": str(self.store),
                    "XDG_STATE_HOME": str(self.folder / "state"),
                    "XDG_RUNTIME_DIR": str(self.folder / "run")}
        for name in ("home", "state", "run"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        (self.folder / "home" / ".gitconfig").write_text(
            "[user]\n\tname = Ada Keeper\n\temail = ada@example.invalid\n"
            "[init]\n\tdefaultBranch = main\n", encoding="utf-8")
        self.lookalike = self.folder / "lookalike"
        self.fork = self.lookalike / "fork"
        self.tip = "base"
        self.moved = False

    # ---- programs ----------------------------------------------------------------------------

    def checkride(self, *arguments, env=None, seconds=SECONDS_MAX, stdin=subprocess.DEVNULL, **popen):
        arguments = [str(argument) for argument in arguments]
        try:
            done = subprocess.run([CHECKRIDE, *arguments], env={**self.env, **(env or {})},
                                  cwd=self.folder, stdin=stdin, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=seconds, check=False, **popen)
        except subprocess.TimeoutExpired as late:
            raise Failure(f"`checkride {' '.join(arguments)}` took more than {seconds} s; so far: "
                          f"{(late.stdout or b'')[-2000:]!r} {(late.stderr or b'')[-1000:]!r}") from None
        return Reply(arguments, done.returncode, done.stdout.decode("utf-8", "replace"),
                     done.stderr.decode("utf-8", "replace"))

    def begin(self, *arguments, env=None, output="program.out"):
        """Starts the program and does not wait for it; its output goes to a file of the place."""
        with open(self.folder / output, "ab") as out:
            return subprocess.Popen([CHECKRIDE, *map(str, arguments)], env={**self.env, **(env or {})},
                                    cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out,
                                    stderr=subprocess.STDOUT, start_new_session=True)

    def until(self, holds, what, seconds=60):
        """Waits until something is so; other processes tell nobody, so it is asked again and again."""
        deadline = time.monotonic() + seconds
        while not holds():
            check(time.monotonic() < deadline, "waited in vain for", what)
            time.sleep(0.05)

    def git(self, *arguments, cwd=None, may_fail=False):
        done = subprocess.run(["git", *map(str, arguments)], env=self.env, cwd=cwd or self.fork,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        if done.returncode != 0 and not may_fail:
            raise Failure(f"git {' '.join(map(str, arguments))}: {done.stderr.decode()[-500:]}")
        return done.stdout.decode("utf-8", "replace").rstrip("\n")

    def tool(self, *arguments):
        done = subprocess.run([MAKE_LOOKALIKE, *map(str, arguments)], env=self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        check(done.returncode == 0, "make_lookalike", *arguments, ":", done.stdout.decode()[-500:])

    # ---- the look-alike ------------------------------------------------------------------------

    def make(self, tip="base", *options, folder=None):
        if folder is not None:
            self.lookalike = pathlib.Path(folder)
            self.fork = self.lookalike / "fork"
        self.tip = tip
        self.tool(self.lookalike, "--tip", tip, *options)
        return self

    def facts(self):
        return json.loads((self.lookalike / "lookalike.json").read_text(encoding="utf-8"))

    def upstream_commit(self):
        return self.facts()["commits"][self.tip]["id"]

    def patch_file(self, name):
        return self.fork / "patches" / f"{name}.patch"

    # ---- a run -----------------------------------------------------------------------------------

    def start(self, *options, run="r", patches=None, repo=None, env=None, **popen):
        arguments = ["run", "gh200-rebase", "--id", run, "-p", f"repo={repo or self.fork}"]
        if patches is not None:
            arguments += ["-p", "patches=" + ",".join(patches)]
        return self.checkride(*arguments, *options, env=env, **popen)

    def status(self, run="r"):
        return self.checkride("status", run, "--json").must(OK).json()

    def questions(self, run="r"):
        return self.status(run).get("questions", [])

    def gates(self, run="r"):
        return [question["state"] for question in self.questions(run) if question["type"] == "gate"]

    def gate(self, state, run="r"):
        for question in self.questions(run):
            if question["type"] == "gate" and question["state"] == state:
                return question
        raise Failure(f"gate {state} is not open: {self.questions(run)}")

    def worktree(self, run="r"):
        return self.store / "runs" / run / "worktree"

    def answer(self, gate, *how, run="r", env=None):
        return self.checkride("answer", run, gate, *(how or ("--approve",)), env=env)

    def act_honestly(self, gate):
        """What an honest person does before approving at a gate."""
        if gate == "merge":
            self.tool("--resolve", self.worktree(), "--at", self.tip)
        elif gate == "fix" and (self.worktree() / "gh200").is_dir():
            self.tool("--move-package", self.worktree())
        elif gate == "ask" and self.worktree().is_dir():
            # "Put the worktree right": as it was before the patch was begun.
            # Locks of a git that died: of the worktree's index and HEAD, and of its branch.
            for name in ("index", "HEAD", f"refs/heads/{BRANCH}"):
                lock = self.git("rev-parse", "--path-format=absolute", "--git-path", f"{name}.lock",
                                cwd=self.worktree())
                pathlib.Path(lock).unlink(missing_ok=True)
            self.git("reset", "--quiet", "--hard", cwd=self.worktree())
            self.git("clean", "--quiet", "-d", "--force", cwd=self.worktree())

    def fly(self, code, stop_at=(), expected=("merge", "fix", "review", "ready"), run="r"):
        """Answers gates honestly from where the run waits until it ends or waits at one of stop_at.
        Returns the last exit code and the gates passed."""
        passed = []
        while code == WAITING:
            questions = self.questions(run)
            check(questions, "it waits, but nothing is asked:", json.dumps(self.status(run))[:2000])
            question = questions[0]
            check(question["type"] == "gate", "an incident:", json.dumps(question)[:2000])
            name = question["state"]
            if name in stop_at:
                break
            check(name in expected, f"unexpected gate {name} after {passed}: {json.dumps(question)[:2000]}")
            check(len(passed) < ANSWERS_MAX, "it asks without end:", passed)
            if run == "r":
                self.act_honestly(name)
            code = self.answer(name, "--approve", run=run).code
            passed.append(name)
        return code, passed

    def tree(self, ref=BRANCH):
        return self.git("rev-parse", f"{ref}^{{tree}}")

    # ---- the log ---------------------------------------------------------------------------------

    def runs(self, run="r"):
        """Ids of a run and all its children."""
        ids = []

        def walk(node):
            ids.append(node["run"])
            for child in node.get("children", []):
                walk(child)
        walk(self.status(run))
        return ids

    def records(self, run="r", env=None):
        return self.checkride("history", run, "--json", env=env).must(OK).json()["records"]

    def events(self, run="r", kind=None):
        """Events of a whole tree of runs, each with the run it is from under "of"."""
        found = []
        for one in self.runs(run):
            for record in self.records(one):
                for event in record["events"]:
                    if kind is None or event["type"] == kind:
                        found.append({**event, "of": one})
        return found

    def applied(self, run="r"):
        """Patch name to the classes of its patch.apply attempts, in order."""
        params, classes = {}, {}
        tokens = {}
        for event in self.events(run):
            if event["type"] == "RunStarted":
                params[event["of"]] = event.get("params", {})
            elif event["type"] == "JobIntended" and event["spec"]["kind"] == "patch.apply":
                patch = params[event["of"]]["patch"]
                tokens[event["spec"]["token"]] = patch
                classes.setdefault(patch, [])
            elif event["type"] == "JobFinished" and event.get("token") in tokens:
                result = event["outcome"]["result"] or {}
                classes[tokens[event["token"]]].append(result.get("class"))
        return classes

    def verdicts(self, run="r"):
        """State id to its line in the checklists of a run and its children; the latest wins."""
        lines = {}

        def walk(node):
            for section in node.get("checklist", []):
                for line in section["lines"]:
                    lines[line["state"]] = line
            for child in node.get("children", []):
                walk(child)
        walk(self.status(run))
        return lines

    def sound(self, run="r"):
        """replay and verify both pass."""
        self.checkride("replay", run).must(OK)
        self.checkride("verify", run).must(OK)
        self.checkride("verify").must(OK)


# ---- facts about checkouts -------------------------------------------------------------------

def checkout_facts(place, fork=None):
    """Everything about the user's checkout that a run must leave as it is: HEAD, index, files with
    modes, configuration, hooks, and all refs but those a run may make."""
    fork = pathlib.Path(fork or place.fork)
    facts = {"head": (fork / ".git" / "HEAD").read_text(encoding="utf-8"),
             "index": place.git("ls-files", "--stage", "-v", cwd=fork)}
    git_folder = fork / ".git"
    for path in sorted(fork.rglob("*")):
        relative = path.relative_to(fork)
        inside = relative.parts[0] == ".git"
        if inside and relative.parts[1:2] not in (("config",), ("hooks",), ("info",), ("FETCH_HEAD",),
                                                  ("packed-refs",), ("shallow",)):
            continue
        if path.is_symlink():
            facts[str(relative)] = os.readlink(path)
        elif path.is_file():
            facts[str(relative)] = (stat.S_IMODE(path.stat().st_mode),
                                    hashlib.sha256(path.read_bytes()).hexdigest())
    for line in place.git("for-each-ref", "--format=%(refname) %(objectname)", cwd=fork).splitlines():
        name, commit = line.split()
        own = name.startswith(("refs/checkride/", "refs/heads/gh200-backup-")) or \
            name == f"refs/heads/{BRANCH}"
        if not own:
            facts[name] = commit
    facts["locks"] = sorted(str(p.relative_to(git_folder)) for p in git_folder.rglob("*.lock"))
    return facts


def untouched(before, after):
    changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    check(not changed, "the user's checkout was touched:",
          [(key, before.get(key), after.get(key)) for key in changed[:5]])


def plain_tree(place, patches=PATCHES, move_package=None):
    """The tree that plain git makes of the series, resolved honestly, in a clone of its own."""
    clone = place.folder / "plain"
    shutil.rmtree(clone, ignore_errors=True)
    place.git("clone", "--quiet", "--no-checkout", place.fork, clone, cwd=place.folder)
    place.git("fetch", "--quiet", place.lookalike / "upstream.git", place.upstream_commit(), cwd=clone)
    place.git("checkout", "--quiet", "--detach", "FETCH_HEAD", cwd=clone)
    for patch in patches:
        place.git("apply", "--3way", place.patch_file(patch), cwd=clone, may_fail=True)
        if place.git("ls-files", "-u", cwd=clone):
            place.tool("--resolve", clone, "--at", place.tip)
        if move_package is not False and (clone / "gh200").is_dir():
            place.tool("--move-package", clone)
        place.git("commit", "--quiet", "--allow-empty", "-m", patch, cwd=clone)
    return place.git("rev-parse", "HEAD^{tree}", cwd=clone)


# ---- the runner ------------------------------------------------------------------------------

CASES = []


def case(function):
    """Registers a test; its docstring, else its name, is the sentence printed."""
    CASES.append(function)
    return function


@contextlib.contextmanager
def temporary_place(name="case"):
    folder = tempfile.mkdtemp(prefix="checkride-")
    inner = pathlib.Path(folder) / name
    inner.mkdir()
    kept = "CHECKRIDE_TEST_KEEP" in os.environ
    try:
        yield Place(inner)
        kept = False
    finally:
        if kept:
            print(f"kept: {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def name_of(function):
    return function.__name__.strip("_").replace("_", " ")


def run_cases(functions):
    failed = 0
    for function in functions:
        begun = time.monotonic()
        try:
            with temporary_place() as place:
                function(place)
            print(f"ok {name_of(function)} ({time.monotonic() - begun:.1f} s)", flush=True)
        except Failure as failure:
            failed += 1
            print(f"FAIL {name_of(function)}: {failure}", flush=True)
        except Exception:  # a bug of the test is a failure too, and the other cases go on
            failed += 1
            print(f"FAIL {name_of(function)}: {traceback.format_exc()}", flush=True)
    return failed


def main():
    missing = [program for program in (CHECKRIDE, MAKE_LOOKALIKE) if not os.path.exists(program)]
    if shutil.which("git") is None:
        missing.append("git")
    if missing:
        print(f"skipped: {', '.join(missing)} not found; set CHECKRIDE_BUILD to the build folder")
        sys.exit(77)
    wanted = sys.argv[1:]
    chosen = [one for one in CASES if not wanted or any(word in one.__name__ for word in wanted)]
    if not chosen:
        print(f"FAIL no case is called {wanted}")
        sys.exit(1)
    failed = run_cases(chosen)
    print(f"{len(chosen) - failed} of {len(chosen)} cases passed")
    sys.exit(1 if failed else 0)

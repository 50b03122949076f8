#!/usr/bin/env python3
"""Kills engines and supervisors of real runs, at named points and at random moments.

KILL_MOMENTS says how many kills each case makes (default 12, for CTest; 200 for a full run), and
KILL_SEED where the random moments start. After every kill the log must still begin with what was
there before; at the end the run must have done everything, and nothing twice.
"""

import os
import stat
import subprocess
import time

from crash import (MOMENTS, STEPS, Flight, check_attempts, check_ledger, generator,
                   kill, processes_of, wait_until_no_process)
from harness import FAILED, OK, PATCHES, WAITING, case, check, equal, main, plain_tree

KILLED = -9
CRASH_AFTER = "CHECKRIDE_CRASH_AFTER_RECORDS"  # of one process: it dies as by kill -9
EFFECTS = {**{name: 1 for name in ("one", "two", "three", "four", "five", "six", "seven", "eight")},
           **{f"item-{item}": 1 for item in "abc"}}


def inner_place(place, name):
    folder = place.folder / name
    folder.mkdir()
    return type(place)(folder)


def steps(place, pause="0"):
    place.ledger = place.folder / "ledger"
    return ["run", str(STEPS), "--id", "r", "-p", f"ledger={place.ledger}", "-p", f"pause={pause}"]


def bring_home(flight, code, next_call=None):
    """Resumes and answers until the run has ended, killing as next_call() says; returns the exit
    code of the end."""
    while True:
        if code == KILLED:
            flight.remember()
            arguments = ["resume", flight.run]
        elif code == WAITING:
            arguments = flight.reply()
        else:
            return code
        code = flight.call(*arguments, **(next_call() if next_call else {}))


def done(place, flight, code):
    equal(code, OK, f"the end of the run: {flight.output()}")
    flight.remember()
    check_attempts(place)
    wait_until_no_process(place)
    place.sound()


def home_with_steps(place, flight, code, next_call=None):
    code = bring_home(flight, code, next_call)
    done(place, flight, code)
    equal(check_ledger(place.ledger), EFFECTS, "what the jobs did")


@case
def killed_after_each_durable_record_a_run_loses_and_repeats_nothing(place):
    whole = inner_place(place, "whole")
    flight = Flight(whole)
    home_with_steps(whole, flight, flight.call(*steps(whole)))
    total = sum(len(chain) for chain in flight.known.values())
    stride = max(1, total // MOMENTS)
    for count in range(1, total, stride):
        one = inner_place(place, f"after-{count}")
        flight = Flight(one)
        env = {CRASH_AFTER: str(count)}
        code = flight.call(*steps(one), env=env)
        if code == WAITING:  # it reached the gate alive; the rest is for the answering process
            before = sum(len(one.records(run)) for run in one.runs())
            code = flight.call(*flight.reply(), env={CRASH_AFTER: str(max(1, count - before))})
        check(code in (KILLED, OK), f"after {count} records it ended with", code, flight.output())
        if not flight.exists():
            code = flight.call(*steps(one))
        home_with_steps(one, flight, code)


@case
def a_run_whose_engines_live_for_two_records_each_still_gets_there(place):
    # One would not do: an attempt that never began is voided and intended anew in a record of its own,
    # before anything is started.
    flight = Flight(place)
    code = flight.call(*steps(place), env={CRASH_AFTER: "2"})
    equal(code, KILLED, "the first process")
    home_with_steps(place, flight, code, lambda: {"env": {CRASH_AFTER: "2"}})


@case
def engines_killed_at_random_moments_neither_lose_nor_repeat_a_step(place):
    moments = generator("steps")
    kills = 0
    while kills < MOMENTS:
        one = inner_place(place, f"flight-{kills}")
        flight = Flight(one)
        call = lambda: {"delay": moments.uniform(0.0, 0.4)}  # noqa: E731
        code = flight.begin(*steps(one, "0.03"), again=call)
        home_with_steps(one, flight, code, lambda: call() if flight.starts < 60 else {})
        kills += max(1, flight.kills)


@case
def a_job_outlives_the_engine_that_watched_it(place):
    flight = Flight(place)
    code = flight.call(*steps(place, "1.5"), delay=0.8)
    equal(code, KILLED, "the engine")
    events = place.events(kind="JobIntended")
    equal(len(events), 1, "attempts before the kill")
    home_with_steps(place, flight, flight.call("resume", "r"))
    first = events[0]["spec"]["token"]
    adopted = [event for event in place.events() if event["type"] in ("JobAdopted", "JobFinished")
               and event.get("token") == first]
    check(adopted, "the first attempt was neither adopted nor collected")


@case
def supervisors_killed_at_random_moments_are_asked_about_and_never_rerun_silently(place):
    moments = generator("supervisors")
    kills = 0
    number = 0
    while kills < MOMENTS and number < MOMENTS * 3:
        number += 1
        one = inner_place(place, f"flight-{number}")
        flight = Flight(one)
        victims = moments.choice(["supervisors", "both"])
        call = lambda: {"delay": moments.uniform(0.05, 0.5), "victims": victims}  # noqa: E731
        code = flight.begin(*steps(one, "0.1"), again=call)
        code = bring_home(flight, code, lambda: call() if flight.starts < 12 else {})
        done(one, flight, code)
        # A step whose end could not be proved is done again only where somebody said so.
        effects = check_ledger(one.ledger, most_per_effect=1 + flight.asked)
        repeated = sum(effects.values()) - len(effects)
        check(repeated <= flight.asked, f"{repeated} repetitions, but {flight.asked} were asked for")
        check(set(effects) == set(EFFECTS), "effects missing:", set(EFFECTS) - set(effects))
        kills += flight.kills


def watch_git(place):
    """A git in front of the real one that notes each `git apply --3way` with its attempt."""
    folder = place.folder / "bin"
    folder.mkdir()
    shim = folder / "git"
    shim.write_text('#!/bin/sh\n'
                    'case " $* " in *" --check "*) ;; *" --3way "*)\n'
                    f'  for last; do :; done; echo "$CHECKRIDE_TOKEN ${{last##*/}}" >> \'{place.folder}/applied\' ;;\n'
                    'esac\n'
                    f'PATH="{place.env["PATH"]}" exec git "$@"\n', encoding="utf-8")
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    place.applied_file = place.folder / "applied"
    return {"PATH": f"{folder}{os.pathsep}{place.env['PATH']}"}


@case
def a_rebase_killed_after_every_durable_record_applies_each_patch_once(place):
    """Each engine lives for a few records; the first one's life shifts where the later ones die. The
    full run leaves no record out: two records each, from either parity."""
    life = 2 if MOMENTS >= 200 else 24
    for first in range(1, life + 1) if life == 2 else [1]:
        one = inner_place(place, f"from-{first}")
        one.make()
        wanted = plain_tree(one)
        env = watch_git(one)
        flight = Flight(one)
        run = ["run", "gh200-rebase", "--id", "r", "-p", f"repo={one.fork}"]
        code = flight.call(*run, env={**env, CRASH_AFTER: str(first)})
        equal(code, KILLED, "the first engine")
        if not flight.exists():
            code = flight.call(*run, env={**env, CRASH_AFTER: str(life)})
        code = bring_home(flight, code, lambda: {"env": {**env, CRASH_AFTER: str(life)}})
        done(one, flight, code)
        equal(one.tree(), wanted, "the tree of the branch")
        effects = check_ledger(one.applied_file, 1)
        equal(sorted(effects), sorted(f"{patch}.patch" for patch in PATCHES), "patches applied")


def rebase_killed(place, name, victims, most_per_patch):
    """Kills all through look-alike rebases until there were enough kills."""
    moments = generator(name)
    kills = 0
    number = 0
    while kills < MOMENTS and number <= MOMENTS:
        number += 1
        one = inner_place(place, f"flight-{number}")
        one.make()
        wanted = plain_tree(one)
        env = watch_git(one)
        flight = Flight(one)
        call = lambda: {"env": env, "delay": moments.uniform(0.05, 1.5),  # noqa: E731
                        "victims": victims(moments)}
        run = ["run", "gh200-rebase", "--id", "r", "-p", f"repo={one.fork}"]
        code = flight.begin(*run, again=call)
        quiet = {"env": env}
        code = bring_home(flight, code,
                          lambda: call() if flight.starts < 60 and kills + flight.kills < MOMENTS else quiet)
        done(one, flight, code)
        equal(one.tree(), wanted, "the tree of the branch")
        effects = check_ledger(one.applied_file, most_per_patch)
        equal(sorted(effects), sorted(f"{patch}.patch" for patch in PATCHES), "patches applied")
        kills += flight.kills


@case
def a_rebase_whose_engine_is_killed_applies_each_patch_once(place):
    rebase_killed(place, "rebase engine", lambda moments: "engine", 1)


@case
def a_rebase_whose_supervisors_are_killed_ends_with_the_same_tree(place):
    rebase_killed(place, "rebase supervisors", lambda moments: "supervisors", 3)


@case
def a_rebase_of_which_anything_is_killed_ends_with_the_same_tree(place):
    rebase_killed(place, "rebase both", lambda moments: moments.choice(["engine", "supervisors", "both"]), 3)


@case
def an_apply_that_died_between_files_and_index_is_applied_once_the_worktree_was_put_right(place):
    """What a kill at the worst moment of `git apply --3way` leaves: files written, the index not.
    Nobody can tell whose bytes those are, so it is asked, and asked until somebody has put the
    worktree right; a patch that only the files hold is not in."""
    place.make()
    wanted = plain_tree(place, PATCHES[-1:])
    env = watch_git(place)
    shim = place.folder / "bin" / "git"
    worst = place.folder / "worst"
    shim.write_text(shim.read_text().replace(
        "  for last; do :; done;", "  for last; do :; done\n"
        f"  if ! test -e '{worst}' && test ${{last##*/}} = {PATCHES[-1]}.patch; then\n"
        f'    PATH="{place.env["PATH"]}"; git "$@"; git reset --quiet\n'
        f"    : >'{worst}'; exec sleep 600\n  fi\n "))
    flight = Flight(place)
    begun = place.begin("run", "gh200-rebase", "--id", "r", "-p", f"repo={place.fork}",
                        "-p", f"patches={PATCHES[-1]}", env=env)
    deadline = time.monotonic() + 120
    while not worst.exists():
        check(begun.poll() is None and time.monotonic() < deadline, "no patch is applied:", flight.output())
        time.sleep(0.02)
    for pid in processes_of(place):
        kill(pid)
    equal(begun.wait(120), WAITING, f"a lost apply: {flight.output()}")
    equal(place.questions()[0]["kind"], "job_lost", "what is asked")
    code = flight.call(*flight.reply(), env=env)
    equal(place.gates(), ["ask"], "what is asked after another try")
    code = flight.call("answer", "r", "ask", "--approve", env=env)  # without having done anything
    equal((code, place.gates()), (WAITING, ["ask"]), "what is asked while it is not put right")
    code = bring_home(flight, code, lambda: {"env": env})
    done(place, flight, code)
    equal(place.tree(), wanted, "the tree of the branch")


@case
def a_store_that_two_engines_want_belongs_to_one(place):
    flight = Flight(place)
    first = place.begin(*steps(place, "0.2"))
    second = place.begin("resume", "r", output="second.out")
    codes = sorted([first.wait(120), second.wait(120)])
    check(codes in ([WAITING, WAITING], [2, WAITING]), "exit codes:", codes, flight.output())
    home_with_steps(place, flight, WAITING)


@case
def a_follower_takes_over_when_the_owner_is_killed(place):
    flight = Flight(place)
    owner = place.begin(*steps(place, "0.3"))
    while not flight.exists() and owner.poll() is None:
        pass
    follower = place.begin("resume", "r", output="follower.out")
    try:
        owner.wait(0.6)
    except subprocess.TimeoutExpired:
        owner.kill()
    owner.wait()
    equal(follower.wait(120), WAITING, "the follower's exit code")
    home_with_steps(place, flight, WAITING)


@case
def a_run_cancelled_while_its_engine_is_dead_ends_its_job(place):
    flight = Flight(place)
    code = flight.call(*steps(place, "20"), delay=1.0)
    equal(code, KILLED, "the engine")
    equal(place.checkride("cancel", "r", "--why", "never mind").code, FAILED, "cancel")
    wait_until_no_process(place)
    equal(place.status()["outcome"], "cancelled", "the outcome")
    check_attempts(place)
    place.sound()


main()

#!/usr/bin/env python3
"""Before a run: the dry run and the rehearsal tell much and leave nothing behind anywhere."""

import hashlib

from harness import FAILED, OK, SOURCE, USAGE, case, check, contains, equal, main


def everything(folder):
    """Every file and folder below, with content and times of change."""
    found = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(folder))] = (state.st_mtime_ns, state.st_mode, content)
    return found


def leaves_nothing(place, *arguments):
    before = everything(place.folder)
    reply = place.checkride(*arguments)
    after = everything(place.folder)
    changed = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
    check(not changed, f"`checkride {' '.join(map(str, arguments))}` changed", changed[:5], reply)
    return reply


@case
def a_dry_run_tells_the_plan_and_writes_nothing(place):
    place.make()
    run = ("run", "gh200-rebase", "-p", f"repo={place.fork}", "--dry-run")
    reply = leaves_nothing(place, *run).must(OK)
    contains(reply.out, "nothing is started, nothing is written", "the plan")
    contains(reply.out, f'"{place.fork}"', "the plan")
    contains(reply.out, place.upstream_commit()[:12], "the plan, by ls-remote")
    contains(reply.out, "git.worktree", "the plan")
    plan = leaves_nothing(place, *run, "--json").must(OK).json()
    states = [step["state"] for step in plan["steps"]]
    for state in ("identity", "patch_set", "clean", "backup", "worktree", "reapply", "review", "checked"):
        check(state in states, f"no step {state}: {states}")
    equal(plan["end"], "finished", "the end")
    looked = {step["state"]: step.get("now", {}).get("verdict") for step in plan["steps"]}
    equal(looked["identity"], "passed", "what git.upstream finds")
    patches = next(step for step in plan["steps"] if step["state"] == "patch_set")["children"]
    equal(len(patches), 7, "patches looked at")
    check(all(one["steps"][0]["now"]["verdict"] == "passed" for one in patches), "patches:", patches)


@case
def a_dry_run_sees_what_will_fail(place):
    place.make()
    reply = leaves_nothing(place, "run", "gh200-rebase", "--dry-run", "-p", f"repo={place.folder}")
    reply.must(FAILED)
    contains(reply.out, "not inside a git work tree", "a folder that is no repository")
    reply = leaves_nothing(place, "run", "gh200-rebase", "--dry-run", "-p", f"repo={place.fork}",
                           "-p", "upstream_branch=no-such-branch").must(FAILED)
    contains(reply.out, "no-branch", "a branch that upstream lacks")
    reply = leaves_nothing(place, "run", "gh200-rebase", "--dry-run", "-p", f"repo={place.fork}",
                           "-p", "patches=03-state-tracker,99-missing").must(FAILED)
    contains(reply.out, "99-missing", "a patch that is not there")
    leaves_nothing(place, "run", "gh200-rebase", "--dry-run").must(USAGE)


@case
def a_rehearsal_writes_nothing(place):
    cases = SOURCE / "workflows" / "definitions" / "gh200-rebase.cases.yaml"
    reply = leaves_nothing(place, "run", "gh200-rebase", "--rehearse", cases, "--case",
                           "every patch applies as it is").must(OK)
    contains(reply.out, "REHEARSAL ended succeeded", "the end")
    contains(reply.out, "Backup branch created", "the report")
    leaves_nothing(place, "run", "gh200-rebase", "--rehearse", cases, "--case", "the review rejects",
                   "--json").must(FAILED)
    leaves_nothing(place, "run", "gh200-rebase", "--rehearse", cases, "-p", "no_such=1").must(USAGE)


@case
def the_shipped_cases_reach_everything(place):
    result = leaves_nothing(place, "test", "gh200-rebase", "--min-coverage", "100",
                            "--json").must(OK).json()
    equal(result["failed"], 0, "failed cases")
    equal(result["total"]["states_reached"], result["total"]["states_total"], "states")
    equal(result["total"]["transitions_reached"], result["total"]["transitions_total"], "transitions")
    equal(result["notes"], [], "notes")
    leaves_nothing(place, "test", "no-such-workflow").must(USAGE)


main()

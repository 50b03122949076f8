#!/usr/bin/env python3
"""Wrong resolutions of the conflict: each is refused with its reason and nothing is lost."""

import json
import subprocess

from harness import (BRANCH, FAILED, OK, WAITING, case, check, contains, equal, main, plain_tree)

TRAINER = "simpletuner/helpers/training/trainer.py"
REASONS = {
    "markers-left": "conflict marker",
    "markers-committed": "conflict marker",
    "all-ours": "upstream side alone",
    "all-theirs": "patch's side alone",
    "both-sides": "one side followed by the other",
    "not-added": "git add",
}


def begin(place):
    place.make("base", "--package-where-expected")
    place.start("-p", "retry_limit=10", patches=["01-trainer-gh200"]).must(WAITING)
    equal(place.gates(), ["merge"], "open gates")
    place.conflicted = (place.worktree() / TRAINER).read_bytes()
    place.stages = place.git("ls-files", "-s", "-u", cwd=place.worktree())
    place.head = place.git("rev-parse", "HEAD", cwd=place.worktree())


def back_to_conflict(place):
    """What a person does who found out: the conflict as it was, by plumbing and without our help."""
    worktree = place.worktree()
    place.git("update-ref", "HEAD", place.head, cwd=worktree)
    place.git("update-index", "--force-remove", TRAINER, cwd=worktree)
    entries = place.folder / "entries"
    entries.write_text(place.stages + "\n", encoding="utf-8")
    with open(entries, encoding="utf-8") as text:
        subprocess.run(["git", "update-index", "--index-info"], cwd=worktree, env=place.env, stdin=text,
                       check=True)
    (worktree / TRAINER).write_bytes(place.conflicted)


def refused(place, lie):
    opened = place.gate("merge")["opened_at"]
    text = (place.worktree() / TRAINER).read_bytes()
    reply = place.answer("merge", "--approve", "--why", "done")
    equal(reply.code, WAITING, f"the answer after {lie}: {reply}")
    equal(place.gates(), ["merge"], f"open gates after {lie}")
    gate = place.gate("merge")
    check(gate["opened_at"] > opened, "the gate was not opened again")
    contains(json.dumps(gate["inputs"].get("evidence")), REASONS[lie], f"findings after {lie}")
    equal((place.worktree() / TRAINER).read_bytes(), text, f"the file after {lie}")


def accepted(place):
    """The right one is taken, the patch was applied once, and the tree is right."""
    code, passed = place.fly(WAITING)
    equal((code, passed), (OK, ["merge", "review", "ready"]), "end and gates")
    equal(place.applied(), {"01-trainer-gh200": ["conflict"]}, "attempts of patch.apply")
    equal(place.tree(), plain_tree(place, ["01-trainer-gh200"]), "the tree of the branch")
    place.sound()


def told(lie):
    def test(place):
        begin(place)
        place.tool("--resolve", place.worktree(), "--at", "base", "--lie", lie)
        refused(place, lie)
        back_to_conflict(place)
        accepted(place)
    test.__name__ = f"{lie.replace('-', '_')}_is_refused_and_the_right_resolution_taken_afterwards"
    case(test)


for one in REASONS:
    told(one)


@case
def approving_without_touching_anything_is_refused(place):
    begin(place)
    reply = place.answer("merge")
    equal(reply.code, WAITING, "the exit code")
    contains(json.dumps(place.gate("merge")["inputs"]["evidence"]), "still unmerged", "findings")
    accepted(place)


@case
def all_lies_in_a_row_are_refused_and_counted_in_the_history(place):
    begin(place)
    for lie in REASONS:
        place.tool("--resolve", place.worktree(), "--at", "base", "--lie", lie)
        refused(place, lie)
        back_to_conflict(place)
    accepted(place)
    answers = [event for event in place.events(kind="GateAnswered")]
    equal(len(answers), len(REASONS) + 3, "answers in the history")


@case
def after_too_many_wrong_answers_a_person_must_allow_more(place):
    place.make("base", "--package-where-expected")
    place.start("-p", "retry_limit=2", patches=["01-trainer-gh200"]).must(WAITING)
    place.answer("merge").must(WAITING)
    equal(place.gates(), ["merge"], "open gates after one wrong answer")
    place.answer("merge").must(WAITING)
    questions = place.questions()
    equal([question["type"] for question in questions], ["incident"], "what it asks now")
    place.checkride("resolve", "r", "--retry", "--why", "one more").must(WAITING)
    equal(place.gates(), ["merge"], "open gates after the person allowed one more")
    accepted(place)


@case
def a_side_taken_on_purpose_needs_a_reason_and_is_recorded_as_waived(place):
    begin(place)
    place.tool("--resolve", place.worktree(), "--at", "base", "--lie", "all-ours")
    reply = place.answer("merge", "--choose", "take-ours")
    equal(reply.code, FAILED, f"a choice without a reason: {reply}")
    equal(place.gates(), ["merge"], "open gates after it")
    reply = place.answer("merge", "--choose", "take-ours", "--why", "upstream rewrote this part")
    equal(reply.code, WAITING, f"a choice with a reason: {reply}")
    check("merge" not in place.gates(), "the gate is open again:", json.dumps(place.questions())[:1500])
    line = place.verdicts()["residue"]
    equal(line["verdict"], "waived", "the verdict of the check")
    contains(line["note"], "upstream rewrote this part", "its note")
    # The points of the patch are not there now, and that is asked, not passed over.
    equal(place.gates(), ["fix"], "open gates")
    contains(place.checkride("report", "r").must(OK).out, "upstream rewrote this part", "the report")


@case
def a_choice_that_is_not_what_was_done_is_refused(place):
    begin(place)
    place.tool("--resolve", place.worktree(), "--at", "base", "--lie", "all-theirs")
    place.answer("merge", "--choose", "take-ours", "--why", "so it says").must(WAITING)
    equal(place.gates(), ["merge"], "open gates")
    contains(json.dumps(place.gate("merge")["inputs"]["evidence"]), "patch's side alone", "findings")


@case
def rejecting_the_conflict_gives_the_patch_up_and_asks_how_to_go_on(place):
    begin(place)
    place.answer("merge", "--reject", "--why", "not worth it").must(WAITING)
    equal(place.gates(), ["ask_incomplete"], "open gates")
    reply = place.answer("ask_incomplete", "--choose", "rollback", "--why", "start over")
    equal(reply.code, FAILED, "the exit code")
    equal(place.status()["outcome"], "rolled-back", "the outcome")


@case
def a_waiver_of_the_conflict_accepts_nothing_and_says_so_before(place):
    begin(place)
    ways = {way["command"]: way["effect"] for way in place.gate("merge")["ways"]}
    [effect] = [effect for command, effect in ways.items() if "--waive" in command]
    contains(effect, "same as reject", "what status says of --waive")
    place.answer("merge", "--waive", "--why", "let it be").must(WAITING)
    equal(place.gates(), ["ask_incomplete"], "open gates")
    equal(place.verdicts()["merge"]["verdict"], "failed", "the verdict of the conflict")
    # Where a waiver is one, the words are the others.
    ways = {way["command"]: way["effect"] for way in place.gate("ask_incomplete")["ways"]}
    check(any("--reject" in command for command in ways), "no way to reject:", ways)


@case
def rollback_chosen_at_the_conflict_rolls_the_whole_run_back(place):
    place.make("base", "--package-where-expected")
    place.start(patches=["03-state-tracker", "01-trainer-gh200", "04-configuration"]).must(WAITING)
    equal(place.gates(), ["merge"], "open gates")
    reply = place.answer("merge", "--choose", "rollback", "--why", "not this week")
    equal(reply.code, FAILED, f"the exit code: {reply}")
    status = place.status()
    equal(status["outcome"], "rolled-back", "the outcome")
    check("04-configuration" not in place.applied(), "a later patch was applied", place.applied())
    check(not place.git("for-each-ref", f"refs/heads/{BRANCH}"), "the branch is still there")
    check(not place.worktree().exists(), "the worktree is still there")
    contains(place.git("for-each-ref", "refs/checkride/"), "refs/checkride/failed/", "kept refs")
    contains(place.checkride("report", "r").must(OK).out, "not this week", "the report")
    place.sound()


@case
def an_answer_to_a_gate_that_is_not_open_is_refused(place):
    begin(place)
    check(place.answer("review").code in (1, 2), "an answer to a closed gate")
    check(place.answer("merge", "--choose", "nothing-like-it", "--why", "x").code in (1, 2),
          "an option the gate does not have")
    equal(place.gates(), ["merge"], "open gates")


main()

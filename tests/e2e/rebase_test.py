#!/usr/bin/env python3
"""The whole rebase over the look-alike, and every verb on what it left."""

import json
import shutil
import time

from harness import (BRANCH, FAILED, OK, PATCHES, WAITING, case, check, checkout_facts, contains,
                     equal, main, plain_tree, untouched)

# Trees of the look-alike's series at base, package not moved; the same table is in
# tests/support/lookalike.h, so that both sides of the comparison are not our own program's word.
TREE_AT_BASE = "52dbb6d32bce1f163d5387dc567e752482e80b1a"


def whole_rebase(place):
    """From a made look-alike to the end, honestly."""
    reply = place.start()
    code, passed = place.fly(reply.must(WAITING).code)
    equal(code, OK, "the end of the run")
    return passed


@case
def a_whole_rebase_ends_succeeded_with_the_tree_that_plain_git_makes(place):
    place.make()
    before = checkout_facts(place)
    passed = whole_rebase(place)
    equal(passed, ["merge", "fix", "review", "ready"], "gates in order")
    equal(place.tree(), plain_tree(place), "the tree of the branch")
    untouched(before, checkout_facts(place))
    equal(place.git("merge-base", BRANCH, place.upstream_commit()), place.upstream_commit(),
          "the branch stands on the pinned upstream commit")
    classes = place.applied()
    table = dict(zip(PATCHES, place.facts()["commits"]["base"]["classes"]))
    equal({patch: found[-1] for patch, found in classes.items()}, table, "classes of the patches")
    place.sound()


@case
def with_the_package_where_it_is_expected_the_tree_is_the_one_of_the_table(place):
    place.make("base", "--package-where-expected")
    code, passed = place.fly(place.start().code)
    equal((code, passed), (OK, ["merge", "review", "ready"]), "end and gates")
    equal(place.tree(), plain_tree(place), "the tree of the branch")
    # The package is the only difference to the tree of the table.
    place.git("config", "user.name", "Ada Keeper")
    equal(plain_tree(place.make("base", folder=place.folder / "default"), move_package=False), TREE_AT_BASE,
          "the tree of the table")


@case
def the_conflict_gate_shows_the_conflict_with_both_sides(place):
    place.make()
    place.start().must(WAITING)
    gate = place.gate("merge")
    contains(gate["question"], "trainer.py", "the question")
    shown = json.dumps(gate["inputs"])
    contains(shown, "simpletuner/helpers/training/trainer.py", "the gate's details")
    for side in ("ours", "theirs"):
        contains(shown, side, "the gate's details")
    check(place.worktree().is_dir(), "there is no worktree", place.worktree())
    contains((place.worktree() / "simpletuner/helpers/training/trainer.py").read_text(), "<<<<<<< ",
             "the file on disk")
    text = place.checkride("status", "r").must(OK).out
    contains(text, "checkride answer r merge --approve", "the way to answer, in status")
    equal(place.checkride("inbox").code, WAITING, "inbox while something waits")


@case
def the_report_has_every_section_with_marks_and_notes(place):
    place.make()
    whole_rebase(place)
    report = place.checkride("report", "r").must(OK).out
    for section in ("P. Phase 0", "A. Pre-flight", "B. Upstream preparation",
                    "C. Patch reapplication", "H. Sign-off"):
        contains(report, section, "the report")
    for patch in PATCHES:
        contains(report, patch, "the report")
    check(report.count("✅") >= 12, "few marks in the report:", report)
    contains(report, "⚠️", "the mark of the conflict")
    contains(report, "accepted", "the verdict line")
    contains(report, place.upstream_commit()[:12], "the pinned commit in the report")
    as_json = place.checkride("report", "r", "--json").must(OK).json()
    check(isinstance(as_json, dict) and as_json, "the report as JSON is empty")


@case
def why_explains_the_branch_that_the_conflict_took(place):
    place.make()
    place.start().must(WAITING)
    text = place.checkride("why", "r", "apply").must(OK).out
    contains(text, 'result.class in ["conflict", "pending-conflict"]', "why")
    contains(text, "conflict", "why")
    as_json = place.checkride("why", "r", "apply", "--json").must(OK).json()
    taken = [guard for guard in as_json["guards"] if guard["taken"]]
    equal(len(taken), 1, "guards taken")
    check(taken[0]["holds"] and "conflict" in taken[0]["guard"], "the guard taken:", taken[0])
    refused = [guard for guard in as_json["guards"] if not guard["holds"]]
    check(any("clean-direct" in guard["guard"] for guard in refused), "guards tried before:", refused)
    facts = [fact for fact in taken[0]["facts"] if fact["path"] == "result.class"]
    check(facts and facts[0].get("value") == "conflict", "the fact read:", taken[0]["facts"])


@case
def every_reading_verb_answers_as_text_and_as_json(place):
    place.make()
    place.start().must(WAITING)

    def ask(verbs, code=OK):
        text = place.checkride(*verbs).must(code)
        check(text.out.strip() and not text.err.strip(), "nothing said, or complaints:", text)
        check("\x1b[" not in text.out, "colours without a terminal:", text)
        place.checkride(*verbs, "--json").must(code).json()

    def ask_all(inbox):
        for verbs in (["ls"], ["status"], ["status", "r"], ["logs", "r"], ["logs", "r", "apply"],
                      ["history", "r"], ["show", "r@10"], ["show", "r"], ["why", "r"],
                      ["why", "r", "apply"], ["graph", "gh200-rebase"], ["lint", "gh200-rebase"],
                      ["doctor"], ["verify"], ["verify", "r"], ["replay", "r"], ["report", "r"]):
            ask(verbs)
        ask(["inbox"], inbox)

    ask_all(WAITING)
    code, _ = place.fly(WAITING)
    equal(code, OK, "the end of the run")
    ask_all(OK)
    for child in place.runs()[1:3]:
        ask(["history", child])
        ask(["status", child])
    contains(place.checkride("logs", "r", "apply").out, "patch.apply", "logs of a state of a child")
    contains(place.checkride("graph", "gh200-rebase").out, "stateDiagram", "the graph")


@case
def detached_runs_go_on_in_the_background_until_a_person_is_needed(place):
    place.make()
    reply = place.start("--detach")
    equal(reply.code, OK, "run --detach")
    deadline = time.monotonic() + 120
    while place.checkride("inbox").code != WAITING:
        check(time.monotonic() < deadline, "no gate opened in the background:",
              place.checkride("status", "r").out)
        time.sleep(0.2)  # a background owner tells nobody; asking is the only way
    equal(place.gates(), ["merge"], "open gates")
    code, _ = place.fly(WAITING)
    equal(code, OK, "the end of the run")


@case
def an_untouched_pinned_commit_survives_upstream_moving_on(place):
    place.make()
    place.start().must(WAITING)
    pinned = place.upstream_commit()
    later = place.facts()["commits"]["later-2"]["id"]
    place.git("update-ref", "refs/heads/main", later, cwd=place.lookalike / "upstream.git")
    code, _ = place.fly(WAITING)
    equal(code, OK, "the end of the run")
    place.git("fetch", "--quiet", "origin")
    equal(place.git("merge-base", BRANCH, later), pinned, "where the branch stands")


@case
def a_check_with_nothing_to_check_is_skipped_and_never_passed(place):
    place.make("base", "--package-where-expected")
    patch = "08-notes"  # no Python file, no integration point, no importer
    place.patch_file(patch).write_text(
        "diff --git a/NOTES.txt b/NOTES.txt\nnew file mode 100644\n--- /dev/null\n+++ b/NOTES.txt\n"
        "@@ -0,0 +1 @@\n+Kept by hand.\n", encoding="utf-8")  # without an index line, too
    place.git("add", place.patch_file(patch))
    place.git("commit", "--quiet", "-m", "Keep notes")
    code, passed = place.fly(place.start("-p", "upstream_names=[]", patches=[patch]).code)
    equal((code, passed), (OK, ["review", "ready"]), "end and gates")
    lines = place.verdicts()
    for state in ("syntax", "points", "imports", "symbols", "upstream_apis"):
        equal(lines[state]["verdict"], "skipped", f"the verdict of {state}")
        check(lines[state]["note"], f"{state} does not say why")
    report = place.checkride("report", "r").must(OK).out
    contains(report, "none listed for this patch", "the report")
    contains(report, "no Python file in this patch", "the report")
    for empty in ("0 verified", "0 resolved"):
        check(empty not in report, f"{empty!r} is in the report")


@case
def a_run_without_patches_does_not_pass(place):
    place.make()
    reply = place.start("-p", "patches=[]")
    equal(reply.code, FAILED, f"the exit code: {reply}")
    contains(place.verdicts()["patch_set"]["note"], "no patch is named", "the line of P.6")


@case
def what_changes_after_the_review_voids_its_answer(place):
    place.make()
    place.start(patches=["03-state-tracker"]).must(WAITING)
    equal(place.gates(), ["review"], "open gates")
    target = place.worktree() / "simpletuner/helpers/training/state_tracker.py"
    reviewed = place.gate("review")["inputs"]["evidence"]
    target.write_bytes(target.read_bytes() + b"# while the review went on\n")
    place.git("add", target, cwd=place.worktree())
    place.answer("review").must(WAITING)
    equal(place.gates(), ["review"], "open gates after a change during the review")
    seen_again = place.gate("review")["inputs"]["evidence"]
    check(seen_again != reviewed, "the review shows the same evidence", reviewed)
    place.answer("review").must(WAITING)
    equal(place.gates(), ["ready"], "open gates after the second review")
    target.write_bytes(target.read_bytes() + b"# after the review\n")
    place.git("add", target, cwd=place.worktree())
    place.answer("ready").must(WAITING)
    equal(place.gates(), ["review"], "open gates after a change before the hand-over")
    check(place.gate("review")["inputs"]["evidence"] != seen_again, "the evidence is the old one")
    code, passed = place.fly(WAITING)
    equal((code, passed), (OK, ["review", "ready"]), "end and gates")
    equal(place.git("show", f"{BRANCH}:{target.relative_to(place.worktree())}").encode() + b"\n",
          target.read_bytes(), "the file that was handed over")
    place.sound()


@case
def rejecting_the_review_ends_the_run_failed_and_leaves_the_checkout(place):
    place.make()
    before = checkout_facts(place)
    place.start(patches=["03-state-tracker"]).must(WAITING)
    equal(place.gates(), ["review"], "open gates")
    reply = place.answer("review", "--reject", "--why", "not now")
    equal(reply.code, FAILED, "the exit code")
    equal(place.status()["outcome"], "failed", "the outcome")
    untouched(before, checkout_facts(place))
    contains(place.checkride("report", "r").out, "not now", "the report")
    place.sound()


@case
def rolling_back_removes_branch_and_worktree_and_keeps_the_failed_tip(place):
    place.make()
    before = checkout_facts(place)
    place.start().must(WAITING)
    reply = place.checkride("rollback", "r", "--yes", "--why", "enough")
    equal(reply.code, FAILED, "the exit code")
    equal(place.status()["outcome"], "rolled-back", "the outcome")
    check(not place.git("for-each-ref", f"refs/heads/{BRANCH}"), "the branch is still there")
    check(not place.worktree().exists(), "the worktree is still there")
    contains(place.git("for-each-ref", "refs/checkride/"), "refs/checkride/failed/", "kept refs")
    equal(len(place.git("worktree", "list").splitlines()), 1, "worktrees of the repository")
    untouched(before, checkout_facts(place))
    # The last thing undone says whether the checkout is as it was at the start.
    ends = [event["message"] for event in place.events(kind="CompensationFinished")]
    equal(ends, ["", ""], "what undoing said")
    report = place.checkride("report", "r").must(OK).out
    contains(report, "`git.same` (undo)", "the report")
    equal(place.verdicts()["reapply"]["verdict"], "interrupted", "the state that was at work")
    place.sound()


@case
def rolling_back_while_the_worktree_is_being_made_leaves_nothing_of_it(place):
    place.make()
    before = checkout_facts(place)
    tools, made = place.folder / "tools", place.folder / "made"
    tools.mkdir()
    slow = tools / "git"
    slow.write_text("#!/bin/sh\n"
                    f"real={shutil.which('git')}\n"
                    "case \" $* \" in\n"
                    f"  *' worktree add '*) $real \"$@\"; touch {made}; exec sleep 600;;\n"
                    "esac\n"
                    "exec $real \"$@\"\n", encoding="utf-8")
    slow.chmod(0o755)
    running = place.begin("run", "gh200-rebase", "--id", "r", "-p", f"repo={place.fork}",
                          env={"PATH": f"{tools}:{place.env['PATH']}"})
    place.until(made.exists, "the worktree")
    place.checkride("rollback", "r", "--yes", "--why", "enough").must(FAILED)
    equal(running.wait(60), FAILED, "the exit code of the run")
    equal(place.status()["outcome"], "rolled-back", "the outcome")
    check(not place.git("for-each-ref", f"refs/heads/{BRANCH}"), "the branch is still there")
    equal(len(place.git("worktree", "list").splitlines()), 1, "worktrees of the repository")
    untouched(before, checkout_facts(place))
    place.sound()


@case
def rolling_back_says_when_the_checkout_is_not_as_it_was(place):
    place.make()
    place.start().must(WAITING)
    readme = place.fork / "README.md"
    readme.write_bytes(readme.read_bytes() + b"\nMeanwhile.\n")
    reply = place.checkride("rollback", "r", "--yes", "--why", "enough").must(FAILED)
    contains(reply.out, "README.md has changed", "what is said while rolling back")
    ends = [event["message"] for event in place.events(kind="CompensationFinished")]
    equal(len(ends), 2, "states undone")
    contains(ends[1], "README.md", "what the last one says")
    contains(place.checkride("report", "r").must(OK).out, "it is not as it was recorded", "the report")


main()

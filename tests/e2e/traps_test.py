#!/usr/bin/env python3
"""What has gone wrong with such rebases before, and ways in which a checkout can be awkward."""

import json
import os
import shutil
import subprocess

from harness import (BRANCH, Place, FAILED, OK, PATCHES, WAITING, case, check, checkout_facts, contains,
                     equal, main, plain_tree, untouched)

ONE = ["03-state-tracker"]  # applies as it is at base: the shortest run that reaches the sign-off


def finish(place, code, expected=("merge", "fix", "review", "ready"), patches=PATCHES):
    code, passed = place.fly(code, expected=expected)
    equal(code, OK, "the end of the run")
    equal(place.tree(), plain_tree(place, patches), "the tree of the branch")
    place.sound()
    return passed


@case
def the_patch_folder_may_vanish_while_the_run_waits(place):
    place.make()
    wanted = plain_tree(place)
    place.start().must(WAITING)
    shutil.rmtree(place.fork / "patches")
    shutil.rmtree(place.fork / "scripts")
    code, _ = place.fly(WAITING)
    equal(code, OK, "the end of the run")
    equal(place.tree(), wanted, "the tree of the branch")
    equal(len(place.applied()), len(PATCHES), "patches applied")
    equal(place.verdicts()["checked"]["verdict"], "warned", "the last look at the user's checkout")


@case
def a_preflight_script_that_rewrote_tracked_files_does_not_stop_the_rebase(place):
    place.make()
    done = subprocess.run(["./verify_assumptions.sh"], cwd=place.fork, env=place.env, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    equal(done.returncode, 0, "verify_assumptions.sh")
    check(place.git("status", "--porcelain"), "the script left the checkout clean")
    before = checkout_facts(place)
    finish(place, place.start(patches=ONE).code, patches=ONE)
    untouched(before, checkout_facts(place))
    exported = list((place.store / "runs" / "r").rglob("gh200-current.patch"))
    check(exported and exported[0].stat().st_size > 0, "the uncommitted work was not exported")


@case
def a_user_with_rerere_and_autoupdate_still_gets_the_conflict(place):
    place.make()
    for name in ("rerere.enabled", "rerere.autoupdate"):
        place.git("config", "--global", name, "true")
        place.git("config", name, "true")
    # The user has resolved this very conflict before.
    scratch = place.folder / "scratch"
    place.git("fetch", "--quiet", "origin")
    place.git("worktree", "add", "--quiet", "--detach", scratch, place.upstream_commit())
    place.git("apply", "--3way", place.patch_file(PATCHES[0]), cwd=scratch, may_fail=True)
    place.git("rerere", cwd=scratch)
    place.tool("--resolve", scratch, "--at", "base")
    place.git("rerere", cwd=scratch)
    place.git("worktree", "remove", "--force", scratch)
    finish(place, place.start(patches=PATCHES[:1]).code, patches=PATCHES[:1])
    classes = place.applied()[PATCHES[0]]
    check(classes in (["conflict"], ["conflict-replayed"]), "the class:", classes)


def make_shallow(place):
    """The fork as a clone of depth 1 of upstream with its own files on top: no preimages."""
    fork = place.folder / "shallow"
    place.git("clone", "--quiet", "--depth", "1", "--branch", "main",
              f"file://{place.lookalike / 'upstream.git'}", fork, cwd=place.folder)
    shutil.copytree(place.fork / "patches", fork / "patches")
    place.git("add", "-A", cwd=fork)
    place.git("commit", "--quiet", "-m", "The fork's own files", cwd=fork)
    return fork


@case
def a_shallow_clone_without_the_preimages_fetches_them(place):
    place.make()
    wanted = plain_tree(place, ["02-caching-uvm"])
    fork = make_shallow(place)
    code, passed = place.fly(place.start(repo=fork, patches=["02-caching-uvm"]).code)
    equal((code, passed), (OK, ["review", "ready"]), "end and gates")
    equal(place.git("rev-parse", f"{BRANCH}^{{tree}}", cwd=fork), wanted, "the tree of the branch")
    equal(place.applied(), {"02-caching-uvm": ["no-blob", "clean-merged"]}, "classes")
    place.sound()


@case
def a_shallow_clone_whose_upstream_is_gone_asks_for_the_work_by_hand(place):
    place.make()
    pinned = place.upstream_commit()
    fork = make_shallow(place)
    place.git("remote", "set-url", "origin", place.folder / "nowhere.git", cwd=fork)
    place.start("-p", f"upstream_commit={pinned}", repo=fork, patches=["02-caching-uvm"]).must(WAITING)
    equal(place.gates(), ["by_hand"], "open gates")
    place.answer("by_hand", "--reject", "--why", "no network").must(WAITING)
    equal(place.gates(), ["ask_incomplete"], "open gates after giving up")
    equal(place.answer("ask_incomplete", "--reject", "--why", "stop").code, FAILED, "the end")


def damage(place, name, change):
    path = place.patch_file(name)
    path.write_bytes(change(path.read_bytes()))
    place.git("commit", "--quiet", "-a", "-m", "Touch a patch")


def damaged(kind, change):
    def test(place):
        place.make()
        damage(place, ONE[0], change)
        before = checkout_facts(place)
        reply = place.start(patches=ONE)
        equal(reply.code, FAILED, f"the exit code: {reply}")
        equal(place.status()["outcome"], "failed", "the outcome")
        equal(place.applied(), {}, "attempts to apply it")
        check(not place.git("for-each-ref", f"refs/heads/{BRANCH}") or
              place.git("rev-parse", BRANCH) == place.upstream_commit(), "the branch has something in it")
        untouched(before, checkout_facts(place))
        report = place.checkride("report", "r").must(OK).out
        contains(report, "❌", "the report")
        place.sound()
    test.__name__ = f"a_patch_that_is_{kind}_aborts_the_run_before_anything_is_changed"
    case(test)


damaged("truncated", lambda text: text[:text.rindex(b"\n+") + 3])
damaged("empty", lambda text: b"")
damaged("garbage", lambda text: b"no patch is in here\n\x01\x02\x7f\n")


@case
def a_patch_that_is_missing_aborts_the_run_before_anything_is_changed(place):
    place.make()
    place.git("rm", "--quiet", place.patch_file(ONE[0]))
    place.git("commit", "--quiet", "-m", "Lose a patch")
    before = checkout_facts(place)
    equal(place.start(patches=ONE).code, FAILED, "the exit code")
    untouched(before, checkout_facts(place))


@case
def a_patch_with_crlf_line_ends_is_never_taken_for_applied(place):
    place.make()
    damage(place, ONE[0], lambda text: text.replace(b"\n", b"\r\n"))
    before = checkout_facts(place)
    reply = place.start(patches=ONE)
    check(reply.code in (FAILED, WAITING), "the exit code:", reply)
    if reply.code == WAITING:
        check("review" not in place.gates(), "it went on to the review:", place.checkride("status", "r").out)
    untouched(before, checkout_facts(place))
    tip = place.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{BRANCH}")
    if tip:
        check("\r" not in place.git("diff", place.upstream_commit(), tip), "carriage returns were applied")


@case
def a_target_modified_in_the_worktree_is_asked_about_and_applied_when_put_right(place):
    place.make()
    place.start(patches=["01-trainer-gh200", "03-state-tracker"]).must(WAITING)
    equal(place.gates(), ["merge"], "open gates")
    place.tool("--resolve", place.worktree(), "--at", "base")
    target = place.worktree() / "simpletuner/helpers/training/state_tracker.py"
    was = target.read_bytes()
    target.write_bytes(was + b"# half a thought\n")
    place.answer("merge").must(WAITING)
    check("review" not in place.gates(), "a modified target was passed over")
    target.write_bytes(was)
    place.git("checkout", "--", target, cwd=place.worktree())
    code, _ = place.fly(WAITING, expected=("ask", "merge", "review", "ready"))
    equal(code, OK, "the end of the run")
    equal(place.tree(), plain_tree(place, ["01-trainer-gh200", "03-state-tracker"]), "the tree")
    equal(place.applied()["01-trainer-gh200"], ["conflict"], "attempts of the first patch")


@case
def a_patch_that_upstream_already_has_is_recognised_and_not_applied_again(place):
    place.make("later-4", "--package-where-expected")
    code, passed = place.fly(place.start(patches=ONE).code)
    equal((code, passed), (OK, ["review", "ready"]), "end and gates")
    equal(place.tree(), place.git("rev-parse", f"{place.upstream_commit()}^{{tree}}"), "the tree")
    contains(place.checkride("report", "r").out, "already-applied", "the report")


@case
def a_patch_named_twice_is_applied_once(place):
    place.make()
    code, passed = place.fly(place.start(patches=ONE * 2).code)
    equal((code, passed), (OK, ["review", "ready"]), "end and gates")
    equal(place.tree(), plain_tree(place, ONE), "the tree of the branch")
    equal(place.applied(), {ONE[0]: ["clean-direct"]}, "attempts of patch.apply")
    contains(place.checkride("report", "r").must(OK).out, "already-applied", "the report")
    place.sound()


@case
def later_upstream_commits_give_their_classes_and_the_tree_of_plain_git(place):
    place.make("later-4", "--package-where-expected")
    finish(place, place.start().code)
    classes = place.applied()
    table = dict(zip(PATCHES, place.facts()["commits"]["later-4"]["classes"]))
    found = {patch: (classes.get(patch) or ["already-applied"])[-1] for patch in PATCHES}
    equal(found, table, "classes")


@case
def symbols_that_a_patch_deletes_but_upstream_still_calls_are_asked_about(place):
    place.make("base", "--lost-symbols", "--package-where-expected")
    place.start(patches=PATCHES[:1]).must(WAITING)
    equal(place.gates(), ["merge"], "open gates")
    place.tool("--resolve", place.worktree(), "--at", "base", "--lost-symbols")
    place.answer("merge").must(WAITING)
    equal(place.gates(), ["fix"], "open gates")
    contains(json.dumps(place.verdicts()["symbols"]), "removed but still used", "the check's line")
    equal(place.verdicts()["syntax"]["verdict"], "passed", "the compile check, which sees none of it")
    place.answer("fix", "--waive", "--why", "upstream will follow").must(WAITING)
    equal(place.gates(), ["review"], "open gates after the waiver")
    equal(place.verdicts()["symbols"]["verdict"], "waived", "the check's verdict after it")
    contains(place.checkride("report", "r").out, "upstream will follow", "the report")
    code, _ = place.fly(WAITING)
    equal(code, OK, "the end of the run")


@case
def nothing_reads_a_closed_standard_input(place):
    place.make("base", "--package-where-expected")
    code = place.start(stdin=None, preexec_fn=lambda: os.close(0)).code  # pylint: disable=W1509
    finish(place, code)


@case
def a_dirty_checkout_is_asked_about_and_looked_at_again(place):
    place.make()
    readme = place.fork / "README.md"
    was = readme.read_bytes()
    readme.write_bytes(was + b"\nUnfinished work.\n")
    before = checkout_facts(place)
    place.start(patches=ONE).must(WAITING)
    equal(place.gates(), ["ask_dirty"], "open gates")
    contains(json.dumps(place.gate("ask_dirty")["inputs"]), "README.md", "what the gate shows")
    place.answer("ask_dirty").must(WAITING)  # nothing was done about it
    equal(place.gates(), ["ask_dirty"], "open gates after an idle approval")
    untouched(before, checkout_facts(place))
    readme.write_bytes(was)
    place.answer("ask_dirty").must(WAITING)
    finish(place, WAITING, patches=ONE)


@case
def a_dirty_checkout_that_is_waived_is_exported_and_kept(place):
    place.make()
    readme = place.fork / "README.md"
    readme.write_bytes(readme.read_bytes() + b"\nUnfinished work.\n")
    before = checkout_facts(place)
    place.start(patches=ONE).must(WAITING)
    place.answer("ask_dirty", "--waive", "--why", "my notes").must(WAITING)
    finish(place, WAITING, patches=ONE)
    untouched(before, checkout_facts(place))
    equal(place.verdicts()["clean"]["verdict"], "waived", "the verdict of A.1")
    contains(place.checkride("report", "r").out, "my notes", "the report")
    exported = list((place.store / "runs" / "r").rglob("gh200-current.patch"))
    check(exported and b"Unfinished work." in exported[0].read_bytes(), "the work was not exported")


@case
def a_detached_head_is_as_good_as_a_branch(place):
    place.make()
    place.git("checkout", "--quiet", "--detach")
    before = checkout_facts(place)
    finish(place, place.start(patches=ONE).code, patches=ONE)
    untouched(before, checkout_facts(place))
    contains(place.verdicts()["backup"]["note"], "detached HEAD", "the backup's note")


@case
def a_branch_of_the_same_name_is_never_taken_over(place):
    place.make()
    place.git("branch", BRANCH)
    was = place.git("rev-parse", BRANCH)
    place.start(patches=ONE).must(WAITING)
    equal(place.gates(), ["ask_branch"], "open gates")
    equal(place.git("rev-parse", BRANCH), was, "the user's branch")
    place.git("branch", "-m", BRANCH, "mine")
    place.answer("ask_branch").must(WAITING)
    finish(place, WAITING, patches=ONE)
    equal(place.git("rev-parse", "mine"), was, "the user's branch under its new name")


@case
def a_second_run_on_the_same_repository_asks_or_takes_its_own_branch(place):
    place.make()
    place.start().must(WAITING)
    equal(place.gates(), ["merge"], "open gates of the first run")
    conflicted = place.git("ls-files", "-s", cwd=place.worktree())
    place.start(run="second", patches=ONE).must(WAITING)
    equal(place.gates("second"), ["ask_branch"], "open gates of the second run")
    equal(place.answer("ask_branch", "--reject", "--why", "taken", run="second").code, FAILED, "its end")
    third = place.start("-p", "rebase_branch=other", run="third", patches=ONE).must(WAITING)
    code, _ = place.fly(third.code, run="third")
    equal(code, OK, "the end of the third run")
    equal(place.tree("other"), plain_tree(place, ONE), "its tree")
    equal(place.git("ls-files", "-s", cwd=place.worktree()), conflicted, "the first run's worktree")
    finish(place, WAITING)


@case
def spaces_and_letters_outside_ascii_in_every_path_are_no_trouble(place):
    folder = place.folder / "Träume & Schäume, it's größer"
    folder.mkdir()
    awkward = Place(folder)
    awkward.env["XDG_RUNTIME_DIR"] = place.env["XDG_RUNTIME_DIR"]  # a socket's path has 108 bytes
    awkward.make("base", "--package-where-expected")
    before = checkout_facts(awkward)
    finish(awkward, awkward.start().code)
    untouched(before, checkout_facts(awkward))


@case
def a_fork_that_is_its_own_upstream_is_asked_about(place):
    place.make()
    place.git("update-ref", "refs/heads/main", "HEAD", cwd=place.lookalike / "upstream.git", may_fail=True)
    place.git("push", "--quiet", "--force", "origin", "main:main")
    place.start(patches=ONE).must(WAITING)
    equal(place.gates(), ["ask_upstream"], "open gates")
    equal(place.answer("ask_upstream", "--reject", "--why", "wrong remote").code, FAILED, "the end")


@case
def hooks_of_the_user_are_not_run(place):
    place.make("base", "--package-where-expected")
    for hook in ("post-checkout", "pre-commit", "post-commit", "reference-transaction", "post-index-change"):
        path = place.fork / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho {hook} >> {place.folder}/hooked\n", encoding="utf-8")
        path.chmod(0o755)
    code, _ = place.fly(place.start(patches=ONE).code)
    equal(code, OK, "the end of the run")
    check(not (place.folder / "hooked").exists(), "hooks were run:",
          (place.folder / "hooked").read_text() if (place.folder / "hooked").exists() else "")


main()

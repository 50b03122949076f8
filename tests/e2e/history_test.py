#!/usr/bin/env python3
"""Stores written by earlier versions: they open, verify, replay the same, and go on."""

import shutil
import tarfile

from harness import FAILED, OK, SOURCE, WAITING, case, check, contains, equal, main

HISTORIES = SOURCE / "tests" / "histories"


def unpack(place, version):
    """The store and its newest head, where the place's environment looks for them."""
    with tarfile.open(HISTORIES / version / "store.tar.gz") as archive:
        archive.extractall(place.folder / "unpacked")
    shutil.rmtree(place.folder / "state")
    shutil.move(place.folder / "unpacked" / "old", place.store)
    shutil.move(place.folder / "unpacked" / "state", place.folder / "state")


@case
def a_store_of_the_version_before_messages_and_leases_goes_on(place):
    unpack(place, "v1")
    verified = place.checkride("verify", "--json").must(OK).json()
    equal(verified["problems"], [], "what verify finds")
    check(verified["snapshots"] > 0, "there are snapshots to check", verified)
    for run in ("old-1", "old-2"):
        replayed = place.checkride("replay", run, "--json").must(OK).json()
        check(replayed["same"], f"{run} replays the same", replayed)
    ended = place.checkride("status", "old-1", "--json").must(OK).json()
    equal(ended["outcome"], "failed", "the outcome of old-1")
    waiting = place.checkride("status", "old-2", "--json").must(OK).json()
    equal([question["state"] for question in waiting["questions"]], ["ask"], "what old-2 asks")
    contains(place.checkride("why", "old-1@first").must(OK).out, "above five", "why of old-1")

    place.checkride("answer", "old-2", "--reject", "--why", "an old run").must(FAILED)
    equal(place.status("old-2")["outcome"], "failed", "the outcome of old-2")
    equal(place.checkride("verify", "--json").must(OK).json()["problems"], [],
          "what verify finds after going on")
    check(place.checkride("replay", "old-2", "--json").must(OK).json()["same"], "old-2 replays")
    # The definition is still the one its hash names.
    source = HISTORIES / "v1" / "old.yaml"
    place.checkride("run", source, "--id", "new", "-p", "wait=2").must(WAITING)
    equal(place.status("new")["definition"], waiting["definition"], "the definition's hash")


if __name__ == "__main__":
    main()

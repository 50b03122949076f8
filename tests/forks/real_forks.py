#!/usr/bin/env python3
"""Helper of real_forks.sh: everything that is easier said in Python than in shell.

  sources FOLDER            write deb-src forms of this machine's enabled apt entries into FOLDER
  series PATCHES OUT        copy a quilt series to OUT as NN-name.patch; print the names in order
  params FILE KEY=VALUE...  write a JSON object; a value that starts with [ or { is taken as JSON
  asked                     read a run's status as JSON; print its first open gate and the patch it is
                            about ("-": the whole run), or "incident" and its message
  compare LEFT RIGHT        compare two folders without .git, debian and .pc: contents, kinds, modes
"""

import json
import os
import pathlib
import re
import stat
import sys

APT = pathlib.Path("/etc/apt")


def sources(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lists = [APT / "sources.list", *sorted((APT / "sources.list.d").glob("*.list"))]
    lines = []
    for path in lists:
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                if re.match(r"\s*deb(-src)?\s", line):
                    lines.append(re.sub(r"^\s*deb(-src)?", "deb-src", line))
    written = 0
    if lines:
        (folder / "entries.list").write_text("\n".join(dict.fromkeys(lines)) + "\n", encoding="utf-8")
        written += 1
    for path in sorted((APT / "sources.list.d").glob("*.sources")):
        text = path.read_text(encoding="utf-8")
        text, changed = re.subn(r"(?mi)^Types:.*$", "Types: deb-src", text)
        if changed:
            (folder / path.name).write_text(text, encoding="utf-8")
            written += 1
    if not written:
        sys.exit("this machine has no apt entries to derive source entries from")


def series(patches, out):
    patches, out = pathlib.Path(patches), pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    names = []
    for line in (patches / "series").read_text(encoding="utf-8").splitlines():
        line = line.split(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        name, *options = line.split()
        strip = options[0] if options else "-p1"
        if strip != "-p1":
            sys.exit(f"{name} wants {strip}; only -p1 is understood")
        kept = f"{len(names) + 1:02d}-{re.sub(r'[.](patch|diff)$', '', pathlib.Path(name).name)}"
        (out / f"{kept}.patch").write_bytes((patches / name).read_bytes())
        names.append(kept)
    print(*names, sep="\n")


def params(path, *pairs):
    values = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        values[key] = json.loads(value) if value[:1] in ("[", "{") else value
    pathlib.Path(path).write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def asked():
    status = json.load(sys.stdin)
    if not status["questions"]:
        sys.exit("nothing is asked")
    question = status["questions"][0]
    if question["type"] != "gate":
        print("incident", question.get("message", ""))
        return
    patches = {child["run"]: child["label"] for child in status["children"]}
    print(question["state"], patches.get(question["run"], "-"))


def entries(root):
    """Path to (kind, executable, content) of every file and link; empty folders do not count."""
    found = {}
    for folder, folders, files in os.walk(root):
        if pathlib.Path(folder) == pathlib.Path(root):
            folders[:] = [name for name in folders if name not in (".git", "debian", ".pc")]
            files = [name for name in files if name != ".git"]
        for name in files + [name for name in folders if os.path.islink(os.path.join(folder, name))]:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                value = ("link", False, os.readlink(path))
            elif stat.S_ISREG(mode):
                value = ("file", bool(mode & stat.S_IXUSR), pathlib.Path(path).read_bytes())
            else:
                value = ("other", False, "")
            found[os.path.relpath(path, root)] = value
    return found


def compare(left, right):
    one, two = entries(left), entries(right)
    if not one:
        sys.exit(f"{left} holds nothing to compare")
    wrong = 0
    for path in sorted(one.keys() | two.keys()):
        if one.get(path) == two.get(path):
            continue
        wrong += 1
        if path not in one or path not in two:
            what = "missing on the left" if path not in one else "missing on the right"
        else:
            parts = zip(("kind", "mode", "content"), one[path], two[path])
            what = " and ".join(name for name, a, b in parts if a != b) + " differs"
        print(f"{path}: {what}")
    print(f"{len(one)} files compared, {wrong} differ")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    verbs = {"sources": sources, "series": series, "params": params, "asked": asked, "compare": compare}
    if len(sys.argv) < 2 or sys.argv[1] not in verbs:
        sys.exit(__doc__)
    verbs[sys.argv[1]](*sys.argv[2:])

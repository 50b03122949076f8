#!/usr/bin/env bash
# The git commands of the rebase procedure over a look-alike, as a plain shell script: the baseline
# for the wall time of a run, and an independent look at the table of classes.
#
#   plain_rebase.sh MAKE_LOOKALIKE [FOLDER] [COMMIT]
#
# MAKE_LOOKALIKE is the built program; FOLDER a look-alike made with default options (absent: one is
# made and removed again); COMMIT one of base, later-1 .. later-4 (default base).
# Prints "PATCH CLASS TREE" per patch, then "seconds S"; ends with 1 where a class is not the
# table's, 77 where git or python3 is missing.
set -euo pipefail

make_lookalike=${1:?usage: plain_rebase.sh MAKE_LOOKALIKE [FOLDER] [COMMIT]}
folder=${2:-}
commit=${3:-base}
for program in git python3; do
  command -v "$program" >/dev/null || { echo "skipped: no $program"; exit 77; }
done

export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null TZ=UTC LC_ALL=C.UTF-8
export GIT_AUTHOR_NAME=Lookalike GIT_AUTHOR_EMAIL=lookalike@example.invalid
export GIT_COMMITTER_NAME=Lookalike GIT_COMMITTER_EMAIL=lookalike@example.invalid
export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
git() { command git -c core.hooksPath=/dev/null -c rerere.enabled=false -c gc.auto=0 "$@"; }

work=$(mktemp -d)
cleanup() {
  [ -n "${tree:-}" ] && command git -C "$folder/fork" worktree remove --force "$tree" 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT
if [ -z "$folder" ]; then
  folder=$work/lookalike
  "$make_lookalike" "$folder"
fi
fork=$folder/fork
fact() {  # fact EXPRESSION: something out of lookalike.json, one item a line
  python3 -c 'import json, sys
value = eval(sys.argv[2], {"facts": json.load(open(sys.argv[1], encoding="utf-8"))})
print(*(value if isinstance(value, list) else [value]), sep="\n")' "$folder/lookalike.json" "$1"
}
pinned=$(fact "facts['commits']['$commit']['id']")
mapfile -t patches < <(fact "facts['patches']")
mapfile -t expected < <(fact "facts['commits']['$commit']['classes']")

# What the procedure does, from here on the clock runs.
started=$(date +%s%N)
git -C "$fork" remote -v >"$work/remotes"
git -C "$fork" fetch --quiet origin "$pinned"
git -C "$fork" merge-base HEAD "$pinned" >"$work/merge-base"
git -C "$fork" status --porcelain=v1 -z >"$work/status"
[ ! -s "$work/status" ] || { echo "the fork's work tree is not clean"; exit 1; }
git -C "$fork" diff HEAD --binary >"$work/current.patch"
toolbox=$work/toolbox
mkdir "$toolbox"
cp -R "$fork/patches" "$fork/scripts" "$toolbox"
tree=$work/tree
git -C "$fork" worktree add --quiet --detach "$tree" "$pinned"
cd "$tree"

wrong=0
for i in "${!patches[@]}"; do
  patch=$toolbox/patches/${patches[i]}.patch
  before=$(git write-tree)
  if git apply --check --reverse "$patch" 2>/dev/null; then
    class=already-applied
  else
    direct=0
    git apply --check "$patch" 2>/dev/null || direct=$?
    if git apply --3way "$patch" >"$work/${patches[i]}.log" 2>&1; then
      class=clean-direct
      [ "$direct" -eq 0 ] || class=clean-merged
    elif [ -n "$(git ls-files -u)" ]; then
      class=conflict
      "$make_lookalike" --resolve "$tree" --at "$commit"
      if git grep -nE '^(<{7}|\|{7}|>{7}) ' -- '*.py'; then exit 1; fi
    else
      class=failed
    fi
  fi
  mapfile -t files < <(sed -n 's|^+++ b/\(.*\.py\)$|\1|p' "$patch")
  [ "${#files[@]}" -eq 0 ] || PYTHONDONTWRITEBYTECODE=1 python3 -c 'import sys
for name in sys.argv[1:]:
    compile(open(name, encoding="utf-8").read(), name, "exec")' "${files[@]}"
  after=$(git write-tree)
  [ "$before" = "$after" ] || git commit --quiet -m "Apply ${patches[i]}"
  echo "${patches[i]} $class $after"
  [ "$class" = "${expected[i]}" ] || { echo "expected ${expected[i]}"; cat "$work/${patches[i]}.log"; wrong=1; }
done
ended=$(date +%s%N)
printf 'seconds %d.%03d\n' $(((ended - started) / 1000000000)) $(((ended - started) / 1000000 % 1000))
exit "$wrong"

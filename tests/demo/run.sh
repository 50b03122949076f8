#!/usr/bin/env bash
# The main job in half a minute: a look-alike fork in a temporary folder is rebased, the engine is
# killed half-way, a conflict is resolved, and the log answers for it.
#
#   run.sh BUILD_DIR
#
# Asks nothing and reads nothing from standard input. Everything it makes is removed at the end, unless
# KEEP=1 is set. Ends with 0 where all of it worked, 1 where not.
set -euo pipefail

build=$(cd "${1:?usage: run.sh BUILD_DIR}" && pwd)
checkride=$build/checkride
make_lookalike=$build/make_lookalike
for program in "$checkride" "$make_lookalike"; do
  [ -x "$program" ] || { echo "run.sh: $program is missing; build it with ./dev build" >&2; exit 1; }
done
command -v git >/dev/null || { echo "run.sh: git is not installed" >&2; exit 1; }
exec </dev/null

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' plain=$'\e[0m'; else bold='' dim='' green='' plain=''; fi
step() { printf '\n%s── %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '%s%s%s\n' "$dim" "$*" "$plain"; }
give_up() { printf '\nrun.sh: %s\n' "$*" >&2; exit 1; }
# The command as one would type it, then the command itself.
show() {
  local word line='$'
  for word in "$@"; do
    [ "$word" = "$checkride" ] && word=checkride
    case $word in
      *[!A-Za-z0-9_./=@:,+-]* | '') line="$line '$word'" ;;
      *) line="$line $word" ;;
    esac
  done
  printf '%s%s%s\n' "$green" "$line" "$plain"
}
# expect CODE COMMAND...: shows and runs it, and insists on its exit code.
expect() {
  local wanted=$1 code=0
  shift
  show "$@"
  "$@" || code=$?
  [ "$code" -eq "$wanted" ] || give_up "that ended with $code, not $wanted"
}

place=$(mktemp -d "${TMPDIR:-/tmp}/checkride-demo-XXXXXX")
engine=''
clean_up() {
  [ -z "$engine" ] || kill -9 "$engine" 2>/dev/null || true
  if [ "${KEEP:-}" = 1 ]; then say "kept: $place"; else rm -rf "$place"; fi
}
trap clean_up EXIT
export CHECKRIDE_STORE=$place/store XDG_STATE_HOME=$place/state XDG_RUNTIME_DIR=$place/run
export GIT_CONFIG_GLOBAL=$place/gitconfig GIT_CONFIG_NOSYSTEM=1
mkdir -m 700 "$place/state" "$place/run"
git config --file "$place/gitconfig" user.name 'Demo Pilot'
git config --file "$place/gitconfig" user.email pilot@example.invalid
cd "$place"

step "A fork with seven patches, and an upstream that has moved on"
"$make_lookalike" "$place/lookalike" || give_up "the look-alike could not be made"
fork=$place/lookalike/fork
worktree=$CHECKRIDE_STORE/runs/demo/worktree
git -C "$fork" log --oneline -3
ls "$fork/patches"
before=$(git -C "$fork" rev-parse HEAD; git -C "$fork" status --porcelain; git -C "$fork" ls-files -s)

step "The rebase starts, and its engine is killed with kill -9 in the middle"
show "$checkride" run gh200-rebase --id demo -p "repo=$fork"
"$checkride" run gh200-rebase --id demo -p "repo=$fork" >"$place/first.out" 2>&1 &
engine=$!
# Half-way is when some attempts have begun; nothing tells us, so we look.
for _ in $(seq 400); do
  started=$( (find "$CHECKRIDE_STORE/attempts" -name claim 2>/dev/null || true) | wc -l)
  [ "$started" -lt 8 ] || break
  kill -0 "$engine" 2>/dev/null || break
  sleep 0.01
done
if kill -9 "$engine" 2>/dev/null; then killed=yes; else killed=no; fi
wait "$engine" 2>/dev/null || true
[ "$killed" = yes ] || give_up "the engine was done before it could be killed: $(cat "$place/first.out")"
show kill -9 "$engine"
engine=''
cat "$place/first.out"
expect 0 "$checkride" ls

step "Resume: what was done is kept, what runs is adopted, nothing is done twice"
expect 3 "$checkride" resume demo

step "It waits for a person: patch 01 conflicts with what upstream did"
expect 0 "$checkride" status demo
say "the conflicting hunks, in the run's own worktree:"
show git -C "$worktree" diff
git -C "$worktree" --no-pager diff

step "A wrong answer is not believed"
say "(git add without touching the markers: git status is happy)"
"$make_lookalike" --resolve "$worktree" --lie markers-left
expect 3 "$checkride" answer demo merge --approve --why "resolved it"

step "The right one is"
file=simpletuner/helpers/training/trainer.py
expect 0 git -C "$worktree" checkout -m -- "$file"
say "(then an editor and git add; here the look-alike knows the right text)"
"$make_lookalike" --resolve "$worktree"
expect 3 "$checkride" answer demo merge --approve --why "kept both features"

step "A patch that applies cleanly and is wrong all the same"
expect 3 "$checkride" inbox
say "(patch 06 put its package where nobody looks for it; the repair is git mv gh200 simpletuner/gh200)"
git -C "$worktree" mv gh200 simpletuner/gh200
expect 3 "$checkride" answer demo fix --approve --why "moved to where it is imported from"

step "Review and hand-over"
git -C "$worktree" --no-pager log --oneline --stat --format='%h %s' -2
expect 3 "$checkride" answer demo review --approve --why "read every hunk"
expect 0 "$checkride" answer demo ready --approve --why "goes to the nightly"

step "The filled checklist"
expect 0 "$checkride" report demo

step "Why did it stop at patch 01?"
conflict=$("$checkride" ls --all --json | python3 -c '
import json, sys
print(min((r["run"] for r in json.load(sys.stdin)["runs"] if r["workflow"].endswith("apply-one-patch")),
          key=lambda run: int(run.rsplit(".", 1)[1])))')
expect 0 "$checkride" why "$conflict" apply

step "Would it decide the same again, and is the log intact?"
expect 0 "$checkride" replay demo
expect 0 "$checkride" verify demo

after=$(git -C "$fork" rev-parse HEAD; git -C "$fork" status --porcelain; git -C "$fork" ls-files -s)
[ "$before" = "$after" ] || give_up "the fork's own checkout has changed"
say "the fork's own checkout is as it was; the result is its branch gh200-reintegration"

step "On your own fork"
cat <<'END'
  checkride lint gh200-rebase
  checkride run gh200-rebase -p repo=PATH_OF_YOUR_FORK -p upstream_remote=upstream -p upstream_branch=main
  checkride inbox
END

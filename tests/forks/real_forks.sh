#!/usr/bin/env bash
# Flies the rebase over forks made of Debian source packages: pristine upstream, quilt series as the
# fork's patches. The end tree, without debian/ and .pc/, must be what `dpkg-source -x` unpacks. The
# last fork stands on an older upstream, so that a real conflict has to be resolved.
#
#   real_forks.sh [--driver checkride|git] [--cache FOLDER] [--keep FOLDER] [--only FORK]
#
# --driver  who applies the series: the program named by $CHECKRIDE (default: checkride), or plain git
# --cache   where downloads are kept between calls (default: a temporary folder)
# --keep    where the forks are made and left: PACKAGE/{repo,upstream.git,params.json,expected}
# --only    one of dash, bc, less, bc-older
#
# Ends with 0 where all trees are equal, 1 where one is not, 77 where sources cannot be had. The
# system's apt configuration is read, never changed. Downloads may take two minutes in all, the rest
# takes seconds.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
driver=checkride cache='' keep='' only=''
download_seconds_max=120
while [ $# -gt 0 ]; do
  case $1 in
    --driver) driver=$2; shift 2 ;;
    --cache) cache=$2; shift 2 ;;
    --keep) keep=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    *) echo "usage: real_forks.sh [--driver checkride|git] [--cache FOLDER] [--keep FOLDER] [--only FORK]"; exit 2 ;;
  esac
done

# ---- the drivers: apply the series of params.json, leave the result as branch `rebased` of the fork
# drive_X ID FORK PARAMS: FORK is the fork's work tree. Where a conflict waits for a person, they call
# `person WORKTREE PATCH`, which puts the unmerged files right and adds them.

# The store is the fork's own. Only an honest person's answers are known here: a conflict is resolved,
# the branch is reviewed and handed over; any other gate is a failure that shows where things stand.
# Where the distribution has exactly what the patch says, the plain approval is held back; then the
# person says that the patch's side was taken on purpose.
drive_checkride() {
  local id=$1 params=$3 code=0 gate patch answer resolved=''
  export CHECKRIDE_STORE=$place/store
  rm -rf "$CHECKRIDE_STORE"
  "$checkride" run "$workflow" --id "$id" --params "$params" >"$place/run.log" 2>&1 || code=$?
  for _ in $(seq 60); do
    [ "$code" -eq 3 ] || break
    read -r gate patch < <("$checkride" status "$id" --json | python3 "$here/real_forks.py" asked)
    answer=--approve
    case $gate in
      merge)
        [ "$patch" != "$resolved" ] || answer='--choose take-theirs'
        resolved=$patch
        person "$CHECKRIDE_STORE/runs/$id/worktree" "$patch" || return 1
        ;;
      review | ready) ;;
      *) echo "$id: $gate asks about $patch"; break ;;
    esac
    code=0
    # shellcheck disable=SC2086
    "$checkride" answer "$id" "$gate" $answer --why "as the distribution has it" >>"$place/run.log" 2>&1 || code=$?
  done
  if [ "$code" -ne 0 ]; then tail -n 40 "$place/run.log"; return 1; fi
  "$checkride" verify "$id" >>"$place/run.log" && "$checkride" replay "$id" >>"$place/run.log"
}

drive_git() {
  local fork=$2 params=$3 tree=$place/tree patch
  clean_git -C "$fork" worktree add --quiet -b rebased "$tree" "$(value "$params" upstream_commit)"
  while read -r patch; do
    if ! clean_git -C "$tree" apply --3way --index "$fork/patches/$patch.patch" >"$tree.log" 2>&1; then
      [ -n "$(clean_git -C "$tree" ls-files -u)" ] || { cat "$tree.log"; return 1; }
      person "$tree" "$patch"
    fi
    clean_git -C "$tree" commit --quiet --allow-empty -m "Apply $patch"
  done < <(value "$params" patches | python3 -c 'import json, sys; print(*json.load(sys.stdin), sep="\n")')
}

# ---- tools -----------------------------------------------------------------------------------

skip() { echo "skipped: $1"; exit 77; }

export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null TZ=UTC LC_ALL=C.UTF-8
export GIT_AUTHOR_NAME=Forks GIT_AUTHOR_EMAIL=forks@example.invalid
export GIT_COMMITTER_NAME=Forks GIT_COMMITTER_EMAIL=forks@example.invalid
export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
clean_git() {
  git -c core.hooksPath=/dev/null -c rerere.enabled=false -c gc.auto=0 -c core.autocrlf=false "$@"
}

value() {  # value FILE KEY: one value of a JSON object, strings bare, the rest as JSON
  python3 -c 'import json, sys
value = json.load(sys.stdin if sys.argv[1] == "-" else open(sys.argv[1], encoding="utf-8"))[sys.argv[2]]
print(value if isinstance(value, str) else json.dumps(value))' "$1" "$2"
}

for program in git python3 apt-get dpkg-source tar; do
  command -v "$program" >/dev/null || skip "no $program"
done
checkride=${CHECKRIDE:-checkride} workflow=${CHECKRIDE_WORKFLOW:-gh200-rebase}
if [ "$driver" = checkride ]; then
  command -v "$checkride" >/dev/null || skip "no checkride program; set CHECKRIDE"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work/home XDG_STATE_HOME=$work/state XDG_RUNTIME_DIR=$work/run
mkdir -m 700 "$HOME" "$XDG_STATE_HOME" "$XDG_RUNTIME_DIR"
keep=${keep:-$work/forks}
cache=${cache:-$work/cache}
mkdir -p "$keep" "$cache"
keep=$(cd "$keep" && pwd) cache=$(cd "$cache" && pwd)

apt_here() {
  local left=$((download_seconds_max - SECONDS))
  [ "$left" -gt 0 ] || return 1
  timeout "$left" apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$cache/entries" \
    -o Dir::State::Lists="$cache/lists" -o Dir::Cache="$cache/apt" -o APT::Sandbox::User=root \
    -o Acquire::Retries=2 -o Acquire::http::Timeout=30 "$@"
}

fetch_source() {  # fetch_source PACKAGE: its .dsc and tarballs into the cache
  ls "$cache/$1"/*.dsc >/dev/null 2>&1 && return
  if [ ! -d "$cache/entries" ]; then
    python3 "$here/real_forks.py" sources "$cache/entries.new" || skip "no apt entries"
    mkdir -p "$cache/lists/partial" "$cache/apt/archives/partial"
    mv "$cache/entries.new" "$cache/entries"
    apt_here update >"$work/update.log" 2>&1 || { rm -rf "$cache/entries"; skip "package lists cannot be fetched"; }
  fi
  mkdir -p "$cache/$1.new"
  (cd "$cache/$1.new" && apt_here source --download-only "$1" >"$work/$1.log" 2>&1) ||
    { rm -rf "$cache/$1.new" "$cache/entries"; skip "the source of $1 cannot be fetched"; }
  mv "$cache/$1.new" "$cache/$1"
}

commit_folder() {  # commit_folder REPO FOLDER MESSAGE [PARENT]: all of FOLDER as a commit; prints its id
  local tree
  rm -f "$work/index"
  tree=$(export GIT_INDEX_FILE=$work/index
    clean_git --git-dir="$1" --work-tree="$2" add -A -f . &&
      clean_git --git-dir="$1" write-tree)
  clean_git --git-dir="$1" commit-tree "$tree" -m "$3" ${4:+-p "$4"}
}

checkout_folder() {  # checkout_folder REPO COMMIT FOLDER: the files of a commit, without a repository
  rm -rf "$3" "$work/index"
  mkdir "$3"
  (
    export GIT_INDEX_FILE=$work/index
    clean_git --git-dir="$1" read-tree "$2"
    clean_git --git-dir="$1" --work-tree="$3" checkout-index --all --force
  )
}

# ---- making a fork ---------------------------------------------------------------------------

# unpack PACKAGE PLACE: PLACE/pristine (the orig tarball), PLACE/expected (dpkg-source -x), PLACE/quilt
unpack() {
  local package=$1 place=$2 dsc
  dsc=$(echo "$cache/$package"/*.dsc)
  grep -q '^Format: 3.0 (quilt)' "$dsc" || skip "$package is not in the quilt format"
  rm -rf "$place"
  mkdir -p "$place/pristine"
  dpkg-source --no-check -x "$dsc" "$place/expected" >"$work/unpack.log" 2>&1 || { cat "$work/unpack.log"; return 1; }
  tar -x --strip-components=1 -C "$place/pristine" -f "$(find "$cache/$package" -name '*.orig.tar.*' ! -name '*.asc')"
  rm -rf "$place/pristine/debian"
  python3 "$here/real_forks.py" series "$place/expected/debian/patches" "$place/quilt" >"$place/order"
  [ "$(wc -l <"$place/order")" -ge 5 ] || { echo "$package has fewer than five patches"; return 1; }
}

# finish_fork PLACE UPSTREAM FORK_PARENT: PLACE/upstream.git with main at UPSTREAM, PLACE/repo as a
# clone whose main is FORK_PARENT plus the patches named in PLACE/order out of PLACE/patches.
finish_fork() {
  local place=$1 upstream=$2 parent=$3 head
  clean_git --git-dir="$place/upstream.git" update-ref refs/heads/main "$upstream"
  checkout_folder "$place/upstream.git" "$parent" "$place/with"
  cp -R "$place/patches" "$place/with/patches"
  head=$(commit_folder "$place/upstream.git" "$place/with" "Carry the patches" "$parent")
  clean_git --git-dir="$place/upstream.git" update-ref refs/forks/carried "$head"
  clean_git clone --quiet --no-checkout "$place/upstream.git" "$place/repo"
  cp "$place/upstream.git/info/attributes" "$place/repo/.git/info/attributes"
  clean_git -C "$place/repo" fetch --quiet origin refs/forks/carried
  clean_git -C "$place/repo" reset --quiet --hard FETCH_HEAD
  clean_git -C "$place/repo" config user.name Forks
  clean_git -C "$place/repo" config user.email forks@example.invalid
  # Only the fork knows its commits, as with a real upstream.
  clean_git --git-dir="$place/upstream.git" update-ref -d refs/forks/carried
  python3 "$here/real_forks.py" params "$place/params.json" "repo=$place/repo" \
    "upstream_commit=$upstream" "patch_dir=patches" \
    "patches=$(python3 -c 'import json, sys; print(json.dumps(sys.stdin.read().split()))' <"$place/order")" \
    rebase_branch=rebased package= diagnostic_file= \
    'package_files=[]' 'upstream_names=[]' 'importers=[]' 'points=[]' 'tools=[]'
}

new_repository() {
  clean_git init --quiet --bare -b main "$1"
  echo '* -text -filter' >"$1/info/attributes"
}

# The series as the distribution has it, on the upstream it was made for.
make_fork() {
  local package=$1 place=$2 upstream
  unpack "$package" "$place"
  new_repository "$place/upstream.git"
  upstream=$(commit_folder "$place/upstream.git" "$place/pristine" "Import $package")
  cp -R "$place/quilt" "$place/patches"
  finish_fork "$place" "$upstream" "$upstream"
}

# An upstream that has taken the series up to patch NUMBER, then made older by reversing that patch;
# the fork carries the rest, written by git with the blobs it was made on.
make_older_fork() {
  local package=$1 place=$2 number=$3 stage=$2/stage upstream older tip i=0 name
  unpack "$package" "$place"
  new_repository "$place/upstream.git"
  cp -R "$place/pristine" "$stage"
  tip=$(commit_folder "$place/upstream.git" "$stage" "Import $package")
  mkdir "$place/patches" "$place/stages"
  cp "$place/order" "$place/order.all"
  : >"$place/order"
  while read -r name; do
    i=$((i + 1))
    patch -d "$stage" -p1 -s -F0 --no-backup-if-mismatch <"$place/quilt/$name.patch"
    upstream=$tip
    tip=$(commit_folder "$place/upstream.git" "$stage" "$name" "$tip")
    if [ "$i" -eq "$number" ]; then
      patch -d "$stage" -p1 -s -F0 -R --no-backup-if-mismatch <"$place/quilt/$name.patch"
      cp "$place/quilt/$name.patch" "$place/reversed.patch"
      older=$(commit_folder "$place/upstream.git" "$stage" "Revert $name" "$tip")
      patch -d "$stage" -p1 -s -F0 --no-backup-if-mismatch <"$place/quilt/$name.patch"
    elif [ "$i" -gt "$number" ]; then
      echo "$name" >>"$place/order"
      clean_git --git-dir="$place/upstream.git" diff --full-index --binary "$upstream" "$tip" >"$place/patches/$name.patch"
      echo "$tip" >"$place/stages/$name"
    fi
  done <"$place/order.all"
  finish_fork "$place" "$older" "$tip"
}

# The person at a conflict: each unmerged file as the distribution has it after that patch.
person() {
  local worktree=$1 patch=$2 file
  [ -s "$place/stages/$patch" ] || { echo "nobody knows how to resolve $patch"; return 1; }
  while read -r -d '' file; do
    clean_git -C "$worktree" show "$(cat "$place/stages/$patch"):$file" >"$worktree/$file"
    clean_git -C "$worktree" add -- "$file"
    echo "$file" >>"$place/conflicts"
  done < <(clean_git -C "$worktree" diff --name-only --diff-filter=U -z)
}

# fly ID: drives the fork in $place and compares.
fly() {
  local started seconds
  started=$(date +%s%N)
  "drive_$driver" "$1" "$place/repo" "$place/params.json" || { echo "$1: the run failed"; return 1; }
  seconds=$((($(date +%s%N) - started) / 1000000))
  checkout_folder "$place/repo/.git" rebased "$place/result"
  echo "$1: $(wc -l <"$place/order") patches, $(sort -u "$place/conflicts" 2>/dev/null | wc -l) conflicting files, $seconds ms"
  without_reversed
  python3 "$here/real_forks.py" compare "$place/result" "$place/expected"
}

# What the reversed patch did to files that no conflict restored is not in the end tree: an older
# upstream is older. The person's answers bring the other files to what the distribution has.
without_reversed() {
  local file
  [ -e "$place/reversed.patch" ] || return 0
  while read -r file; do
    grep -qxF "$file" "$place/conflicts" 2>/dev/null ||
      (cd "$place/expected" && GIT_CEILING_DIRECTORIES=$place clean_git apply -R --include="$file" ../reversed.patch)
  done < <(cd "$place" && clean_git apply --numstat -z reversed.patch | cut -f 3 -z | tr '\0' '\n')
}

for package in dash bc less; do fetch_source "$package"; done

wrong=0
for fork in ${only:-dash bc less bc-older}; do
  place=$keep/$fork
  case $fork in
    # In bc the second patch rewrites the lines of a manual page that the sixth one edits.
    *-older) make_older_fork "${fork%-older}" "$place" 2 ;;
    *) make_fork "$fork" "$place" ;;
  esac
  fly "$fork" || wrong=1
  if [ "$fork" != "${fork%-older}" ] && [ ! -s "$place/conflicts" ]; then
    echo "$fork: the older upstream gave no conflict"
    wrong=1
  fi
done
exit "$wrong"

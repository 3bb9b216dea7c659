#!/bin/sh
set -eu

usage() {
    cat <<'TEXT'
Install the alembic-named pre-commit hook into a git repository: find or build the program, and let it do the rest.

Usage: install.sh [--bin PATH] [OPTIONS] [REPOSITORY]
       install.sh --uninstall [OPTIONS] [REPOSITORY]

REPOSITORY is a folder in the repository (default: the current folder).

  --bin PATH          the alembic-named program that the hook shall run; without it: the one in PATH,
                      else target/release beside this script, else it is built with cargo install
  --uninstall         take the hook out again and put back what was there; the program stays
  --manager NAME      who runs the hooks: git, husky, lefthook, pre-commit or prek; found out when it is not said
  --write             write the entry into the manager's file instead of printing it
  --pre-merge-commit  also before merges that git commits by itself
  --dry-run           tell what would be done, and do nothing
  --help              show this text

An existing hook is kept and runs first. The hooks folder is the one that git uses, also with core.hooksPath and in a
linked worktree. Exit status: 0 done, 2 not done (with the reason and what to do).
TEXT
}

stop() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 2
}

say() { printf '%s\n' "$*"; }

program() { [ -f "$1" ] && [ -x "$1" ]; }

absolute() {
    case $1 in
    /* | [A-Za-z]:[/\\]*) printf '%s\n' "$1" ;;
    *) printf '%s/%s\n' "$PWD" "${1#./}" ;;
    esac
}

find_program() {
    if [ -n "$bin" ]; then
        program "$bin" || stop "--bin $bin is not a program; give the path of the alembic-named binary."
    elif bin=$(command -v alembic-named) && program "$bin"; then
        bin=$(absolute "$bin")
    elif program "$here/target/release/alembic-named"; then
        bin=$here/target/release/alembic-named
    else
        bin=
    fi
}

cargo_root() { absolute "${CARGO_INSTALL_ROOT:-${CARGO_HOME:-${HOME:?}/.cargo}}"; }

# The hook knows which program it runs, and nothing is built only to take it out again.
find_for_removal() {
    hook=$(git rev-parse --git-path hooks)/pre-commit
    for bin in "$(sed -n "s/^installed='\(.*\)'  # alembic-named:binary\$/\1/p" "$hook" 2>/dev/null | sed "s/'\\\\''/'/g")" \
        "$(cargo_root)/bin/alembic-named"; do
        if program "$bin"; then return; fi
    done
    stop "no alembic-named was found to take the hook out with; give --bin PATH, or delete $(absolute "$hook") yourself."
}

build_program() {
    [ -f "$here/Cargo.toml" ] ||
        stop "no alembic-named in PATH, and no source beside $here/install.sh to build it from; give --bin PATH."
    command -v cargo >/dev/null 2>&1 ||
        stop "no alembic-named in PATH, and no cargo to build it; install Rust, or give --bin PATH."
    root=$(cargo_root)
    say "Building alembic-named; the first time takes some minutes."
    # The folder is named here, because cargo's own answer depends on its configuration and the hook must know it.
    cargo install --locked --path "$here" --root "$root" </dev/null ||
        stop "cargo could not build alembic-named (see above); nothing was installed."
    bin=$root/bin/alembic-named
}

bin=
does=install
repository=
count=$#
# What the program understands goes to the end of the arguments and is handed over as it is.
while [ "$count" -gt 0 ]; do
    argument=$1
    shift
    count=$((count - 1))
    case $argument in
    -h | --help)
        usage
        exit 0
        ;;
    --uninstall) does=uninstall ;;
    --bin | --manager)
        [ "$count" -gt 0 ] && [ -n "$1" ] || stop "$argument needs a value; see --help."
        if [ "$argument" = --bin ]; then bin=$(absolute "$1"); else set -- "$@" "--manager=$1"; fi
        shift
        count=$((count - 1))
        ;;
    --bin=?*) bin=$(absolute "${argument#--bin=}") ;;
    --manager=?* | --write | --pre-merge-commit | --dry-run | -n) set -- "$@" "$argument" ;;
    --)
        [ "$count" -le 1 ] || stop "more than one repository was given; see --help."
        [ "$count" -eq 0 ] || { repository=$1 && shift; }
        break
        ;;
    -*) stop "unknown option $argument; see --help." ;;
    *)
        [ -z "$repository" ] || stop "more than one repository was given; see --help."
        repository=$argument
        ;;
    esac
done

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || stop "the folder of $0 cannot be read."
find_program

command -v git >/dev/null 2>&1 || stop "git was not found; put it in PATH."
if [ -n "$repository" ]; then
    # The folder that was named counts, not the repository of a hook or an alias that runs this script.
    unset GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE
    CDPATH='' cd -- "$repository" 2>/dev/null || stop "$repository is not a folder that can be opened."
fi
# Asked before something is built for minutes.
top=$(git rev-parse --show-toplevel 2>&1) ||
    stop "${repository:-the current folder} is not in a git work tree ($top); name a folder in one."

if [ -z "$bin" ]; then
    if [ "$does" = uninstall ]; then find_for_removal; else build_program; fi
fi
"$bin" --version </dev/null >/dev/null 2>&1 ||
    stop "$bin does not run on this machine; give another one with --bin PATH."

[ "$does" = uninstall ] || set -- --bin "$bin" "$@"
exec "$bin" "$does" "$@" </dev/null

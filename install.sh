#!/bin/sh
set -eu

usage() {
    cat <<'TEXT'
Install the alembic-named pre-commit hook into a git repository.

Usage: install.sh [--bin PATH] [REPOSITORY]
       install.sh --uninstall [REPOSITORY]

REPOSITORY is a folder in the repository (default: the current folder).

  --bin PATH    the alembic-named program that the hook shall run; without it: the one in PATH,
                else target/release beside this script, else it is built with cargo install
  --uninstall   remove the hook again; the program stays
  --help        show this text

An existing hook that is not from here is never changed. The hooks folder is the one that git uses, also with
core.hooksPath and in a linked worktree. Exit status: 0 done, 2 not done (with the reason and what to do).
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

# A word that the shell reads back as it was, whatever it holds.
quoted() { printf "'%s'\n" "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")"; }

ours() { [ -f "$1" ] && sed -n 2p "$1" | grep -q '^# id: alembic-named pre-commit hook'; }

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

build_program() {
    [ -f "$here/Cargo.toml" ] ||
        stop "no alembic-named in PATH, and no source beside $here/install.sh to build it from; give --bin PATH."
    command -v cargo >/dev/null 2>&1 ||
        stop "no alembic-named in PATH, and no cargo to build it; install Rust, or give --bin PATH."
    root=${CARGO_INSTALL_ROOT:-${CARGO_HOME:-${HOME:?}/.cargo}}
    root=$(absolute "$root")
    say "Building alembic-named; the first time takes some minutes."
    # The folder is named here, because cargo's own answer depends on its configuration and the hook must know it.
    cargo install --locked --path "$here" --root "$root" </dev/null ||
        stop "cargo could not build alembic-named (see above); nothing was installed."
    bin=$root/bin/alembic-named
}

bin=
uninstall=
repository=
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
        usage
        exit 0
        ;;
    --uninstall) uninstall=yes ;;
    --bin)
        [ $# -ge 2 ] && [ -n "$2" ] || stop "--bin needs a path; see --help."
        bin=$(absolute "$2")
        shift
        ;;
    --bin=?*) bin=$(absolute "${1#--bin=}") ;;
    --)
        shift
        [ $# -le 1 ] || stop "more than one repository was given; see --help."
        [ $# -eq 0 ] || repository=$1
        break
        ;;
    -*) stop "unknown option $1; see --help." ;;
    *)
        [ -z "$repository" ] || stop "more than one repository was given; see --help."
        repository=$1
        ;;
    esac
    shift
done

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || stop "the folder of $0 cannot be read."
[ -n "$uninstall" ] || find_program

command -v git >/dev/null 2>&1 || stop "git was not found; put it in PATH."
if [ -n "$repository" ]; then
    # The folder that was named counts, not the repository of a hook or an alias that runs this script.
    unset GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE
    CDPATH='' cd -- "$repository" 2>/dev/null || stop "$repository is not a folder that can be opened."
fi
top=$(git rev-parse --show-toplevel 2>&1) ||
    stop "${repository:-the current folder} is not in a git work tree ($top); name a folder in one."
CDPATH='' cd -- "$top"
if configured=$(git config --get core.hooksPath) && [ -z "$configured" ]; then
    stop "core.hooksPath is set to nothing, so git runs no hooks in $top; unset it first."
fi
hooks=$(git rev-parse --git-path hooks)
hooks=$(absolute "${hooks%/}")
hook=$hooks/pre-commit

case $hooks in
*/.husky/_)
    # husky writes this folder anew and git ignores it: the project's own hook is the file above it.
    project=${hooks%/_}/pre-commit
    if [ -f "$project" ] && grep -q '^[^#]*alembic-named' "$project"; then
        [ -z "$uninstall" ] || stop "this is a husky repository: remove the line with alembic-named from $project."
        say "Nothing to do: $project runs alembic-named already."
    else
        [ -n "$uninstall" ] ||
            stop "this is a husky repository: put alembic-named in PATH and add this line to $project: alembic-named check --staged"
        say "Nothing to remove: $project does not run alembic-named."
    fi
    exit 0
    ;;
esac

if [ -n "$uninstall" ]; then
    if ours "$hook"; then
        rm -f -- "$hook" || stop "$hook could not be removed."
        say "Removed $hook."
    elif [ -e "$hook" ] || [ -L "$hook" ]; then
        stop "$hook is not the hook of alembic-named, so it was left as it is; if it runs alembic-named, remove that line from it."
    else
        say "Nothing to remove: there is no $hook."
    fi
    exit 0
fi

if [ -e "$hook" ] || [ -L "$hook" ]; then
    if [ -f "$hook" ] && grep -q '^# File generated by pre' "$hook"; then
        stop "$hook was written by pre-commit or prek, so it was left as it is; add the hook id alembic-named to .pre-commit-config.yaml instead."
    elif ! ours "$hook"; then
        line="$(quoted "${bin:-alembic-named}") check --staged </dev/null || exit 1"
        stop "$hook is there already and was left as it is; add this line to it, above any exit or exec: $line"
    fi
fi
if [ -e "$hooks" ] && [ ! -d "$hooks" ]; then
    stop "$hooks is not a folder, so git runs no hooks in $top; correct core.hooksPath first."
fi
[ -f "$here/hooks/pre-commit" ] ||
    stop "$here/hooks/pre-commit is missing; run install.sh from a whole checkout of alembic-named."

[ -n "$bin" ] || build_program
"$bin" --version </dev/null >/dev/null 2>&1 ||
    stop "$bin does not run on this machine; give another one with --bin PATH."

mkdir -p -- "$hooks" || stop "the folder $hooks cannot be made."
# Beside the hook and then renamed: a commit at this moment finds the old hook or the new one, never half of one,
# and a hook that is a symlink is replaced, not written through.
new=$hook.new.$$
trap 'rm -f -- "$new"' EXIT
while IFS= read -r line; do
    case $line in
    *'# alembic-named:binary') printf 'installed=%s  # alembic-named:binary\n' "$(quoted "$bin")" ;;
    *) printf '%s\n' "$line" ;;
    esac
done <"$here/hooks/pre-commit" >"$new" || stop "$hooks cannot be written to."
chmod +x "$new"
mv -f -- "$new" "$hook" || stop "$hook could not be written."
say "Installed $hook, which runs $bin."

case $(git config --show-scope --get core.hooksPath 2>/dev/null) in
global* | system*)
    say "Note: core.hooksPath is set for all your repositories, so this hook now runs in each of them."
    ;;
esac
case $hook in
"$PWD"/.git/*) ;;
"$PWD"/*)
    git check-ignore -q -- "$hook" ||
        say "Note: $hook can be committed; the path in it is of this machine, elsewhere the hook looks in PATH."
    ;;
esac

#!/bin/sh
# Tests hooks/pre-commit and install.sh with real git commits in temporary repositories.
#
# Usage: tests/scripts.sh [BINARY]    without BINARY a stub stands in for alembic-named
set -u

source=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
real=
if [ $# -gt 0 ]; then
    real=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
    [ -x "$real" ] || { printf '%s is not a program\n' "$1" >&2; exit 2; }
fi

# A test that was started by a hook must not touch the repository of that hook.
for name in $(env | sed -n 's/^\(GIT_[A-Z0-9_]*\)=.*/\1/p; s/^\(PRE_COMMIT[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
unset ALEMBIC_NAMED CARGO_HOME CARGO_INSTALL_ROOT CDPATH

made=$(mktemp -d) || exit 2
made=$(CDPATH='' cd -- "$made" && pwd -P)
trap 'rm -rf -- "$made"' EXIT
# Every path below has a space, a quote and signs that sed and the shell would take for their own.
lab="$made/it's a \$(lab) & more"
mkdir -p "$lab/tools" "$lab/home" "$lab/bin" "$lab/checkout"
HOME=$lab/home
GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
export HOME GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL

# A PATH of our own, so that an alembic-named or a cargo of this machine is not found by chance.
for name in git sh env cat sed grep cut dirname basename mkdir mv rm ln cp chmod pwd ls cmp tr head mktemp; do
    found=$(command -v "$name")
    case $found in /*) ln -s "$found" "$lab/tools/$name" ;; esac
done
shells='sh'
for name in dash bash busybox; do
    if found=$(command -v "$name"); then
        ln -s "$found" "$lab/tools/$name"
        case $name in
        bash) shells="$shells bash:--posix" ;;
        busybox) shells="$shells busybox:sh" ;;
        *) shells="$shells $name" ;;
        esac
    fi
done
# shellcheck disable=SC2123 # the search path is what is meant
PATH=$lab/tools
log=$lab/log
export PATH log real

# The stand-in notes how it was called, then is the real program or answers as it would for these commits.
bin=$lab/bin/alembic-named
cat >"$bin" <<'STUB'
#!/bin/sh
{
    printf 'program %s\n' "$0"
    printf 'arguments %s\n' "$*"
    printf 'folder %s\n' "$(pwd -P)"
    printf 'index %s\n' "${GIT_INDEX_FILE-unset}"
} >>"$log"
if [ "${1-}" = --version ]; then echo alembic-named 0; exit 0; fi
cat >/dev/null
if [ -n "$real" ]; then exec "$real" "$@"; fi
if git diff --cached | grep -q '^+.*create_foreign_key(None'; then
    echo 'fk_order_invoice_id_invoice'
    exit 1
fi
STUB
chmod +x "$bin"
cp -R "$source/hooks" "$source/install.sh" "$lab/checkout/"
: >"$lab/checkout/Cargo.toml"
hook=$lab/checkout/hooks/pre-commit
install=$lab/checkout/install.sh

passed=0 failed=0
holds() { # holds DESCRIPTION COMMAND...
    what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n' "$what"
        sed 's/^/    output: /' "$lab/output" 2>/dev/null
        sed 's/^/    called: /' "$log" 2>/dev/null
    fi
}

# exits STATUS COMMAND...: the output of both streams goes to $lab/output
exits() {
    wanted=$1
    shift
    "$@" >"$lab/output" 2>&1 </dev/null
    status=$?
    [ "$status" -eq "$wanted" ] || { printf '    exit %s, not %s\n' "$status" "$wanted" >>"$lab/output"; return 1; }
}
told() { grep -qF -e "$1" "$lab/output"; }
one_line() { [ "$(grep -c '' "$lab/output")" -eq 1 ]; }
called() { grep -qxF -e "$1" "$log"; }
absent() { [ ! -e "$1" ] && [ ! -L "$1" ]; }
same() { cmp -s "$1" "$2"; }
not() { ! "$@"; }
inside() { (CDPATH='' cd -- "$1" && shift && "$@"); }

# A repository with the example in it, but for the migration that makes the mistake.
fresh() {
    repo=$lab/$1
    git init -q "$repo" || exit 2
    cp -R "$source/examples/shop/." "$repo/"
    mv "$repo"/migrations/versions/*_add_invoice_to_order.py "$lab/bad.py"
    sed "s/(None,/(op.f('fk_order_invoice_id_invoice'),/" "$lab/bad.py" >"$lab/good.py"
    git -C "$repo" add -A && git -C "$repo" commit -qm base --no-verify || exit 2
    : >"$log"
}
commit() { # commit FOLDER bad|good: stages that form of the migration and commits it
    cp "$lab/$2.py" "$1/migrations/versions/new.py"
    git -C "$1" add -A migrations
    git -C "$1" commit -qm new
}
# guards FOLDER: the mistake is stopped and its correction passes
guards() {
    : >"$log"
    exits 1 commit "$1" bad && told fk_order_invoice_id_invoice && called 'arguments check --staged' &&
        exits 0 commit "$1" good && git -C "$1" reset -q --hard HEAD~1
}

# --- hooks/pre-commit -------------------------------------------------------------------------------------------------

for shell in $shells; do
    fresh "hook $shell"
    run=$(printf '%s' "$shell" | tr ':' ' ')
    # shellcheck disable=SC2086 # a shell and its option
    holds "$shell: the hook runs the program" exits 0 inside "$repo" env ALEMBIC_NAMED="$bin" $run "$hook"
    holds "$shell: with check --staged" called 'arguments check --staged'
    # shellcheck disable=SC2086
    holds "$shell: with -e and -u, as husky does" exits 0 inside "$repo" env ALEMBIC_NAMED="$bin" $run -eu "$hook"
    # shellcheck disable=SC2086
    holds "$shell: without a program it fails" exits 2 inside "$repo" $run -eu "$hook"
    holds "$shell: and says so in one sentence" one_line
done

fresh copied
cp "$hook" "$repo/.git/hooks/pre-commit"
holds 'a copy without a program stops the commit' exits 1 commit "$repo" good
holds 'and names the remedy' told 'install.sh'
ln -s "$bin" "$lab/tools/alembic-named"
holds 'a copy finds the program in PATH' guards "$repo"
rm -f "$lab/tools/alembic-named"

mkdir -p "$lab/other"
cp "$bin" "$lab/other/mine"
ALEMBIC_NAMED=$lab/other/mine
export ALEMBIC_NAMED
holds 'ALEMBIC_NAMED is run' guards "$repo"
holds 'and nothing else' called "program $lab/other/mine"
ln -s "$bin" "$lab/tools/alembic-named"
ALEMBIC_NAMED=$lab/no/such/file
holds 'a wrong ALEMBIC_NAMED stops the commit although PATH has a program' exits 1 commit "$repo" good
holds 'and is named' told "$lab/no/such/file"
ALEMBIC_NAMED=$lab/other
holds 'a folder in ALEMBIC_NAMED stops the commit' exits 1 commit "$repo" good
unset ALEMBIC_NAMED
rm -f "$lab/tools/alembic-named"

for folder in "$HOME/.cargo/bin" "$HOME/.local/bin" "$repo/.venv/bin" "$repo/node_modules/.bin"; do
    mkdir -p "$folder"
    cp "$bin" "$folder/alembic-named"
    holds "found in ${folder#"$lab"}" guards "$repo"
    holds "run in ${folder#"$lab"}" called "program $folder/alembic-named"
    holds "found from a folder below: ${folder#"$lab"}" exits 0 inside "$repo/migrations" sh "$hook"
    rm -rf "$folder"
done
mkdir -p "$HOME/.local/bin/alembic-named" "$repo/.venv/bin"
cp "$bin" "$repo/.venv/bin/alembic-named"
holds 'a folder of that name is no program, and the search goes on' guards "$repo"
rm -rf "$HOME/.local" "$repo/.venv"

fresh linked
ln -s "$hook" "$repo/.git/hooks/pre-commit"
ln -s "$bin" "$lab/tools/alembic-named"
holds 'a symlink to the hook works' guards "$repo"

: >"$log"
cp "$lab/good.py" "$repo/migrations/versions/new.py"
git -C "$repo" add -A
holds 'a commit from a folder below the top' exits 0 git -C "$repo/migrations" commit -qm below
holds 'starts the program at the top' called "folder $repo"
holds "with git's own relative index" called 'index .git/index'

: >"$log"
holds 'a hook that was started below the top' exits 0 inside "$repo/app" env GIT_INDEX_FILE=.git/index sh "$hook"
holds 'does not change the folder' called "folder $repo/app"
holds 'and keeps the relative index' called 'index .git/index'

feed() {
    printf 'left to read\n' >"$lab/input"
    { sh "$hook" && cat >"$lab/rest"; } <"$lab/input"
}
holds 'the hook leaves standard input alone' inside "$repo" feed
holds 'all of it' same "$lab/input" "$lab/rest"
rm -f "$lab/tools/alembic-named"

# --- install.sh -------------------------------------------------------------------------------------------------------

holds '--help' exits 0 "$install" --help
holds '--help shows the use' told 'Usage: install.sh'
fresh "plain repository"
cp -R "$repo/.git" "$lab/before"
for wrong in --nothing --bin; do
    holds "$wrong is refused" exits 2 inside "$repo" "$install" "$wrong"
    holds "$wrong: one sentence" one_line
done
holds 'two repositories are refused' exits 2 "$install" "$repo" "$repo"
holds 'a --bin that is not there is refused' exits 2 "$install" --bin "$lab/no" "$repo"
printf '#!/bin/sh\nexit 3\n' >"$lab/broken" && chmod +x "$lab/broken"
holds 'a --bin that does not run is refused' exits 2 "$install" --bin "$lab/broken" "$repo"
mkdir -p "$lab/outside"
holds 'outside a repository' exits 2 "$install" --bin "$bin" "$lab/outside"
holds 'it says so' told 'not in a git work tree'
holds 'in one sentence' one_line
holds 'a folder that is not there' exits 2 "$install" --bin "$bin" "$lab/nowhere"
holds 'inside .git' exits 2 "$install" --bin "$bin" "$repo/.git"
holds 'no cargo and no program' exits 2 "$install" "$repo"
holds 'names --bin' told '--bin PATH'
holds 'nothing of this wrote a hook' absent "$repo/.git/hooks/pre-commit"

holds 'install' exits 0 "$install" --bin "$bin" "$repo"
holds 'the hook of a plain repository' guards "$repo"
holds 'the path in it is absolute' called "program $bin"
cp "$repo/.git/hooks/pre-commit" "$lab/first"
holds 'install again' exits 0 "$install" --bin "$bin" "$repo"
holds 'changes nothing' same "$lab/first" "$repo/.git/hooks/pre-commit"
holds 'nothing else is left in the hooks folder' not ls "$repo"/.git/hooks/pre-commit.new* 2>/dev/null
holds 'the checkout is as it was' same "$source/hooks/pre-commit" "$hook"
holds 'a relative --bin from the current folder' exits 0 inside "$lab" "$install" --bin=./bin/alembic-named "$repo"
holds 'is written as an absolute path' same "$lab/first" "$repo/.git/hooks/pre-commit"
holds 'the current folder is the default, also below the top' exits 0 inside "$repo/app" "$install" --bin "$bin"
holds 'and the hook is in its place' same "$lab/first" "$repo/.git/hooks/pre-commit"
holds 'uninstall' exits 0 "$install" --uninstall "$repo"
holds 'removes it' absent "$repo/.git/hooks/pre-commit"
holds 'uninstall again' exits 0 "$install" --uninstall "$repo"
holds 'says that there is none' told 'Nothing to remove'

ln -s "$hook" "$repo/.git/hooks/pre-commit"
holds 'a symlink to our hook is replaced' exits 0 "$install" --bin "$bin" "$repo"
holds 'not written through' same "$source/hooks/pre-commit" "$hook"
holds 'and works' guards "$repo"
mv "$bin" "$bin.gone"
holds 'a program that was removed stops the commit' exits 1 commit "$repo" good
holds 'with the remedy' told 'install.sh again'
mv "$bin.gone" "$bin"

printf '#!/bin/sh\n# not ours: alembic-named pre-commit hook\nexit 0\n' >"$lab/foreign"
chmod +x "$lab/foreign"
for how in file symlink; do
    fresh "foreign $how"
    if [ "$how" = file ]; then cp "$lab/foreign" "$repo/.git/hooks/pre-commit"; else ln -s "$lab/foreign" "$repo/.git/hooks/pre-commit"; fi
    holds "a foreign $how is refused" exits 2 "$install" --bin "$bin" "$repo"
    holds 'in one sentence' one_line
    holds 'with the line to add' told 'check --staged'
    holds 'and kept byte for byte' same "$lab/foreign" "$repo/.git/hooks/pre-commit"
    holds "uninstall leaves a foreign $how" exits 2 "$install" --uninstall "$repo"
    holds 'byte for byte' same "$lab/foreign" "$repo/.git/hooks/pre-commit"
done
exits 2 "$install" --bin "$bin" "$repo"
line=$(sed 's/.*any exit or exec: //' "$lab/output")
rm "$repo/.git/hooks/pre-commit"
printf '#!/bin/sh\n%s\nexit 0\n' "$line" >"$repo/.git/hooks/pre-commit"
chmod +x "$repo/.git/hooks/pre-commit"
holds 'the line that it names does what it says' guards "$repo"
fresh dangling
ln -s "$lab/nowhere" "$repo/.git/hooks/pre-commit"
holds 'a symlink to nothing is not ours either' exits 2 "$install" --bin "$bin" "$repo"
printf '#!/bin/sh\n# File generated by pre-commit\nexit 0\n' >"$lab/framework"
rm "$repo/.git/hooks/pre-commit"
cp "$lab/framework" "$repo/.git/hooks/pre-commit"
holds 'a hook of pre-commit is refused' exits 2 "$install" --bin "$bin" "$repo"
holds 'with its own way in' told '.pre-commit-config.yaml'
holds 'and kept' same "$lab/framework" "$repo/.git/hooks/pre-commit"

fresh "absolute hooks path"
git -C "$repo" config core.hooksPath "$lab/shared hooks"
holds 'an absolute core.hooksPath' exits 0 "$install" --bin "$bin" "$repo"
holds 'is used' same "$lab/first" "$lab/shared hooks/pre-commit"
holds 'and not .git/hooks' absent "$repo/.git/hooks/pre-commit"
holds 'its hook works' guards "$repo"
holds 'uninstall there' exits 0 "$install" --uninstall "$repo"
holds 'removes it there' absent "$lab/shared hooks/pre-commit"

fresh "relative hooks path"
git -C "$repo" config core.hooksPath '.git hooks'
holds 'a relative core.hooksPath, from below the top' exits 0 "$install" --bin "$bin" "$repo/app"
holds 'is taken from the top' same "$lab/first" "$repo/.git hooks/pre-commit"
holds 'with a word on committing it' told 'can be committed'
holds 'its hook works' guards "$repo"

fresh "no hooks"
git -C "$repo" config core.hooksPath /dev/null
holds 'switched-off hooks are refused' exits 2 "$install" --bin "$bin" "$repo"
git -C "$repo" config core.hooksPath ''
holds 'an empty core.hooksPath is refused' exits 2 "$install" --bin "$bin" "$repo"

fresh main
git -C "$repo" worktree add -q -b second "$lab/second worktree"
holds 'a linked worktree' exits 0 "$install" --bin "$bin" "$lab/second worktree"
holds 'shares the hook of its repository' same "$lab/first" "$repo/.git/hooks/pre-commit"
holds 'works in the worktree' guards "$lab/second worktree"
holds 'and in the main one' guards "$repo"
other=$repo
fresh named
holds 'the folder that was named counts, not GIT_DIR' exits 0 env GIT_DIR="$other/.git" GIT_WORK_TREE="$other" "$install" --bin "$bin" "$repo"
holds 'and gets the hook' same "$lab/first" "$repo/.git/hooks/pre-commit"

fresh "husky repository"
mkdir -p "$repo/.husky/_"
# shellcheck disable=SC2016 # for the shell that runs the hook
# The two files as husky lays them out: git runs the inner one, which runs the project's own with sh -e.
printf '%s\n' '#!/bin/sh' 'PATH="node_modules/.bin:$PATH"; export PATH' 'exec sh -e .husky/pre-commit "$@"' >"$repo/.husky/_/pre-commit"
chmod +x "$repo/.husky/_/pre-commit"
cp "$repo/.husky/_/pre-commit" "$lab/inner"
git -C "$repo" config core.hooksPath .husky/_
holds 'a husky repository is refused' exits 2 "$install" --bin "$bin" "$repo"
holds 'in one sentence' one_line
holds 'with the file' told "$repo/.husky/pre-commit"
holds 'with the line' told 'alembic-named check --staged'
holds "husky's folder is as it was" same "$lab/inner" "$repo/.husky/_/pre-commit"
holds 'and the project has no new hook' absent "$repo/.husky/pre-commit"
sed 's/.*: //' "$lab/output" >"$repo/.husky/pre-commit"
holds 'the line alone stops a commit where the program is missing' exits 1 commit "$repo" good
mkdir -p "$repo/node_modules/.bin"
cp "$bin" "$repo/node_modules/.bin/alembic-named"
holds 'the line does what it says' guards "$repo"
holds 'then there is nothing to do' exits 0 "$install" --bin "$bin" "$repo"
holds 'uninstall names the line' exits 2 "$install" --uninstall "$repo"
cp "$hook" "$repo/.husky/pre-commit"
holds 'our hook as the hook of husky' guards "$repo"

fresh built
# shellcheck disable=SC2016 # for the shell that runs it
printf '%s\n' '#!/bin/sh' 'printf "cargo %s\n" "$*" >>"$log"' \
    'mkdir -p "$HOME/.cargo/bin" && cp "$stub" "$HOME/.cargo/bin/alembic-named"' >"$lab/tools/cargo"
chmod +x "$lab/tools/cargo"
stub=$bin
export stub
holds 'the program is built where there is none' exits 0 "$install" "$repo"
holds 'from this checkout, with its lock file' called "cargo install --locked --path $lab/checkout --root $HOME/.cargo"
holds 'and is what the hook runs' guards "$repo"
rm -rf "$HOME/.cargo"
printf '#!/bin/sh\nexit 101\n' >"$lab/tools/cargo"
"$install" --uninstall "$repo" >/dev/null
holds 'a build that fails' exits 2 "$install" "$repo"
holds 'installs nothing' absent "$repo/.git/hooks/pre-commit"
mkdir -p "$lab/checkout/target/release"
cp "$bin" "$lab/checkout/target/release/alembic-named"
holds 'a program that was built before' exits 0 "$install" "$repo"
holds 'is used' guards "$repo"
holds 'from the checkout' called "program $lab/checkout/target/release/alembic-named"
ln -s "$bin" "$lab/tools/alembic-named"
holds 'a program in PATH' exits 0 "$install" "$repo"
holds 'goes first' told "$lab/tools/alembic-named"

printf 'scripts: %s hold, %s fail (%s)\n' "$passed" "$failed" "${real:-stub}"
[ "$failed" -eq 0 ]

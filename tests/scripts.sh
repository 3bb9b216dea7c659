#!/bin/sh
# Tests hooks/pre-commit and install.sh with real git commits in temporary repositories.
#
# Usage: tests/scripts.sh BINARY           the hook runs BINARY
#        tests/scripts.sh --stub BINARY    BINARY installs the hook, which runs a stub that stands in for it
set -u

source=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
stubbed=
if [ "${1-}" = --stub ]; then stubbed=yes && shift; fi
[ $# -eq 1 ] || { printf 'usage: tests/scripts.sh [--stub] BINARY\n' >&2; exit 2; }
real=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
[ -x "$real" ] || { printf '%s is not a program\n' "$1" >&2; exit 2; }

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
for name in git sh env cat sed grep cut dirname basename mkdir mv rm ln cp chmod pwd ls cmp tr head mktemp sort; do
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
export PATH log real stubbed

# It notes how it was called, then is the real program or answers as that would for these commits.
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
case ${1-} in install | uninstall) exec "$real" "$@" ;; esac
if [ -z "$stubbed" ]; then exec "$real" "$@"; fi
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
# shellcheck disable=SC2012 # the only portable way to see a mode
mode() { ls -l "$1" | cut -c 1-10; }
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

for folder in "$HOME/.cargo/bin" "$HOME/.local/bin"; do
    mkdir -p "$folder"
    cp "$bin" "$folder/alembic-named"
    holds "found in ${folder#"$lab"}" guards "$repo"
    holds "run in ${folder#"$lab"}" called "program $folder/alembic-named"
    holds "found from a folder below: ${folder#"$lab"}" exits 0 inside "$repo/migrations" sh "$hook"
    rm -rf "$folder"
done
mkdir -p "$HOME/.cargo/bin/alembic-named" "$HOME/.local/bin"
cp "$bin" "$HOME/.local/bin/alembic-named"
holds 'a folder of that name is no program, and the search goes on' guards "$repo"
rm -rf "$HOME/.local" "$HOME/.cargo"

# A program that came with a commit, which would say that all is well.
for folder in .venv/bin node_modules/.bin; do
    mkdir -p "$repo/$folder"
    # shellcheck disable=SC2016 # for the shell that runs it
    printf '%s\n' '#!/bin/sh' 'printf "tracked\n" >>"$log"' >"$repo/$folder/alembic-named"
    chmod +x "$repo/$folder/alembic-named"
    for name in git dirname sh; do cp "$repo/$folder/alembic-named" "$repo/$folder/$name"; done
    for way in "$folder" "./$folder" "$repo/$folder" "$repo/migrations/../$folder"; do
        : >"$log"
        holds "not run in $way" exits 2 inside "$repo" env PATH="$way:$PATH" "$lab/tools/sh" "$hook"
        holds 'with a sentence' told 'outside the worktree'
        holds 'and nothing of it was' not called tracked
        holds "not run from below in $way" exits 2 inside "$repo/migrations" env PATH="$way:$PATH" "$lab/tools/sh" "$hook"
        holds 'nor anything of it' not called tracked
    done
    ln -s "$repo/$folder" "$lab/linked"
    holds 'nor through a link' exits 2 inside "$repo" env PATH="$lab/linked:$PATH" "$lab/tools/sh" "$hook"
    holds 'nothing of it' not called tracked
    rm -f "$lab/linked"
    mkdir -p "$HOME/.local/bin"
    cp "$bin" "$HOME/.local/bin/alembic-named"
    holds 'the one behind it is' exits 0 inside "$repo" env PATH="$folder:$PATH" "$lab/tools/sh" "$hook"
    holds 'alone' called "program $HOME/.local/bin/alembic-named"
    rm -rf "$HOME/.local" "${repo:?}/${folder%%/*}"
done

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
holds '--dry-run' exits 0 "$install" --uninstall --dry-run "$repo"
holds 'tells what it would do' told "Would remove $repo/.git/hooks/pre-commit."
holds 'and does not' same "$lab/first" "$repo/.git/hooks/pre-commit"
holds 'uninstall, with the program that the hook names' exits 0 "$install" --uninstall "$repo"
holds 'removes it' absent "$repo/.git/hooks/pre-commit"
holds 'uninstall again, with no program left to be found' exits 2 "$install" --uninstall "$repo"
holds 'says what to do' told '--bin PATH'
holds 'uninstall again' exits 0 "$install" --uninstall --bin "$bin" "$repo"
holds 'says that there is none' told 'Nothing to remove'

ln -s "$hook" "$repo/.git/hooks/pre-commit"
holds 'a symlink to our hook is replaced' exits 0 "$install" --bin "$bin" "$repo"
holds 'not written through' same "$source/hooks/pre-commit" "$hook"
holds 'and works' guards "$repo"
mv "$bin" "$bin.gone"
holds 'a program that was removed stops the commit' exits 1 commit "$repo" good
holds 'with the remedy' told 'install.sh again'
mv "$bin.gone" "$bin"
"$install" --bin "$bin" "$repo" >/dev/null
printf 'echo mine\n' >>"$repo/.git/hooks/pre-commit"
cp "$repo/.git/hooks/pre-commit" "$lab/edited"
for does in --pre-merge-commit --uninstall; do
    holds "an edited hook is refused: $does" exits 2 "$install" --bin "$bin" "$does" "$repo"
    holds 'in one sentence' one_line
    holds 'with the reason' told 'was edited since it was installed'
    holds 'and kept byte for byte' same "$lab/edited" "$repo/.git/hooks/pre-commit"
    holds 'with nothing beside it' absent "$repo/.git/hooks/pre-merge-commit"
done

# A hook of the project that says what it was given and fails when it is told to.
cat >"$lab/foreign" <<'FOREIGN'
#!/bin/sh
# not ours: alembic-named pre-commit hook
printf 'foreign %s\n' "$0 $*" >>"$log"
[ ! -e "$HOME/fail" ] || exit 7
FOREIGN
chmod +x "$lab/foreign"
for how in file symlink; do
    fresh "foreign $how"
    foreign=$repo/.git/hooks/pre-commit
    if [ "$how" = file ]; then cp -p "$lab/foreign" "$foreign"; else ln -s "$lab/foreign" "$foreign"; fi
    mode "$foreign" >"$lab/mode"
    holds "uninstall leaves a foreign $how" exits 2 "$install" --uninstall --bin "$bin" "$repo"
    holds 'byte for byte' same "$lab/foreign" "$foreign"
    holds "a foreign $how is chained" exits 0 "$install" --bin "$bin" "$repo"
    holds 'and told' told "$foreign.chained"
    holds 'it is kept byte for byte' same "$lab/foreign" "$foreign.chained"
    holds 'both hooks work' guards "$repo"
    holds 'the foreign one is called' called 'foreign .git/hooks/pre-commit.chained '
    cp "$foreign" "$lab/chain"
    holds 'install again' exits 0 "$install" --bin "$bin" "$repo"
    holds 'changes nothing' same "$lab/chain" "$foreign"
    holds 'nor the chained one' same "$lab/foreign" "$foreign.chained"
    : >"$log"
    holds 'arguments reach the foreign hook' exits 0 inside "$repo" sh "$foreign" one 'two three'
    holds 'as they were' called "foreign $foreign.chained one two three"
    : >"$HOME/fail" && : >"$log"
    holds 'its failure stops the commit' exits 1 commit "$repo" good
    holds 'and the program does not run' not called 'arguments check --staged'
    holds 'its exit status is that of the hook' exits 7 inside "$repo" sh "$foreign"
    rm "$HOME/fail"
    git -C "$repo" reset -q --hard
    mv "$foreign.chained" "$lab/away"
    holds 'a chained hook that is gone stops the commit' exits 1 commit "$repo" good
    holds 'with the remedy' told 'put it back'
    git -C "$repo" reset -q --hard
    mv "$lab/away" "$foreign.chained"
    holds 'uninstall' exits 0 "$install" --uninstall "$repo"
    holds 'brings it back byte for byte' same "$lab/foreign" "$foreign"
    mode "$foreign" >"$lab/mode now"
    holds 'as what it was' same "$lab/mode" "$lab/mode now"
    holds 'and leaves nothing' absent "$foreign.chained"
    cp "$lab/foreign" "$foreign.chained"
    holds 'a hook in the place of the chain is refused' exits 2 "$install" --bin "$bin" "$repo"
    holds 'in one sentence' one_line
    holds 'both are kept' same "$foreign" "$foreign.chained"
    rm "$foreign"
    holds 'a kept hook that nothing runs is refused' exits 2 "$install" --bin "$bin" "$repo"
    holds 'and nothing is installed' absent "$foreign"
done
fresh disabled
cp "$lab/foreign" "$repo/.git/hooks/pre-commit"
chmod -x "$repo/.git/hooks/pre-commit"
holds 'a hook that is switched off is kept' exits 0 "$install" --bin "$bin" "$repo"
holds 'switched off' guards "$repo"
holds 'and not called' not grep -q '^foreign' "$log"

fresh merges
holds '--pre-merge-commit' exits 0 "$install" --pre-merge-commit --bin "$bin" "$repo"
holds 'installs a second hook' same "$repo/.git/hooks/pre-commit" "$repo/.git/hooks/pre-merge-commit"
git -C "$repo" checkout -q -b side && git -C "$repo" commit -q --allow-empty --no-verify -m side
git -C "$repo" checkout -q - && git -C "$repo" commit -q --allow-empty --no-verify -m main
: >"$log"
holds 'a merge' exits 0 git -C "$repo" merge -q --no-edit side
holds 'calls it' called 'arguments check --staged'
holds 'uninstall' exits 0 "$install" --uninstall "$repo"
holds 'removes both' absent "$repo/.git/hooks/pre-merge-commit"

fresh dangling
ln -s "$lab/nowhere" "$repo/.git/hooks/pre-commit"
holds 'a symlink to nothing is refused' exits 2 "$install" --bin "$bin" "$repo"
holds 'in one sentence' one_line
printf '#!/bin/sh\n# File generated by pre-commit\nexit 0\n' >"$lab/framework"
rm "$repo/.git/hooks/pre-commit"
cp "$lab/framework" "$repo/.git/hooks/pre-commit"
holds 'a hook of pre-commit is refused' exits 2 "$install" --bin "$bin" "$repo"
holds 'with its own way in' told '.pre-commit-config.yaml'
holds 'and kept' same "$lab/framework" "$repo/.git/hooks/pre-commit"
holds 'also with --manager git' exits 2 "$install" --bin "$bin" --manager git "$repo"
holds 'which names the other' told '--manager pre-commit'
holds 'and keeps it' same "$lab/framework" "$repo/.git/hooks/pre-commit"
printf 'repos:\n- repo: meta\n  hooks: []\n' >"$repo/.pre-commit-config.yaml"
cp "$repo/.pre-commit-config.yaml" "$lab/config"
holds 'with a configuration the entry is printed' exits 0 "$install" --bin "$bin" "$repo"
holds 'to be pasted' told 'entry: alembic-named check --staged'
holds 'and not written' same "$lab/config" "$repo/.pre-commit-config.yaml"
holds 'but with --write' exits 0 "$install" --bin "$bin" --write "$repo"
holds 'it is' not same "$lab/config" "$repo/.pre-commit-config.yaml"
holds 'uninstall' exits 0 "$install" --bin "$bin" --uninstall "$repo"
holds 'brings the file back' same "$lab/config" "$repo/.pre-commit-config.yaml"

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
# shellcheck disable=SC2088 # for git
git -C "$repo" config core.hooksPath '~/my hooks'
holds 'a core.hooksPath below the home' exits 0 "$install" --bin "$bin" "$repo"
holds 'is used' same "$lab/first" "$HOME/my hooks/pre-commit"
git init -q --bare "$lab/bare.git"
holds 'a bare repository is refused' exits 2 "$install" --bin "$bin" "$lab/bare.git"

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
holds "husky's own folder is refused" exits 2 "$install" --manager git --bin "$bin" "$repo"
holds 'in one sentence' one_line
holds 'a husky repository gets a line' exits 0 "$install" --bin "$bin" "$repo"
holds 'in its own file' told "$repo/.husky/pre-commit"
printf 'alembic-named check --staged\n' >"$lab/line"
holds 'and nothing else' same "$lab/line" "$repo/.husky/pre-commit"
holds "husky's folder is as it was" same "$lab/inner" "$repo/.husky/_/pre-commit"
holds 'the line alone stops a commit where the program is missing' exits 1 commit "$repo" good
mkdir -p "$repo/node_modules/.bin"
cp "$bin" "$repo/node_modules/.bin/alembic-named"
holds 'the line does what it says' guards "$repo"
holds 'then there is nothing to do' exits 0 "$install" --bin "$bin" "$repo"
holds 'and nothing is done' same "$lab/line" "$repo/.husky/pre-commit"
holds 'uninstall' exits 0 "$install" --bin "$bin" --uninstall "$repo"
holds 'removes the file that was made' absent "$repo/.husky/pre-commit"
for text in '' 'true' 'true\n' '#!/bin/sh\n\nif false; then\n  exit 0\nfi\n\n'; do
    # shellcheck disable=SC2059 # the line ends are meant
    printf "$text" >"$repo/.husky/pre-commit"
    cp "$repo/.husky/pre-commit" "$lab/script"
    holds 'a script of the project gets the line' exits 0 "$install" --bin "$bin" "$repo"
    holds 'and both work' guards "$repo"
    holds 'uninstall' exits 0 "$install" --bin "$bin" --uninstall "$repo"
    holds 'brings the script back byte for byte' same "$lab/script" "$repo/.husky/pre-commit"
done
printf 'exec true\n' >"$repo/.husky/pre-commit"
cp "$repo/.husky/pre-commit" "$lab/script"
holds 'a script that ends before the line is refused' exits 2 "$install" --bin "$bin" "$repo"
holds 'in one sentence' one_line
holds 'with the line' told 'alembic-named check --staged'
holds 'and kept' same "$lab/script" "$repo/.husky/pre-commit"
printf 'alembic-named check --staged --quiet\n' >"$repo/.husky/pre-commit"
holds 'a line of the project stays' exits 2 "$install" --bin "$bin" --uninstall "$repo"
cp "$hook" "$repo/.husky/pre-commit"
holds 'our hook runs no program of the repository' exits 1 commit "$repo" good
holds 'and says so' told 'outside the worktree'
mkdir -p "$HOME/.local/bin"
cp "$bin" "$HOME/.local/bin/alembic-named"
holds 'our hook as the hook of husky' guards "$repo"
rm -rf "$HOME/.local"

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
"$install" --uninstall "$repo" >/dev/null
rm -rf "$HOME/.cargo"
printf '#!/bin/sh\nexit 101\n' >"$lab/tools/cargo"
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

fresh rules
mkdir -p "$lab/crate/packaging" "$lab/crate/src/rules" "$lab/crate/docs/rules"
cp "$source/packaging/new-rule.sh" "$lab/crate/packaging/"
cp "$source/src/rules/mod.rs" "$lab/crate/src/rules/"
holds 'a new rule' exits 0 "$lab/crate/packaging/new-rule.sh" no-such-rule
holds 'has its file' grep -q 'name: "no-such-rule"' "$lab/crate/src/rules/no_such_rule.rs"
holds 'its page' grep -q '^# no-such-rule$' "$lab/crate/docs/rules/no-such-rule.md"
holds 'and its two lines' [ "$(grep -c 'no_such_rule' "$lab/crate/src/rules/mod.rs")" -eq 2 ]
holds 'a rule that is there is kept' exits 2 "$lab/crate/packaging/new-rule.sh" no-such-rule
holds 'a name that is none is refused' exits 2 "$lab/crate/packaging/new-rule.sh" No_Rule

printf 'scripts: %s hold, %s fail (%s)\n' "$passed" "$failed" "${stubbed:+stub, installed by }$real"
[ "$failed" -eq 0 ]

#!/bin/sh
# Runs both hook ids of this repository under pre-commit in a real repository, with real commits.
#
# Usage: .ci/pre-commit.sh BINARY    needs pre-commit in PATH; what is tested is the committed HEAD
set -eu

source=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
binary=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
[ -x "$binary" ] || { echo "$1 is not a program; build it first"; exit 1; }

made=$(mktemp -d)
trap 'rm -rf -- "$made"' EXIT

# pre-commit takes a hook from a commit; a clone keeps what it writes out of the checkout.
git clone -q "$source" "$made/hooks"
rev=$(git -C "$made/hooks" rev-parse --verify -q HEAD) || { echo 'nothing is committed, so pre-commit has no hook to take'; exit 1; }

GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
PRE_COMMIT_HOME=$made/cache PRE_COMMIT_COLOR=never
export GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
export PRE_COMMIT_HOME PRE_COMMIT_COLOR
# The build from source has to work in pre-commit's own folder, not because something is built here already.
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR

stop() {
    echo "pre-commit: $*"
    exit 1
}

# The name must be in the output: a hook that could not start would stop the commit as well.
blocked() { # blocked WHAT COMMAND...
    what=$1
    shift
    if "$@" >"$made/output" 2>&1; then
        cat "$made/output"
        stop "$what passed"
    fi
    cat "$made/output"
    grep -q fk_order_invoice_id_invoice "$made/output" || stop "$what was blocked without the name to use"
}

try() { # try ID
    repo=$made/$1
    git init -q "$repo"
    cp -R "$source/examples/shop/." "$repo/"
    bad=$(cd "$repo" && echo migrations/versions/*_add_invoice_to_order.py)
    mv "$repo/$bad" "$made/bad.py"
    cat >"$repo/.pre-commit-config.yaml" <<YAML
repos:
  - repo: $made/hooks
    rev: $rev
    hooks:
      - id: $1
YAML
    cd "$repo"
    git add -A
    git commit -qm base
    pre-commit install --install-hooks

    cp "$made/bad.py" "$bad"
    git add -A
    blocked "$1: a commit with an unnamed constraint" git commit -qm unnamed
    sed "s/(None,/(op.f('fk_order_invoice_id_invoice'),/" "$made/bad.py" >"$bad"
    git add -A
    git commit -m named || stop "$1: the corrected commit was blocked"

    # With nothing staged, as in CI, a hook that looks at staged changes only would always pass.
    cp "$made/bad.py" "$bad"
    git commit -qam unnamed --no-verify
    blocked "$1: --all-files" pre-commit run --all-files
    blocked "$1: --from-ref" pre-commit run --from-ref HEAD~1 --to-ref HEAD
    cd "$made"
}

(
    PATH=$(dirname -- "$binary"):$PATH
    try alembic-named-system
)
try alembic-named
echo 'pre-commit: both ids block the unnamed constraint and let the named one pass'

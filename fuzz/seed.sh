#!/bin/sh
# Writes a corpus for each target: indexes and answers as the installed git makes them, and files of the tests and the example.
set -eu

fuzz=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
made=$(mktemp -d)
trap 'rm -rf -- "$made"' EXIT
for target in index tree raw_diff migration models env_py ini configuration; do mkdir -p "$fuzz/corpus/$target"; done
find "$fuzz/../tests/data/generated_revisions" -name '*.py' | while read -r revision; do
    cp "$revision" "$fuzz/corpus/migration/$(printf %s "$revision" | cksum | tr ' ' -)"
done
cp "$fuzz"/../tests/data/convention_spellings/*.py "$fuzz/corpus/models"
cp "$fuzz"/../examples/shop/migrations/env.py "$fuzz/corpus/env_py"
cp "$fuzz"/../examples/shop/alembic.ini "$fuzz/corpus/ini"
cp "$fuzz"/../examples/shop/*.toml "$fuzz/corpus/configuration"

GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
export GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL

git init -q "$made"
cd "$made"
mkdir -p pkg/deep
for path in a.py b.py pkg/c.py pkg/deep/d.py; do echo "$path" >"$path"; done
git add .
git commit -qm start
git mv b.py pkg/moved.py
echo changed >a.py
git add a.py
: >later.py
git add -N later.py

keep() { cp .git/index "$fuzz/corpus/index/$1"; }
for version in 2 3 4; do
    git update-index --index-version "$version"
    keep "version-$version"
done
git rm -q --cached later.py
git write-tree >/dev/null
keep complete
git update-index --force-untracked-cache
keep untracked-cache
git -c index.threads=2 -c index.recordEndOfIndexEntries=true -c index.recordOffsetTable=true update-index --force-write-index
keep end-of-entries
git update-index --split-index
keep split

for tree in 'HEAD^{tree}' HEAD:pkg; do git cat-file tree "$tree" >"$fuzz/corpus/tree/$(git rev-parse "$tree")"; done
git diff --cached --raw -z --no-abbrev -M >"$fuzz/corpus/raw_diff/diff"
git ls-files -s -z >"$fuzz/corpus/raw_diff/ls-files"
git ls-tree -r -z HEAD >"$fuzz/corpus/raw_diff/ls-tree"

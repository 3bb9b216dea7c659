#!/bin/sh
# Writes the repository from which pre-commit installs the wheel: the hooks of this repository that are built from source, with
# `language: python`, and a package that only depends on the program.
#
# Usage: packaging/mirror.sh REQUIREMENT FOLDER    for example: packaging/mirror.sh alembic-named==0.1.0 ../alembic-named-pre-commit
set -eu

[ $# -eq 2 ] || { echo 'usage: packaging/mirror.sh REQUIREMENT FOLDER' >&2; exit 2; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
requirement=$1
mkdir -p -- "$2"
cd -- "$2"

# Each hook is described once, so the two cannot differ. Comments are dropped because they are about building from source.
awk '/^- / { ours = $3 == "alembic-named" || $3 == "alembic-named-fix" } ours && !/^ *#/ && NF' "$here/.pre-commit-hooks.yaml" |
    sed 's/language: rust/language: python/' >.pre-commit-hooks.yaml
grep -q 'language: python' .pre-commit-hooks.yaml || { echo 'the hook alembic-named with language: rust was not found' >&2; exit 1; }

cat >pyproject.toml <<TOML
# pre-commit installs this for the hook: the version of the program that belongs to this tag.
[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[project]
name = "alembic-named-pre-commit"
version = "0"
dependencies = ["$requirement"]

[tool.setuptools]
py-modules = []
TOML
cp -- "$here/LICENSE-APACHE" "$here/LICENSE-MIT" .

#!/bin/sh
# Writes what a package installs beside the program: the manual pages and the completions.
#
# Usage: packaging/extras.sh FOLDER
set -eu

[ $# -eq 1 ] || { echo 'usage: packaging/extras.sh FOLDER' >&2; exit 2; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
mkdir -p -- "$1/man" "$1/completions"
folder=$(CDPATH='' cd -- "$1" && pwd)
cd "$here"

cargo run --quiet --locked --release --example man -- "$folder/man"
completions() { cargo run --quiet --locked --release -- completions "$1" >"$folder/completions/$2"; }
# The names under which each shell looks for them.
completions bash alembic-named.bash
completions zsh _alembic-named
completions fish alembic-named.fish
completions powershell _alembic-named.ps1

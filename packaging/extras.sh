#!/bin/sh
# Writes what a package installs along with the program: the manual pages and the completions.
#
# Usage: packaging/extras.sh PROGRAM FOLDER    PROGRAM is an alembic-named that runs on this machine
set -eu

[ $# -eq 2 ] || { echo 'usage: packaging/extras.sh PROGRAM FOLDER' >&2; exit 2; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
program=$1
mkdir -p -- "$2/man" "$2/completions"
folder=$(CDPATH='' cd -- "$2" && pwd)

# Named as each shell expects.
"$program" completions bash >"$folder/completions/alembic-named.bash"
"$program" completions zsh >"$folder/completions/_alembic-named"
"$program" completions fish >"$folder/completions/alembic-named.fish"
"$program" completions powershell >"$folder/completions/_alembic-named.ps1"
cd "$here"
cargo run --quiet --locked --example man -- "$folder/man"

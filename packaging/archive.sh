#!/bin/sh
# Packs the program from a wheel for people without Python, with its manual pages and completions, and writes a checksum. It is the same
# file as in the wheel, so each platform is built once, and the Linux program runs wherever the wheel does.
#
# Usage: packaging/archive.sh WHEEL TARGET EXTRAS FOLDER
#   EXTRAS holds the folders `man` and `completions`; FOLDER gets alembic-named-TARGET.tar.gz (.zip for Windows) and .sha256
set -eu

[ $# -eq 4 ] || { echo 'usage: packaging/archive.sh WHEEL TARGET EXTRAS FOLDER' >&2; exit 2; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
mkdir -p -- "$4"
folder=$(CDPATH='' cd -- "$4" && pwd)
extras=$(CDPATH='' cd -- "$3" && pwd)
name=alembic-named-$2

made=$(mktemp -d)
trap 'rm -rf -- "$made"' EXIT
python3 -m zipfile -e "$1" "$made/wheel"
mkdir "$made/$name"
cp "$made"/wheel/alembic_named-*.data/scripts/* "$made/$name/"
# A wheel stores the permissions, but Python's zipfile does not restore them.
chmod 755 "$made/$name"/alembic-named*
cp -R "$extras/man" "$extras/completions" "$made/$name/"
cp "$here/LICENSE-APACHE" "$here/LICENSE-MIT" "$made/$name/"
[ ! -f "$here/README.md" ] || cp "$here/README.md" "$made/$name/"

cd "$made"
case $2 in
*windows*)
    archive=$name.zip
    python3 -m zipfile -c "$folder/$archive" "$name/"
    ;;
*)
    archive=$name.tar.gz
    tar -czf "$folder/$archive" "$name"
    ;;
esac
cd "$folder"
# In the format of sha256sum, for `sha256sum --check` and `shasum --check`. Python, because every platform has it.
python3 - "$archive" >"$archive.sha256" <<'PYTHON'
import hashlib, sys
with open(sys.argv[1], "rb") as file:
    print(f"{hashlib.sha256(file.read()).hexdigest()}  {sys.argv[1]}")
PYTHON
echo "$folder/$archive"

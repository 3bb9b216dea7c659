#!/bin/sh
# Builds the Python wheel, installs it where nothing else is, and lets pre-commit check real commits with it.
#
# Usage: .ci/wheel.sh    needs Rust, Python 3 with venv, a package index, and pre-commit in PATH; builds below CARGO_TARGET_DIR or target/
set -eu

source=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$source/target}
made=$(mktemp -d)
trap 'rm -rf -- "$made"' EXIT

GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
PRE_COMMIT_HOME=$made/cache PRE_COMMIT_COLOR=never PIP_DISABLE_PIP_VERSION_CHECK=1
export GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
export PRE_COMMIT_HOME PRE_COMMIT_COLOR PIP_DISABLE_PIP_VERSION_CHECK

stop() {
    echo "wheel: $*"
    exit 1
}

# The version that an installation from source would use.
maturin=$(sed -n 's/^requires = \["\(maturin==[0-9.]*\)"\]$/\1/p' "$source/pyproject.toml")
[ -n "$maturin" ] || stop 'pyproject.toml pins no maturin'
tools=$target/wheel-venv
python3 -m venv "$tools"
"$tools/bin/pip" install --quiet "$maturin"
(cd "$source" && "$tools/bin/maturin" build --release --out "$made/wheels")
wheel=$(echo "$made"/wheels/*.whl)
[ -f "$wheel" ] || stop "not one wheel: $wheel"

python3 -m venv "$made/clean"
"$made/clean/bin/pip" install --quiet --no-index "$wheel"
installed=$("$made/clean/bin/alembic-named" --version)
expected=$(sed -n 's/^version = "\(.*\)"$/alembic-named \1/p' "$source/Cargo.toml" | head -n 1)
[ "$installed" = "$expected" ] || stop "the wheel installs '$installed', not '$expected'"
"$made/clean/bin/pip" show alembic-named

# pre-commit takes a hook from a commit of a repository; this is the one that a release makes, with the wheel by its path.
url=$("$tools/bin/python" -c 'import pathlib, sys; print(pathlib.Path(sys.argv[1]).as_uri())' "$wheel")
"$source/packaging/mirror.sh" "alembic-named @ $url" "$made/mirror"
pre-commit validate-manifest "$made/mirror/.pre-commit-hooks.yaml"
git init -q "$made/mirror"
git -C "$made/mirror" add -A
git -C "$made/mirror" commit -qm mirror
rev=$(git -C "$made/mirror" rev-parse HEAD)

repo=$made/repo
git init -q "$repo"
cp -R "$source/examples/shop/." "$repo/"
cd "$repo"
bad=$(echo migrations/versions/*_add_invoice_to_order.py)
mv "$bad" "$made/bad.py"
cat >.pre-commit-config.yaml <<YAML
repos:
  - repo: $made/mirror
    rev: $rev
    hooks:
      - id: alembic-named
YAML
git add -A
git commit -qm base
pre-commit install --install-hooks

cp "$made/bad.py" "$bad"
git add -A
if git commit -qm unnamed >"$made/output" 2>&1; then
    cat "$made/output"
    stop 'a commit with an unnamed constraint passed'
fi
cat "$made/output"
# A hook that could not start would stop the commit as well.
grep -q fk_order_invoice_id_invoice "$made/output" || stop 'the commit was blocked without the name to use'
sed "s/(None,/(op.f('fk_order_invoice_id_invoice'),/" "$made/bad.py" >"$bad"
git add -A
git commit -m named || stop 'the corrected commit was blocked'
"$(echo "$PRE_COMMIT_HOME"/repo*/py_env-*/bin/alembic-named)" --version

# What a release makes of the wheel besides.
"$source/packaging/extras.sh" "$made/clean/bin/alembic-named" "$made/extras"
archive=$("$source/packaging/archive.sh" "$wheel" this-platform "$made/extras" "$made/archives")
(cd "$made/archives" && python3 -c '
import hashlib, pathlib, sys
digest, name = pathlib.Path(sys.argv[1] + ".sha256").read_text().split()
sys.exit(hashlib.sha256(pathlib.Path(name).read_bytes()).hexdigest() != digest)
' "$archive") || stop 'the checksum of the archive is wrong'
tar -xzf "$archive" -C "$made"
packed=$made/alembic-named-this-platform
[ "$("$packed/alembic-named" --version)" = "$expected" ] || stop 'the program of the archive does not run'
for file in man/alembic-named.1 man/alembic-named-check.1 completions/alembic-named.bash completions/_alembic-named; do
    [ -s "$packed/$file" ] || stop "the archive has no $file"
done
echo 'wheel: it installs, blocks the unnamed constraint under pre-commit, lets the named one pass, and makes an archive'

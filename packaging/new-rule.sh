#!/bin/sh
# Creates the files of a new rule and its two lines in the table; `cargo test` names what is still missing.
#
# Usage: packaging/new-rule.sh NAME    in kebab-case, as reports write it
set -eu
cd "$(dirname "$0")/.."

name=${1-}
case $name in
'' | *[!a-z-]* | -* | *- | *--*)
    echo 'new-rule: give the name of the rule in kebab-case, like unnamed-drop' >&2
    exit 2
    ;;
esac
module=$(printf '%s' "$name" | tr - _)
code=src/rules/$module.rs
page=docs/rules/$name.md
table=src/rules/mod.rs
for file in "$code" "$page"; do
    if [ -e "$file" ]; then
        printf 'new-rule: %s exists\n' "$file" >&2
        exit 2
    fi
done

cat >"$code" <<EOF
//! What it finds, in one sentence.

use crate::constraints::MigrationFile;
use crate::diagnostic::{Diagnostic, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    name: "$name",
    summary: "what it finds, in lower case",
    severity: Severity::Off,
    documentation: include_str!("../../docs/rules/$name.md"),
};

pub(super) fn check(_: &MigrationFile<'_>) -> Vec<Diagnostic> {
    Vec::new()
}
EOF

{
    printf '# %s\n\nWhat is wrong, in one sentence.\n' "$name"
    for heading in 'What it finds' 'Why' 'On which databases'; do printf '\n## %s\n' "$heading"; done
    fence='```'
    for heading in Bad Good; do
        printf '\n## %s\n\n%spython file=migrations/versions/3f2a_add_invoice.py\n%s\n' "$heading" "$fence" "$fence"
    done
    for heading in 'Fix' 'When to ignore it'; do printf '\n## %s\n' "$heading"; done
} >"$page"

# After the module that precedes it alphabetically, and at the end of the table.
before=$(printf 'mod %s;\n' "$module" | cat - "$table" | grep '^mod ' | LC_ALL=C sort | grep -B 1 -x "mod $module;" | head -n 1)
part=
while IFS= read -r line; do
    if [ "$line" = '];' ] && [ "$part" = table ]; then
        printf '    (&%s::RULE, Check::Migration(%s::check)),\n' "$module" "$module"
        part=
    fi
    printf '%s\n' "$line"
    case $line in
    "$before") printf 'mod %s;\n' "$module" ;;
    'static TABLE'*) part=table ;;
    esac
done <"$table" >"$table.new"
mv "$table.new" "$table"
printf '%s\n' "$code" "$page" "$table"

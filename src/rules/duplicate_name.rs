//! Two constraints of one revision get the same name where the database forbids it.

use crate::diagnostic::{Diagnostic, Severity};
use crate::migration::Operation;
use crate::naming::{ConstraintKind, Dialect};
use crate::project::Place;

use super::{Check, MigrationFile, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "duplicate-name",
    summary: "two constraints of one revision get the same name",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/duplicate-name.md"),
    check: Check::Migration(check),
};

fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let operations = &file.migration.operations;
    let mut found = Vec::new();
    for (at, second) in operations.iter().enumerate() {
        let earlier = operations[..at].iter().rev().find(|first| is_same(first, second));
        let Some(first) = earlier.filter(|first| clashes(file, first, second)) else {
            continue;
        };
        // What is dropped in between is free again.
        let freed = |operation: &&Operation<'_>| !operation.creates() && operation.name == second.name;
        if operations[..at]
            .iter()
            .filter(|operation| operation.call.span > first.call.span)
            .any(|operation| freed(&operation))
        {
            continue;
        }
        found.push(diagnostic(file, first, second));
    }
    found
}

fn is_same(first: &Operation<'_>, second: &Operation<'_>) -> bool {
    first.creates()
        && second.creates()
        && first.name.text().is_some()
        && first.name == second.name
        && first.function == second.function
        && first.schema == second.schema
        && first.table.known().is_some()
        && second.table.known().is_some()
}

/// PostgreSQL keeps keys and checks by table, and whatever has an index by schema; MySQL and MariaDB keep keys by database.
fn clashes(file: &MigrationFile<'_>, first: &Operation<'_>, second: &Operation<'_>) -> bool {
    // Of two branches one is taken.
    if first.conditional || second.conditional {
        return false;
    }
    let indexed = |operation: &Operation<'_>| {
        matches!(
            operation.kind(),
            Some(ConstraintKind::Unique | ConstraintKind::PrimaryKey | ConstraintKind::Index | ConstraintKind::Exclude)
        )
    };
    // A key or a check may be called as an index is.
    if first.table == second.table {
        let is_index = |operation: &Operation<'_>| operation.kind() == Some(ConstraintKind::Index);
        return (is_index(first) || is_index(second)) <= (indexed(first) && indexed(second));
    }
    let is_key = |operation: &Operation<'_>| operation.kind() == Some(ConstraintKind::ForeignKey);
    match file.dialect() {
        Some(Dialect::Postgresql) => indexed(first) && indexed(second),
        Some(Dialect::Mysql | Dialect::Mariadb) => is_key(first) && is_key(second),
        _ => false,
    }
}

fn diagnostic(file: &MigrationFile<'_>, first: &Operation<'_>, second: &Operation<'_>) -> Diagnostic {
    let name = second.name.text().unwrap_or_default();
    let place = |operation: &Operation<'_>| {
        operation
            .name_argument
            .map_or(operation.call.span, |argument| argument.value.span)
    };
    let first_place = Place {
        file: file.file().clone(),
        span: place(first),
    };
    Diagnostic::new(
        &RULE,
        file.file(),
        second.call.span,
        format!("the name `{name}` is given twice"),
    )
    .focus(place(second), "the database refuses the second one")
    .related(first_place, "the first")
    .help("give each its own name")
}

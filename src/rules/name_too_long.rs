//! A name is longer than the database takes.

use crate::diagnostic::{Diagnostic, Severity};
use crate::migration::Name as Given;
use crate::naming::{Dialect, Name};
use crate::source::Span;

use super::inline::{InlineName, constraints_of};
use super::suggestion::{Constraint, finished};
use super::{Check, MigrationFile, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "name-too-long",
    summary: "a name is longer than the database takes",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/name-too-long.md"),
    check: Check::Migration(check),
};

fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for operation in &file.migration.operations {
        if let (Given::Plain(name), Some(argument)) = (&operation.name, operation.name_argument) {
            let constraint = operation.kind().map(|_| Constraint::from(operation));
            found.extend(diagnostic(
                file,
                constraint,
                operation.call.span,
                argument.value.span,
                name,
            ));
        }
    }
    for step in &file.migration.steps {
        for inline in constraints_of(step) {
            if let InlineName::Plain(name) = &inline.name {
                let constraint = Some(inline.constraint(step));
                found.extend(diagnostic(file, constraint, step.call.span, inline.argument.span, name));
            }
        }
    }
    found
}

/// SQLAlchemy shortens a finished name (`op.f`) itself, and so what a convention makes of a plain one; a plain one goes to the database as it is.
fn diagnostic(
    file: &MigrationFile<'_>,
    constraint: Option<Constraint<'_>>,
    call: Span,
    place: Span,
    name: &str,
) -> Option<Diagnostic> {
    // Names that fit PostgreSQL, the strictest, need no look at the environment.
    if !Dialect::Postgresql.too_long(name) {
        return None;
    }
    let is_built_on = |constraint| finished(file, constraint).is_some_and(|name| name.conv);
    if constraint.is_some_and(is_built_on) {
        return None;
    }
    let known = file.dialect();
    let dialect = known.unwrap_or(Dialect::Postgresql);
    if !dialect.too_long(name) {
        return None;
    }
    let limit = dialect.max_name()?;
    let plain = Name {
        text: name.to_owned(),
        conv: false,
    };
    let is_cut = dialect == Dialect::Postgresql && !dialect.is_refused(&plain);
    let label = match dialect {
        // SQLAlchemy counts characters.
        _ if is_cut => format!("{} bytes, and {} cuts it at {limit}", name.len(), dialect.label()),
        Dialect::Postgresql | Dialect::Oracle => format!("{} bytes, and {} takes {limit}", name.len(), dialect.label()),
        _ => format!(
            "{} characters, and {} takes {limit}",
            name.chars().count(),
            dialect.label()
        ),
    };
    let mut diagnostic = Diagnostic::new(
        &RULE,
        file.file(),
        call,
        format!("the name is too long for {}", dialect.label()),
    )
    .focus(place, label)
    .help(if is_cut {
        "shorten it, or the name in the database is not the one in the history"
    } else {
        "shorten it, or write it as `op.f('...')`, which SQLAlchemy shortens in the same way each time"
    });
    if known.is_none() {
        diagnostic.severity = Severity::Warning;
        let help = diagnostic.help.get_or_insert_default();
        help.push_str(
            "; nothing tells which database this is for, so it only warns: set `dialect` in the configuration",
        );
    }
    Some(diagnostic)
}

//! A name is longer than the database takes.

use crate::diagnostic::{Diagnostic, Severity};
use crate::migration::Name;
use crate::naming::Dialect;
use crate::source::Span;

use super::inline::{InlineName, of_added_column, of_table};
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
    let operations = file
        .migration
        .operations
        .iter()
        .filter_map(|operation| match &operation.name {
            Name::Plain(name) => Some((operation.call.span, operation.name_argument?.value.span, name.clone())),
            _ => None,
        });
    let inline = file.migration.steps.iter().flat_map(|step| {
        let inside = match step.method {
            "create_table" => of_table(step),
            "add_column" => of_added_column(step),
            _ => Vec::new(),
        };
        let span = step.call.span;
        inside.into_iter().filter_map(move |inline| match inline.name {
            InlineName::Plain(name) => Some((span, inline.argument.span, name)),
            _ => None,
        })
    });
    operations
        .chain(inline)
        .filter_map(|(call, place, name)| diagnostic(file, call, place, &name))
        .collect()
}

/// SQLAlchemy shortens a finished name (`op.f`) itself; a plain one goes to the database as it is.
fn diagnostic(file: &MigrationFile<'_>, call: Span, place: Span, name: &str) -> Option<Diagnostic> {
    // Names that fit PostgreSQL, the strictest, need no look at the environment.
    if !Dialect::Postgresql.too_long(name) {
        return None;
    }
    let known = file.dialect();
    let dialect = known.unwrap_or(Dialect::Postgresql);
    if !dialect.too_long(name) {
        return None;
    }
    let limit = dialect.max_name()?;
    let label = match dialect {
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
    .help("shorten it, or write it as `op.f('...')`, which SQLAlchemy shortens in the same way each time");
    if known.is_none() {
        diagnostic.severity = Severity::Warning;
        let help = diagnostic.help.get_or_insert_default();
        help.push_str(
            "; nothing tells which database this is for, so it only warns: set `dialect` in the configuration",
        );
    }
    Some(diagnostic)
}

//! A column is added with a unique or check constraint that has no name.

use crate::diagnostic::{Diagnostic, Severity};
use crate::fix::{Fix, Safety};
use crate::migration::Step;
use crate::naming::{ConstraintKind, Dialect};

use super::advice::{name_to_write, what_to_write};
use super::inline::{Inline, InlineName, of_added_column, write_name};
use super::suggestion::{Source, suggest};
use super::{Check, MigrationFile, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "unnamed-column-constraint",
    summary: "a column is added with a unique or check constraint that has no name",
    severity: Severity::Warning,
    documentation: include_str!("../../docs/rules/unnamed-column-constraint.md"),
    check: Check::Migration(check),
};

fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for step in file.migration.steps.iter().filter(|step| step.method == "add_column") {
        for inline in of_added_column(step) {
            if inline.kind != ConstraintKind::ForeignKey && inline.name == InlineName::Unnamed {
                found.extend(diagnostic(file, step, &inline));
            }
        }
    }
    found
}

fn diagnostic(file: &MigrationFile<'_>, step: &Step<'_>, inline: &Inline<'_>) -> Option<Diagnostic> {
    let constraint = inline.constraint(step);
    let suggestion = suggest(file, constraint);
    let name = name_to_write(file, Some(&constraint), &suggestion);
    // A unique column is named by the convention, and goes with its column.
    if suggestion.source == Source::Project && inline.kind == ConstraintKind::Unique {
        return None;
    }
    let message = match inline.kind {
        ConstraintKind::Unique => "the new column's unique constraint has no name",
        _ => "the new column's check constraint has no name",
    };
    let mut diagnostic = Diagnostic::new(&RULE, file.file(), step.call.span, message)
        .focus(inline.argument.span, consequence(file, step, inline))
        .help(match (&suggestion.name, inline.kind) {
            (Some(_), _) if file.is_deployed => what_to_write(file, &constraint, "", &suggestion),
            (Some(name), ConstraintKind::Unique) => {
                format!("take `unique=True` out and create the constraint by itself: `create_unique_constraint` with the name `{name}`")
            }
            (Some(name), _) => format!("name it: `{name}`"),
            (None, _) => "give it a name with `name=`: only you know what it is for".to_owned(),
        });
    let written = name.text.as_deref().filter(|_| name.certain);
    let edit = || write_name(file, &step.receiver, inline.call?, written?);
    diagnostic.fix = edit().map(|edit| Fix::new("name it", Safety::Suggested, vec![edit]));
    diagnostic.suggested_name = name.text;
    Some(diagnostic)
}

fn consequence(file: &MigrationFile<'_>, step: &Step<'_>, inline: &Inline<'_>) -> &'static str {
    let has_convention = suggest(file, inline.constraint(step)).source == Source::Project;
    match (file.dialect(), step.receiver.is_batch()) {
        _ if inline.kind == ConstraintKind::Check && has_convention => {
            "the convention builds on an explicit name, and fails the upgrade without one"
        }
        (Some(Dialect::Sqlite), true) => "SQLite refuses it in batch mode: the constraint must have a name",
        _ => "the database invents a name that Alembic never learns; it goes when the column goes",
    }
}

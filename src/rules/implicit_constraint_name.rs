//! A constraint is created without a name, and the project's convention gives it one while the migration runs.

use super::unnamed_constraint::unnamed_creates;
use super::unnamed_drop::works_all_the_same;
use crate::constraints::MigrationFile;
use crate::constraints::unnamed_operation::{complete, subject, this_direction};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::migration::Name;

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "implicit-constraint-name",
    summary: "a constraint gets its name from the convention only while the migration runs",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/implicit-constraint-name.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    unnamed_creates(file)
        .filter(|(_, _, suggestion)| suggestion.is_implicit)
        .map(|(at, operation, suggestion)| {
            let drop = file.pairing.drop_of(at).map(|drop| &file.migration.operations[drop]);
            let message = format!("{} is named only while the migration runs", subject(operation));
            let focus = operation
                .name_argument
                .map_or(operation.call.span, |argument| argument.span);
            let diagnostic = Diagnostic::new(&RULE, file.file(), operation.call.span, message)
                .focus(focus, "the name changes when the convention does");
            let text = drop.map(|drop| {
                let direction = this_direction(drop.direction);
                if drop.name != Name::Unnamed {
                    format!("and {direction} knows it by this name")
                } else if works_all_the_same(file, drop) {
                    format!("and {direction} finds it only while the convention stays as it is")
                } else {
                    format!("and {direction} fails: no columns to name it by")
                }
            });
            complete(file, diagnostic, operation, drop.zip(text.as_deref()), &suggestion)
        })
        .collect()
}

//! A constraint is created without a name, and nothing in the project gives it one.

use crate::diagnostic::{Diagnostic, Severity};
use crate::migration::{Action, Name, Operation};
use crate::naming::ConstraintKind;

use super::advice::consequence;
use super::naming_target::{complete, subject, this_half};
use super::suggestion::{Source, Suggestion};
use super::{Check, MigrationFile, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "unnamed-constraint",
    summary: "a constraint is created without a name, and no naming convention gives it one",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/unnamed-constraint.md"),
    check: Check::Migration(check),
};

fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    unnamed_creates(file)
        .filter(|(_, _, suggestion)| suggestion.source != Source::Project)
        .map(|(at, operation, suggestion)| diagnostic(file, at, operation, &suggestion))
        .collect()
}

/// The creates without a name, with what can be said of it. `create_index(None)` always gets a name and is none of them.
pub(super) fn unnamed_creates<'f>(
    file: &'f MigrationFile<'_>,
) -> impl Iterator<Item = (usize, &'f Operation<'f>, Suggestion)> {
    let operations = file.migration.operations.iter().enumerate();
    operations
        .filter(|(_, operation)| {
            matches!(operation.action, Action::Create(kind) if kind != ConstraintKind::Index)
                && operation.name == Name::Unnamed
        })
        .filter_map(move |(at, operation)| Some((at, operation, file.suggestion(at)?.clone())))
}

fn diagnostic(file: &MigrationFile<'_>, at: usize, operation: &Operation<'_>, suggestion: &Suggestion) -> Diagnostic {
    let drop = file.pairing.drop_of(at).map(|drop| &file.migration.operations[drop]);
    let message = format!("{} has no name", subject(operation));
    let focus = operation
        .name_argument
        .map_or(operation.call.span, |argument| argument.span);
    let diagnostic =
        Diagnostic::new(&RULE, file.file(), operation.call.span, message).focus(focus, consequence(file, operation));
    let text = drop.map(|drop| format!("so {} fails: there is no name to drop", this_half(drop.half)));
    complete(file, diagnostic, operation, drop.zip(text.as_deref()), suggestion)
}

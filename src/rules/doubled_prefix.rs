//! A finished name is written as a plain string, so that the convention puts its prefix before it once more.

use crate::diagnostic::{Diagnostic, Severity};
use crate::fix::{Edit, Fix, Safety};
use crate::migration::{Name, Operation, Receiver};

use super::edits::finished_name;
use super::suggestion::{Constraint, prefix_of_plain_names};
use super::{Check, MigrationFile, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "doubled-prefix",
    summary: "a plain string that the convention prefixes again, where `op.f()` was meant",
    severity: Severity::Warning,
    documentation: include_str!("../../docs/rules/doubled-prefix.md"),
    check: Check::Migration(check),
};

fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    file.migration
        .operations
        .iter()
        .filter_map(|operation| diagnostic(file, operation))
        .collect()
}

fn diagnostic(file: &MigrationFile<'_>, operation: &Operation<'_>) -> Option<Diagnostic> {
    let Name::Plain(name) = &operation.name else {
        return None;
    };
    // Every usual prefix is a word and an underscore; without one nothing needs to be read.
    if !name.contains('_') || operation.kind().is_none() {
        return None;
    }
    let prefix = prefix_of_plain_names(file, Constraint::from(operation))?;
    let rest = name.strip_prefix(&prefix)?;
    let place = operation.name_argument?.value.span;
    let mut diagnostic = Diagnostic::new(
        &RULE,
        file.file(),
        operation.call.span,
        format!("the convention makes `{prefix}{name}` of this name"),
    )
    .focus(place, format!("it has the prefix `{prefix}` already"))
    .help(format!(
        "write the finished name as `op.f('{name}')`, or only `'{rest}'`"
    ));
    let finished = finished_name(file.file(), &operation.receiver, operation.call.span, name);
    if operation.receiver != Receiver::Bare
        && let Some(text) = finished
    {
        let edit = Edit {
            file: file.file().clone(),
            span: place,
            text,
        };
        let safety = if file.is_deployed {
            Safety::Suggested
        } else {
            Safety::Safe
        };
        diagnostic.fix = Some(Fix::new("write it as a finished name", safety, vec![edit]));
    }
    Some(diagnostic)
}

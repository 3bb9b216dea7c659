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
    let creates = file.migration.operations.iter().filter(|operation| operation.creates());
    creates.filter_map(|create| diagnostic(file, create)).collect()
}

/// A drop alone is not judged: it may mean a constraint that an older revision made under the doubled name.
fn diagnostic(file: &MigrationFile<'_>, create: &Operation<'_>) -> Option<Diagnostic> {
    let Name::Plain(name) = &create.name else { return None };
    // Every usual prefix is a word and an underscore; without one nothing needs to be read.
    if !name.contains('_') {
        return None;
    }
    let prefix = prefix_of_plain_names(file, Constraint::from(create))?;
    let rest = name.strip_prefix(&prefix)?;
    let message = format!("the convention makes `{prefix}{name}` of this name");
    let mut diagnostic = Diagnostic::new(&RULE, file.file(), create.call.span, message)
        .focus(
            create.name_argument?.value.span,
            format!("it has the prefix `{prefix}` already"),
        )
        .help(format!(
            "write the finished name as `op.f('{name}')`, or only `'{rest}'`"
        ));
    let same = |other: &&Operation<'_>| !other.creates() && other.name == create.name && other.table == create.table;
    let drops = file.migration.operations.iter().filter(same);
    let edits: Option<Vec<Edit>> = std::iter::once(create)
        .chain(drops)
        .map(|operation| finish(file, operation, name))
        .collect();
    let safety = if file.is_deployed {
        Safety::Suggested
    } else {
        Safety::Safe
    };
    diagnostic.fix = edits.map(|edits| Fix::new("write it as a finished name", safety, edits));
    Some(diagnostic)
}

fn finish(file: &MigrationFile<'_>, operation: &Operation<'_>, name: &str) -> Option<Edit> {
    if operation.receiver == Receiver::Bare {
        return None;
    }
    Some(Edit {
        file: file.file().clone(),
        span: operation.name_argument?.value.span,
        text: finished_name(file, &operation.receiver, operation.call, name)?,
    })
}

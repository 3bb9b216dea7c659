//! The rules. Each has a file with its value, its function and its tests, and a page under `docs/rules`.
//!
//! A rule sees a parsed file and the project around it, nothing else. A new rule is its file, its two lines here, and its page.

mod default_name_dependency;
mod doubled_prefix;
mod duplicate_name;
mod implicit_constraint_name;
mod incomplete_naming_convention;
mod ineffective_naming_convention;
mod invalid_naming_convention;
mod mismatched_drop;
mod missing_naming_convention;
mod name_too_long;
mod syntax_error;
mod unnamed_column_constraint;
mod unnamed_column_foreign_key;
mod unnamed_constraint;
mod unnamed_drop;
mod unnamed_sql_constraint;
mod unnamed_table_constraint;
mod unused_ignore;

use crate::constraints::{MetadataFile, MigrationFile};
use crate::diagnostic::{Diagnostic, Rule};
use crate::python::Module;

/// What a rule looks at, with its function.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Check {
    /// The operations of a migration.
    Migration(fn(&MigrationFile<'_>) -> Vec<Diagnostic>),
    /// A metadata that Alembic migrates.
    Metadata(fn(&MetadataFile<'_>) -> Vec<Diagnostic>),
    /// The ignore comments, once all other rules are done.
    Comments,
    /// The text of a migration or a metadata module.
    Module(fn(&Module) -> Vec<Diagnostic>),
}

/// Every rule with what it looks at, in the order in which they are listed.
static TABLE: &[(&Rule, Check)] = &[
    (&unnamed_constraint::RULE, Check::Migration(unnamed_constraint::check)),
    (&implicit_constraint_name::RULE, Check::Migration(implicit_constraint_name::check)),
    (&unnamed_drop::RULE, Check::Migration(unnamed_drop::check)),
    (&unnamed_column_foreign_key::RULE, Check::Migration(unnamed_column_foreign_key::check)),
    (&unnamed_column_constraint::RULE, Check::Migration(unnamed_column_constraint::check)),
    (&unnamed_table_constraint::RULE, Check::Migration(unnamed_table_constraint::check)),
    (&unnamed_sql_constraint::RULE, Check::Migration(unnamed_sql_constraint::check)),
    (&mismatched_drop::RULE, Check::Migration(mismatched_drop::check)),
    (&default_name_dependency::RULE, Check::Migration(default_name_dependency::check)),
    (&duplicate_name::RULE, Check::Migration(duplicate_name::check)),
    (&name_too_long::RULE, Check::Migration(name_too_long::check)),
    (&doubled_prefix::RULE, Check::Migration(doubled_prefix::check)),
    (&missing_naming_convention::RULE, Check::Metadata(missing_naming_convention::check)),
    (&incomplete_naming_convention::RULE, Check::Metadata(incomplete_naming_convention::check)),
    (&invalid_naming_convention::RULE, Check::Metadata(invalid_naming_convention::check)),
    (&ineffective_naming_convention::RULE, Check::Metadata(ineffective_naming_convention::check)),
    (&syntax_error::RULE, Check::Module(syntax_error::check)),
    (&unused_ignore::RULE, Check::Comments),
];

/// Every rule, in the order in which they are listed.
#[must_use]
pub(crate) fn all() -> impl ExactSizeIterator<Item = &'static Rule> + Clone {
    TABLE.iter().map(|(rule, _)| *rule)
}

/// Every rule with what it looks at.
pub(crate) fn checks() -> impl Iterator<Item = (&'static Rule, Check)> {
    TABLE.iter().copied()
}

pub(crate) static UNUSED_IGNORE: &Rule = &unused_ignore::RULE;

pub(crate) static MISSING_NAMING_CONVENTION: &Rule = &missing_naming_convention::RULE;

pub(crate) static INCOMPLETE_NAMING_CONVENTION: &Rule = &incomplete_naming_convention::RULE;

/// The rules whose errors mean that an upgrade fails.
pub(crate) static FAILING_UPGRADE: [&Rule; 3] =
    [&default_name_dependency::RULE, &unnamed_column_constraint::RULE, &unnamed_table_constraint::RULE];

/// Whether a rule looks at metadata rather than at a migration.
pub(crate) fn looks_at_metadata(rule: &Rule) -> bool {
    checks().any(|(known, check)| known == rule && matches!(check, Check::Metadata(_)))
}

/// The rule of this name.
#[must_use]
pub(crate) fn find(name: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.name == name)
}

#[cfg(test)]
pub(crate) mod harness;
#[cfg(test)]
mod linear;
#[cfg(test)]
mod tests;

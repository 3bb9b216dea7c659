//! The name that a database chooses for a constraint without one.

use super::MigrationFile;
use super::constraint::Constraint;
use crate::migration::Operation;
use crate::naming::{ConstraintKind, Dialect, default_names};

/// A name that a database chooses itself.
pub(crate) struct Chosen {
    pub(crate) text: String,
    /// Whether it follows from the constraint alone.
    pub(crate) is_exact: bool,
}

/// The name in the migration's database, PostgreSQL where that is not known.
pub(super) fn name_of_database(file: &MigrationFile<'_>, constraint: &Constraint<'_>) -> Option<Chosen> {
    if let Some(text) = constraint.place.and_then(|place| file.numbered(place)) {
        return Some(Chosen {
            text: text.to_owned(),
            is_exact: true,
        });
    }
    default_name_of(file.dialect().unwrap_or(Dialect::Postgresql), constraint)
}

/// The name for what an operation makes or drops, as far as the operation alone tells.
pub(crate) fn default_name(dialect: Dialect, operation: &Operation<'_>) -> Option<Chosen> {
    operation.kind()?;
    default_name_of(dialect, &Constraint::from(operation))
}

/// The name for a constraint, as far as the constraint alone tells.
///
/// MySQL and MariaDB count the keys and checks of the table, older ones included, and a wrong number is another constraint's name.
pub(crate) fn default_name_of(dialect: Dialect, constraint: &Constraint<'_>) -> Option<Chosen> {
    let table = constraint.table.known()?;
    let columns: Vec<&str> = constraint.columns?.iter().map(String::as_str).collect();
    let kind = constraint.kind;
    let is_counted = matches!(kind, ConstraintKind::ForeignKey | ConstraintKind::Check);
    let text = match dialect {
        Dialect::Mysql | Dialect::Mariadb if is_counted => None,
        Dialect::Mysql | Dialect::Mariadb => default_names::mariadb(kind, table, &columns),
        Dialect::Postgresql => default_names::postgresql(kind, table, &columns),
        _ => None,
    }?;
    // PostgreSQL takes the columns of a check from its condition, which is not read.
    Some(Chosen {
        text,
        is_exact: kind != ConstraintKind::Check,
    })
}

//! A constraint that the upgrade creates.

use crate::constraints::MigrationFile;
use crate::constraints::constraint::Constraint;
use crate::constraints::convention_name::effective_name;
use crate::constraints::executed::Executed;
use crate::migration::Operation;
use crate::source::Span;
use crate::sql::{Added, Naming};

#[derive(Clone, Copy)]
pub(super) enum ConstraintCreate<'f> {
    Operation(&'f Operation<'f>),
    Sql(&'f Executed<'f>, &'f Added),
}

impl<'f> ConstraintCreate<'f> {
    /// The name as it is written; `None` if there is none, if it is computed, or if it may be created more than once.
    pub(super) fn name(self) -> Option<&'f str> {
        match self {
            Self::Operation(operation) => operation.name.text().filter(|_| !operation.when.repeated),
            Self::Sql(sql, added) => match &added.naming {
                Naming::Named(name) if name.is_certain && !sql.run.when.repeated => Some(&name.text),
                _ => None,
            },
        }
    }

    /// The convention may build on the name of an operation; SQL is taken as it is.
    pub(super) fn name_in_database(self, file: &MigrationFile<'_>) -> Option<String> {
        match self {
            Self::Operation(operation) => {
                operation.kind()?;
                effective_name(file, Constraint::from(operation))
            }
            Self::Sql(..) => self.name().map(str::to_owned),
        }
    }

    pub(super) fn columns(self) -> Option<&'f [String]> {
        match self {
            Self::Operation(operation) => operation.columns.as_deref(),
            Self::Sql(_, added) => added.columns.as_deref(),
        }
    }

    pub(super) fn place(self, file: &MigrationFile<'_>) -> Span {
        match self {
            Self::Operation(operation) => operation.name_value_span(),
            Self::Sql(sql, added) => match &added.naming {
                Naming::Named(name) => sql.place(file, name.at.clone()),
                Naming::Unnamed | Naming::Doubtful => sql.run.argument,
            },
        }
    }
}

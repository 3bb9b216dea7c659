//! A constraint of a migration, however it is made: by an operation, inside a table or a column, or by SQL.

use crate::migration::{Known, Operation, Step};
use crate::naming::{ConstraintKind, Explicit};
use crate::source::Span;

/// A constraint, as far as its name depends on it.
#[derive(Clone, Copy)]
pub(crate) struct Constraint<'a> {
    pub(crate) kind: ConstraintKind,
    pub(crate) table: &'a Known<String>,
    pub(crate) schema: Option<&'a str>,
    /// Nothing where they are computed.
    pub(crate) columns: Option<&'a [String]>,
    /// Table, schema and columns that a foreign key refers to.
    pub(crate) referred: Option<(&'a str, Option<&'a str>, &'a [String])>,
    pub(crate) explicit: Option<Explicit<'a>>,
    /// The function that runs it, which tells the database where there are several.
    pub(crate) function: Option<&'a str>,
    /// Where it is written; nothing for a part of an SQL text.
    pub(crate) place: Option<Span>,
}

impl<'a> Constraint<'a> {
    /// A constraint without a name that a step makes.
    pub(crate) fn within(step: &'a Step<'_>, kind: ConstraintKind, columns: Option<&'a [String]>) -> Self {
        Self {
            kind,
            table: &step.table,
            schema: step.schema.known().and_then(Option::as_deref),
            columns,
            referred: None,
            explicit: None,
            function: step.when.function,
            place: None,
        }
    }
}

impl<'a> From<&'a Operation<'_>> for Constraint<'a> {
    fn from(operation: &'a Operation<'_>) -> Self {
        let referred = operation.referred.as_ref().and_then(|referred| {
            let columns = referred.columns.known().map(Vec::as_slice).unwrap_or_default();
            let schema = referred.schema.known().and_then(Option::as_deref);
            Some((referred.table.known()?.as_str(), schema, columns))
        });
        Self {
            kind: operation.kind().unwrap_or_default(),
            table: &operation.table,
            schema: operation.schema.known().and_then(Option::as_deref),
            columns: operation.columns.as_deref(),
            referred,
            explicit: operation.name.explicit(),
            function: operation.when.function,
            place: Some(operation.name_span()),
        }
    }
}

//! A constraint to be named, and its name.

use super::ConstraintKind;

/// The constraint to be named, as `op.create_*` builds it.
///
/// `Subject { kind, table, columns, ..Subject::default() }` is the usual way to write one. Alembic builds a bare table
/// of its own for each operation and gives it only the schema of the call, so `schema` is what the call says and never
/// the metadata's default (`alembic/operations/schemaobj.py`, `SchemaObjects`).
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// Its kind.
    pub kind: ConstraintKind,
    /// The table that it belongs to, without its schema.
    pub table: &'a str,
    /// The schema that the operation names.
    pub schema: Option<&'a str>,
    /// Its columns, in order. A check written as text has none, and so has whatever `drop_constraint` builds; an index
    /// on `text('lower(a)')` has a column of that whole text.
    pub columns: &'a [ColumnRef<'a>],
    /// Whether the columns cannot be read from the code; `columns` is then ignored. A name that needs no column is
    /// still computed.
    pub columns_unknown: bool,
    /// Where a foreign key points to; `None` where that cannot be read from the code, and for every other kind.
    pub referred: Option<Referred<'a>>,
    /// The name given in the code; `None` stands for Python's `None`.
    pub explicit: Option<Explicit<'a>>,
}

/// A column, as a template sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnRef<'a> {
    /// Its name in the database.
    pub name: &'a str,
    /// Its `key` in the table where that differs. A column built by an operation has none.
    pub key: Option<&'a str>,
}

impl<'a> From<&'a str> for ColumnRef<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, key: None }
    }
}

/// Where a foreign key points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Referred<'a> {
    /// The table, as the operation names it, without its schema: no token contains that.
    pub table: &'a str,
    /// The columns, in order; empty where they cannot be read from the code.
    pub columns: &'a [&'a str],
}

/// A name in the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explicit<'a> {
    /// The text.
    pub name: &'a str,
    /// Whether it is finished: wrapped in `op.f()` or `conv()`, so that no convention touches it again.
    pub is_conv: bool,
}

/// A name as SQLAlchemy holds it before a database's limit applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The whole text, as in `op.f()`.
    pub text: String,
    /// Whether SQLAlchemy treats it as finished and may shorten it (its `conv` type).
    pub conv: bool,
}

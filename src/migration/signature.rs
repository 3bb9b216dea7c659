//! The operations that name something, with the order of their parameters (`alembic/operations/base.py`, as of 1.20).

use crate::naming::ConstraintKind;

use Action::{Create, Drop};

/// What an operation does to a constraint or an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It makes one of this kind.
    Create(ConstraintKind),
    /// It removes one of this kind; a drop without `type_` does not say which.
    Drop(Option<ConstraintKind>),
}

/// One operation that names something.
pub(super) struct Signature {
    pub(super) method: &'static str,
    pub(super) action: Action,
    /// The positional parameters on `op`: the name, the table, the rest. A batch operation leaves the table out.
    parameters: &'static [&'static str],
}

impl Signature {
    /// The parameter that takes the name.
    pub(super) fn name(&self) -> &'static str {
        self.parameters.first().copied().unwrap_or_default()
    }

    pub(super) fn position(&self, parameter: &str, is_batch: bool) -> Option<usize> {
        let at = self.parameters.iter().position(|known| *known == parameter)?;
        match at {
            1 if is_batch => None,
            _ => Some(at - usize::from(is_batch && at > 1)),
        }
    }

    /// The parameters that take the table, its schema and the columns.
    pub(super) fn table_parameters(&self) -> [&'static str; 3] {
        match self.action {
            Create(ConstraintKind::ForeignKey) => ["source_table", "source_schema", "local_cols"],
            _ => ["table_name", "schema", "columns"],
        }
    }

    /// How many positional parameters there are.
    pub(super) fn positions(&self, is_batch: bool) -> usize {
        self.parameters.len() - usize::from(is_batch)
    }
}

const fn row(method: &'static str, action: Action, parameters: &'static [&'static str]) -> Signature {
    Signature {
        method,
        action,
        parameters,
    }
}

const FOREIGN_KEY: &[&str] = &["constraint_name", "source_table", "referent_table", "local_cols", "remote_cols"];
const COLUMNS: &[&str] = &["constraint_name", "table_name", "columns"];

pub(super) const SIGNATURES: [Signature; 8] = [
    row("create_foreign_key", Create(ConstraintKind::ForeignKey), FOREIGN_KEY),
    row("create_unique_constraint", Create(ConstraintKind::Unique), COLUMNS),
    row(
        "create_check_constraint",
        Create(ConstraintKind::Check),
        &["constraint_name", "table_name", "condition"],
    ),
    row("create_primary_key", Create(ConstraintKind::PrimaryKey), COLUMNS),
    row("create_exclude_constraint", Create(ConstraintKind::Exclude), &["constraint_name", "table_name"]),
    row("create_index", Create(ConstraintKind::Index), &["index_name", "table_name", "columns"]),
    row("drop_constraint", Drop(None), &["constraint_name", "table_name", "type_"]),
    row("drop_index", Drop(Some(ConstraintKind::Index)), &["index_name", "table_name"]),
];

/// The other methods that show that Alembic's operations are in use.
const OTHER_OPERATIONS: &[&str] = &[
    "add_column",
    "alter_column",
    "batch_alter_table",
    "bulk_insert",
    "create_table",
    "create_table_comment",
    "drop_column",
    "drop_table",
    "drop_table_comment",
    "execute",
    "get_bind",
    "get_context",
    "invoke",
    "rename_table",
];

pub(super) fn signature(method: &str) -> Option<&'static Signature> {
    SIGNATURES.iter().find(|signature| signature.method == method)
}

/// An operation's name, with a lifetime of its own.
pub(super) fn operation(method: &str) -> Option<&'static str> {
    let other = OTHER_OPERATIONS.iter().copied().find(|known| *known == method);
    other.or_else(|| signature(method).map(|signature| signature.method))
}

/// The operation behind a class of `alembic/operations/ops.py`; its arguments have the order of the one on `op`.
pub(super) fn operation_of_class(class: &str) -> Option<&'static str> {
    Some(match class {
        "CreateForeignKeyOp" => "create_foreign_key",
        "CreateUniqueConstraintOp" => "create_unique_constraint",
        "CreateCheckConstraintOp" => "create_check_constraint",
        "CreatePrimaryKeyOp" => "create_primary_key",
        "CreateExcludeConstraintOp" => "create_exclude_constraint",
        "CreateIndexOp" => "create_index",
        "DropConstraintOp" => "drop_constraint",
        "DropIndexOp" => "drop_index",
        "AddColumnOp" => "add_column",
        "DropColumnOp" => "drop_column",
        _ => return None,
    })
}

//! The operations that take a name, with the order of their arguments on `op` and on a batch operation.

use crate::naming::ConstraintKind;

/// What an operation does to a named thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It makes one of this kind.
    Create(ConstraintKind),
    /// It removes one of this kind; a drop without `type_` does not say which.
    Drop(Option<ConstraintKind>),
}

/// One operation: its positional parameters in order. A batch operation has no table of its own.
pub(super) struct Signature {
    pub(super) method: &'static str,
    pub(super) action: Action,
    pub(super) on_op: &'static [&'static str],
    pub(super) on_batch: &'static [&'static str],
}

/// `alembic/operations/base.py`, `Operations` and `BatchOperations`, as of 1.20.
const SIGNATURES: &[Signature] = &[
    Signature {
        method: "create_foreign_key",
        action: Action::Create(ConstraintKind::ForeignKey),
        on_op: &[
            "constraint_name",
            "source_table",
            "referent_table",
            "local_cols",
            "remote_cols",
        ],
        on_batch: &["constraint_name", "referent_table", "local_cols", "remote_cols"],
    },
    Signature {
        method: "create_unique_constraint",
        action: Action::Create(ConstraintKind::Unique),
        on_op: &["constraint_name", "table_name", "columns"],
        on_batch: &["constraint_name", "columns"],
    },
    Signature {
        method: "create_check_constraint",
        action: Action::Create(ConstraintKind::Check),
        on_op: &["constraint_name", "table_name", "condition"],
        on_batch: &["constraint_name", "condition"],
    },
    Signature {
        method: "create_primary_key",
        action: Action::Create(ConstraintKind::PrimaryKey),
        on_op: &["constraint_name", "table_name", "columns"],
        on_batch: &["constraint_name", "columns"],
    },
    Signature {
        method: "create_exclude_constraint",
        action: Action::Create(ConstraintKind::Exclude),
        on_op: &["constraint_name", "table_name"],
        on_batch: &["constraint_name"],
    },
    Signature {
        method: "create_index",
        action: Action::Create(ConstraintKind::Index),
        on_op: &["index_name", "table_name", "columns"],
        on_batch: &["index_name", "columns"],
    },
    Signature {
        method: "drop_constraint",
        action: Action::Drop(None),
        on_op: &["constraint_name", "table_name", "type_"],
        on_batch: &["constraint_name", "type_"],
    },
    Signature {
        method: "drop_index",
        action: Action::Drop(Some(ConstraintKind::Index)),
        on_op: &["index_name", "table_name"],
        on_batch: &["index_name"],
    },
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

/// The operation of this name.
pub(super) fn operation(method: &str) -> Option<&'static str> {
    let other = OTHER_OPERATIONS.iter().copied().find(|known| *known == method);
    other.or_else(|| signature(method).map(|signature| signature.method))
}

/// The operation that an object of `alembic/operations/ops.py` stands for; its arguments have the order of the one on `op`.
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

//! What an operation is called on: `op` or a batch operation.

use crate::naming::Convention;

use super::Known;

/// What an operation is called on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// `op.`, in the spelling of the source.
    Operations(String),
    /// A batch operation, in the spelling of the source, with its table.
    Batch {
        /// The variable.
        spelling: String,
        /// What it is a batch of.
        batch: Batch,
    },
    /// A function imported from `alembic.op`, called by its own name.
    Bare,
}

/// What `batch_alter_table` was called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The table.
    pub table: Known<String>,
    /// Its schema.
    pub schema: Known<Option<String>>,
    /// Where the last argument ends, and the closing parenthesis; nothing when the call is not in this function.
    pub end_of_arguments: Option<(usize, usize)>,
    /// Whether it is given a `naming_convention` for what it reflects.
    pub names_reflected: bool,
    /// That convention, where it can be read. It names what SQLite holds without a name, and nothing that the batch makes (measured with
    /// Alembic 1.20.1; on PostgreSQL and MariaDB it has no effect).
    pub reflected_by: Option<Convention>,
}

impl Batch {
    pub(super) fn of_the_caller() -> Self {
        Self {
            table: Known::Computed("the table is the caller's".to_owned()),
            schema: Known::Computed("the schema is the caller's".to_owned()),
            end_of_arguments: None,
            names_reflected: false,
            reflected_by: None,
        }
    }
}

impl Receiver {
    /// Whether it is a batch operation.
    #[must_use]
    pub fn is_batch(&self) -> bool {
        matches!(self, Self::Batch { .. })
    }
}

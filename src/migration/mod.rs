//! A migration: the operations of its upgrade and its downgrade, with table, columns and name.
//!
//! A module is a migration if it declares a revision or uses Alembic's operations, wherever it lies. A test must declare a revision.

mod executed;
mod foreign;
mod helpers;
mod known;
mod pairing;
mod read;
mod receiver;
mod scope;
mod signature;

pub(crate) use executed::{Execution, Guard, SqlText};
pub(crate) use known::Known;
pub(crate) use pairing::Pairing;
pub(crate) use receiver::Receiver;
pub(crate) use signature::Action;

use crate::libraries::ALONE;
use crate::naming::{ConstraintKind, Explicit};
use crate::python::values::Reader;
use crate::python::{Argument, Call, Module};
use crate::source::{RepoPath, Span};
use crate::work;

/// The name that the code gives to a constraint or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// `None` or `''`.
    Unnamed,
    /// A plain string, to which a convention with `%(constraint_name)s` is applied once more.
    Plain(String),
    /// `op.f('...')` or `conv('...')`: the finished name.
    Finished(String),
    /// Computed at run time, or not given at all.
    Computed,
}

/// Which direction of a revision an operation runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// `upgrade()` and what only it calls.
    Upgrade,
    /// `downgrade()` and what only it calls.
    Downgrade,
    /// Neither, or both.
    Unknown,
}

/// When and how often a call runs.
#[derive(Debug, Clone, Copy)]
pub struct When<'m> {
    /// Which direction of the revision it runs in.
    pub direction: Direction,
    /// The function that it is in; nothing at module level.
    pub function: Option<&'m str>,
    /// The block of statements that it is in. Those of one block run in the order of the source, if at all.
    pub block: usize,
    /// Whether it may run more than once, so that one name cannot serve.
    pub repeated: bool,
    /// Whether it is in a branch that may not be taken.
    pub conditional: bool,
}

impl When<'_> {
    /// Whether it runs exactly once.
    #[must_use]
    pub const fn is_once(self) -> bool {
        !self.repeated && !self.conditional
    }
}

/// A call of an operation that makes or removes a constraint or an index.
#[derive(Debug, Clone)]
pub struct Operation<'m> {
    /// What it does.
    pub action: Action,
    /// The call.
    pub(crate) call: &'m Call,
    /// What it is called on.
    pub receiver: Receiver,
    /// The argument with the name; nothing when it comes out of a `*` or `**`.
    pub(crate) name_argument: Option<&'m Argument>,
    /// The name.
    pub name: Name,
    /// Where the `None` came from, if not from the operation's own argument: a call of the function around it, a row of the table that a loop
    /// is over, or the value behind a `*` or `**`.
    pub unnamed_by: Option<Span>,
    /// The table it changes.
    pub table: Known<String>,
    /// That table's schema.
    pub schema: Known<Option<String>>,
    /// The columns, in order; nothing where they are computed.
    pub columns: Option<Vec<String>>,
    /// Of a foreign key: what it refers to.
    pub referred: Option<Referred>,
    /// When it runs.
    pub when: When<'m>,
}

/// A call of any other operation: a column is added, a table is made, SQL is run.
#[derive(Debug, Clone)]
pub struct Step<'m> {
    /// The operation's name.
    pub method: &'static str,
    /// The call.
    pub(crate) call: &'m Call,
    /// What it is called on.
    pub receiver: Receiver,
    /// The table it is about, where it is about one.
    pub table: Known<String>,
    /// That table's schema.
    pub schema: Known<Option<String>>,
    /// The `Column(...)` that `add_column` adds, also through a name that is bound once.
    pub(crate) column: Option<&'m Call>,
    /// When it runs.
    pub when: When<'m>,
}

impl Step<'_> {
    /// The column that it drops, if it drops one.
    #[must_use]
    pub fn dropped_column(&self) -> Option<&str> {
        work::step();
        let position = usize::from(!self.receiver.is_batch());
        let argument = self.call.argument(Some(position), "column_name").ok()??;
        argument.value.as_str().filter(|_| self.method == "drop_column")
    }
}

/// What a foreign key refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referred {
    /// The table.
    pub table: Known<String>,
    /// Its schema.
    pub schema: Known<Option<String>>,
    /// The columns.
    pub columns: Known<Vec<String>>,
}

impl Name {
    /// The text, if one is written.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        work::step();
        match self {
            Self::Plain(text) | Self::Finished(text) => Some(text),
            Self::Unnamed | Self::Computed => None,
        }
    }

    /// The name as a convention takes it, if one is written.
    #[must_use]
    pub fn explicit(&self) -> Option<Explicit<'_>> {
        let is_conv = matches!(self, Self::Finished(_));
        self.text().map(|name| Explicit { name, is_conv })
    }
}

impl Operation<'_> {
    /// What to point at: the name's argument, else the call.
    #[must_use]
    pub fn name_span(&self) -> Span {
        self.name_argument.map_or(self.call.span, |argument| argument.span)
    }

    /// The name as it is written, without its keyword; else the call.
    #[must_use]
    pub fn name_value_span(&self) -> Span {
        self.name_argument
            .map_or(self.call.span, |argument| argument.value.span)
    }

    /// The kind of constraint; nothing for a drop that does not say.
    #[must_use]
    pub fn kind(&self) -> Option<ConstraintKind> {
        work::step();
        match self.action {
            Action::Create(kind) => Some(kind),
            Action::Drop(kind) => kind,
        }
    }

    /// Whether it runs once a schema, on a table of the same name in each, so that one name is enough.
    #[must_use]
    pub fn is_once_a_schema(&self) -> bool {
        let is_known = self.table.known().is_some() && (!self.creates() || self.columns.is_some());
        self.when.repeated && self.schema.known().is_none() && is_known
    }

    /// Whether it makes something.
    #[must_use]
    pub fn creates(&self) -> bool {
        work::step();
        matches!(self.action, Action::Create(_))
    }
}

/// The operations of one module.
#[derive(Debug)]
pub struct Migration<'m> {
    /// The module.
    pub module: &'m Module,
    /// The operations in the order of the source.
    pub operations: Vec<Operation<'m>>,
    /// The other operations, in the order of the source.
    pub steps: Vec<Step<'m>>,
    /// What runs SQL, in the order of the source.
    pub executions: Vec<Execution<'m>>,
    /// Whether the module declares a revision (`revision` and `down_revision`).
    pub declares_revision: bool,
    /// Whether it uses any operation of Alembic.
    pub uses_operations: bool,
}

impl<'m> Migration<'m> {
    /// Reads a module on its own.
    #[must_use]
    pub fn read(module: &'m Module) -> Self {
        Self::read_with(module, Reader::new(None, &ALONE))
    }

    /// Reads a module whose values may come from other modules.
    #[must_use]
    pub(crate) fn read_with(module: &'m Module, values: Reader<'m>) -> Self {
        read::migration(module, values.for_module(module))
    }

    /// A module without operations.
    #[must_use]
    pub fn none(module: &'m Module) -> Self {
        Self {
            module,
            operations: Vec::new(),
            steps: Vec::new(),
            executions: Vec::new(),
            declares_revision: false,
            uses_operations: false,
        }
    }

    /// Whether the module is a migration, or a helper of one. A test runs operations on a database of its own.
    #[must_use]
    pub fn is_migration(&self) -> bool {
        self.declares_revision || (self.uses_operations && !is_test(self.module.file().path()))
    }
}

/// Whether pytest takes a module for a test, or it is in a folder of tests.
fn is_test(path: &RepoPath) -> bool {
    path.is_named_as_test() || path.ancestors().any(|folder| folder.file_name() == b"tests")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    #[test]
    fn a_test_that_uses_operations_is_no_migration() {
        let uses = "from alembic import op\ndef upgrade():\n    op.create_unique_constraint(None, 'order', ['code'])\n";
        let revision = format!("{uses}revision = 'a'\ndown_revision = None\n");
        let is_migration = |path: &str, text: &str| {
            let module = Module::parse(SourceFile::new(path.into(), text.to_owned()));
            Migration::read(&module).is_migration()
        };
        for path in [
            "test_order.py",
            "app/order_test.py",
            "app/conftest.py",
            "tests/helpers.py",
            "app/tests/unit/order.py",
        ] {
            assert!(!is_migration(path, uses), "{path}");
            assert!(is_migration(path, &revision), "{path}");
        }
        for path in
            ["migrations/versions/a.py", "app/testing.py", "contest/latest_order.py", "migrations/test/order.py"]
        {
            assert!(is_migration(path, uses), "{path}");
        }
    }
}

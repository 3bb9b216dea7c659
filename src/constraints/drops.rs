//! The drops of a migration, by operations and by SQL alike.

use std::collections::HashMap;

use super::MigrationFile;
use super::by_table::ByTable;
use super::edits::finished_name;
use super::executed::{Executed, may_be_table};
use crate::fix::Edit;
use crate::migration::{Action, Direction, Name, Operation};
use crate::naming::ConstraintKind;
use crate::source::Span;
use crate::sql::{Dropped, Effect};
use crate::work;

/// A drop of a constraint or an index.
#[derive(Clone, Copy)]
pub(crate) enum ConstraintDrop<'f> {
    /// `op.drop_constraint`, `op.drop_index`
    Operation(&'f Operation<'f>),
    /// `ALTER TABLE ... DROP CONSTRAINT`
    Sql(&'f Executed<'f>, &'f Dropped),
}

impl<'f> ConstraintDrop<'f> {
    pub(crate) fn direction(self) -> Direction {
        work::step();
        match self {
            Self::Operation(operation) => operation.when.direction,
            Self::Sql(one, _) => one.run.when.direction,
        }
    }

    /// The name as it is written; nothing where it is `None` or computed.
    pub(crate) fn name(self) -> Option<&'f str> {
        match self {
            Self::Operation(operation) => operation.name.text(),
            Self::Sql(_, dropped) => dropped.name.is_certain.then_some(dropped.name.text.as_str()),
        }
    }

    /// Whether it is an operation that was given no name.
    pub(crate) fn is_unnamed(self) -> bool {
        matches!(self, Self::Operation(operation) if operation.name == Name::Unnamed)
    }

    /// Whether it may drop one of this kind. MySQL drops a unique constraint as an index.
    pub(crate) fn may_drop(self, kind: ConstraintKind) -> bool {
        match self {
            Self::Operation(operation) => match operation.action {
                Action::Drop(None) => true,
                Action::Drop(Some(ConstraintKind::Index)) => {
                    matches!(kind, ConstraintKind::Index | ConstraintKind::Unique)
                }
                Action::Drop(Some(own)) => own == kind,
                Action::Create(_) => false,
            },
            Self::Sql(_, dropped) => dropped.kinds.is_none_or(|kinds| kinds.contains(&kind)),
        }
    }

    /// Whether it may drop from this table.
    pub(crate) fn may_be_of(self, table: &str, schema: Option<&str>) -> bool {
        match self {
            Self::Operation(operation) => {
                let own = operation.schema.known().and_then(Option::as_deref);
                let same_schema = own.zip(schema).is_none_or(|(one, other)| one == other);
                same_schema && (operation.table.known()).is_none_or(|own| own.eq_ignore_ascii_case(table))
            }
            Self::Sql(_, dropped) => (dropped.table.as_ref()).is_some_and(|own| may_be_table(own, table, schema)),
        }
    }

    /// Where its name is written.
    pub(crate) fn place(self, file: &MigrationFile<'_>) -> Span {
        match self {
            Self::Operation(operation) => operation.name_span(),
            Self::Sql(one, dropped) => one.place(file, dropped.name.at.clone()),
        }
    }

    /// Makes it drop another name.
    pub(crate) fn rename(self, file: &MigrationFile<'_>, name: &str) -> Option<Edit> {
        match self {
            Self::Operation(operation) => {
                let span = operation.name_argument?.value.span;
                let name = finished_name(file, &operation.receiver, operation.call, name)?;
                Some(Edit::replace(file.file(), span, name))
            }
            Self::Sql(one, dropped) => one.rename(file, dropped.name.at.clone(), name),
        }
    }
}

/// Where a drop stands in its migration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DropAt {
    /// The place in the list of operations.
    Operation(usize),
    /// The place in the list of SQL texts, and of the effect in its text.
    Sql(usize, usize),
}

impl DropAt {
    pub(crate) fn drop<'f>(self, file: &'f MigrationFile<'_>) -> Option<ConstraintDrop<'f>> {
        match self {
            Self::Operation(at) => {
                let operation = file.migration.operations.get(at)?;
                (!operation.creates()).then_some(ConstraintDrop::Operation(operation))
            }
            Self::Sql(text, effect) => {
                let one = file.executed().get(text)?;
                match one.effects.get(effect)? {
                    Effect::Dropped(dropped) => Some(ConstraintDrop::Sql(one, dropped)),
                    _ => None,
                }
            }
        }
    }
}

/// The drops of a migration by tables and names, both in lower case. SQL that names no table is found by its name only.
#[derive(Default)]
pub(crate) struct Drops {
    all: Vec<DropAt>,
    by_table: ByTable<DropAt>,
    by_name: HashMap<String, Vec<DropAt>>,
}

impl Drops {
    pub(super) fn of(file: &MigrationFile<'_>) -> Self {
        let operations = (0..file.migration.operations.len()).map(DropAt::Operation);
        let texts = file.executed().iter().enumerate();
        let sql = texts.flat_map(|(text, one)| (0..one.effects.len()).map(move |at| DropAt::Sql(text, at)));
        let mut found = Self::default();
        for at in operations.chain(sql) {
            if let Some(drop) = at.drop(file) {
                found.add(at, drop);
            }
        }
        found
    }

    fn add(&mut self, at: DropAt, drop: ConstraintDrop<'_>) {
        if let Some(name) = drop.name() {
            self.by_name.entry(name.to_ascii_lowercase()).or_default().push(at);
        }
        let table = match drop {
            ConstraintDrop::Operation(operation) => operation.table.known().map(String::as_str),
            ConstraintDrop::Sql(_, Dropped { table: Some(table), .. }) => table.known_name(),
            ConstraintDrop::Sql(..) => return,
        };
        self.all.push(at);
        self.by_table.add(table, at);
    }

    /// Every drop but SQL that names no table.
    pub(crate) fn all(&self) -> &[DropAt] {
        &self.all
    }

    /// The drops of a table, in any case and schema; without a table, those that may be of any.
    pub(crate) fn of_table(&self, table: Option<&str>) -> &[DropAt] {
        self.by_table.of(table)
    }

    /// The drops of a name, in any case.
    pub(crate) fn called(&self, name: &str) -> &[DropAt] {
        let called = self.by_name.get(&name.to_ascii_lowercase());
        called.map(Vec::as_slice).unwrap_or_default()
    }
}

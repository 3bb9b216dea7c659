//! The drop of the other half that speaks of a constraint without a name by what a database calls it.
//!
//! Such a revision works on the database that chooses the name. To name the create alone would break it there. Drops that certainly belong to
//! the create are its partner in the pairing, and give it their name.

use crate::migration::{Half, Operation};
use crate::naming::{ConstraintKind, Dialect};
use crate::sql::{Effect, Naming};

use super::MigrationFile;
use super::advice::default_name_of;
use super::executed::{Drop, is_called, is_elsewhere};
use super::inline::constraints_of;
use super::suggestion::Constraint;

/// A drop of the other half, by a name that nothing makes, which may mean what a create without a name makes.
#[derive(Clone, Copy)]
pub(super) struct DoubtfulDrop<'f>(Drop<'f>);

impl<'f> DoubtfulDrop<'f> {
    /// The drop that a create without a name and without a partner may belong to.
    pub(super) fn of(file: &'f MigrationFile<'_>, create: &Operation<'_>) -> Option<Self> {
        Drop::all(file).find(|drop| may_undo(file, create, *drop)).map(Self)
    }

    /// Why the create cannot be named without a person's thought.
    pub(super) fn obstacle(self) -> Option<String> {
        let Self(drop) = self;
        match drop {
            Drop::Operation(_) => drop.name().map(Self::is_of_a_database),
            Drop::Sql(..) => {
                let name = drop.name()?;
                Some(format!(
                    "SQL in the other half drops `{name}`, which may be what a database calls it"
                ))
            }
        }
    }

    /// The same for a drop that certainly belongs to it.
    pub(super) fn is_of_a_database(name: &str) -> String {
        format!("the other half drops `{name}`, which may be what a database calls it")
    }
}

/// Whether a drop of the other half may mean what a create makes: nothing else of the create's half has its name.
fn may_undo(file: &MigrationFile<'_>, create: &Operation<'_>, drop: Drop<'_>) -> bool {
    let (Some(table), Some(kind), Some(name)) = (create.table.known(), create.kind(), drop.name()) else {
        return false;
    };
    let schema = create.schema.known().and_then(Option::as_deref);
    let fits = match drop {
        Drop::Operation(operation) => {
            let same_schema = operation.schema.known().zip(create.schema.known());
            same_schema.is_none_or(|(one, other)| one == other)
                && (!is_of_an_index(operation) || is_mysql_index(create, name))
        }
        Drop::Sql(..) => true,
    };
    fits && is_elsewhere(drop.half(), create.half)
        && drop.may_drop(kind)
        && drop.may_be_of(table, schema)
        && !is_made_beside(file, create, name)
}

fn is_of_an_index(drop: &Operation<'_>) -> bool {
    drop.kind() == Some(ConstraintKind::Index)
}

/// MySQL drops a unique constraint as an index.
fn is_mysql_index(create: &Operation<'_>, name: &str) -> bool {
    default_name_of(Dialect::Mysql, &Constraint::from(create)).is_some_and(|chosen| chosen.text == name)
}

/// Whether the create's own half gives something this name.
fn is_made_beside(file: &MigrationFile<'_>, create: &Operation<'_>, name: &str) -> bool {
    let is_beside = |half: Half| half == create.half || half == Half::Unknown;
    let by_sql = |effect: &Effect| match effect {
        Effect::Added(added) => matches!(&added.naming, Naming::Named(own) if is_called(own, name)),
        Effect::Renamed { to, .. } => is_called(to, name),
        _ => false,
    };
    let migration = file.migration;
    let by_operation = |at: &usize| {
        let other = &migration.operations[*at];
        is_beside(other.half) && other.name.text() == Some(name)
    };
    file.creates_called(name).iter().any(by_operation)
        || (file.executed().iter()).any(|one| is_beside(one.run.half) && one.effects.iter().any(by_sql))
        || migration.steps.iter().any(|step| {
            is_beside(step.half)
                && constraints_of(step)
                    .iter()
                    .any(|inline| inline.constraint(step).explicit.is_some_and(|own| own.name == name))
        })
}

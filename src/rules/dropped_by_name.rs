//! The drop of the other half that speaks of a constraint without a name by what a database calls it.
//!
//! Such a revision works on the database that chooses the name. To name the create alone would break it there.

use crate::migration::{Half, Name, Operation};
use crate::naming::{ConstraintKind, Dialect};
use crate::source::Span;
use crate::sql::{Effect, Naming};

use super::MigrationFile;
use super::advice::{default_name, default_name_of};
use super::executed::{Drop, is_called, is_elsewhere, words};
use super::inline::constraints_of;
use super::suggestion::{Constraint, dropped_name};

/// What the other half drops by a name that nothing makes.
pub(super) enum DroppedByName<'f> {
    /// What the create makes, by the name that the database chooses for it: the drop gets the new name too.
    New(&'f Operation<'f>),
    /// What the create brings back: it keeps the name by which the upgrade dropped it.
    BroughtBack(&'f Operation<'f>),
    /// Something that may be what the create makes.
    Doubtful(Drop<'f>),
}

impl<'f> DroppedByName<'f> {
    /// The drop that a create without a name and without a partner may belong to.
    pub(super) fn of(file: &'f MigrationFile<'_>, create: &Operation<'_>) -> Option<Self> {
        let mut drops = Drop::all(file).filter(|drop| may_undo(file, create, *drop));
        let first = drops.next()?;
        let operation = match first {
            Drop::Operation(operation) if drops.next().is_none() => operation,
            _ => return Some(Self::Doubtful(first)),
        };
        Some(if !is_by_default_name(file, create, operation) {
            Self::Doubtful(first)
        } else if create.half == Half::Downgrade {
            Self::BroughtBack(operation)
        } else if is_only_one_of_its_name(file, create, operation) {
            Self::New(operation)
        } else {
            Self::Doubtful(first)
        })
    }

    /// The drop whose name tells the create's, or changes with it.
    pub(super) fn operation(&self) -> Option<&'f Operation<'f>> {
        match self {
            Self::New(drop) | Self::BroughtBack(drop) => Some(drop),
            Self::Doubtful(_) => None,
        }
    }

    /// Why the create cannot be named without a person's thought.
    pub(super) fn obstacle(&self) -> Option<String> {
        let Self::Doubtful(drop) = self else { return None };
        let who = match drop {
            Drop::Operation(_) => "the other half",
            Drop::Sql(..) => "SQL in the other half",
        };
        let name = drop.name()?;
        Some(format!("{who} drops `{name}`, which may be what a database calls it"))
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

/// Whether a drop has the name that the database of the project chooses, or PostgreSQL where nobody knows which that is.
fn is_by_default_name(file: &MigrationFile<'_>, create: &Operation<'_>, drop: &Operation<'_>) -> bool {
    let Some(argument) = drop.name_argument else {
        return false;
    };
    let is_plain = drop.unnamed_by.is_none() && drop.call.span.contains(argument.span) && !drop.repeated;
    is_plain
        && drop.half != Half::Unknown
        && create.half != Half::Unknown
        && drop.table == create.table
        && drop.schema == create.schema
        && default_name(file.dialect().unwrap_or(Dialect::Postgresql), create)
            .is_some_and(|chosen| chosen.is_exact && dropped_name(file, drop) == Some(chosen.text))
}

/// Whether the name means the create's constraint wherever it stands, an older one aside that gives way before and comes back after.
fn is_only_one_of_its_name(file: &MigrationFile<'_>, create: &Operation<'_>, drop: &Operation<'_>) -> bool {
    let Some(name) = drop.name.text() else { return false };
    let operations = &file.migration.operations;
    let may_have_it = |other: &Operation<'_>| {
        other.name == Name::Computed && other.creates() && other.half == create.half && other.table == create.table
    };
    let is_in_the_way = |other: &&Operation<'_>| {
        let gives_way = !other.creates() && other.half == create.half && other.call.span < create.call.span;
        let comes_back = other.creates() && other.half == drop.half && other.call.span > drop.call.span;
        !(gives_way || comes_back) && other.call.span != drop.call.span
    };
    let namesakes = || operations.iter().filter(|other| other.name.text() == Some(name));
    if operations.iter().any(may_have_it) || namesakes().any(|other| is_in_the_way(&other)) {
        return false;
    }
    // MySQL calls a unique constraint like its first column, which is spoken of for other reasons as well.
    if create
        .columns
        .known()
        .is_some_and(|columns| columns.iter().any(|column| column == name))
    {
        return true;
    }
    let places: Vec<Span> = namesakes().map(Operation::name_span).collect();
    let is_covered = |at: usize| places.iter().any(|place| place.start <= at && at < place.end);
    words(file, name).into_iter().all(is_covered)
}

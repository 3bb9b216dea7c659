//! The drop of the other direction that speaks of a constraint without a name by what a database calls it.
//!
//! Such a revision works on the database that chooses the name. To name the create alone would break it there. Drops that certainly belong to
//! the create are its partner in the pairing, and give it their name.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::MigrationFile;
use super::advice::default_name_of;
use super::constraint::Constraint;
use super::drops::{ConstraintDrop, DropAt};
use super::executed::is_elsewhere;
use crate::migration::{Direction, Known, Operation};
use crate::naming::{ConstraintKind, Dialect};

/// A drop of the other direction, by a name that nothing makes, which may mean what a create without a name makes.
#[derive(Clone, Copy)]
pub(crate) struct DoubtfulDrop<'f>(ConstraintDrop<'f>);

/// What creates are alike in, as far as it decides which drops may mean them.
type Key = (Direction, ConstraintKind, Option<String>, Known<Option<String>>);

/// The drops that may mean creates of one key.
#[derive(Default)]
struct Candidates {
    /// The first that may mean any of them.
    first: Option<DropAt>,
    /// The first of an index by each name: it means the one for which MySQL chooses that.
    of_indexes: HashMap<String, DropAt>,
}

/// Those of a migration, gone through once for each key.
#[derive(Default)]
pub(crate) struct Doubts(RefCell<HashMap<Key, Rc<Candidates>>>);

impl Doubts {
    /// Those that are on the create's own table, or those that may be on any.
    fn of(&self, file: &MigrationFile<'_>, create: &Operation<'_>, table: Option<&str>) -> Option<Rc<Candidates>> {
        let key = (
            create.direction,
            create.kind()?,
            table.map(str::to_owned),
            create.schema.clone(),
        );
        if let Some(known) = self.0.borrow().get(&key) {
            return Some(known.clone());
        }
        let candidates = Rc::new(Candidates::of(file, create, table));
        self.0.borrow_mut().insert(key, candidates.clone());
        Some(candidates)
    }
}

impl Candidates {
    fn of(file: &MigrationFile<'_>, create: &Operation<'_>, table: Option<&str>) -> Self {
        let mut found = Self::default();
        for at in file.drops().of_table(table) {
            let Some(drop) = at.drop(file).filter(|drop| may_undo(file, create, *drop)) else {
                continue;
            };
            match (drop, drop.name()) {
                (ConstraintDrop::Operation(operation), Some(name)) if is_of_an_index(operation) => {
                    found.of_indexes.entry(name.to_owned()).or_insert(*at);
                }
                _ => found.first = found.first.or(Some(*at)),
            }
        }
        found
    }

    fn of_index(&self, create: &Operation<'_>) -> Option<DropAt> {
        if self.of_indexes.is_empty() {
            return None;
        }
        // MySQL drops a unique constraint as an index.
        let chosen = default_name_of(Dialect::Mysql, &Constraint::from(create))?;
        self.of_indexes.get(&chosen.text).copied()
    }
}

impl<'f> DoubtfulDrop<'f> {
    /// The drop that a create without a name and without a partner may belong to.
    pub(crate) fn of(file: &'f MigrationFile<'_>, create: &Operation<'_>) -> Option<Self> {
        let table = create.table.known()?;
        let tables = [Some(table.as_str()), None].into_iter();
        let candidates = tables.filter_map(|table| file.doubts.of(file, create, table));
        let first = candidates.flat_map(|found| found.first.into_iter().chain(found.of_index(create)));
        first.min()?.drop(file).map(Self)
    }

    /// Why the create cannot be named without a person's thought.
    pub(crate) fn obstacle(self) -> Option<String> {
        let Self(drop) = self;
        match drop {
            ConstraintDrop::Operation(_) => drop.name().map(Self::is_of_a_database),
            ConstraintDrop::Sql(..) => {
                let name = drop.name()?;
                Some(format!(
                    "SQL in the other half drops `{name}`, which may be what a database calls it"
                ))
            }
        }
    }

    /// The same for a drop that certainly belongs to it.
    pub(crate) fn is_of_a_database(name: &str) -> String {
        format!("the other half drops `{name}`, which may be what a database calls it")
    }
}

/// Whether a drop of the other direction may mean what a create makes: nothing else of the create's half has its name.
fn may_undo(file: &MigrationFile<'_>, create: &Operation<'_>, drop: ConstraintDrop<'_>) -> bool {
    let (Some(table), Some(kind), Some(name)) = (create.table.known(), create.kind(), drop.name()) else {
        return false;
    };
    let schema = create.schema.known().and_then(Option::as_deref);
    let fits = match drop {
        ConstraintDrop::Operation(operation) => {
            let same_schema = operation.schema.known().zip(create.schema.known());
            same_schema.is_none_or(|(one, other)| one == other)
        }
        ConstraintDrop::Sql(..) => true,
    };
    fits && is_elsewhere(drop.direction(), create.direction)
        && drop.may_drop(kind)
        && drop.may_be_of(table, schema)
        && !is_made_beside(file, create.direction, name)
}

fn is_of_an_index(drop: &Operation<'_>) -> bool {
    drop.kind() == Some(ConstraintKind::Index)
}

/// Whether a direction gives something this name.
fn is_made_beside(file: &MigrationFile<'_>, direction: Direction, name: &str) -> bool {
    let beside = [direction, Direction::Unknown];
    beside.iter().any(|direction| file.is_made_in(name, *direction)) || file.is_made_by_sql(name, &beside)
}

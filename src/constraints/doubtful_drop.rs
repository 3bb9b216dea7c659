//! A drop in the other direction, by a name that nothing makes, which may be meant for a create without a name.
//!
//! Such a revision works on the database that chooses that name, and would break there if only the create were named. A drop that certainly
//! belongs to a create is its partner in the pairing instead.

use std::collections::HashMap;

use elsa::FrozenMap;

use super::MigrationFile;
use super::constraint::Constraint;
use super::default_name::default_name_of;
use super::drops::{ConstraintDrop, DropAt};
use super::executed::is_elsewhere;
use crate::migration::{Direction, Known, Operation};
use crate::naming::{ConstraintKind, Dialect};

/// Creates with the same key have the same candidates.
type Key = (Direction, ConstraintKind, Option<String>, Known<Option<String>>);

/// The drops that may be meant for creates of one key.
#[derive(Default)]
struct Candidates {
    /// The first that may be meant for any of them.
    first: Option<DropAt>,
    /// The first of an index by each name: it means the create for which MySQL chooses that name.
    of_indexes: HashMap<String, DropAt>,
}

/// The candidates found so far in a migration.
#[derive(Default)]
pub(super) struct Doubts(FrozenMap<Key, Box<Candidates>>);

impl Doubts {
    /// The candidates on the table, or those whose table is not known.
    fn of(&self, file: &MigrationFile<'_>, create: &Operation<'_>, table: Option<&str>) -> Option<&Candidates> {
        let table_of_key = table.map(str::to_owned);
        let key = (create.when.direction, create.kind()?, table_of_key, create.schema.clone());
        let known = self.0.get(&key);
        known.or_else(|| Some(self.0.insert(key, Box::new(Candidates::of(file, create, table)))))
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
                (ConstraintDrop::Operation(operation), Some(name))
                    if operation.kind() == Some(ConstraintKind::Index) =>
                {
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

/// Why a create without a name and without a partner cannot be named without a decision: the drop that it may belong to.
pub(super) fn obstacle(file: &MigrationFile<'_>, create: &Operation<'_>) -> Option<String> {
    let table = create.table.known()?;
    let tables = [Some(table.as_str()), None].into_iter();
    let candidates = tables.filter_map(|table| file.doubts.of(file, create, table));
    let first = candidates.flat_map(|found| found.first.into_iter().chain(found.of_index(create)));
    let drop = first.min()?.drop(file)?;
    let dropped = drops(drop.name()?);
    Some(match drop {
        ConstraintDrop::Operation(_) => dropped,
        ConstraintDrop::Sql(..) => format!("SQL in {dropped}"),
    })
}

/// The same for a drop that certainly belongs to the create.
pub(super) fn drops(name: &str) -> String {
    format!("the other half drops `{name}`, which may be what a database calls it")
}

/// Whether a drop may undo a create: it runs in the other direction, fits, and nothing else in the create's direction has its name.
fn may_undo(file: &MigrationFile<'_>, create: &Operation<'_>, drop: ConstraintDrop<'_>) -> bool {
    let (Some(table), Some(kind), Some(name)) = (create.table.known(), create.kind(), drop.name()) else {
        return false;
    };
    let schema = create.schema.known();
    let same_schema = match drop {
        ConstraintDrop::Operation(operation) => {
            (operation.schema.known().zip(schema)).is_none_or(|(one, other)| one == other)
        }
        ConstraintDrop::Sql(..) => true,
    };
    let directions = [create.when.direction, Direction::Unknown];
    same_schema
        && is_elsewhere(drop.direction(), create.when.direction)
        && drop.may_drop(kind)
        && drop.may_be_of(table, schema.and_then(Option::as_deref))
        && !directions.iter().any(|direction| file.is_made_in(name, *direction))
        && !file.is_made_by_sql(name, &directions)
}

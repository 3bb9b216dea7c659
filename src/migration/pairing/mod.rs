//! Which create belongs to which drop: what one direction makes, the other one removes.
//!
//! Autogenerate writes the downgrade as the upgrade in reverse, so the k-th create of a table and kind belongs to the k-th-last drop. People also
//! write it in other orders; then the columns that are dropped in between tell which.

mod names;
mod renames;

use std::collections::{HashMap, HashSet};

use crate::naming::ConstraintKind;

use super::{Direction, Known, Migration, Name, Operation, Step};
use names::Names;

/// With more constraints of one kind on one table, only Alembic's order is tried.
const MOST_CHOICES: usize = 100;

/// A create and the drop that undoes it, as places in the list of operations.
#[derive(Clone, Copy)]
struct Pair {
    create: usize,
    drop: usize,
}

/// The pairs of one migration.
#[derive(Debug, Default)]
pub(crate) struct Pairing {
    partners: HashMap<usize, usize>,
    doubtful: HashSet<usize>,
}

impl Pairing {
    /// Pairs the operations of a migration of which one or both have no name.
    #[must_use]
    pub(crate) fn of(migration: &Migration<'_>) -> Self {
        let Migration { operations, steps, .. } = migration;
        let names = Names::of(migration);
        let tables = renames::tables(operations, steps);
        let mut open: Vec<(Group, Option<ConstraintKind>, usize)> = Vec::new();
        for (at, operation) in operations.iter().enumerate() {
            let group = group(migration, operation, tables.get(&at)).filter(|_| names.leave_open(operation));
            open.extend(group.map(|group| (group, operation.kind(), at)));
        }
        open.sort();
        let finder = Finder {
            operations,
            steps,
            names: &names,
        };
        let both_ways = |pairs: Vec<Pair>| {
            let pairs = pairs.into_iter();
            pairs.flat_map(|Pair { create, drop }| [(create, drop), (drop, create)])
        };
        let mut partners: HashMap<usize, usize> = HashMap::new();
        for same in open.chunk_by(|one, other| (&one.0, one.1) == (&other.0, other.1)) {
            let places = same.iter().filter(|(_, kind, _)| kind.is_some()).map(|(.., at)| *at);
            partners.extend(both_ways(finder.pair_group(places)));
        }
        // A drop without `type_` may be of any kind.
        open.retain(|(_, kind, at)| !partners.contains_key(at) && (kind.is_none() || operations[*at].creates()));
        for same in open.chunk_by(|one, other| one.0 == other.0) {
            let mut places: Vec<usize> = same.iter().map(|(.., at)| *at).collect();
            places.sort_unstable();
            partners.extend(both_ways(finder.pair_group(places.into_iter())));
        }
        let is_open = |at: &usize| operations[*at].name == Name::Unnamed && !partners.contains_key(at);
        let open: Vec<usize> = (0..operations.len()).filter(is_open).collect();
        Self {
            doubtful: doubtful(operations, &open),
            partners,
        }
    }

    /// Whether an operation without a name has a partner in this migration, but it is unclear which.
    #[must_use]
    pub(crate) fn is_doubtful(&self, at: usize) -> bool {
        self.doubtful.contains(&at)
    }

    /// The drop that undoes a create, or the create that a drop undoes.
    #[must_use]
    pub(crate) fn partner(&self, at: usize) -> Option<usize> {
        self.partners.get(&at).copied()
    }
}

/// What a create and its drop have in common: table, schema, whether the upgrade makes it, and the database.
type Group = (String, String, bool, String);

/// Creates of one direction meet drops of the other, of the same table and schema, in the functions for the same database.
fn group(migration: &Migration<'_>, operation: &Operation<'_>, table: Option<&String>) -> Option<Group> {
    let made_in_upgrade = match (operation.when.direction, operation.creates()) {
        (Direction::Unknown, _) => return None,
        (direction, creates) => (direction == Direction::Upgrade) == creates,
    };
    let function = operation.when.function.unwrap_or_default();
    let engine = ["upgrade_", "downgrade_"]
        .into_iter()
        .find_map(|start| function.strip_prefix(start));
    Some((
        table.or_else(|| operation.table.known())?.clone(),
        schema(migration, operation)?,
        made_in_upgrade,
        engine.unwrap_or_default().to_owned(),
    ))
}

/// The schema, or the code that computes it: one variable is the same schema in both directions.
fn schema(migration: &Migration<'_>, operation: &Operation<'_>) -> Option<String> {
    if let Known::Is(schema) = &operation.schema {
        return Some(schema.clone().unwrap_or_default());
    }
    let mut keywords = ["schema", "source_schema"].into_iter();
    let value = keywords.find_map(|keyword| operation.call.keyword(keyword))?;
    value.dotted()?;
    // No schema begins with a parenthesis.
    Some(format!("({}", migration.module.file().slice(value.span)))
}

/// The operations without a partner that one of the others may belong to.
fn doubtful(operations: &[Operation<'_>], open: &[usize]) -> HashSet<usize> {
    let mut by_table: HashMap<(bool, Option<&str>), HashSet<Traits<'_>>> = HashMap::new();
    let mut all: [HashSet<Traits<'_>>; 2] = Default::default();
    for operation in open.iter().map(|&at| &operations[at]) {
        let table = operation.table.known().map(String::as_str);
        let same = by_table.entry((operation.creates(), table)).or_default();
        same.insert(Traits::of(operation));
        all[usize::from(operation.creates())].insert(Traits::of(operation));
    }
    let may_belong = |at: &usize| {
        let operation = &operations[*at];
        let own = Traits::of(operation);
        let others = !operation.creates();
        let fits = |found: &HashSet<Traits<'_>>| found.iter().any(|other| own.may_match(other));
        match operation.table.known() {
            Some(table) => [Some(table.as_str()), None]
                .into_iter()
                .filter_map(|table| by_table.get(&(others, table)))
                .any(fits),
            None => fits(&all[usize::from(others)]),
        }
    };
    open.iter().copied().filter(may_belong).collect()
}

/// What two operations are compared by, the table aside.
#[derive(PartialEq, Eq, Hash)]
struct Traits<'o> {
    direction: Direction,
    kind: Option<ConstraintKind>,
    schema: Option<&'o Option<String>>,
}

impl<'o> Traits<'o> {
    fn of(operation: &'o Operation<'_>) -> Self {
        Self {
            direction: operation.when.direction,
            kind: operation.kind(),
            schema: operation.schema.known(),
        }
    }

    /// Whether these may be a create and its drop, as far as they are known.
    fn may_match(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
            one.zip(other).is_none_or(|(one, other)| one == other)
        }
        (self.direction != other.direction || self.direction == Direction::Unknown)
            && same(self.kind, other.kind)
            && same(self.schema, other.schema)
    }
}

/// Finds the pairs of one group.
struct Finder<'o, 'm> {
    operations: &'o [Operation<'m>],
    steps: &'o [Step<'m>],
    names: &'o Names<'o>,
}

impl Finder<'_, '_> {
    /// Those without a name among themselves, else together with the named ones.
    fn pair_group(&self, places: impl Iterator<Item = usize>) -> Vec<Pair> {
        let (creates, drops): (Vec<usize>, Vec<usize>) = places.partition(|at| self.operations[*at].creates());
        let unnamed = |list: &[usize]| -> Vec<usize> {
            let is_unnamed = |at: &usize| self.operations[*at].name == Name::Unnamed;
            list.iter().copied().filter(is_unnamed).collect()
        };
        let (open_creates, open_drops) = (unnamed(&creates), unnamed(&drops));
        if open_creates.is_empty() && open_drops.is_empty() {
            Vec::new()
        } else if open_creates.len() == open_drops.len() {
            self.pair_up(&open_creates, &open_drops)
        } else {
            // An index is always created under a name, so the drop that lacks one looks for it among the named.
            self.pair_up(&creates, &drops)
        }
    }

    fn pair_up(&self, creates: &[usize], drops: &[usize]) -> Vec<Pair> {
        let alone = creates.len() == 1 && drops.len() == 1;
        let in_order = creates.len() == drops.len()
            && (self.are_alike(creates) || self.are_in_one_block(creates) && self.are_in_one_block(drops));
        let runs_once = |at: &usize| !self.operations[*at].when.repeated || self.operations[*at].is_once_a_schema();
        if !(alone || in_order) || !creates.iter().chain(drops).all(runs_once) {
            return Vec::new();
        }
        let pair = |(&create, &drop)| Pair { create, drop };
        let reversed: Vec<Pair> = creates.iter().zip(drops.iter().rev()).map(pair).collect();
        let columns = columns_gone(self.operations, self.steps, drops);
        let allowed = |create: usize, drop: usize| self.names.allow(&self.operations[create], &self.operations[drop]);
        let works = |create: usize, drop: usize| {
            is_there(&self.operations[create], &self.operations[drop], &columns) && allowed(create, drop)
        };
        if reversed.iter().all(|pair| works(pair.create, pair.drop)) {
            reversed
        } else if alone {
            let Pair { create, drop } = reversed[0];
            if allowed(create, drop) { reversed } else { Vec::new() }
        } else if creates.len() > MOST_CHOICES {
            Vec::new()
        } else {
            only_choice(creates, drops, works)
        }
    }

    fn all(&self, list: &[usize], same: fn(&Operation<'_>, &Operation<'_>) -> bool) -> bool {
        let mut neighbours = list.windows(2);
        neighbours.all(|two| same(&self.operations[two[0]], &self.operations[two[1]]))
    }

    /// In different functions or branches the order of the source is not the order in which they run.
    fn are_in_one_block(&self, list: &[usize]) -> bool {
        self.all(list, |one, other| one.when.block == other.when.block)
    }

    /// Branches for several databases make the same constraint, and then it does not matter which is which.
    fn are_alike(&self, creates: &[usize]) -> bool {
        self.all(creates, |one, other| {
            one.columns.is_some() && one.columns == other.columns && one.referred == other.referred
        })
    }
}

/// The only way to pair each create with a drop that works; none if there are several.
fn only_choice(creates: &[usize], drops: &[usize], works: impl Fn(usize, usize) -> bool) -> Vec<Pair> {
    // The drops before a column goes are among those before a later one goes, so each create in turn must add one choice.
    let choices = |&create: &usize| {
        let possible = drops.iter().copied().filter(|&drop| works(create, drop));
        (create, possible.collect::<Vec<usize>>())
    };
    let mut choices: Vec<(usize, Vec<usize>)> = creates.iter().map(choices).collect();
    choices.sort_by_key(|(_, possible)| possible.len());
    let only = |(at, (create, possible)): (usize, &(usize, Vec<usize>))| {
        let drop = *possible.get(at).filter(|_| possible.len() == at + 1)?;
        Some(Pair { create: *create, drop })
    };
    let pairs: Option<Vec<Pair>> = choices.iter().enumerate().map(only).collect();
    pairs.unwrap_or_default()
}

/// Where columns of the table are dropped, in the block of these drops.
fn columns_gone<'s>(operations: &[Operation<'_>], steps: &'s [Step<'_>], drops: &[usize]) -> HashMap<&'s str, usize> {
    let Some(first) = drops.first().map(|&at| &operations[at]) else {
        return HashMap::new();
    };
    let of_table = steps
        .iter()
        .filter(|step| step.when.block == first.when.block && step.table == first.table && step.schema == first.schema);
    of_table
        .filter_map(|step| Some((step.dropped_column()?, step.call.span.start)))
        .collect()
}

/// Whether a constraint is still there when this drop runs: a dropped column takes its constraints along.
fn is_there(create: &Operation<'_>, drop: &Operation<'_>, gone: &HashMap<&str, usize>) -> bool {
    let mut columns = create.columns.iter().flatten();
    columns.all(|column| gone.get(column.as_str()).is_none_or(|&at| drop.call.span.start < at))
}

#[cfg(test)]
mod tests;

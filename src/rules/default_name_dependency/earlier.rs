//! The earlier revisions, each read once for all dependencies.

use std::cell::{Cell, OnceCell};
use std::collections::{HashMap, HashSet};

use super::dependency::Dependency;
use super::origin::Doubt;
use crate::constraints::by_table::ByTable;
use crate::constraints::executed::runs_definitions;
use crate::migration::{Direction, Known, Migration, Operation, Step};
use crate::project::Revision;
use crate::source::words_of;

/// If there are more tables than this, each revision is split into words once instead of being searched for each table.
const FEW_TABLES: usize = 4;

/// How often a name may be compared with a constraint; beyond that nothing is reported.
const MOST_COMPARED: usize = 100_000;

pub(super) struct EarlierRevisions<'h> {
    all: Vec<EarlierRevision<'h>>,
    /// Those that mention each table.
    by_table: HashMap<String, Vec<usize>>,
    is_readable: OnceCell<bool>,
    compared: Cell<usize>,
}

impl<'h> EarlierRevisions<'h> {
    pub(super) fn new(earlier: Vec<&'h Revision>, dependencies: &[Dependency<'_>]) -> Self {
        let tables: HashSet<&str> = dependencies.iter().map(|one| one.table.as_str()).collect();
        let are_many = tables.len() > FEW_TABLES;
        let (words, others): (HashSet<&str>, HashSet<&str>) = tables
            .into_iter()
            .partition(|table| are_many && words_of(table).eq([(0, *table)]));
        let mut by_table: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, revision) in earlier.iter().enumerate() {
            let text = if words.is_empty() { "" } else { revision.text() };
            let found = words_of(text).map(|(_, word)| word).filter(|word| words.contains(word));
            let searched = others.iter().copied().filter(|table| revision.mentions(table));
            for table in found.chain(searched) {
                let places = by_table.entry(table.to_owned()).or_default();
                if places.last() != Some(&at) {
                    places.push(at);
                }
            }
        }
        let new = |revision| EarlierRevision {
            revision,
            contents: OnceCell::new(),
        };
        Self {
            all: earlier.into_iter().map(new).collect(),
            by_table,
            is_readable: OnceCell::new(),
            compared: Cell::new(0),
        }
    }

    /// The revisions that mention a table.
    pub(super) fn about(&self, table: &str) -> impl Iterator<Item = &EarlierRevision<'h>> {
        let places = self.by_table.get(table).into_iter().flatten();
        places.filter_map(|at| self.all.get(*at))
    }

    pub(super) fn are_readable(&self) -> bool {
        let all = || self.all.iter().all(|earlier| earlier.revision.is_readable());
        *self.is_readable.get_or_init(all)
    }

    /// Counts comparisons, and fails when there are too many.
    pub(super) fn compare(&self, count: usize) -> Result<(), Doubt> {
        self.compared.set(self.compared.get() + count);
        if self.compared.get() > MOST_COMPARED {
            return Err(Doubt);
        }
        Ok(())
    }
}

pub(super) struct EarlierRevision<'h> {
    pub(super) revision: &'h Revision,
    contents: OnceCell<Option<Contents<'h>>>,
}

impl<'h> EarlierRevision<'h> {
    /// What the revision does, if all of it can be read.
    pub(super) fn contents(&self) -> Result<&Contents<'h>, Doubt> {
        let contents = self.contents.get_or_init(|| {
            let module = self.revision.module();
            let is_clear = module.errors().is_empty() && !runs_definitions(module.file().text());
            is_clear.then(|| Contents::of(Migration::read(module)))
        });
        contents.as_ref().ok_or(Doubt)
    }
}

/// What an earlier revision does in its upgrade.
pub(super) struct Contents<'h> {
    pub(super) migration: Migration<'h>,
    operations: ByTable<usize>,
    steps: ByTable<usize>,
    /// The steps that rename tables.
    renames: Vec<usize>,
    /// The names that it drops.
    dropped: HashSet<String>,
}

impl<'h> Contents<'h> {
    fn of(migration: Migration<'h>) -> Self {
        let (operations, steps) = (&migration.operations, &migration.steps);
        let is_rename = |step: &Step<'_>| step.method == "rename_table" && step.when.direction != Direction::Downgrade;
        let drops = operations
            .iter()
            .filter(|one| !one.creates() && one.when.direction != Direction::Downgrade);
        Self {
            renames: (0..steps.len()).filter(|at| is_rename(&steps[*at])).collect(),
            dropped: drops.filter_map(|drop| drop.name.text().map(str::to_owned)).collect(),
            operations: places(operations.iter().map(|one| &one.table)),
            steps: places(steps.iter().map(|one| &one.table)),
            migration,
        }
    }

    /// The operations on a table, and those whose table is not known.
    pub(super) fn operations(&self, table: &str) -> impl Iterator<Item = &Operation<'h>> {
        let places = about(&self.operations, table).into_iter();
        places.filter_map(|at| self.migration.operations.get(at))
    }

    /// The other steps on a table, and those whose table is not known.
    pub(super) fn steps(&self, table: &str) -> impl Iterator<Item = &Step<'h>> {
        let places = about(&self.steps, table).into_iter();
        places.filter_map(|at| self.migration.steps.get(at))
    }

    pub(super) fn renames(&self) -> impl ExactSizeIterator<Item = &Step<'h>> {
        self.renames.iter().map(|at| &self.migration.steps[*at])
    }

    pub(super) fn drops(&self, name: &str) -> bool {
        self.dropped.contains(name)
    }
}

/// The places in a list by the tables.
fn places<'t>(tables: impl Iterator<Item = &'t Known<String>>) -> ByTable<usize> {
    let tables = tables.map(|table| table.known().map(String::as_str));
    tables.zip(0..).collect()
}

fn about(places: &ByTable<usize>, table: &str) -> Vec<usize> {
    let mut about = [places.of(Some(table)), places.of(None)].concat();
    about.sort_unstable();
    about
}

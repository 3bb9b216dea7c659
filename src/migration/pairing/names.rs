//! The names of a migration, and which operations they settle.

use std::cell::OnceCell;
use std::collections::HashMap;

use crate::naming::default_names::chosen_by;
use crate::naming::{ConstraintKind, Dialect};
use crate::python::Module;

use super::super::{Direction, Migration, Name, Operation};

pub(super) struct Names<'o> {
    module: &'o Module,
    /// How often each word occurs in the module, comments aside.
    words: OnceCell<HashMap<&'o str, usize>>,
    uses: HashMap<(&'o str, Direction), Uses>,
    /// How many operations have the name.
    count: HashMap<&'o str, usize>,
}

/// The operations of one direction that have a name.
#[derive(Default)]
struct Uses {
    first_create: Option<usize>,
    is_dropped: bool,
    last: usize,
}

impl<'o> Names<'o> {
    pub(super) fn of(migration: &'o Migration<'_>) -> Self {
        let mut names = Self {
            module: migration.module,
            words: OnceCell::new(),
            uses: HashMap::new(),
            count: HashMap::new(),
        };
        for operation in &migration.operations {
            let Some(name) = operation.name.text() else { continue };
            let at = operation.call.span.start;
            let uses = names.uses.entry((name, operation.when.direction)).or_default();
            if operation.creates() {
                uses.first_create.get_or_insert(at);
            } else {
                uses.is_dropped = true;
            }
            uses.last = at;
            *names.count.entry(name).or_default() += 1;
        }
        names
    }

    /// Whether an operation may belong to one without a name: it has none itself, or one that the other direction does not know.
    pub(super) fn leave_open(&self, operation: &Operation<'_>) -> bool {
        let name = match &operation.name {
            Name::Unnamed => return true,
            Name::Computed => return false,
            Name::Plain(name) | Name::Finished(name) => name.as_str(),
        };
        let uses = |direction| self.uses.get(&(name, direction));
        let is_settled = [Direction::Upgrade, Direction::Downgrade, Direction::Unknown]
            .into_iter()
            .filter(|direction| *direction != operation.when.direction)
            .filter_map(uses)
            .any(|uses| {
                if operation.creates() {
                    uses.is_dropped
                } else {
                    uses.first_create.is_some()
                }
            });
        let is_made_before = || {
            let first = uses(operation.when.direction).and_then(|uses| uses.first_create);
            first.is_some_and(|at| at < operation.call.span.start)
        };
        !is_settled && (operation.creates() || !is_made_before())
    }

    /// Whether the names allow a pair: one side has none, and the other's means nothing else.
    pub(super) fn allow(&self, create: &Operation<'_>, drop: &Operation<'_>) -> bool {
        match (create.name.text(), drop.name.text()) {
            (Some(_), Some(_)) => false,
            (None, Some(_)) => self.may_give(create, drop),
            (Some(name), None) => {
                create.kind() == Some(ConstraintKind::Index) || self.is_only_of_operations(create, name)
            }
            (None, None) => true,
        }
    }

    /// Whether a drop with a name certainly means a create without one.
    fn may_give(&self, create: &Operation<'_>, drop: &Operation<'_>) -> bool {
        let (Some(name), Some(table), Some(kind)) = (drop.name.text(), drop.table.known(), create.kind()) else {
            return false;
        };
        // A name that the create's own direction uses later is another constraint's.
        let is_in_the_way = || {
            let uses = self.uses.get(&(name, create.when.direction));
            uses.is_some_and(|uses| uses.last > create.call.span.start)
        };
        // A number that a database gives may be that of another constraint; one that comes back had it.
        let is_counted = || create.when.direction == Direction::Upgrade && is_counted(kind, table, name);
        !(is_in_the_way() || is_counted()) && self.is_only_of_operations(create, name)
    }

    /// Whether a name occurs only in operations. In SQL, or as a table or a column, it is something else.
    fn is_only_of_operations(&self, create: &Operation<'_>, name: &str) -> bool {
        // MySQL calls a unique constraint like its first column, which the module mentions for other reasons as well.
        let mut columns = create.columns.iter().flatten();
        let words = || {
            self.words
                .get_or_init(|| count(self.module.words().map(|(_, word)| word)))
        };
        columns.any(|column| column == name)
            || words()
                .get(name)
                .is_some_and(|count| Some(count) == self.count.get(name))
    }
}

fn count<'w>(words: impl Iterator<Item = &'w str>) -> HashMap<&'w str, usize> {
    let mut found = HashMap::new();
    words.for_each(|word| *found.entry(word).or_default() += 1);
    found
}

/// Whether the database made up the name with a number or random digits.
fn is_counted(kind: ConstraintKind, table: &str, name: &str) -> bool {
    let databases = chosen_by(kind, table, None, name);
    databases.iter().any(|one| match one {
        Dialect::Mssql | Dialect::Oracle => true,
        Dialect::Mysql | Dialect::Mariadb => matches!(kind, ConstraintKind::ForeignKey | ConstraintKind::Check),
        _ => false,
    })
}

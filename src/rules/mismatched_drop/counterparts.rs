//! What the upgrade creates that a drop may mean. Drops of the same table and kind share one list.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use elsa::FrozenMap;

use super::certain_drop::CertainDrop;
use super::create::ConstraintCreate;
use super::facts::Facts;
use crate::constraints::MigrationFile;
use crate::constraints::by_table::ByTable;
use crate::constraints::drops::ConstraintDrop;
use crate::constraints::executed::{DIRECTIONS, may_be_table};
use crate::migration::{Direction, Operation};
use crate::naming::ConstraintKind;
use crate::source::words_of;
use crate::sql::Table;

/// With more creates on tables that are put in later, nobody can tell which is on which table.
const MOST_OF_ANY: usize = 100;

/// A longer name is not looked for at the end of another.
const LONGEST: usize = 128;

/// Drops with the same of these may mean the same creates; the first tells whether SQL drops.
type Key = (bool, String, Option<String>, Option<ConstraintKind>, Option<&'static [ConstraintKind]>);

fn key(target: &CertainDrop<'_>) -> Key {
    let (is_sql, kind, kinds) = match target.drop {
        ConstraintDrop::Operation(operation) => (false, operation.kind(), None),
        ConstraintDrop::Sql(_, dropped) => (true, None, dropped.kinds),
    };
    (is_sql, target.table.to_owned(), target.schema.map(str::to_owned), kind, kinds)
}

/// The creates of one migration.
pub(super) struct Counterparts<'f, 'm> {
    pub(super) file: &'f MigrationFile<'m>,
    facts: OnceCell<Facts<'f>>,
    operations: OnceCell<ByTable<&'f Operation<'f>>>,
    added_by_sql: OnceCell<ByTable<(&'f Table, ConstraintCreate<'f>)>>,
    known: FrozenMap<Key, Box<Creates<'f>>>,
}

impl<'f, 'm> Counterparts<'f, 'm> {
    pub(super) fn new(file: &'f MigrationFile<'m>) -> Self {
        Self {
            file,
            facts: OnceCell::new(),
            operations: OnceCell::new(),
            added_by_sql: OnceCell::new(),
            known: FrozenMap::new(),
        }
    }

    pub(super) fn of(&self, drop: &CertainDrop<'f>) -> &Creates<'f> {
        let key = key(drop);
        let known = self.known.get(&key);
        known.unwrap_or_else(|| self.known.insert(key, Box::new(Creates::of(self, drop))))
    }

    fn operations_on(&self, table: &str) -> &[&'f Operation<'f>] {
        let by_table = self.operations.get_or_init(|| {
            let operations = self.file.migration.operations.iter();
            let creates = operations.filter(|one| one.creates() && one.when.direction == Direction::Upgrade);
            creates
                .map(|create| (create.table.known().map(String::as_str), create))
                .collect()
        });
        by_table.of(Some(table))
    }

    fn added_by_sql(&self) -> &ByTable<(&'f Table, ConstraintCreate<'f>)> {
        self.added_by_sql.get_or_init(|| {
            let mut by_table = ByTable::default();
            let executed = self.file.executed().iter();
            for sql in executed.filter(|sql| sql.run.when.direction == Direction::Upgrade) {
                for added in sql.added() {
                    by_table.add_sql(&added.table, ConstraintCreate::Sql(sql, added));
                }
            }
            by_table
        })
    }

    fn facts(&self) -> &Facts<'f> {
        self.facts.get_or_init(|| Facts::of(self.file))
    }

    /// Whether the name may come from elsewhere than the creates that are compared: from inside a table, from SQL, or from a table of another
    /// name.
    pub(super) fn may_be_created_elsewhere(&self, drop: &CertainDrop<'f>, creates: &Creates<'f>, own: &str) -> bool {
        let inline = self.facts().inline.get(drop.table);
        inline.is_some_and(|inline| inline.may_be_any || inline.names.contains(drop.name))
            || self.may_be_created_by_others(drop, Some(creates), own)
    }

    /// Whether SQL may have created the name, or it comes from a table of another name.
    pub(super) fn may_be_created_by_others(
        &self,
        drop: &CertainDrop<'f>,
        creates: Option<&Creates<'f>>,
        own: &str,
    ) -> bool {
        let (file, facts) = (self.file, self.facts());
        let in_another = |directions: &HashSet<Direction>| {
            let own = drop.drop.direction();
            directions.iter().any(|direction| *direction != own)
        };
        let lower = own.to_ascii_lowercase();
        let sql_has_name = words_of(&lower).all(|(_, word)| facts.words_of_sql.get(word).is_some_and(in_another));
        let compared = creates.map_or(0, |creates| creates.count_operations(drop.name));
        file.renames_tables()
            || sql_has_name
            || file.creates_called(drop.name).len() > compared
            || file.is_made_by_sql(own, &DIRECTIONS)
            || !file.is_all_read(|_| true)
            || facts.changed_by_sql.by_sql(drop.table, drop.schema).next().is_some()
    }
}

/// What the upgrade creates on one table, of the kinds that some drops may mean.
pub(super) struct Creates<'f> {
    pub(super) all: Vec<ConstraintCreate<'f>>,
    /// Whether one of them may have any name.
    pub(super) are_doubtful: bool,
    /// By their names as they are written, in lower case.
    written: HashMap<String, Vec<usize>>,
    names: OnceCell<Option<DatabaseNames>>,
    undropped: OnceCell<Undropped>,
}

impl<'f> Creates<'f> {
    fn of(counterparts: &Counterparts<'f, '_>, target: &CertainDrop<'f>) -> Self {
        let may_mean = |create: &&&Operation<'_>| is_of_table(target, create) && is_of_kind(target, create.kind());
        let operations = counterparts.operations_on(target.table).iter().filter(may_mean);
        let by_table = counterparts.added_by_sql();
        let added = by_table.by_sql(target.table, target.schema);
        let added = added
            .filter(|create| matches!(create, ConstraintCreate::Sql(_, added) if is_of_kind(target, Some(added.kind))));
        let operations = operations.map(|create| ConstraintCreate::Operation(create));
        let all: Vec<ConstraintCreate<'f>> = operations.chain(added).collect();
        let mut written: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, create) in all.iter().enumerate() {
            if let Some(name) = create.name() {
                written.entry(name.to_ascii_lowercase()).or_default().push(at);
            }
        }
        Self {
            are_doubtful: all.iter().any(|create| create.name().is_none()) || by_table.of(None).len() > MOST_OF_ANY,
            all,
            written,
            names: OnceCell::new(),
            undropped: OnceCell::new(),
        }
    }

    fn called(&self, name: &str) -> impl Iterator<Item = ConstraintCreate<'f>> {
        let places = self.written.get(&name.to_ascii_lowercase());
        places.into_iter().flatten().map(|at| self.all[*at])
    }

    /// Those with the name that is dropped, as both are written.
    pub(super) fn written_as(&self, drop: &CertainDrop<'f>) -> impl Iterator<Item = ConstraintCreate<'f>> {
        self.called(drop.name).filter(|create| drop.is_same_as_written(*create))
    }

    fn count_operations(&self, name: &str) -> usize {
        let is_it = |create: &ConstraintCreate<'f>| matches!(create, ConstraintCreate::Operation(one) if one.name.text() == Some(name));
        self.called(name).filter(is_it).count()
    }

    /// The names in the database; `None` if one of them is not known.
    pub(super) fn names(&self, file: &MigrationFile<'_>) -> Option<&DatabaseNames> {
        let names = self.names.get_or_init(|| DatabaseNames::of(&self.all, file));
        names.as_ref()
    }

    /// Those that nothing else of the migration drops, or renames in the end.
    pub(super) fn undropped(
        &self,
        counterparts: &Counterparts<'f, '_>,
        drop: &CertainDrop<'f>,
        names: &DatabaseNames,
    ) -> &Undropped {
        self.undropped.get_or_init(|| {
            let facts = counterparts.facts();
            let dropped = facts.dropped.get(drop.table);
            let is_gone = |column: &str| counterparts.file.is_column_dropped_again(drop.table, column);
            let by_sql = facts.columns_dropped_by_sql.by_sql(drop.table, drop.schema);
            let by_sql: HashSet<Option<&str>> = by_sql.collect();
            let is_dropped_with_its_columns = |create: &ConstraintCreate<'f>| {
                create.columns().is_some_and(|own| {
                    let is_dropped = |column: &String| is_gone(column) || by_sql.contains(&Some(column.as_str()));
                    own.iter().any(is_dropped) || by_sql.contains(&None)
                })
            };
            let is_dropped = |at: usize, name: &String| {
                dropped.is_some_and(|names| names.contains(name))
                    || facts.dropped_by_sql.contains(&name.to_ascii_lowercase())
                    || is_dropped_with_its_columns(&self.all[at])
            };
            let mut undropped = Undropped::default();
            for (at, name) in names.in_order.iter().enumerate() {
                if !is_dropped(at, name) {
                    undropped.add(at, self.all[at].name());
                }
            }
            undropped
        })
    }
}

fn is_of_table(target: &CertainDrop<'_>, create: &Operation<'_>) -> bool {
    match target.drop {
        ConstraintDrop::Operation(drop) => create.table == drop.table && create.schema == drop.schema,
        ConstraintDrop::Sql(_, dropped) => {
            let tables = create.table.known().zip(dropped.table.as_ref());
            let schema = create.schema.known().and_then(Option::as_deref);
            tables.is_some_and(|(own, table)| may_be_table(table, own, schema))
        }
    }
}

fn is_of_kind(target: &CertainDrop<'_>, kind: Option<ConstraintKind>) -> bool {
    let own = match target.drop {
        ConstraintDrop::Operation(drop) => drop.kind().map(|own| kind == Some(own)),
        ConstraintDrop::Sql(_, dropped) => {
            let may_drop = || kind.is_some_and(|kind| target.drop.may_drop(kind));
            dropped.kinds.map(|_| may_drop())
        }
    };
    own.unwrap_or(kind != Some(ConstraintKind::Index))
}

/// The names that creates have in the database.
pub(super) struct DatabaseNames {
    in_order: Vec<String>,
    by_operation: HashSet<String>,
    /// In lower case.
    all: HashSet<String>,
    /// In lower case.
    by_sql: HashSet<String>,
}

impl DatabaseNames {
    fn of(creates: &[ConstraintCreate<'_>], file: &MigrationFile<'_>) -> Option<Self> {
        let mut names = Self {
            in_order: Vec::new(),
            by_operation: HashSet::new(),
            all: HashSet::new(),
            by_sql: HashSet::new(),
        };
        for create in creates {
            let name = create.name_in_database(file)?;
            let lower = name.to_ascii_lowercase();
            match create {
                ConstraintCreate::Operation(_) => names.by_operation.insert(name.clone()),
                ConstraintCreate::Sql(..) => names.by_sql.insert(lower.clone()),
            };
            names.all.insert(lower);
            names.in_order.push(name);
        }
        Some(names)
    }

    pub(super) fn get(&self, at: usize) -> Option<&str> {
        self.in_order.get(at).map(String::as_str)
    }

    /// Whether one of them is the name that is dropped. The case of SQL without quotes does not count.
    pub(super) fn contain(&self, drop: &CertainDrop<'_>, own: &str) -> bool {
        let lower = own.to_ascii_lowercase();
        match drop.drop {
            ConstraintDrop::Operation(_) => self.by_operation.contains(own) || self.by_sql.contains(&lower),
            ConstraintDrop::Sql(..) => self.all.contains(&lower),
        }
    }
}

/// The creates that nothing drops.
#[derive(Default)]
pub(super) struct Undropped {
    places: Vec<usize>,
    /// The first of each name as it is written.
    by_name: HashMap<String, usize>,
}

impl Undropped {
    fn add(&mut self, at: usize, name: Option<&str>) {
        self.places.push(at);
        if let Some(name) = name.filter(|name| name.len() <= LONGEST) {
            self.by_name.entry(name.to_owned()).or_insert(at);
        }
    }

    pub(super) fn first(&self) -> Option<usize> {
        self.places.first().copied()
    }

    pub(super) fn is_one(&self) -> bool {
        self.places.len() == 1
    }

    /// The first with which the name of another ends.
    pub(super) fn alike(&self, name: &str) -> Option<usize> {
        let from = name.len().saturating_sub(LONGEST);
        let ends = (from..=name.len()).filter_map(|at| name.get(at..));
        ends.filter_map(|end| self.by_name.get(end).copied()).min()
    }
}

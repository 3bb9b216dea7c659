//! The other constraints of a table: those without a name, and those that could have the same name.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use elsa::FrozenMap;

use super::Unnamed;
use crate::constraints::MigrationFile;
use crate::constraints::executed::may_be_table;
use crate::constraints::suggestion::{Source, Suggestion, suggest, with_all_columns};
use crate::migration::{Direction, Guard};
use crate::naming::{ConstraintKind, Dialect};
use crate::sql::{Added, Naming};

/// A table in lower case without its schema; `None` if the name is put in later.
type Table = Option<String>;

/// Constraints of the same kind, table and direction are siblings.
type Key = (Direction, ConstraintKind, Table);

/// A group as one database sees it.
type OnDialect = (Key, Option<Dialect>);

/// A name in lower case, with the direction that gives it.
type Given = (Direction, String, Table);

fn table_of(added: &Added) -> Table {
    added.table.known_name().map(str::to_ascii_lowercase)
}

/// Constraints without a name, and the conditions under which those of the same columns are added.
#[derive(Default)]
struct Group<'f> {
    all: Vec<Unnamed<'f>>,
    guards: HashMap<Option<&'f [String]>, HashSet<Guard>>,
}

/// The columns of the constraints that would get one name; two of them are enough to tell that they differ.
#[derive(Default)]
struct Columns(HashSet<Option<Vec<String>>>);

impl Columns {
    fn add(&mut self, columns: Option<&Vec<String>>) {
        if self.0.len() < 2 {
            self.0.insert(columns.cloned());
        }
    }

    fn have_others(&self, own: Option<&Vec<String>>) -> bool {
        self.0.iter().any(|columns| columns.as_ref() != own)
    }
}

/// The names that a group would get, as one database stores them.
#[derive(Default)]
struct SuggestedNames {
    plain: HashMap<String, Columns>,
    /// Those with all columns, by the plain name.
    with_all_columns: HashMap<String, HashMap<String, Columns>>,
}

/// The constraints of one migration that may share a table.
pub(super) struct Siblings<'f, 'm> {
    pub(super) file: &'f MigrationFile<'m>,
    groups: OnceCell<HashMap<Key, Group<'f>>>,
    suggested: FrozenMap<OnDialect, Box<SuggestedNames>>,
    /// What operations create without a name.
    operations: OnceCell<HashSet<Key>>,
    /// What SQL adds with a name, by that name in lower case.
    named: OnceCell<HashMap<Given, Vec<&'f Added>>>,
}

impl<'f, 'm> Siblings<'f, 'm> {
    pub(super) fn new(file: &'f MigrationFile<'m>) -> Self {
        Self {
            file,
            groups: OnceCell::new(),
            suggested: FrozenMap::new(),
            operations: OnceCell::new(),
            named: OnceCell::new(),
        }
    }

    fn groups(&self) -> &HashMap<Key, Group<'f>> {
        self.groups.get_or_init(|| {
            let mut groups: HashMap<Key, Group<'f>> = HashMap::new();
            for sql in self.file.executed() {
                for added in sql.added().filter(|added| added.naming == Naming::Unnamed) {
                    let key = (sql.run.when.direction, added.kind, table_of(added));
                    let group = groups.entry(key).or_default();
                    group.all.push(Unnamed::new(sql, added));
                    let guards = group.guards.entry(added.columns.as_deref()).or_default();
                    guards.insert(sql.run.guard);
                }
            }
            groups
        })
    }

    /// The groups that may be on the same table: its own, and that of tables which are put in later.
    fn keys(unnamed: &Unnamed<'_>) -> impl Iterator<Item = Key> {
        let (direction, kind) = (unnamed.sql.run.when.direction, unnamed.added.kind);
        let own = table_of(unnamed.added);
        let of_any = own.is_some().then_some(None);
        [Some(own), of_any]
            .into_iter()
            .flatten()
            .map(move |table| (direction, kind, table))
    }

    fn groups_beside(&self, unnamed: &Unnamed<'_>) -> impl Iterator<Item = &Group<'f>> {
        Self::keys(unnamed).filter_map(|key| self.groups().get(&key))
    }

    /// Whether the same constraint is added without a name for another database.
    pub(super) fn have_twin(&self, unnamed: &Unnamed<'_>) -> bool {
        let columns = unnamed.added.columns.as_deref();
        let mut guards = self
            .groups_beside(unnamed)
            .filter_map(|group| group.guards.get(&columns))
            .flatten();
        guards.any(|guard| *guard != unnamed.sql.run.guard)
    }

    /// Whether another constraint of its kind, table and direction has no name.
    pub(super) fn have_rival(&self, unnamed: &Unnamed<'_>) -> bool {
        let operations = self.operations.get_or_init(|| {
            let operations = self.file.migration.operations.iter();
            let creates = operations.filter(|one| one.creates() && one.name.text().is_none());
            creates
                .filter_map(|one| {
                    let table = one.table.known().map(|table| table.to_ascii_lowercase());
                    Some((one.when.direction, one.kind()?, table))
                })
                .collect()
        });
        let table = unnamed.added.table.name.text.to_ascii_lowercase();
        let (direction, kind) = (unnamed.sql.run.when.direction, unnamed.added.kind);
        // The groups hold the constraint itself, too.
        self.groups_beside(unnamed).map(|group| group.all.len()).sum::<usize>() > 1
            || operations.contains(&(direction, kind, Some(table)))
            || operations.contains(&(direction, kind, None))
    }

    /// The name for a constraint; with all columns if another one of the table begins with the same column.
    pub(super) fn suggestion(&self, unnamed: &Unnamed<'_>) -> Suggestion {
        let mut suggestion = suggest(self.file, unnamed.constraint());
        let is_shared = |suggestion: &Suggestion, plain: Option<&str>| {
            let stored = suggestion.name.as_deref().map(|name| unnamed.as_stored(name));
            stored.is_some_and(|name| self.have_name(unnamed, &name, plain))
        };
        if is_shared(&suggestion, None) {
            let plain = suggestion.name.clone();
            let is_documented = suggestion.source == Source::Documented;
            if is_documented {
                with_all_columns(self.file, unnamed.constraint(), &mut suggestion);
            }
            if !is_documented || is_shared(&suggestion, plain.as_deref()) {
                suggestion.withhold();
            }
        }
        suggestion
    }

    /// Whether another constraint of the table has this name, or would get it. Those in SQL that would share the name `plain` get one with all
    /// their columns.
    pub(super) fn have_name(&self, unnamed: &Unnamed<'_>, name: &str, plain: Option<&str>) -> bool {
        self.is_name_of_operation(unnamed, name)
            || self.is_suggested_to_others(unnamed, name, plain)
            || self.is_given_by_sql(unnamed, name)
    }

    fn is_name_of_operation(&self, unnamed: &Unnamed<'_>, name: &str) -> bool {
        let table = &unnamed.added.table;
        let called = match table.known_name() {
            Some(table) => self.file.creates_called_on(name, Some(table)),
            None => self.file.creates_called(name),
        };
        called.iter().any(|at| {
            let operation = &self.file.migration.operations[*at];
            let may_be_same = |own: &String| may_be_table(table, own, table.schema());
            operation.when.direction == unnamed.sql.run.when.direction
                && operation.table.known().is_some_and(may_be_same)
        })
    }

    fn is_suggested_to_others(&self, unnamed: &Unnamed<'_>, name: &str, plain: Option<&str>) -> bool {
        let columns = unnamed.added.columns.as_ref();
        Self::keys(unnamed).any(|key| {
            let names = self.suggested_names(key, unnamed);
            let by_name = plain.and_then(|plain| names.with_all_columns.get(plain));
            let with_all = by_name.and_then(|by_name| by_name.get(name));
            let is_other = plain.is_none_or(|plain| unnamed.as_stored(plain) != name);
            let plain = names.plain.get(name).filter(|_| is_other);
            let mut sharing = with_all.into_iter().chain(plain);
            sharing.any(|sharing| sharing.have_others(columns))
        })
    }

    fn suggested_names(&self, key: Key, unnamed: &Unnamed<'_>) -> &SuggestedNames {
        let key = (key, unnamed.sql.dialect);
        if let Some(known) = self.suggested.get(&key) {
            return known;
        }
        let mut names = SuggestedNames::default();
        for other in self.groups().get(&key.0).into_iter().flat_map(|group| &group.all) {
            let columns = other.added.columns.as_ref();
            let mut suggestion = suggest(self.file, other.constraint());
            let Some(plain) = suggestion.name.clone() else { continue };
            names.plain.entry(unnamed.as_stored(&plain)).or_default().add(columns);
            with_all_columns(self.file, other.constraint(), &mut suggestion);
            if let Some(full) = suggestion.name {
                let by_name = names.with_all_columns.entry(plain).or_default();
                by_name.entry(unnamed.as_stored(&full)).or_default().add(columns);
            }
        }
        self.suggested.insert(key, Box::new(names))
    }

    fn is_given_by_sql(&self, unnamed: &Unnamed<'_>, name: &str) -> bool {
        let named = self.named.get_or_init(|| {
            let mut named: HashMap<Given, Vec<&'f Added>> = HashMap::new();
            for sql in self.file.executed() {
                for added in sql.added() {
                    if let Naming::Named(name) = &added.naming {
                        let key = (sql.run.when.direction, name.text.to_ascii_lowercase(), table_of(added));
                        named.entry(key).or_default().push(added);
                    }
                }
            }
            named
        });
        let (direction, own) = (unnamed.sql.run.when.direction, &unnamed.added.table);
        let table = own.name.text.as_str();
        [Some(table.to_ascii_lowercase()), None].into_iter().any(|of_table| {
            let others = named.get(&(direction, name.to_ascii_lowercase(), of_table));
            let mut others = others.into_iter().flatten();
            others.any(|other| may_be_table(&other.table, table, own.schema()))
        })
    }
}

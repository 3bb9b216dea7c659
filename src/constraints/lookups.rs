//! What the rules look up in a migration: each list is gone through once, when it is first asked for, and never once for each finding.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;

use super::MigrationFile;
use super::executed::{Drops, unread, words_of, words_of_code};
use super::inline::constraints_of;
use crate::migration::{Direction, Step};
use crate::python::StmtKind;
use crate::source::Span;
use crate::sql::{Effect, mentioned};

/// A name within SQL: which text, and where in it.
#[derive(Clone)]
pub(crate) struct Mention {
    pub(crate) text: usize,
    pub(crate) at: std::ops::Range<usize>,
    /// As it stands in its quotes, where it counts to the letter; nothing without quotes, where any case will do.
    pub(crate) quoted: Option<String>,
}

/// The lists of one migration, by what they are searched for.
#[derive(Default)]
pub(crate) struct Lookups {
    calls: OnceCell<HashMap<Span, usize>>,
    named: OnceCell<HashMap<String, Vec<usize>>>,
    inside: OnceCell<HashMap<String, HashSet<Direction>>>,
    drops: OnceCell<Drops>,
    unread: OnceCell<HashSet<Direction>>,
    words: OnceCell<HashMap<String, Vec<usize>>>,
    mentions: OnceCell<HashMap<String, Vec<Mention>>>,
    columns_dropped: OnceCell<HashMap<(String, String), Vec<usize>>>,
    imported: OnceCell<HashMap<(String, String), (usize, String)>>,
    columns: OnceCell<BTreeMap<Span, usize>>,
    tables_made: OnceCell<HashMap<String, Vec<usize>>>,
    tables_changed: OnceCell<HashMap<String, BTreeSet<Span>>>,
    executed: OnceCell<HashMap<String, BTreeSet<Span>>>,
    dropped: OnceCell<HashMap<String, BTreeSet<Span>>>,
    first_creates: OnceCell<HashMap<String, Span>>,
    first_changes: OnceCell<HashMap<String, Span>>,
    changed_by_sql: OnceCell<HashSet<String>>,
    renames_tables: OnceCell<bool>,
    downgrade: OnceCell<Option<usize>>,
    creates: OnceCell<HashMap<String, HashSet<Direction>>>,
}

impl Lookups {
    /// The operation that is called there.
    pub(crate) fn operation_at(&self, file: &MigrationFile<'_>, call: Span) -> Option<usize> {
        let calls = self.calls.get_or_init(|| {
            let all = file.migration.operations.iter().enumerate().rev();
            all.map(|(at, operation)| (operation.call.span, at)).collect()
        });
        calls.get(&call).copied()
    }

    /// The operations with this name, as it is written.
    pub(crate) fn named(&self, file: &MigrationFile<'_>, name: &str) -> &[usize] {
        let named = self.named.get_or_init(|| {
            let mut named: HashMap<String, Vec<usize>> = HashMap::new();
            for (at, operation) in file.migration.operations.iter().enumerate() {
                if let Some(name) = operation.name.text() {
                    named.entry(name.to_owned()).or_default().push(at);
                }
            }
            named
        });
        named.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a direction makes something of this name by an operation, or inside a table or a column.
    pub(crate) fn is_made_in(&self, file: &MigrationFile<'_>, name: &str, direction: Direction) -> bool {
        let inside = self.inside.get_or_init(|| {
            let mut made: HashMap<String, HashSet<Direction>> = HashMap::new();
            for step in &file.migration.steps {
                for inline in constraints_of(step) {
                    if let Some(own) = inline.constraint(step).explicit {
                        made.entry(own.name.to_owned()).or_default().insert(step.direction);
                    }
                }
            }
            made
        });
        let is_inside = || {
            inside
                .get(name)
                .is_some_and(|directions| directions.contains(&direction))
        };
        self.creates_in(file, name, direction) || is_inside()
    }

    /// All drops by their tables.
    pub(crate) fn drops(&self, file: &MigrationFile<'_>) -> &Drops {
        self.drops.get_or_init(|| Drops::of(file))
    }

    /// The directions with SQL that cannot be read.
    pub(crate) fn unread(&self, file: &MigrationFile<'_>) -> &HashSet<Direction> {
        self.unread.get_or_init(|| unread(file))
    }

    /// Where a word stands in the file, comments aside.
    pub(crate) fn words(&self, file: &MigrationFile<'_>, word: &str) -> &[usize] {
        let words = self.words.get_or_init(|| {
            let mut comments = file.migration.module.comments().iter().peekable();
            let mut words: HashMap<String, Vec<usize>> = HashMap::new();
            for (at, word) in words_of(file.file().text()) {
                while comments.next_if(|comment| comment.end <= at).is_some() {}
                if comments.peek().is_none_or(|comment| at < comment.start) {
                    words.entry(word.to_owned()).or_default().push(at);
                }
            }
            words
        });
        words.get(word).map(Vec::as_slice).unwrap_or_default()
    }

    /// Where the SQL of the migration speaks of something by this name, in any case.
    pub(crate) fn mentions(&self, file: &MigrationFile<'_>, name: &str) -> &[Mention] {
        let mentions = self.mentions.get_or_init(|| {
            let mut found: HashMap<String, Vec<Mention>> = HashMap::new();
            for (text, one) in file.executed().iter().enumerate() {
                for (name, at, is_quoted) in mentioned(one.text.text(), one.dialect) {
                    let lower = name.to_ascii_lowercase();
                    let quoted = is_quoted.then_some(name);
                    found.entry(lower).or_default().push(Mention { text, at, quoted });
                }
            }
            found
        });
        let found = mentions.get(&name.to_ascii_lowercase());
        found.map(Vec::as_slice).unwrap_or_default()
    }

    /// The steps that drop a column from a table, whatever its schema.
    pub(crate) fn drops_of_column<'f>(
        &self,
        file: &'f MigrationFile<'_>,
        table: &str,
        column: &str,
    ) -> impl Iterator<Item = &'f Step<'f>> {
        let dropped = self.columns_dropped.get_or_init(|| {
            let mut dropped: HashMap<(String, String), Vec<usize>> = HashMap::new();
            for (at, step) in file.migration.steps.iter().enumerate() {
                if let (Some(table), Some(column)) = (step.table.known(), step.dropped_column()) {
                    let key = (table.clone(), column.to_owned());
                    dropped.entry(key).or_default().push(at);
                }
            }
            dropped
        });
        let places = dropped.get(&(table.to_owned(), column.to_owned()));
        let places = places.map(Vec::as_slice).unwrap_or_default().to_vec();
        places.into_iter().filter_map(|at| file.migration.steps.get(at))
    }

    /// What something imported is called in this module; the first import counts, and `*` brings all.
    pub(crate) fn imported<'n>(&'n self, file: &MigrationFile<'_>, from: &str, wanted: &'n str) -> Option<&'n str> {
        let imported = self.imported.get_or_init(|| {
            let mut imported = HashMap::new();
            for (at, statement) in file.migration.module.body().iter().enumerate() {
                let StmtKind::ImportFrom {
                    module: Some(module),
                    names,
                    ..
                } = &statement.kind
                else {
                    continue;
                };
                for alias in names {
                    let key = (module.to_string(), alias.name.to_string());
                    let name = alias.alias.as_ref().unwrap_or(&alias.name).to_string();
                    imported.entry(key).or_insert((at, name));
                }
            }
            imported
        });
        let of = |name: &str| imported.get(&(from.to_owned(), name.to_owned()));
        match (of(wanted), of("*")) {
            (Some((at, _)), Some((first, _))) if first < at => Some(wanted),
            (Some((_, name)), _) => Some(name),
            (None, all) => all.map(|_| wanted),
        }
    }

    /// How many steps add the column that a place is in.
    pub(crate) fn steps_with_column(&self, file: &MigrationFile<'_>, place: Span) -> usize {
        let columns = self.columns.get_or_init(|| {
            let mut columns: BTreeMap<Span, usize> = BTreeMap::new();
            for column in file.migration.steps.iter().filter_map(|step| step.column) {
                *columns.entry(column.span).or_default() += 1;
            }
            columns
        });
        let before = columns.range(..=Span::new(place.start, usize::MAX)).next_back();
        let around = before.filter(|(column, _)| column.contains(place));
        around.map_or(0, |(_, count)| *count)
    }

    /// The tables of this name that are made, by their places in the list of steps.
    pub(crate) fn tables_made(&self, file: &MigrationFile<'_>, name: &str) -> &[usize] {
        let made = self.tables_made.get_or_init(|| {
            let mut made: HashMap<String, Vec<usize>> = HashMap::new();
            for (at, step) in file.migration.steps.iter().enumerate() {
                if let Some(table) = step.table.known().filter(|_| step.method == "create_table") {
                    made.entry(table.clone()).or_default().push(at);
                }
            }
            made
        });
        made.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether something of a name goes between two calls, or something of its table, or SQL speaks of it there.
    pub(crate) fn may_go_between(
        &self,
        file: &MigrationFile<'_>,
        name: &str,
        table: Option<&String>,
        calls: (Span, Span),
    ) -> bool {
        let is_between = |places: Option<&BTreeSet<Span>>| {
            let (first, second) = calls;
            let after = (Bound::Excluded(first), Bound::Excluded(second));
            first < second && places.is_some_and(|places| places.range(after).next().is_some())
        };
        let mut words = words_of(name);
        is_between(self.dropped(file).get(name))
            || table.is_some_and(|table| is_between(self.tables_changed(file).get(table)))
            || words.all(|(_, word)| is_between(self.spoken_of(file).get(word)))
    }

    fn dropped(&self, file: &MigrationFile<'_>) -> &HashMap<String, BTreeSet<Span>> {
        self.dropped.get_or_init(|| {
            let mut dropped: HashMap<String, BTreeSet<Span>> = HashMap::new();
            for operation in file.migration.operations.iter().filter(|one| !one.creates()) {
                if let Some(name) = operation.name.text() {
                    dropped.entry(name.to_owned()).or_default().insert(operation.call.span);
                }
            }
            dropped
        })
    }

    fn tables_changed(&self, file: &MigrationFile<'_>) -> &HashMap<String, BTreeSet<Span>> {
        self.tables_changed.get_or_init(|| {
            let mut changed: HashMap<String, BTreeSet<Span>> = HashMap::new();
            for step in &file.migration.steps {
                let goes = matches!(step.method, "drop_table" | "rename_table" | "drop_column");
                if let Some(table) = step.table.known().filter(|_| goes) {
                    changed.entry(table.clone()).or_default().insert(step.call.span);
                }
            }
            changed
        })
    }

    /// The words of the calls that run SQL.
    fn spoken_of(&self, file: &MigrationFile<'_>) -> &HashMap<String, BTreeSet<Span>> {
        self.executed.get_or_init(|| {
            let mut spoken: HashMap<String, BTreeSet<Span>> = HashMap::new();
            for step in file.migration.steps.iter().filter(|step| step.method == "execute") {
                for word in words_of_code(file.file().slice(step.call.span)) {
                    spoken.entry(word.to_owned()).or_default().insert(step.call.span);
                }
            }
            spoken
        })
    }

    /// The first call that makes something of this name.
    pub(crate) fn first_create(&self, file: &MigrationFile<'_>, name: &str) -> Option<Span> {
        let first = self.first_creates.get_or_init(|| {
            let mut first = HashMap::new();
            for create in file.migration.operations.iter().filter(|one| one.creates()) {
                if let Some(name) = create.name.text() {
                    first.entry(name.to_owned()).or_insert(create.call.span);
                }
            }
            first
        });
        first.get(name).copied()
    }

    /// The first call of the upgrade that makes, drops or renames a table.
    pub(crate) fn first_change(&self, file: &MigrationFile<'_>, table: &str) -> Option<Span> {
        let first = self.first_changes.get_or_init(|| {
            let mut first = HashMap::new();
            for step in file
                .migration
                .steps
                .iter()
                .filter(|step| step.direction != Direction::Downgrade)
            {
                let changes = matches!(step.method, "create_table" | "drop_table" | "rename_table");
                if let Some(table) = step.table.known().filter(|_| changes) {
                    first.entry(table.clone()).or_insert(step.call.span);
                }
            }
            first
        });
        first.get(table).copied()
    }

    /// Whether the SQL of the upgrade makes, drops or renames a table, in any case.
    pub(crate) fn changes_by_sql(&self, file: &MigrationFile<'_>, table: &str) -> bool {
        let changed = self.changed_by_sql.get_or_init(|| {
            let upgraded = file
                .executed()
                .iter()
                .filter(|one| one.run.direction != Direction::Downgrade);
            let changed = upgraded.flat_map(|one| &one.effects).filter_map(|effect| match effect {
                Effect::TableChanged(table) => Some(table.name.text.to_ascii_lowercase()),
                _ => None,
            });
            changed.collect()
        });
        changed.contains(&table.to_ascii_lowercase())
    }

    /// The statement that defines the last `downgrade()`.
    pub(crate) fn downgrade(&self, file: &MigrationFile<'_>) -> Option<usize> {
        *self.downgrade.get_or_init(|| {
            let is_it = |kind: &StmtKind| matches!(kind, StmtKind::Function(function) if function.name == "downgrade");
            let body = file.migration.module.body();
            body.iter().rposition(|statement| is_it(&statement.kind))
        })
    }

    /// Whether an operation of a direction makes something of this name.
    pub(crate) fn creates_in(&self, file: &MigrationFile<'_>, name: &str, direction: Direction) -> bool {
        let creates = self.creates.get_or_init(|| {
            let mut made: HashMap<String, HashSet<Direction>> = HashMap::new();
            for operation in file.migration.operations.iter().filter(|one| one.creates()) {
                if let Some(name) = operation.name.text() {
                    made.entry(name.to_owned()).or_default().insert(operation.direction);
                }
            }
            made
        });
        creates
            .get(name)
            .is_some_and(|directions| directions.contains(&direction))
    }

    /// Whether any table is renamed.
    pub(crate) fn renames_tables(&self, file: &MigrationFile<'_>) -> bool {
        *self
            .renames_tables
            .get_or_init(|| file.migration.steps.iter().any(|step| step.method == "rename_table"))
    }
}

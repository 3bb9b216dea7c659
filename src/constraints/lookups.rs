//! Indexes over one migration, so that a rule finds by name or place what it needs and does not scan the file for each finding.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::{Bound, Range};

use super::MigrationFile;
use super::drops::Drops;
use super::executed::DIRECTIONS;
use super::inline::{Inline, constraints_of};
use super::sql_calls::{SqlCalls, is_unread};
use crate::migration::{Direction, Step};
use crate::source::{Span, is_word_letter, words_of};
use crate::sql::{Added, Effect, Naming, mentioned};
use crate::work;

/// The indexes of one migration. Each is built when it is first asked for.
#[derive(Default)]
pub(super) struct Lookups<'a> {
    inline: OnceCell<Vec<(&'a Step<'a>, Inline<'a>)>>,
    /// The operations by their names, as they are written.
    named: OnceCell<HashMap<&'a str, Named>>,
    called: OnceCell<Called>,
    steps: OnceCell<Steps<'a>>,
    sql: OnceCell<Sql>,
    drops: OnceCell<Drops>,
    /// The words of the file outside of comments.
    words: OnceCell<HashMap<&'a str, Vec<usize>>>,
    sql_calls: OnceCell<SqlCalls>,
    mentions: OnceCell<HashMap<String, Vec<Mention>>>,
}

/// The operations that have one name.
#[derive(Default)]
struct Named {
    all: Vec<usize>,
    created_in: HashSet<Direction>,
    first_create: Option<Span>,
    drops: BTreeSet<Span>,
}

/// The creates by the name that they have or are suggested.
#[derive(Default)]
struct Called {
    by_name: HashMap<String, Vec<usize>>,
    /// By the name and the table in lower case; no table where it is not known.
    by_table: HashMap<(String, Option<String>), Vec<usize>>,
}

#[derive(Default)]
struct Steps<'a> {
    /// The names inside `create_table` and `add_column`.
    named_inside: HashSet<(String, Direction)>,
    by_table: HashMap<&'a str, OfTable<'a>>,
    /// How many steps add the column written at a place.
    columns: BTreeMap<Span, usize>,
    renames_tables: bool,
    /// Where a constraint is dropped whose name and table are not known.
    drops_of_any: BTreeSet<Span>,
}

#[derive(Default)]
struct OfTable<'a> {
    made: Vec<&'a Step<'a>>,
    /// Where the upgrade first makes, drops or renames it.
    first_change: Option<Span>,
    /// Where it is dropped or renamed, or loses a column or a constraint whose name is not known.
    losses: BTreeSet<Span>,
    /// The columns that it loses outside of the upgrade.
    lost_columns: HashSet<&'a str>,
    column_drops: HashMap<&'a str, Vec<&'a Step<'a>>>,
}

#[derive(Default)]
struct Sql {
    /// The names that it adds or renames to, in lower case.
    made: HashSet<(String, Direction)>,
    /// The tables that the upgrade makes, drops or renames, in lower case.
    tables_changed: HashSet<String>,
    /// The directions with SQL that cannot be read.
    unread: HashSet<Direction>,
}

/// A name within SQL.
#[derive(Clone)]
pub(crate) struct Mention {
    /// Which of the executed texts has it.
    pub(crate) text: usize,
    pub(crate) at: Range<usize>,
    /// The name, where it is quoted and its case counts.
    pub(crate) quoted: Option<String>,
}

impl<'a> MigrationFile<'a> {
    /// The constraints inside the tables and columns that it makes, with the steps that make these.
    pub(crate) fn inline(&self) -> &[(&'a Step<'a>, Inline<'a>)] {
        self.lookups.inline.get_or_init(|| {
            let with_step = |step: &'a Step<'a>| constraints_of(step).into_iter().map(move |inline| (step, inline));
            self.migration.steps.iter().flat_map(with_step).collect()
        })
    }

    fn with_name(&self, name: &str) -> Option<&Named> {
        let named = self.lookups.named.get_or_init(|| {
            let mut found: HashMap<&str, Named> = HashMap::new();
            for (at, operation) in self.migration.operations.iter().enumerate() {
                let call = operation.call.span;
                let Some(name) = operation.name.text() else { continue };
                let named = found.entry(name).or_default();
                named.all.push(at);
                if operation.creates() {
                    named.created_in.insert(operation.when.direction);
                    named.first_create.get_or_insert(call);
                } else {
                    named.drops.insert(call);
                }
            }
            found
        });
        named.get(name)
    }

    /// The operations with this name, as it is written.
    pub(crate) fn named(&self, name: &str) -> &[usize] {
        self.with_name(name)
            .map(|named| named.all.as_slice())
            .unwrap_or_default()
    }

    /// The first call that makes something of this name.
    pub(crate) fn first_create(&self, name: &str) -> Option<Span> {
        self.with_name(name)?.first_create
    }

    /// Whether an operation of a direction makes something of this name.
    pub(super) fn creates_in(&self, name: &str, direction: Direction) -> bool {
        self.with_name(name)
            .is_some_and(|named| named.created_in.contains(&direction))
    }

    /// Whether a direction makes something of this name by an operation, or inside a table or a column.
    pub(super) fn is_made_in(&self, name: &str, direction: Direction) -> bool {
        self.creates_in(name, direction) || self.steps().named_inside.contains(&(name.to_owned(), direction))
    }

    fn called(&self) -> &Called {
        self.lookups.called.get_or_init(|| {
            let mut called = Called::default();
            for (at, operation) in self.migration.operations.iter().enumerate() {
                let written = operation.name.text().filter(|_| operation.creates());
                let suggested = || self.suggestion(at).and_then(|suggestion| suggestion.name.as_deref());
                if let Some(name) = written.or_else(suggested).map(str::to_owned) {
                    let table = operation.table.known().map(|table| table.to_ascii_lowercase());
                    called.by_name.entry(name.clone()).or_default().push(at);
                    called.by_table.entry((name, table)).or_default().push(at);
                }
            }
            called
        })
    }

    /// The creates that have this name or are suggested it, by their places in the list of operations.
    pub(crate) fn creates_called(&self, name: &str) -> &[usize] {
        let called = self.called().by_name.get(name);
        called.map(Vec::as_slice).unwrap_or_default()
    }

    /// The same for one table, in any case; without a table, those whose table is not known.
    pub(crate) fn creates_called_on(&self, name: &str, table: Option<&str>) -> &[usize] {
        let key = (name.to_owned(), table.map(str::to_ascii_lowercase));
        let called = self.called().by_table.get(&key);
        called.map(Vec::as_slice).unwrap_or_default()
    }

    fn steps(&self) -> &Steps<'a> {
        self.lookups.steps.get_or_init(|| {
            let mut found = Steps::default();
            self.migration.steps.iter().for_each(|step| found.add(step));
            for (step, inline) in self.inline() {
                let name = inline.name.text().map(str::to_owned);
                found.named_inside.extend(name.map(|name| (name, step.when.direction)));
            }
            let drops = self.migration.operations.iter().filter(|one| !one.creates());
            for drop in drops.filter(|one| one.name.text().is_none()) {
                let losses = match drop.table.known() {
                    Some(table) => &mut found.by_table.entry(table).or_default().losses,
                    None => &mut found.drops_of_any,
                };
                losses.insert(drop.call.span);
            }
            found
        })
    }

    /// The steps that drop a column from a table, in any schema.
    pub(crate) fn drops_of_column(&self, table: &str, column: &str) -> impl Iterator<Item = &'a Step<'a>> {
        let table = self.steps().by_table.get(table);
        let drops = table.and_then(|table| table.column_drops.get(column));
        drops.into_iter().flatten().copied()
    }

    /// Whether a column is dropped outside of the upgrade.
    pub(crate) fn is_column_dropped_again(&self, table: &str, column: &str) -> bool {
        let table = self.steps().by_table.get(table);
        table.is_some_and(|table| table.lost_columns.contains(column))
    }

    /// How many steps add the column that a place is in.
    pub(super) fn steps_with_column(&self, place: Span) -> usize {
        let columns = &self.steps().columns;
        let before = columns.range(..=Span::new(place.start, usize::MAX)).next_back();
        let around = before.filter(|(column, _)| column.contains(place));
        around.map_or(0, |(_, count)| *count)
    }

    /// The steps that make a table of this name.
    pub(crate) fn tables_made(&self, name: &str) -> &[&'a Step<'a>] {
        let table = self.steps().by_table.get(name);
        table.map(|table| table.made.as_slice()).unwrap_or_default()
    }

    /// Where the upgrade first makes, drops or renames a table.
    pub(crate) fn first_change(&self, table: &str) -> Option<Span> {
        self.steps().by_table.get(table)?.first_change
    }

    /// Whether any table is renamed.
    pub(crate) fn renames_tables(&self) -> bool {
        self.steps().renames_tables
    }

    /// Whether a constraint may be gone between two calls: it is dropped, its table loses something, or SQL may have dropped it.
    pub(crate) fn may_go_between(&self, name: &str, table: Option<&str>, calls: (Span, Span)) -> bool {
        let is_between = |places: &BTreeSet<Span>| {
            let (first, second) = calls;
            let after = (Bound::Excluded(first), Bound::Excluded(second));
            first < second && places.range(after).next().is_some()
        };
        let losses = table.and_then(|table| self.steps().by_table.get(table));
        self.with_name(name).is_some_and(|named| is_between(&named.drops))
            || losses.is_some_and(|table| is_between(&table.losses))
            || is_between(&self.steps().drops_of_any)
            || self.sql_calls().may_drop(name, table, is_between)
    }

    fn sql_calls(&self) -> &SqlCalls {
        self.lookups.sql_calls.get_or_init(|| SqlCalls::of(self))
    }

    fn sql(&self) -> &Sql {
        self.lookups.sql.get_or_init(|| Sql::of(self))
    }

    /// Whether its SQL makes something of this name in one of these directions.
    pub(crate) fn is_made_by_sql(&self, name: &str, directions: &[Direction]) -> bool {
        let name = name.to_ascii_lowercase();
        let made = |direction: &Direction| self.sql().made.contains(&(name.clone(), *direction));
        directions.iter().any(made)
    }

    /// Whether the SQL of the upgrade makes, drops or renames a table, in any case.
    pub(crate) fn changes_by_sql(&self, table: &str) -> bool {
        self.sql().tables_changed.contains(&table.to_ascii_lowercase())
    }

    /// Whether an operation makes something of this name, or SQL adds or renames it.
    pub(crate) fn is_made(&self, name: &str) -> bool {
        self.first_create(name).is_some() || self.is_made_by_sql(name, &DIRECTIONS)
    }

    /// Whether all SQL of some directions can be read, so that it hides no create and no drop.
    pub(crate) fn is_all_read(&self, counts: impl Fn(Direction) -> bool) -> bool {
        !self.sql().unread.iter().any(|direction| counts(*direction))
    }

    /// Where the migration's SQL names something so, in any case.
    pub(crate) fn mentions(&self, name: &str) -> &[Mention] {
        let mentions = self.lookups.mentions.get_or_init(|| {
            let mut found: HashMap<String, Vec<Mention>> = HashMap::new();
            for (text, one) in self.executed().iter().enumerate() {
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

    /// All drops, by operations and by SQL.
    pub(crate) fn drops(&self) -> &Drops {
        self.lookups.drops.get_or_init(|| Drops::of(self))
    }

    fn words(&self) -> &HashMap<&'a str, Vec<usize>> {
        self.lookups.words.get_or_init(|| {
            let mut words: HashMap<&str, Vec<usize>> = HashMap::new();
            for (at, word) in self.migration.module.words() {
                words.entry(word).or_default().push(at);
            }
            words
        })
    }

    /// Where a name is written in the file as whole words, comments aside.
    pub(crate) fn places_of_name(&self, name: &str) -> Vec<usize> {
        let text = self.file().text();
        let in_word = |letter: Option<char>| letter.is_some_and(is_word_letter);
        let is_whole = |at: &usize| {
            work::step();
            let rest = text.get(*at..).and_then(|rest| rest.strip_prefix(name));
            rest.is_some_and(|rest| !in_word(text[..*at].chars().next_back()) && !in_word(rest.chars().next()))
        };
        let Some((before, word)) = words_of(name).next() else {
            return Vec::new();
        };
        let places = self.words().get(word).into_iter().flatten();
        places
            .filter_map(|at| at.checked_sub(before))
            .filter(is_whole)
            .collect()
    }
}

impl<'a> Steps<'a> {
    fn add(&mut self, step: &'a Step<'a>) {
        self.renames_tables |= step.method == "rename_table";
        if let Some(column) = step.column {
            *self.columns.entry(column.span).or_default() += 1;
        }
        let Some(table) = step.table.known() else { return };
        let call = step.call.span;
        let of_table = self.by_table.entry(table).or_default();
        if step.method == "create_table" {
            of_table.made.push(step);
        }
        if matches!(step.method, "drop_table" | "rename_table" | "drop_column") {
            of_table.losses.insert(call);
        }
        let changes = matches!(step.method, "create_table" | "drop_table" | "rename_table");
        if changes && step.when.direction != Direction::Downgrade {
            of_table.first_change.get_or_insert(call);
        }
        if let Some(column) = step.dropped_column() {
            if step.when.direction != Direction::Upgrade {
                of_table.lost_columns.insert(column);
            }
            of_table.column_drops.entry(column).or_default().push(step);
        }
    }
}

impl Sql {
    fn of(file: &MigrationFile<'_>) -> Self {
        let mut found = Self::default();
        let runs = file.migration.executions.iter();
        let unread = runs.filter(|run| is_unread(run));
        found.unread.extend(unread.map(|run| run.when.direction));
        for one in file.executed() {
            for effect in &one.effects {
                found.add(effect, one.run.when.direction);
            }
        }
        found
    }

    fn add(&mut self, effect: &Effect, direction: Direction) {
        match effect {
            Effect::Added(Added {
                naming: Naming::Named(name),
                ..
            })
            | Effect::Renamed { to: name, .. } => {
                self.made.insert((name.text.to_ascii_lowercase(), direction));
            }
            Effect::TableChanged(table) if direction != Direction::Downgrade => {
                self.tables_changed.insert(table.name.text.to_ascii_lowercase());
            }
            Effect::Unknown => {
                self.unread.insert(direction);
            }
            _ => {}
        }
    }
}

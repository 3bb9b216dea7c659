//! The keys and indexes of tables, as migrations make and drop them one after the other, and as MySQL and MariaDB do it themselves.

mod events;

use std::collections::{HashMap, HashSet};

use super::MigrationFile;
use super::executed::runs_definitions;
use crate::migration::{Direction, Migration};
use crate::naming::Dialect;
use crate::project::Revision;
use crate::source::Span;

pub(crate) use events::{Dropping, Event, Key, Table};
use events::{Index, What, events, events_of_sql};

/// A table with more keys and indexes is not judged: they are compared with each other.
const MOST: usize = 100;

/// So many tables are looked for in the older revisions.
pub(super) const MOST_TABLES: usize = 16;

/// What happens in the migration, in order; nothing where something cannot be followed.
pub(crate) fn all_events<'f>(file: &'f MigrationFile<'_>) -> Option<Vec<Event<'f>>> {
    if !file.is_all_read(|_| true) {
        return None;
    }
    let mut happenings = events(file, file.migration)?;
    if !file.migration.executions.is_empty() {
        happenings.extend(events_of_sql(file, file.executed())?);
    }
    // What runs in both directions, or nobody knows when, is done first: there it is in doubt.
    let rank = |direction: Direction| match direction {
        Direction::Unknown => 0,
        Direction::Upgrade => 1,
        Direction::Downgrade => 2,
    };
    happenings.sort_by_key(|event| (rank(event.direction), event.at));
    Some(happenings)
}

/// What the revisions before have left of some tables; nothing where that cannot be told.
pub(crate) fn past(file: &MigrationFile<'_>, mut tables: Vec<Table>) -> Option<Tables> {
    tables.sort();
    tables.dedup();
    let (first, children) = read_past(file, &tables)?;
    if children.is_empty() {
        return Some(first);
    }
    // A drop of a key need not speak of the table that the key refers to.
    tables.extend(children);
    tables.sort();
    tables.dedup();
    read_past(file, &tables).map(|(tables, _)| tables)
}

/// The tables, and the others whose keys refer to them.
fn read_past(file: &MigrationFile<'_>, tables: &[Table]) -> Option<(Tables, Vec<Table>)> {
    if tables.is_empty() || tables.len() > MOST_TABLES {
        return None;
    }
    let history = file.history()?;
    let earlier = history.before(file.migration.module)?;
    if !earlier.iter().all(|revision| revision.is_readable()) {
        return None;
    }
    let mut past = Tables::default();
    let is_about = |revision: &&&Revision| tables.iter().any(|(table, _)| revision.mentions(table));
    for revision in earlier.iter().rev().filter(is_about) {
        let module = revision.module();
        let is_clear = module.errors().is_empty()
            && !runs_definitions(module.file().text())
            && !tables.iter().any(|(table, _)| revision.hands_out(table));
        if !is_clear {
            return None;
        }
        let migration = Migration::read(module);
        let mut happenings = events(file, &migration)?;
        happenings.sort_by_key(|event| event.at);
        for event in happenings
            .iter()
            .filter(|event| event.direction != Direction::Downgrade)
        {
            past.follow(event);
        }
    }
    let refers = |key: &&Key| (key.referred.as_ref()).is_some_and(|(table, _)| tables.contains(table));
    let children = past.keys.iter().filter(refers).map(|key| key.table.clone());
    let children = children.filter(|table| !tables.contains(table)).collect();
    Some((past, children))
}

/// The names that MySQL and MariaDB choose for the keys of a migration, by the places of the keys: only those that are certain.
///
/// Each gets the highest number that is in use on its table, and one more (measured on MariaDB 10.11; `dict_table_get_highest_foreign_id` of
/// `InnoDB`). SQLAlchemy writes the constraints of a table in the order in which Python makes them: those of columns come last
/// (`sqlalchemy/sql/schema.py`, `_sorted_constraints`).
pub(crate) fn numbered(file: &MigrationFile<'_>) -> HashMap<Span, String> {
    if !matches!(file.dialect(), Some(Dialect::Mysql | Dialect::Mariadb)) {
        return HashMap::new();
    }
    let Some(happenings) = all_events(file) else {
        return HashMap::new();
    };
    let mut tables = Tables::default();
    for event in &happenings {
        tables.follow(event);
    }
    let older = tables.keys.iter().filter(|key| key.is_chosen && key.name.is_none());
    if let Some(mut past) = past(file, older.map(|key| key.table.clone()).collect()) {
        for event in &happenings {
            past.follow(event);
        }
        tables = past;
    }
    let own = tables
        .keys
        .into_iter()
        .filter(|key| key.is_chosen && key.place.file.path() == file.file().path());
    own.filter_map(|key| Some((key.place.span, key.name?))).collect()
}

/// A key that MySQL and MariaDB have numbered: its table and schema, its columns, its number.
pub(crate) type Numbered = ((String, Option<String>), Vec<String>, u32);

/// The numbers of all keys that the revisions before this migration leave, of those tables in which nothing is in doubt.
pub(crate) fn key_numbers(file: &MigrationFile<'_>) -> Vec<Numbered> {
    let Some(history) = file.history() else {
        return Vec::new();
    };
    let earlier = history.before(file.migration.module).unwrap_or_default();
    let mut past = Tables::default();
    let mut unclear = Vec::new();
    for revision in earlier.iter().rev() {
        let module = revision.module();
        let is_clear = module.errors().is_empty() && !runs_definitions(module.file().text()) && revision.is_readable();
        let migration = Migration::read(module);
        match events(file, &migration).filter(|_| is_clear) {
            Some(mut happenings) => {
                happenings.sort_by_key(|event| event.at);
                for event in happenings
                    .iter()
                    .filter(|event| event.direction != Direction::Downgrade)
                {
                    past.follow(event);
                }
            }
            None => unclear.push(revision),
        }
    }
    let is_clear = |(table, _): &Table| {
        !unclear.iter().any(|revision| revision.mentions(table))
            && !earlier.iter().any(|revision| revision.hands_out(table))
    };
    let keys = past.keys.iter().filter(|key| key.is_there && key.is_chosen);
    let numbered = keys.filter_map(|key| {
        let number = key.name.as_deref()?.rsplit('_').next()?.parse().ok()?;
        Some((key.table.clone(), key.columns.clone(), number))
    });
    numbered.filter(|(table, ..)| is_clear(table)).collect()
}

/// What is known of one table.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own")]
struct State {
    /// Its own keys, and those that refer to it, by their places.
    own: Vec<usize>,
    referring: Vec<usize>,
    indexes: Vec<Index>,
    /// Whether the migration itself made it, so that all of it is known.
    is_new: bool,
    new_columns: HashSet<String>,
    /// Whether something was dropped that is not known.
    drops_unknown: bool,
    is_doubtful: bool,
    /// Whether something may have happened, so that nobody knows which numbers are in use.
    is_unnumbered: bool,
}

/// All tables, at one moment.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    keys: Vec<Key>,
    tables: HashMap<Table, State>,
}

/// A drop of an index or a column with what is known at that moment.
pub(crate) struct Moment<'f> {
    pub(crate) drop: Dropping<'f>,
    pub(crate) table: Table,
    pub(crate) name: String,
    /// The keys that need the index, since nothing else serves them.
    pub(crate) keys: Vec<Key>,
    /// Whether all of the table is known, or the column is new.
    pub(crate) is_complete: bool,
}

impl Tables {
    /// What must have been there before a migration: the upgrade drops it and does not make it, and the downgrade makes it again.
    pub(crate) fn brought_back(happenings: &[Event<'_>]) -> Self {
        let of_upgrade = || happenings.iter().filter(|event| event.direction == Direction::Upgrade);
        let dropped: HashSet<(&Table, &str)> = of_upgrade()
            .filter_map(|event| Some((&event.table, event.drops()?)))
            .collect();
        let made: HashSet<(&Table, &str)> = of_upgrade()
            .filter_map(|event| Some((&event.table, event.makes()?)))
            .collect();
        let mut tables = Self::default();
        for event in happenings
            .iter()
            .filter(|event| event.direction == Direction::Downgrade)
        {
            let Some(name) = event.makes() else { continue };
            let known = (&event.table, name);
            if dropped.contains(&known) && !made.contains(&known) {
                tables.follow(event);
            }
        }
        tables
    }

    /// Lets one thing happen. Of the drop of an index, tells what it finds.
    pub(crate) fn happens<'f>(&mut self, event: &Event<'f>) -> Option<Moment<'f>> {
        let found = match &event.what {
            What::IndexDropped(Some(name), Some(drop)) if event.is_certain => self.moment(*drop, &event.table, name),
            What::ColumnDropped(column, Some(drop)) if event.is_certain => {
                self.without_column(*drop, &event.table, column)
            }
            _ => None,
        };
        self.follow(event);
        found
    }

    /// Lets one thing happen.
    pub(crate) fn follow(&mut self, event: &Event<'_>) {
        let is_certain = event.is_certain;
        let count = self.keys.len();
        if let What::Key(key) = &event.what
            && let Some((other, _)) = &key.referred
            && is_certain
        {
            let other = self.tables.entry(other.clone()).or_default();
            other.referring.push(count);
            other.is_doubtful |= other.referring.len() > MOST;
        }
        let state = self.tables.entry(event.table.clone()).or_default();
        state.is_unnumbered |= !is_certain;
        match &event.what {
            What::Key(key) if is_certain => {
                let mut key = Key::clone(key);
                if key.is_chosen {
                    key.name = state.next_name(&self.keys, &key);
                }
                state.serve(&key);
                state.own.push(count);
                state.is_doubtful |= state.own.len() > MOST;
                self.keys.push(key);
            }
            What::Index(index) => state.index(index, is_certain),
            What::KeyDropped(name) => state.drop_key(&mut self.keys, name.as_deref()),
            What::IndexDropped(name, _) if is_certain => state.drop_index(name.as_deref()),
            What::Dropped(name) => {
                state.drop_index(name.as_deref().filter(|_| is_certain));
                state.drop_key(&mut self.keys, name.as_deref());
            }
            What::TableMade if is_certain => {
                state.forget(&mut self.keys);
                state.is_new = true;
            }
            What::TableDropped => state.forget(&mut self.keys),
            What::ColumnAdded(column) if is_certain => {
                state.new_columns.insert(column.clone());
            }
            What::ColumnDropped(column, _) => state.drop_column(&mut self.keys, column),
            What::Unclear | What::TableMade => state.is_doubtful = true,
            What::Key(_) | What::IndexDropped(..) | What::ColumnAdded(_) => {}
        }
    }

    fn moment<'f>(&self, drop: Dropping<'f>, table: &Table, name: &str) -> Option<Moment<'f>> {
        let nothing = State::default();
        let state = self.tables.get(table).unwrap_or(&nothing);
        if state.is_doubtful {
            return None;
        }
        let at = state.indexes.iter().rposition(|index| index.is_called(name));
        let index = at.and_then(|at| state.indexes.get(at)?.columns.as_deref());
        let others = state.indexes.iter().enumerate().filter(|(other, _)| Some(*other) != at);
        let others: Vec<Option<&[String]>> = others.map(|(_, index)| index.columns.as_deref()).collect();
        let needs = |columns: &[String]| {
            let is_start = |index: &[String]| index.starts_with(columns);
            index.is_some_and(is_start) && !others.iter().any(|index| index.is_none_or(is_start))
        };
        let key = |at: &usize| self.keys.get(*at).filter(|key| key.is_there);
        let own = state.own.iter().filter_map(key).filter(|key| needs(&key.columns));
        let refers = |key: &&Key| key.referred.as_ref().is_some_and(|(_, columns)| needs(columns));
        let referring = state.referring.iter().filter_map(key).filter(refers);
        let is_new = index
            .and_then(<[String]>::first)
            .is_some_and(|first| state.new_columns.contains(first));
        Some(Moment {
            drop,
            table: table.clone(),
            name: name.to_owned(),
            keys: own.chain(referring).cloned().collect(),
            is_complete: is_new || state.is_new && !state.drops_unknown,
        })
    }
}

impl Tables {
    /// A column does not go before the keys on it. Those whose name is not written are told by other rules.
    fn without_column<'f>(&self, drop: Dropping<'f>, table: &Table, column: &str) -> Option<Moment<'f>> {
        let state = self.tables.get(table).filter(|state| !state.is_doubtful)?;
        let stands_on_it = |key: &&Key| key.is_there && key.is_named && key.columns.iter().any(|own| own == column);
        let own = state.own.iter().filter_map(|at| self.keys.get(*at));
        Some(Moment {
            drop,
            table: table.clone(),
            name: column.to_owned(),
            keys: own.filter(stands_on_it).cloned().collect(),
            is_complete: true,
        })
    }
}

impl Index {
    fn is_called(&self, name: &str) -> bool {
        self.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }
}

impl State {
    /// The name that the database chooses for a further key; nothing where that is not certain.
    fn next_name(&self, keys: &[Key], key: &Key) -> Option<String> {
        let is_certain = self.is_new && !(self.is_doubtful || self.drops_unknown || self.is_unnumbered);
        let start = format!("{}_ibfk_", key.table.0);
        let number = |key: &Key| {
            let digits = key.name.as_deref()?.strip_prefix(&start)?;
            digits.parse::<u32>().ok().filter(|_| !digits.starts_with(['0', '+']))
        };
        let own = self.own.iter().filter_map(|at| keys.get(*at));
        let mut there = own.filter(|key| key.is_there);
        if !is_certain || there.clone().any(|key| key.name.is_none()) {
            return None;
        }
        let highest = there.by_ref().filter_map(number).max().unwrap_or_default();
        Some(format!("{start}{}", highest.checked_add(1)?))
    }

    /// The database makes an index for a key that none serves. It stays when the key goes.
    fn serve(&mut self, key: &Key) {
        if self.is_doubtful {
            return;
        }
        let serves = |index: &Index| {
            index
                .columns
                .as_ref()
                .is_none_or(|columns| columns.starts_with(&key.columns))
        };
        if self.indexes.iter().any(serves) {
            return;
        }
        let name = key.name.clone().or_else(|| key.columns.first().cloned());
        self.indexes.push(Index {
            name,
            columns: Some(key.columns.clone()),
            is_generated: true,
        });
        self.is_doubtful |= self.indexes.len() > MOST;
    }

    /// One that was made for a key gives way to another that serves as well.
    fn index(&mut self, index: &Index, is_certain: bool) {
        // Of a table that is not judged the indexes are not asked for.
        if self.is_doubtful {
            return;
        }
        let gives_way = |own: &Index| {
            own.is_generated
                && (index.columns.as_ref().zip(own.columns.as_ref())).is_some_and(|(new, own)| new.starts_with(own))
        };
        if is_certain {
            self.indexes.retain(|own| !gives_way(own));
        }
        self.indexes.push(Index {
            // What may not be there serves as well as it can, and is never found by its name.
            name: index.name.clone().filter(|_| is_certain),
            columns: index.columns.clone(),
            is_generated: false,
        });
        self.is_doubtful |= self.indexes.len() > MOST;
    }

    /// A key that is not known may be any without a name.
    fn drop_key(&mut self, keys: &mut [Key], name: Option<&str>) {
        let mut is_found = false;
        for at in self.own.iter().take(MOST) {
            let Some(key) = keys.get_mut(*at).filter(|key| key.is_there) else {
                continue;
            };
            if name.is_none() || key.name.as_deref() == name {
                key.is_there = false;
                is_found = true;
            }
        }
        self.drops_unknown |= !is_found || name.is_none();
        if is_found {
            return;
        }
        for at in self.own.iter().take(MOST) {
            if let Some(key) = keys.get_mut(*at).filter(|key| key.name.is_none()) {
                key.is_there = false;
            }
        }
    }

    fn drop_index(&mut self, name: Option<&str>) {
        let is_it = |index: &Index| name.is_some_and(|name| index.is_called(name));
        if let Some(at) = self.indexes.iter().rposition(is_it) {
            self.indexes.remove(at);
        }
    }

    /// MySQL takes the column out of its indexes.
    fn drop_column(&mut self, keys: &mut [Key], column: &str) {
        for at in self.own.iter().chain(&self.referring).take(MOST) {
            if let Some(key) = keys.get_mut(*at)
                && key.columns.iter().any(|own| own == column)
            {
                key.is_there = false;
            }
        }
        for index in &mut self.indexes {
            if let Some(columns) = &mut index.columns {
                columns.retain(|own| own != column);
            }
        }
        let is_left = |index: &Index| index.columns.as_ref().is_none_or(|columns| !columns.is_empty());
        self.indexes.retain(is_left);
    }

    fn forget(&mut self, keys: &mut [Key]) {
        for at in self.own.iter().chain(&self.referring).take(MOST) {
            if let Some(key) = keys.get_mut(*at) {
                key.is_there = false;
            }
        }
        *self = Self {
            is_new: self.is_new,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use crate::check::examine;
    use crate::config::Config;
    use crate::fix::apply;
    use crate::project::Project;
    use crate::rules::harness::history_of;
    use crate::snapshot::MemorySnapshot;

    /// The names that the fixes write into a committed migration on MariaDB, and the help where there is none.
    fn names(revisions: &[&str]) -> Vec<String> {
        let (mut files, last) = history_of("target_metadata = None\n", revisions);
        let ini = "[alembic]\nscript_location = migrations\nsqlalchemy.url = mysql+pymysql://h/d\n";
        files.push(("alembic.ini".into(), ini.to_owned()));
        let snapshot: MemorySnapshot = files.into_iter().collect();
        let project = Project::new(&snapshot, "/top");
        let found = examine(&last, true, &project, &Config::default()).diagnostics;
        let unnamed = found.iter().filter(|one| one.rule.name == "unnamed-constraint");
        let written = unnamed.map(|one| match &one.fix {
            Some(fix) => {
                let text = apply(&last, [fix]);
                let added = text.split("op.f('").nth(1).unwrap_or_default();
                added.split('\'').next().unwrap_or_default().to_owned()
            }
            None => one
                .help
                .clone()
                .unwrap_or_default()
                .lines()
                .last()
                .unwrap_or_default()
                .trim()
                .to_owned(),
        });
        written.collect()
    }

    /// Each was run on MariaDB 10.11; the last revision is the one that is checked.
    #[test]
    fn keys_are_numbered_as_the_database_does() {
        let table = "op.create_table('t', sa.Column('a', sa.Integer(), sa.ForeignKey('r.id')), sa.Column('b', sa.Integer()), sa.Column('c', sa.Integer(), sa.ForeignKey('r.id')), sa.ForeignKeyConstraint(['d'], ['r.id']), sa.ForeignKeyConstraint(['b'], ['r.id'], name='fk'))";
        let key = "op.create_foreign_key(None, 't', 'r', ['b'], ['id'])";
        let drop = |name: &str| format!("op.drop_constraint('{name}', 't', type_='foreignkey')");
        let both = |one: &str| format!("{one}; {key}");
        let other = "op.create_foreign_key(None, 't', 'r', ['a'], ['id'])";
        let unknown = &["SHOW CREATE TABLE `t`"][..];
        for (revisions, expected) in [
            (&[table, key][..], &["t_ibfk_4"][..]),
            (&[&both(table)], &["t_ibfk_4"]),
            (&[table, &both(other)], &["t_ibfk_4", "t_ibfk_5"]),
            // Numbers below the highest are not used again.
            (&[table, &drop("t_ibfk_1"), key], &["t_ibfk_4"]),
            (&[table, &drop("t_ibfk_3"), key], &["t_ibfk_3"]),
            (
                &[table, "op.create_foreign_key('t_ibfk_9', 't', 'r', ['b'], ['id'])", key],
                &["t_ibfk_10"],
            ),
            (
                &[
                    table,
                    "op.create_foreign_key('t_ibfk_09', 't', 'r', ['b'], ['id'])",
                    key,
                ],
                &["t_ibfk_4"],
            ),
            (
                &[
                    table,
                    "op.create_foreign_key('T_IBFK_20', 't', 'r', ['b'], ['id'])",
                    key,
                ],
                &["t_ibfk_4"],
            ),
            (
                &[
                    table,
                    "op.add_column('t', sa.Column('z', sa.Integer(), sa.ForeignKey('r.id')))",
                    key,
                ],
                &["t_ibfk_5"],
            ),
            // Nobody knows.
            (&["pass", key], unknown),
            (
                &[
                    table,
                    "op.execute('ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES r (id)')",
                    key,
                ],
                unknown,
            ),
            (&[table, &drop("of_somebody"), key], unknown),
            (&[table, "op.rename_table('u', 't')", key], unknown),
            (
                &[table, "if x: op.create_foreign_key(None, 't', 'r', ['a'], ['id'])", key],
                unknown,
            ),
            (&["op.create_table('t', *columns)", key], unknown),
        ] {
            assert_eq!(names(revisions), expected, "{revisions:?}");
        }
    }
}

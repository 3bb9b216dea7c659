//! The keys and indexes of tables, followed through the migrations as MySQL and MariaDB would make and drop them.

mod events;
mod state;

use std::collections::{BTreeSet, HashMap};

use super::MigrationFile;
use super::executed::{defines_indexes, runs_definitions};
use crate::migration::{Direction, Migration};
use crate::naming::Dialect;
use crate::project::Revision;
use crate::source::Span;

pub(crate) use events::{Dropping, Event, Key, Table};
use events::{events, events_of_sql};
pub(crate) use state::{Moment, Tables};

/// So many tables are looked for in the older revisions.
pub(super) const MOST_TABLES: usize = 16;

/// What happens in the migration, in order; nothing where something cannot be followed.
pub(crate) fn all_events<'f>(file: &'f MigrationFile<'_>) -> Option<Vec<Event<'f>>> {
    if !file.is_all_read(|_| true) {
        return None;
    }
    let mut all = events(file, file.migration)?;
    if !file.migration.executions.is_empty() {
        all.extend(events_of_sql(file, file.executed())?);
    }
    // What runs in both directions, or nobody knows when, comes first: whatever follows is then in doubt.
    let rank = |direction: Direction| match direction {
        Direction::Unknown => 0,
        Direction::Upgrade => 1,
        Direction::Downgrade => 2,
    };
    all.sort_by_key(|event| (rank(event.direction), event.at));
    Some(all)
}

/// What the earlier revisions leave of some tables; nothing where that cannot be told.
pub(crate) fn past(file: &MigrationFile<'_>, mut tables: BTreeSet<Table>) -> Option<Tables> {
    let (first, children) = read_past(file, &tables)?;
    if children.is_empty() {
        return Some(first);
    }
    // A revision that drops a key need not name the table that the key refers to.
    tables.extend(children);
    read_past(file, &tables).map(|(tables, _)| tables)
}

/// The tables, and the others whose keys refer to them.
fn read_past(file: &MigrationFile<'_>, tables: &BTreeSet<Table>) -> Option<(Tables, Vec<Table>)> {
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
        if tables.iter().any(|(table, _)| revision.hands_out(table)) {
            return None;
        }
        upgrade(file, &mut past, revision)?;
    }
    let refers = |key: &&Key| (key.referred.as_ref()).is_some_and(|(table, _)| tables.contains(table));
    let children = past.keys.iter().filter(refers).map(|key| key.table.clone());
    let children = children.filter(|table| !tables.contains(table)).collect();
    Some((past, children))
}

/// Follows the upgrade of an earlier revision. Nothing, and the tables as they were, where that is not possible.
fn upgrade(file: &MigrationFile<'_>, tables: &mut Tables, revision: &Revision) -> Option<()> {
    let module = revision.module();
    let text = module.file().text();
    let changes_by_sql = runs_definitions(text) || defines_indexes(text);
    if !module.errors().is_empty() || changes_by_sql || !revision.is_readable() {
        return None;
    }
    let migration = Migration::read(module);
    let mut all = events(file, &migration)?;
    all.sort_by_key(|event| event.at);
    let upgrade = all.iter().filter(|event| event.direction != Direction::Downgrade);
    tables.follow_all(upgrade);
    Some(())
}

/// The certain names that MySQL and MariaDB choose for the keys of a migration, by the places of the keys.
///
/// Each gets the highest number in use on its table, and one more (measured on MariaDB 10.11; `dict_table_get_highest_foreign_id` of `InnoDB`).
/// SQLAlchemy writes the constraints of a table in the order in which Python makes them: those of columns come last
/// (`sqlalchemy/sql/schema.py`, `_sorted_constraints`).
pub(super) fn numbered(file: &MigrationFile<'_>) -> HashMap<Span, String> {
    if !matches!(file.dialect(), Some(Dialect::Mysql | Dialect::Mariadb)) {
        return HashMap::new();
    }
    let Some(all) = all_events(file) else {
        return HashMap::new();
    };
    let mut tables = Tables::default();
    tables.follow_all(&all);
    let older = tables.keys.iter().filter(|key| key.is_chosen && key.name.is_none());
    if let Some(mut past) = past(file, older.map(|key| key.table.clone()).collect()) {
        past.follow_all(&all);
        tables = past;
    }
    let is_own = |key: &Key| key.is_chosen && key.place.file.path() == file.file().path();
    let own = tables.keys.into_iter().filter(is_own);
    own.filter_map(|key| Some((key.place.span, key.name?))).collect()
}

/// A key that MySQL and MariaDB have numbered: its table, its columns, its number.
pub(crate) type Numbered = (Table, Vec<String>, u32);

/// The numbers of all keys that the revisions before this migration leave, on tables where nothing is in doubt.
pub(crate) fn key_numbers(file: &MigrationFile<'_>) -> Vec<Numbered> {
    let Some(history) = file.history() else {
        return Vec::new();
    };
    let earlier = history.before(file.migration.module).unwrap_or_default();
    let mut past = Tables::default();
    let mut unclear = Vec::new();
    for revision in earlier.iter().rev() {
        if upgrade(file, &mut past, revision).is_none() {
            unclear.push(revision);
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

#[cfg(test)]
mod tests {
    use crate::fix::apply;
    use crate::rules::harness::{MYSQL, check_last_on};

    /// The names that the fixes write into a committed migration on MariaDB, and the help where there is none.
    fn names(revisions: &[&str]) -> Vec<String> {
        let found = check_last_on(MYSQL, "target_metadata = None\n", revisions, true);
        let unnamed = found.iter().filter(|one| one.rule.name == "unnamed-constraint");
        let written = unnamed.map(|one| {
            let Some(fix) = &one.fix else {
                let help = one.help.as_deref().unwrap_or_default();
                return help.lines().last().unwrap_or_default().trim().to_owned();
            };
            let text = apply(&one.file, [fix]);
            let added = text.split("op.f('").nth(1).unwrap_or_default();
            added.split('\'').next().unwrap_or_default().to_owned()
        });
        written.collect()
    }

    /// Each was run on MariaDB 10.11; the last revision is the one that is checked.
    #[test]
    fn keys_are_numbered_as_the_database_does() {
        let table = "op.create_table('t', sa.Column('a', sa.Integer(), sa.ForeignKey('r.id')), sa.Column('b', sa.Integer()), sa.Column('c', sa.Integer(), sa.ForeignKey('r.id')), sa.ForeignKeyConstraint(['d'], ['r.id']), sa.ForeignKeyConstraint(['b'], ['r.id'], name='fk'))";
        let key = "op.create_foreign_key(None, 't', 'r', ['b'], ['id'])";
        let column = "op.add_column('t', sa.Column('z', sa.Integer(), sa.ForeignKey('r.id')))";
        let named = |name: &str| format!("op.create_foreign_key('{name}', 't', 'r', ['b'], ['id'])");
        let drop = |name: &str| format!("op.drop_constraint('{name}', 't', type_='foreignkey')");
        let both = |one: &str| format!("{one}; {key}");
        let other = "op.create_foreign_key(None, 't', 'r', ['a'], ['id'])";
        let sql = "op.execute('ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES r (id)')";
        let unknown = &["SHOW CREATE TABLE `t`"][..];
        for (revisions, expected) in [
            (&[table, key][..], &["t_ibfk_4"][..]),
            (&[&both(table)], &["t_ibfk_4"]),
            (&[table, &both(other)], &["t_ibfk_4", "t_ibfk_5"]),
            // Numbers below the highest are not used again.
            (&[table, &drop("t_ibfk_1"), key], &["t_ibfk_4"]),
            (&[table, &drop("t_ibfk_3"), key], &["t_ibfk_3"]),
            (&[table, &named("t_ibfk_9"), key], &["t_ibfk_10"]),
            (&[table, &named("t_ibfk_09"), key], &["t_ibfk_4"]),
            (&[table, &named("T_IBFK_20"), key], &["t_ibfk_4"]),
            (&[table, column, key], &["t_ibfk_5"]),
            // Nobody knows.
            (&["pass", key], unknown),
            (&[table, sql, key], unknown),
            (&[table, &drop("of_somebody"), key], unknown),
            (&[table, "op.rename_table('u', 't')", key], unknown),
            (&[table, &format!("if x: {other}"), key], unknown),
            (&["op.create_table('t', *columns)", key], unknown),
        ] {
            assert_eq!(names(revisions), expected, "{revisions:?}");
        }
    }
}

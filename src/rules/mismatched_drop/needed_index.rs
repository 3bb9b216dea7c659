//! An index or a column is dropped before the foreign key that needs it, which MySQL and MariaDB refuse (error 1553).
//!
//! A foreign key needs an index on its columns, and one on the columns it refers to. Measured on MariaDB 10.11: any index serves that starts
//! with these columns in their order, also that of a unique constraint or of the primary key. The index that the database made for a key is
//! replaced by the first that is created.

mod key_first;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use key_first::{CallPath, KeyFirst};

use super::RULE;
use crate::constraints::MigrationFile;
use crate::constraints::convention_name::dropped_name;
use crate::constraints::tables::{Dropping, Event, Key, Moment, Table, Tables, all_events, past};
use crate::diagnostic::Diagnostic;
use crate::migration::{Action, Direction, Operation, Step};
use crate::naming::{ConstraintKind, Dialect};
use crate::python::{Stmt, StmtKind};
use crate::source::Span;

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let drops_index = |operation: &Operation<'_>| {
        let kind = matches!(operation.action, Action::Drop(Some(ConstraintKind::Index | ConstraintKind::Unique)));
        kind && operation.name.text().is_some() && operation.table.known().is_some()
    };
    let migration = file.migration;
    let makes_keys = || {
        let is_key = |operation: &Operation<'_>| operation.action == Action::Create(ConstraintKind::ForeignKey);
        let mut inline = file.inline().iter();
        migration.operations.iter().any(is_key) || inline.any(|(_, one)| one.kind == ConstraintKind::ForeignKey)
    };
    let drops_column = || migration.steps.iter().any(|step| step.method == "drop_column");
    let may_be_refused = migration.operations.iter().any(drops_index) || drops_column() && makes_keys();
    let is_mysql = || matches!(file.dialect(), Some(Dialect::Mysql | Dialect::Mariadb));
    if !may_be_refused || !is_mysql() || switches_checks_off(file) {
        return Vec::new();
    }
    all_events(file).map_or_else(Vec::new, |events| refused(file, &events))
}

/// With `SET foreign_key_checks = 0` MariaDB drops what it is told to.
fn switches_checks_off(file: &MigrationFile<'_>) -> bool {
    file.file().text().to_ascii_lowercase().contains("foreign_key_checks")
}

fn refused<'f>(file: &'f MigrationFile<'_>, events: &[Event<'f>]) -> Vec<Diagnostic> {
    let mut tables = Tables::brought_back(events);
    let mut moments: Vec<Moment<'_>> = events.iter().filter_map(|event| tables.happens(event)).collect();
    let older = moments.iter().filter(|moment| !moment.is_complete);
    let older: BTreeSet<Table> = older.map(|moment| moment.table.clone()).collect();
    if let Some(mut past) = past(file, older.clone()) {
        // Without the past not all of an older table is known, and it is enough that the revision creates the key and the index.
        let with_the_past = events.iter().filter_map(|event| past.happens(event));
        moments = with_the_best_knowledge(moments, with_the_past.filter(|moment| older.contains(&moment.table)));
    }
    let ends = early_ends(file);
    let mut found: Vec<Refused<'_>> = Vec::new();
    let mut reported: HashSet<Span> = HashSet::new();
    for moment in moments {
        let drop = moment.drop;
        let start = drop.call.span.start;
        let Some(path) = CallPath::to(file.migration.module.body(), drop.call.span) else {
            continue;
        };
        let is_before_end = |function: &str| ends.get(function).is_none_or(|end| *end > start);
        let is_reached = drop.when.function.is_some_and(is_before_end);
        // A column whose key was reported with its index is the same mistake.
        let is_new = drop.what != "column" || moment.keys.iter().any(|key| !reported.contains(&key.place.span));
        if is_reached && is_new && !moment.keys.is_empty() {
            reported.extend(moment.keys.iter().map(|key| key.place.span));
            found.push(Refused { moment, path });
        }
    }
    if found.is_empty() {
        return Vec::new();
    }
    let drops = KeyDrops::of(file);
    let key_first = KeyFirst::new(file, &drops, &found);
    found
        .iter()
        .filter_map(|one| diagnostic(file, &drops, &key_first, one))
        .collect()
}

/// For each drop what is known from the older revisions, if they tell all of its table; else what the revision itself tells.
fn with_the_best_knowledge<'f>(
    moments: Vec<Moment<'f>>,
    with_the_past: impl Iterator<Item = Moment<'f>>,
) -> Vec<Moment<'f>> {
    let complete = with_the_past.filter(|moment| moment.is_complete);
    let mut by_place: BTreeMap<Span, Moment<'_>> = moments.into_iter().map(|one| (one.drop.call.span, one)).collect();
    by_place.extend(complete.map(|one| (one.drop.call.span, one)));
    by_place.into_values().collect()
}

/// A drop that fails because keys need what it drops.
struct Refused<'f> {
    moment: Moment<'f>,
    path: CallPath<'f>,
}

/// Where each function may first end before its last statement.
fn early_ends<'f>(file: &MigrationFile<'f>) -> HashMap<&'f str, usize> {
    let mut found = HashMap::new();
    for statement in file.migration.module.body() {
        let StmtKind::Function(function) = &statement.kind else {
            continue;
        };
        let leaves = function.body.iter().find(|statement| may_leave(statement));
        found.extend(leaves.map(|leaves| (function.name.as_str(), leaves.span.start)));
    }
    found
}

fn may_leave(statement: &Stmt) -> bool {
    let leaves = |body: &[Stmt]| {
        body.iter()
            .any(|inner| matches!(inner.kind, StmtKind::Return(_) | StmtKind::Raise(_)))
    };
    match &statement.kind {
        StmtKind::If(branches) => branches.iter().any(|(_, body)| leaves(body)),
        StmtKind::Return(_) | StmtKind::Raise(_) => true,
        _ => false,
    }
}

/// The drops of keys, and of tables with their keys.
struct KeyDrops<'f> {
    keys: HashMap<(&'f str, Direction, String), Vec<&'f Operation<'f>>>,
    tables: HashMap<(&'f str, Direction), &'f Step<'f>>,
}

impl<'f> KeyDrops<'f> {
    fn of(file: &'f MigrationFile<'_>) -> Self {
        let mut drops = Self {
            keys: HashMap::new(),
            tables: HashMap::new(),
        };
        for drop in &file.migration.operations {
            if let (Action::Drop(Some(ConstraintKind::ForeignKey)), Some(table), true) =
                (drop.action, drop.table.known(), drop.when.is_once())
                && let Some(name) = dropped_name(file, drop).or_else(|| drop.name.text().map(str::to_owned))
            {
                let key = (table.as_str(), drop.when.direction, name);
                drops.keys.entry(key).or_default().push(drop);
            }
        }
        for step in file.migration.steps.iter().filter(|step| step.method == "drop_table") {
            if let (Some(table), true) = (step.table.known(), step.when.is_once()) {
                drops.tables.entry((table, step.when.direction)).or_insert(step);
            }
        }
        drops
    }

    /// The drop of a key, if it comes after another drop.
    fn drop_of(&self, key: &Key, after: Dropping<'_>) -> Option<&'f Operation<'f>> {
        let is_after =
            |drop: &&Operation<'_>| drop.when.function == after.when.function && drop.call.span > after.call.span;
        let is_of_table = |drop: &&Operation<'_>| drop.schema.known() == Some(&key.table.1);
        let drops = self
            .keys
            .get(&(key.table.0.as_str(), after.when.direction, key.name.clone()?))?;
        drops.iter().copied().find(|drop| is_after(drop) && is_of_table(drop))
    }

    /// The drop of a key's table, if it comes after another drop.
    fn drop_of_table(&self, key: &Key, after: Dropping<'_>) -> Option<&'f Step<'f>> {
        let step = self.tables.get(&(key.table.0.as_str(), after.when.direction))?;
        let is_it = step.schema.known() == Some(&key.table.1)
            && step.when.function == after.when.function
            && step.call.span > after.call.span;
        is_it.then_some(step)
    }
}

fn diagnostic(
    file: &MigrationFile<'_>,
    drops: &KeyDrops<'_>,
    key_first: &KeyFirst<'_, '_>,
    refused: &Refused<'_>,
) -> Option<Diagnostic> {
    let drop = refused.moment.drop;
    let what = drop.what;
    let key = refused.moment.keys.first()?;
    let with_its_table = drops.drop_of_table(key, drop);
    let (message, related, help) = if let Some(dropped) = drops.drop_of(key, drop) {
        (
            format!("the {what} is dropped before the foreign key that needs it"),
            (file.place(dropped.call.span), "the foreign key goes only here"),
            "drop the foreign key first".to_owned(),
        )
    } else if let Some(table) = with_its_table {
        let help = if key.table == refused.moment.table {
            format!("leave it out: `drop_table` drops the {what} as well")
        } else {
            format!("drop the table `{}` first, and its key with it", key.table.0)
        };
        (
            format!("the {what} is dropped before the foreign key that needs it"),
            (file.place(table.call.span), "the foreign key goes only here, with its table"),
            help,
        )
    } else {
        (
            format!("the {what} is dropped while a foreign key needs it"),
            (key.place.clone(), "this foreign key needs it"),
            still_there(file, key),
        )
    };
    let mut diagnostic = Diagnostic::new(&RULE, file.file(), drop.call.span, message)
        .focus(drop.call.span, "MySQL and MariaDB refuse this (error 1553)")
        .related(related.0, related.1)
        .help(help);
    diagnostic.fix = key_first.fix(refused);
    Some(diagnostic)
}

fn still_there(file: &MigrationFile<'_>, key: &Key) -> String {
    let is_older = key.place.file.path() != file.file().path();
    let drop = match key.name.as_ref().filter(|_| !key.is_chosen) {
        Some(name) => format!("drop the foreign key `{name}` first"),
        None => "give the foreign key a name and drop it first".to_owned(),
    };
    if is_older {
        return "create another index that starts with the key's columns first; or drop the key, and create it anew afterwards: the database then \
             makes an index of its own"
            .to_owned();
    }
    drop
}

//! The calls that run SQL, by what that names and what it may take away, and what other code names.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::MigrationFile;
use super::executed::words_of_run;
use crate::migration::Execution;
use crate::python::Call;
use crate::source::{Span, words_of};
use crate::sql::{Dropped, Effect, Ident, PLACEHOLDER, Table};

/// Words and tables are in lower case.
#[derive(Default)]
pub(super) struct SqlCalls {
    /// Those that may do anything: their SQL is computed, or not understood.
    unread: BTreeSet<Span>,
    /// By the words in the call and in its SQL; and the words outside of operations, since any function may drop what it is given.
    by_word: HashMap<String, BTreeSet<Span>>,
    /// Those after which any constraint of a table may be gone. Nothing is the table where that is put in later.
    by_table: HashMap<Option<String>, BTreeSet<Span>>,
}

impl SqlCalls {
    pub(super) fn of(file: &MigrationFile<'_>) -> Self {
        let mut found = Self::default();
        for run in &file.migration.executions {
            if is_unread(run) {
                found.unread.insert(run.call.span);
            }
            for word in words_of_run(file, run) {
                found.by_word.entry(word).or_default().insert(run.call.span);
            }
        }
        found.add_other_code(file);
        for one in file.executed() {
            for effect in &one.effects {
                found.add(effect, one.run.call.span);
            }
        }
        found
    }

    /// On a connection that is not known, a call may run any SQL.
    fn add_other_code(&mut self, file: &MigrationFile<'_>) {
        const RUN_SQL: [&str; 5] = ["execute", "exec_driver_sql", "executescript", "executemany", "invoke"];
        let migration = file.migration;
        let known: HashSet<Span> = migration.executions.iter().map(|run| run.call.span).collect();
        let mut visit = |call: &Call| {
            let runs_sql = call.name().is_some_and(|name| RUN_SQL.contains(&name));
            if runs_sql && !known.contains(&call.span) {
                self.unread.insert(call.span);
            }
        };
        for statement in migration.module.body() {
            statement.each_call(&mut visit);
        }
        let operations = migration.operations.iter().map(|one| one.call.span);
        let steps = migration.steps.iter().map(|one| one.call.span);
        let mut calls: Vec<Span> = operations.chain(steps).collect();
        calls.sort_unstable();
        let mut calls = calls.into_iter().peekable();
        let mut end = 0;
        for (at, word) in migration.module.words() {
            while let Some(call) = calls.next_if(|call| call.start <= at) {
                end = end.max(call.end);
            }
            if at >= end {
                let places = self.by_word.entry(word.to_ascii_lowercase()).or_default();
                places.insert(Span::new(at, at + word.len()));
            }
        }
    }

    fn add(&mut self, effect: &Effect, call: Span) {
        let is_computed = |name: &Ident| name.text.contains(PLACEHOLDER);
        let table = match effect {
            Effect::Unknown => {
                self.unread.insert(call);
                return;
            }
            Effect::TableChanged(table) | Effect::ColumnDropped { table, .. } => Some(table),
            Effect::Dropped(Dropped { table, name, .. }) | Effect::Renamed { table, from: name, .. }
                if is_computed(name) =>
            {
                table.as_ref()
            }
            // The words have the name.
            Effect::Dropped(_) | Effect::Renamed { .. } | Effect::Added(_) => return,
        };
        let table = table.and_then(Table::known_name).map(str::to_ascii_lowercase);
        self.by_table.entry(table).or_default().insert(call);
    }

    /// Whether something at the places that `is_meant` accepts may drop or rename a constraint.
    pub(super) fn may_drop(&self, name: &str, table: Option<&str>, is_meant: impl Fn(&BTreeSet<Span>) -> bool) -> bool {
        let is_any = |calls: Option<&BTreeSet<Span>>| calls.is_some_and(&is_meant);
        let table = table.map(str::to_ascii_lowercase);
        let mut words = words_of(name);
        is_meant(&self.unread)
            || [None, table].iter().any(|table| is_any(self.by_table.get(table)))
            || words.all(|(_, word)| is_any(self.by_word.get(&word.to_ascii_lowercase())))
    }
}

/// Whether nothing tells what a call does. What is built with SQLAlchemy and moves rows drops no constraint.
pub(super) fn is_unread(run: &Execution<'_>) -> bool {
    run.texts.is_empty() && !run.moves_data
}

//! What else a migration does that decides whether a drop and a create belong together.

use std::collections::{HashMap, HashSet};

use crate::constraints::MigrationFile;
use crate::constraints::by_table::ByTable;
use crate::constraints::convention_name::dropped_name;
use crate::constraints::executed::words_of_run;
use crate::migration::Direction;
use crate::sql::{Effect, Table};

#[derive(Default)]
pub(super) struct Facts<'f> {
    /// The names that operations of the downgrade drop, as the database knows them, by table.
    pub(super) dropped: HashMap<&'f str, HashSet<String>>,
    /// The names that SQL drops or renames, in lower case.
    pub(super) dropped_by_sql: HashSet<String>,
    /// `None` for a column that is put in later.
    pub(super) columns_dropped_by_sql: ByTable<(&'f Table, Option<&'f str>)>,
    pub(super) inline: HashMap<&'f str, InlineNames<'f>>,
    /// The words in the calls that run SQL and in that SQL, in lower case.
    pub(super) words_of_sql: HashMap<String, HashSet<Direction>>,
    pub(super) changed_by_sql: ByTable<(&'f Table, ())>,
}

/// The names that a table or its new columns have inside of them.
#[derive(Default)]
pub(super) struct InlineNames<'f> {
    pub(super) names: HashSet<&'f str>,
    /// Whether there is one that is not known.
    pub(super) may_be_any: bool,
}

impl<'f> Facts<'f> {
    pub(super) fn of(file: &'f MigrationFile<'_>) -> Self {
        let mut facts = Self::default();
        let operations = file.migration.operations.iter();
        for drop in operations.filter(|one| !one.creates() && one.when.direction == Direction::Downgrade) {
            if let (Some(table), Some(name)) = (drop.table.known(), dropped_name(file, drop)) {
                facts.dropped.entry(table).or_default().insert(name);
            }
        }
        facts.add_inline(file);
        for effect in file.executed().iter().flat_map(|sql| &sql.effects) {
            facts.add_effect(effect);
        }
        for run in &file.migration.executions {
            for word in words_of_run(file, run) {
                facts.words_of_sql.entry(word).or_default().insert(run.when.direction);
            }
        }
        facts
    }

    fn add_inline(&mut self, file: &'f MigrationFile<'_>) {
        for (step, constraint) in file.inline() {
            let Some(table) = step.table.known() else { continue };
            let inline = self.inline.entry(table).or_default();
            inline.names.extend(constraint.name.text());
            inline.may_be_any |= constraint.name.text().is_none();
        }
    }

    fn add_effect(&mut self, effect: &'f Effect) {
        match effect {
            Effect::Dropped(dropped) => {
                self.dropped_by_sql.insert(dropped.name.text.to_ascii_lowercase());
            }
            Effect::Renamed { from, .. } => {
                self.dropped_by_sql.insert(from.text.to_ascii_lowercase());
            }
            Effect::ColumnDropped { table, column } => {
                let column = column.is_certain.then_some(column.text.as_str());
                self.columns_dropped_by_sql.add_sql(table, column);
            }
            Effect::TableChanged(table) => self.changed_by_sql.add_sql(table, ()),
            Effect::Added(_) | Effect::Unknown => {}
        }
    }
}

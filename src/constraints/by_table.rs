//! What a migration does, by the tables that it is about.

use std::collections::HashMap;

use super::executed::may_be_table;
use crate::sql::Table;
use crate::work;

/// Things by their tables, whose case does not count. What is about a table that is not known may be about any.
pub(crate) struct ByTable<T>(HashMap<Option<String>, Vec<T>>);

impl<T> Default for ByTable<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<'t, T> FromIterator<(Option<&'t str>, T)> for ByTable<T> {
    fn from_iter<I: IntoIterator<Item = (Option<&'t str>, T)>>(things: I) -> Self {
        let mut found = Self::default();
        things.into_iter().for_each(|(table, thing)| found.add(table, thing));
        found
    }
}

impl<T> ByTable<T> {
    pub(crate) fn add(&mut self, table: Option<&str>, thing: T) {
        let table = table.map(str::to_ascii_lowercase);
        self.0.entry(table).or_default().push(thing);
    }

    /// What is about a table; without one, what may be about any.
    pub(crate) fn of(&self, table: Option<&str>) -> &[T] {
        let found = self.0.get(&table.map(str::to_ascii_lowercase));
        found.map(Vec::as_slice).unwrap_or_default()
    }
}

impl<'s, T: Copy> ByTable<(&'s Table, T)> {
    pub(crate) fn add_sql(&mut self, table: &'s Table, thing: T) {
        self.add(table.known_name(), (table, thing));
    }

    /// What SQL may do to a table.
    pub(crate) fn by_sql(&self, name: &str, schema: Option<&str>) -> impl Iterator<Item = T> {
        let found = self.of(Some(name)).iter().chain(self.of(None));
        let is_it = move |(table, _): &&(&Table, T)| {
            work::step();
            may_be_table(table, name, schema)
        };
        found.filter(is_it).map(|(_, thing)| *thing)
    }
}

//! The definition of a constraint, from its kind on.

use crate::naming::ConstraintKind;

use super::reader::Reader;
use super::{Added, Effect, Ident, Naming, Table};

impl Reader<'_> {
    pub(super) fn add_constraint(&mut self, table: &Table, naming: Naming, says_constraint: bool) {
        let start = self.at;
        let added = if self.takes(&["foreign", "key"]) {
            self.foreign_key(table, naming, start)
        } else if self.takes(&["unique"]) {
            self.unique(table, naming, start)
        } else if self.takes(&["primary", "key"]) {
            self.primary_key(table, naming, start)
        } else if self.takes(&["check"]) {
            let is_condition = self.sees_mark('(') || self.takes(&["not", "for", "replication"]);
            self.skip_parentheses();
            let naming = if is_condition { naming } else { Naming::Doubtful };
            self.added(ConstraintKind::Check, table, naming, start, None)
        } else if self.takes(&["exclude"]) {
            self.added(ConstraintKind::Exclude, table, naming, start, None)
        } else if self.takes(&["not", "null"]) {
            return;
        } else {
            return self.add(None);
        };
        self.effects.push(Effect::Added(Added {
            says_constraint,
            ..added
        }));
    }

    /// A constraint within the definition of a new column.
    pub(super) fn add_column_constraint(
        &mut self,
        kind: ConstraintKind,
        table: &Table,
        naming: Naming,
        column: &Ident,
    ) {
        let start = self.at;
        let referred = self.referred();
        self.at = self.at.max(start + 1);
        let columns = Some(vec![column.text.clone()]);
        self.effects.push(Effect::Added(Added {
            referred,
            in_column: true,
            ..self.added(kind, table, naming, start, columns)
        }));
    }

    /// MySQL since 8.0.16 and MariaDB name the key like its index, unless it has a name of its own (measured on MariaDB 10.11).
    fn foreign_key(&mut self, table: &Table, naming: Naming, start: usize) -> Added {
        self.if_not_exists();
        let index = self.name_before_columns();
        let naming = match naming {
            Naming::Unnamed => index.unwrap_or_default(),
            own => own,
        };
        let columns = self.columns();
        let added = self.added(ConstraintKind::ForeignKey, table, naming, start, columns);
        Added {
            referred: self.referred(),
            ..added
        }
    }

    fn unique(&mut self, table: &Table, naming: Naming, start: usize) -> Added {
        if !self.takes(&["index"]) {
            self.takes(&["key"]);
        }
        self.if_not_exists();
        if self.takes(&["using", "index"]) {
            return self.using_index(ConstraintKind::Unique, table, naming, start);
        }
        self.skip_before_columns();
        // The index's name takes precedence over the constraint's (measured on MariaDB 10.11).
        let naming = self.name_before_columns().unwrap_or(naming);
        self.skip_before_columns();
        let columns = self.columns();
        self.added(ConstraintKind::Unique, table, naming, start, columns)
    }

    fn primary_key(&mut self, table: &Table, naming: Naming, start: usize) -> Added {
        if self.takes(&["using", "index"]) {
            return self.using_index(ConstraintKind::PrimaryKey, table, naming, start);
        }
        self.skip_before_columns();
        // MySQL and MariaDB allow a name here, and call every primary key PRIMARY all the same.
        let naming = self.name_before_columns().map_or(naming, |_| Naming::Doubtful);
        self.skip_before_columns();
        let columns = self.columns();
        self.added(ConstraintKind::PrimaryKey, table, naming, start, columns)
    }

    /// PostgreSQL's `USING INDEX name`: without a name of its own the constraint takes the index's.
    fn using_index(&mut self, kind: ConstraintKind, table: &Table, naming: Naming, start: usize) -> Added {
        let index = self.naming();
        let naming = if naming == Naming::Unnamed { index } else { naming };
        self.added(kind, table, naming, start, None)
    }

    /// Skips what may come between the kind and the columns and is no name.
    fn skip_before_columns(&mut self) {
        self.takes_any(&["clustered", "nonclustered"]);
        if self.takes(&["nulls"]) {
            self.takes(&["not"]);
            self.takes(&["distinct"]);
        }
        if self.takes(&["using"]) {
            self.at += 1;
        }
    }

    fn name_before_columns(&mut self) -> Option<Naming> {
        if self.sees_mark('(') {
            return None;
        }
        let name = self.naming();
        let goes_on = self.sees_mark('(') || self.sees("using");
        Some(if goes_on { name } else { Naming::Doubtful })
    }

    fn referred(&mut self) -> Option<(Table, Vec<String>)> {
        if !self.takes(&["references"]) {
            return None;
        }
        let table = self.table()?;
        let columns = if self.sees_mark('(') { self.columns() } else { None };
        Some((table, columns.unwrap_or_default()))
    }

    /// What has been added by the words from `start` on.
    pub(super) fn added(
        &self,
        kind: ConstraintKind,
        table: &Table,
        naming: Naming,
        start: usize,
        columns: Option<Vec<String>>,
    ) -> Added {
        let words = self.words.get(start..self.at).unwrap_or_default();
        let start = words.first().map_or(0, |word| word.at.start);
        let end = words.last().map_or(start, |word| word.at.end);
        Added {
            kind,
            table: table.clone(),
            naming,
            columns,
            referred: None,
            in_column: false,
            at: start..end,
            says_constraint: false,
        }
    }
}

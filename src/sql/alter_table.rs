//! The actions of `ALTER TABLE`.

use crate::naming::ConstraintKind;

use super::reader::{Reader, depth_after};
use super::statement::INDEX_OR_UNIQUE;
use super::words::{PLACEHOLDER, Word};
use super::{Dropped, Effect, Ident, Naming, Table};

/// The words with which a constraint begins.
pub(super) const CONSTRAINT_WORDS: &[&str] = &["foreign", "unique", "primary", "check", "exclude", "constraint"];

impl Reader<'_> {
    pub(super) fn alter_table(&mut self) {
        self.if_exists();
        self.takes(&["only"]);
        let Some(table) = self.table() else {
            return self.add(None);
        };
        self.takes_mark('*');
        if self.takes(&["with"]) {
            self.takes_any(&["check", "nocheck"]);
        }
        let mut rest = self.words.get(self.at..).unwrap_or_default();
        while !rest.is_empty() {
            let end = end_of_action(rest);
            let mut action = Reader::new(&rest[..end], self.dialect);
            action.action(&table);
            self.effects.append(&mut action.effects);
            rest = rest.get(end + 1..).unwrap_or_default();
        }
    }

    fn action(&mut self, table: &Table) {
        if self.takes(&["add"]) {
            self.add_to_table(table);
        } else if self.takes(&["drop"]) {
            self.drop_from_table(table);
        } else if self.takes(&["rename"]) {
            self.rename(table);
        } else if self.sees_any(&["inherit", "attach", "exchange"]) {
            self.add(Some(Effect::TableChanged(table.clone())));
        } else if !self.sees_word() {
            self.add(None);
        }
    }

    fn add_to_table(&mut self, table: &Table) {
        if self.takes(&["constraint"]) {
            self.if_not_exists();
            if self.sees_any(CONSTRAINT_WORDS) {
                return self.add_constraint(table, Naming::Unnamed, true);
            }
            return match self.name() {
                Some(name) => self.add_constraint(table, Naming::Named(name), true),
                None => self.add(None),
            };
        }
        if self.sees_any(CONSTRAINT_WORDS) {
            return self.add_constraint(table, Naming::Unnamed, false);
        }
        let start = self.at;
        let is_index = self.takes(&["fulltext"]) | self.takes(&["spatial"]);
        if self.takes(&["index"]) || self.takes(&["key"]) || is_index {
            self.if_not_exists();
            let naming = self.naming();
            let added = self.added(ConstraintKind::Index, table, naming, start, None);
            return self.effects.push(Effect::Added(added));
        }
        self.add_column(table);
    }

    /// A column's own constraints are dropped with it, except for MariaDB's foreign keys.
    fn add_column(&mut self, table: &Table) {
        let says_column = self.takes(&["column"]);
        self.if_not_exists();
        let Some(column) = self.column_name(says_column) else {
            return self.add(None);
        };
        let mut depth = 0;
        let mut naming = Naming::Unnamed;
        while let Some(word) = self.peek(0) {
            let start = self.at;
            self.at += 1;
            depth = depth_after(word, depth);
            if depth > 0 {
                continue;
            }
            if word.is("constraint") {
                naming = self.naming();
            } else if let Some(kind) = column_constraint(word) {
                self.at = start;
                self.add_column_constraint(kind, table, std::mem::take(&mut naming), &column);
            } else if word.text.contains(PLACEHOLDER) {
                self.add(None);
            }
        }
    }

    /// What is put in later may also be a constraint, unless `COLUMN` comes first.
    fn column_name(&mut self, says_column: bool) -> Option<Ident> {
        self.name()
            .filter(|name| says_column || !name.text.contains(PLACEHOLDER))
    }

    fn drop_from_table(&mut self, table: &Table) {
        let kinds: Option<&'static [ConstraintKind]> = if self.takes(&["constraint"]) {
            None
        } else if self.takes(&["foreign", "key"]) {
            Some(&[ConstraintKind::ForeignKey])
        } else if self.takes(&["check"]) {
            Some(&[ConstraintKind::Check])
        } else if self.takes(&["primary", "key"]) {
            // It needs no name.
            return;
        } else if self.takes(&["index"]) || self.takes(&["key"]) {
            Some(INDEX_OR_UNIQUE)
        } else {
            let says_column = self.takes(&["column"]);
            self.if_exists();
            let column = self.column_name(says_column);
            let table = table.clone();
            return self.add(column.map(|column| Effect::ColumnDropped { table, column }));
        };
        let if_exists = self.if_exists();
        let name = self.name();
        self.add(name.map(|name| {
            Effect::Dropped(Dropped {
                kinds,
                table: Some(table.clone()),
                name,
                if_exists,
            })
        }));
    }

    fn rename(&mut self, table: &Table) {
        if self.takes(&["constraint"]) || self.takes(&["index"]) || self.takes(&["key"]) {
            let from = self.name();
            let to = self.takes(&["to"]).then(|| self.name()).flatten();
            return self.add(from.zip(to).map(|(from, to)| Effect::Renamed {
                table: Some(table.clone()),
                from,
                to,
                if_exists: false,
            }));
        }
        let is_of_table = self.sees_any(&["to", "as"]);
        self.takes(&["column"]);
        let is_of_column = self.peek(1).is_some_and(|word| word.is("to"));
        if is_of_table || !is_of_column {
            self.effects.push(Effect::TableChanged(table.clone()));
        }
    }
}

/// The kind of a constraint within a column definition that begins with this word.
fn column_constraint(word: &Word) -> Option<ConstraintKind> {
    let kinds = [
        ("references", ConstraintKind::ForeignKey),
        ("unique", ConstraintKind::Unique),
        ("check", ConstraintKind::Check),
        ("primary", ConstraintKind::PrimaryKey),
    ];
    kinds
        .into_iter()
        .find(|(keyword, _)| word.is(keyword))
        .map(|(_, kind)| kind)
}

/// Where the first action of a list ends: at a comma outside of parentheses, or at the end.
fn end_of_action(words: &[Word]) -> usize {
    let mut depth = 0;
    let ends = |word: &Word| {
        depth = depth_after(word, depth);
        depth == 0 && word.is_mark(',')
    };
    words.iter().position(ends).unwrap_or(words.len())
}

//! What each statement does: `ALTER`, `CREATE`, `DROP` and `RENAME`.

use crate::naming::{ConstraintKind, Dialect};

use super::reader::Reader;
use super::words::Word;
use super::{Dropped, Effect, Naming};

/// Statements that leave tables and their constraints as they are.
const HARMLESS: &str = "select insert update delete with values comment set reset show grant revoke vacuum analyze \
                        analyse refresh reindex cluster lock unlock truncate replace pragma use begin start commit \
                        rollback savepoint release copy explain security notify merge table go";

/// MySQL and MariaDB drop a unique constraint as an index.
pub(super) const INDEX_OR_UNIQUE: &[ConstraintKind] = &[ConstraintKind::Index, ConstraintKind::Unique];

/// What the statements of a text do, in order.
pub(super) fn effects(words: &[Word], dialect: Option<Dialect>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for statement in words.split(|word| word.is_mark(';')) {
        let mut reader = Reader::new(statement, dialect);
        let goes_on = reader.statement();
        effects.append(&mut reader.effects);
        if !goes_on {
            effects.push(Effect::Unknown);
            break;
        }
    }
    effects
}

impl Reader<'_> {
    /// Whether the next semicolon ends it: the body of a routine has semicolons of its own.
    fn statement(&mut self) -> bool {
        let Some(first) = self.peek(0) else { return true };
        if self.takes(&["alter"]) {
            self.alter();
        } else if self.takes(&["create"]) {
            return self.create();
        } else if self.takes(&["drop"]) {
            self.drop();
        } else if self.takes(&["rename", "table"]) {
            let table = self.table();
            self.add(table.map(Effect::TableChanged));
        } else if self.sees("declare") {
            return false;
        } else if !HARMLESS.split_ascii_whitespace().any(|word| first.is(word)) {
            self.add(None);
        }
        true
    }

    fn alter(&mut self) {
        self.takes_any(&["ignore", "online", "offline", "foreign"]);
        if self.takes(&["table"]) {
            self.alter_table();
        } else if self.takes(&["index"]) {
            self.alter_index();
        } else if !self.sees_word() {
            self.add(None);
        }
    }

    fn alter_index(&mut self) {
        let if_exists = self.if_exists();
        let from = self.table().map(|index| index.name);
        let to = self.takes(&["rename", "to"]).then(|| self.name()).flatten();
        self.effects.extend(from.zip(to).map(|(from, to)| Effect::Renamed {
            table: None,
            from,
            to,
            if_exists,
        }));
    }

    fn create(&mut self) -> bool {
        let routines = ["procedure", "function", "trigger", "event", "package"];
        let is_routine = |word: &Word| routines.iter().any(|routine| word.is(routine));
        if self.words.iter().take(8).any(is_routine) {
            return !self.words.iter().any(|word| word.is("begin"));
        }
        self.takes(&["or", "replace"]);
        let what = (0..4).find_map(|ahead| {
            let word = self.peek(ahead)?;
            (word.is("index") || word.is("table")).then_some((ahead, word))
        });
        let Some((ahead, what)) = what else {
            if !self.sees_word() {
                self.add(None);
            }
            return true;
        };
        self.at += ahead + 1;
        self.takes(&["concurrently"]);
        self.if_not_exists();
        if what.is("table") {
            let table = self.table();
            self.add(table.map(Effect::TableChanged));
        } else {
            self.create_index();
        }
        true
    }

    fn create_index(&mut self) {
        let naming = if self.sees("on") {
            Naming::Doubtful
        } else {
            self.naming()
        };
        // MySQL allows `USING BTREE` here.
        while self.peek(0).is_some() && !self.sees("on") {
            self.at += 1;
        }
        self.takes(&["on"]);
        self.takes(&["only"]);
        let table = self.table();
        let added = table.map(|table| self.added(ConstraintKind::Index, &table, naming, 0, None));
        self.add(added.map(Effect::Added));
    }

    fn drop(&mut self) {
        if self.takes(&["index"]) {
            self.drop_index();
        } else if self.takes(&["table"]) {
            self.if_exists();
            while let Some(table) = self.table() {
                self.effects.push(Effect::TableChanged(table));
                if !self.takes_mark(',') {
                    break;
                }
            }
        } else if self.sees_any(&["schema", "database", "owned"]) || !self.sees_word() {
            // These drop tables too.
            self.add(None);
        }
    }

    fn drop_index(&mut self) {
        self.takes(&["concurrently"]);
        let if_exists = self.if_exists();
        let index = self.table();
        let table = self.takes(&["on"]).then(|| self.table()).flatten();
        // A database that wants the table also drops a unique constraint in this way.
        let kinds = match table {
            Some(_) => INDEX_OR_UNIQUE,
            None => &[ConstraintKind::Index],
        };
        self.add(index.map(|index| {
            Effect::Dropped(Dropped {
                kinds: Some(kinds),
                table,
                name: index.name,
                if_exists,
            })
        }));
    }
}

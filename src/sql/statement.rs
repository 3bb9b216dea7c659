//! From the words of a text to what its statements do.

use std::ops::Range;

use crate::naming::{ConstraintKind, Dialect};

use super::words::{Kind, PLACEHOLDER, Word};
use super::{Added, Dropped, Effect, Ident, Naming, Table};

/// The words with which a constraint, or what may stand in its place, begins.
const CONSTRAINT_WORDS: &[&str] = &["foreign", "unique", "primary", "check", "exclude", "constraint"];

/// Whether a word would be read as the start of something else where a constraint's name stands.
pub(super) fn is_keyword(word: &str) -> bool {
    CONSTRAINT_WORDS.contains(&word) || matches!(word, "if" | "not" | "null" | "key" | "index" | "references" | "using")
}

/// Statements that leave tables and their constraints as they are.
const HARMLESS: &[&str] = &[
    "select",
    "insert",
    "update",
    "delete",
    "with",
    "values",
    "comment",
    "set",
    "reset",
    "show",
    "grant",
    "revoke",
    "vacuum",
    "analyze",
    "analyse",
    "refresh",
    "reindex",
    "cluster",
    "lock",
    "unlock",
    "truncate",
    "replace",
    "pragma",
    "use",
    "begin",
    "start",
    "commit",
    "rollback",
    "savepoint",
    "release",
    "copy",
    "explain",
    "security",
    "notify",
    "merge",
    "table",
    "go",
];

/// MySQL and MariaDB drop a unique constraint as an index.
const INDEX_OR_UNIQUE: &[ConstraintKind] = &[ConstraintKind::Index, ConstraintKind::Unique];

/// What the statements of a text do, in order.
pub(super) fn effects(words: &[Word], dialect: Option<Dialect>) -> Vec<Effect> {
    let mut found = Vec::new();
    for statement in words.split(|word| word.is_mark(';')) {
        let mut reader = Reader {
            words: statement,
            at: 0,
            dialect,
            found: Vec::new(),
        };
        let reads_on = reader.statement();
        found.append(&mut reader.found);
        if !reads_on {
            // The body of a routine has semicolons of its own.
            found.push(Effect::Unknown);
            break;
        }
    }
    found
}

struct Reader<'w> {
    words: &'w [Word],
    at: usize,
    dialect: Option<Dialect>,
    found: Vec<Effect>,
}

impl<'w> Reader<'w> {
    fn peek(&self, ahead: usize) -> Option<&'w Word> {
        self.words.get(self.at + ahead)
    }

    fn sees(&self, keyword: &str) -> bool {
        self.peek(0).is_some_and(|word| word.is(keyword))
    }

    fn sees_mark(&self, mark: char) -> bool {
        self.peek(0).is_some_and(|word| word.is_mark(mark))
    }

    /// Goes past these keywords if they all come next.
    fn takes(&mut self, keywords: &[&str]) -> bool {
        let all = keywords
            .iter()
            .enumerate()
            .all(|(ahead, keyword)| self.peek(ahead).is_some_and(|word| word.is(keyword)));
        if all {
            self.at += keywords.len();
        }
        all
    }

    /// Goes past any of these keywords, in any order.
    fn takes_any(&mut self, keywords: &[&str]) {
        while keywords.iter().any(|keyword| self.sees(keyword)) {
            self.at += 1;
        }
    }

    /// Whether the words after this statement are statements as well.
    fn statement(&mut self) -> bool {
        let Some(first) = self.peek(0) else { return true };
        if self.takes(&["alter"]) {
            self.alter();
        } else if self.takes(&["create"]) {
            return self.create();
        } else if self.takes(&["drop"]) {
            self.drop();
        } else if self.takes(&["rename", "table"]) {
            match self.table() {
                Some(table) => self.found.push(Effect::TableChanged(table)),
                None => self.found.push(Effect::Unknown),
            }
        } else if self.sees("declare") {
            return false;
        } else if !HARMLESS.iter().any(|word| first.is(word)) {
            self.found.push(Effect::Unknown);
        }
        true
    }

    fn alter(&mut self) {
        self.takes_any(&["ignore", "online", "offline", "foreign"]);
        if self.takes(&["table"]) {
            self.takes(&["if", "exists"]);
            self.takes(&["only"]);
            let Some(table) = self.table() else {
                return self.found.push(Effect::Unknown);
            };
            if self.sees_mark('*') {
                self.at += 1;
            }
            if self.takes(&["with"]) {
                self.takes_any(&["check", "nocheck"]);
            }
            self.actions(&table);
        } else if self.takes(&["index"]) {
            let if_exists = self.takes(&["if", "exists"]);
            let from = self.table().map(|index| index.name);
            let to = self.takes(&["rename", "to"]).then(|| self.name()).flatten();
            if let Some((from, to)) = from.zip(to) {
                self.found.push(Effect::Renamed {
                    table: None,
                    from,
                    to,
                    if_exists,
                });
            }
        } else if !self.is_word() {
            self.found.push(Effect::Unknown);
        }
    }

    /// The parts of an `ALTER TABLE`, each up to a comma outside of parentheses.
    fn actions(&mut self, table: &Table) {
        let mut rest = self.words.get(self.at..).unwrap_or_default();
        while !rest.is_empty() {
            let end = end_of_part(rest);
            let mut part = Reader {
                words: &rest[..end],
                at: 0,
                dialect: self.dialect,
                found: Vec::new(),
            };
            part.action(table);
            self.found.append(&mut part.found);
            rest = rest.get(end + 1..).unwrap_or_default();
        }
    }

    fn action(&mut self, table: &Table) {
        if self.takes(&["add"]) {
            self.add(table);
        } else if self.takes(&["drop"]) {
            self.drop_of_table(table);
        } else if self.takes(&["rename"]) {
            self.rename(table);
        } else if self.sees("inherit") || self.sees("attach") || self.sees("exchange") {
            self.found.push(Effect::TableChanged(table.clone()));
        } else if !self.is_word() {
            self.found.push(Effect::Unknown);
        }
    }

    fn add(&mut self, table: &Table) {
        if self.takes(&["constraint"]) {
            self.takes(&["if", "not", "exists"]);
            if CONSTRAINT_WORDS.iter().any(|word| self.sees(word)) {
                return self.constraint(table, &Naming::Unnamed, true);
            }
            return match self.name() {
                Some(name) => self.constraint(table, &Naming::Named(name), true),
                None => self.found.push(Effect::Unknown),
            };
        }
        if CONSTRAINT_WORDS.iter().any(|word| self.sees(word)) {
            return self.constraint(table, &Naming::Unnamed, false);
        }
        let start = self.at;
        let is_index = self.takes(&["fulltext"]) | self.takes(&["spatial"]);
        if self.takes(&["index"]) || self.takes(&["key"]) || is_index {
            self.takes(&["if", "not", "exists"]);
            let naming = self.name().map_or(Naming::Doubtful, Naming::Named);
            return self.added(ConstraintKind::Index, table, naming, start, None);
        }
        self.column(table);
    }

    /// A new column; its own constraints go when it goes, but for MariaDB's foreign keys.
    fn column(&mut self, table: &Table) {
        let says_column = self.takes(&["column"]);
        self.takes(&["if", "not", "exists"]);
        // What is put in later may be a constraint as well.
        let name = self
            .name()
            .filter(|name| says_column || !name.text.contains(PLACEHOLDER));
        let Some(column) = name else {
            return self.found.push(Effect::Unknown);
        };
        let mut depth = 0_usize;
        let mut naming = Naming::Unnamed;
        while let Some(word) = self.peek(0) {
            let start = self.at;
            self.at += 1;
            match word.kind {
                Kind::Mark('(') => depth += 1,
                Kind::Mark(')') => depth = depth.saturating_sub(1),
                _ if depth > 0 => {}
                _ if word.is("constraint") => {
                    naming = self.name().map_or(Naming::Doubtful, Naming::Named);
                }
                _ if word.is("references") => {
                    let name = std::mem::replace(&mut naming, Naming::Unnamed);
                    self.at = start;
                    self.references(table, name, &column);
                }
                _ if word.is("unique") => {
                    self.own_constraint(ConstraintKind::Unique, table, &mut naming, &column, start);
                }
                _ if word.is("check") => self.own_constraint(ConstraintKind::Check, table, &mut naming, &column, start),
                _ if word.is("primary") => {
                    self.own_constraint(ConstraintKind::PrimaryKey, table, &mut naming, &column, start);
                }
                _ if word.text.contains(PLACEHOLDER) => self.found.push(Effect::Unknown),
                _ => {}
            }
        }
    }

    fn own_constraint(
        &mut self,
        kind: ConstraintKind,
        table: &Table,
        naming: &mut Naming,
        column: &Ident,
        start: usize,
    ) {
        let name = std::mem::replace(naming, Naming::Unnamed);
        self.added(kind, table, name, start, Some(vec![column.text.clone()]));
        self.mark_in_column();
    }

    fn references(&mut self, table: &Table, naming: Naming, column: &Ident) {
        let start = self.at;
        let referred = self.referred();
        self.added(
            ConstraintKind::ForeignKey,
            table,
            naming,
            start,
            Some(vec![column.text.clone()]),
        );
        self.mark_in_column();
        if let Some(Effect::Added(added)) = self.found.last_mut() {
            added.referred = referred;
        }
    }

    fn mark_in_column(&mut self) {
        if let Some(Effect::Added(added)) = self.found.last_mut() {
            added.in_column = true;
        }
    }

    /// A constraint from its kind on.
    fn constraint(&mut self, table: &Table, naming: &Naming, says_constraint: bool) {
        let before = self.found.len();
        let start = self.at;
        if self.takes(&["foreign", "key"]) {
            self.foreign_key(table, naming, start);
        } else if self.takes(&["unique"]) {
            self.unique(table, naming, start);
        } else if self.takes(&["primary", "key"]) {
            self.primary_key(table, naming, start);
        } else if self.takes(&["check"]) {
            let naming = if self.sees_mark('(') || self.takes(&["not", "for", "replication"]) {
                naming.clone()
            } else {
                Naming::Doubtful
            };
            self.skip_parentheses();
            self.added(ConstraintKind::Check, table, naming, start, None);
        } else if self.takes(&["exclude"]) {
            self.added(ConstraintKind::Exclude, table, naming.clone(), start, None);
        } else if !self.takes(&["not", "null"]) {
            // A kind that is put in later, or one that is not known here.
            self.found.push(Effect::Unknown);
        }
        if let Some(Effect::Added(added)) = self.found.get_mut(before) {
            added.says_constraint = says_constraint;
        }
    }

    fn foreign_key(&mut self, table: &Table, naming: &Naming, start: usize) {
        self.takes(&["if", "not", "exists"]);
        // MySQL since 8.0.16 and MariaDB call the key like its index, unless it has a name of its own (measured on MariaDB 10.11).
        let index = self.name_before_columns();
        let naming = match naming {
            Naming::Unnamed => index.unwrap_or(Naming::Unnamed),
            own => own.clone(),
        };
        let columns = self.columns();
        let end = self.at;
        let referred = self.referred();
        self.added_until(ConstraintKind::ForeignKey, table, naming, start..end, columns);
        if let Some(Effect::Added(added)) = self.found.last_mut() {
            added.referred = referred;
        }
    }

    fn unique(&mut self, table: &Table, naming: &Naming, start: usize) {
        if !self.takes(&["index"]) {
            self.takes(&["key"]);
        }
        self.takes(&["if", "not", "exists"]);
        if let Some(naming) = self.using_index(naming) {
            return self.added(ConstraintKind::Unique, table, naming, start, None);
        }
        self.skip_before_columns();
        // The index's name wins over the constraint's (measured on MariaDB 10.11).
        let naming = self.name_before_columns().unwrap_or_else(|| naming.clone());
        self.skip_before_columns();
        let columns = self.columns();
        self.added(ConstraintKind::Unique, table, naming, start, columns);
    }

    fn primary_key(&mut self, table: &Table, naming: &Naming, start: usize) {
        if let Some(naming) = self.using_index(naming) {
            return self.added(ConstraintKind::PrimaryKey, table, naming, start, None);
        }
        self.skip_before_columns();
        // MySQL and MariaDB allow a name here and call every primary key PRIMARY all the same.
        let naming = self
            .name_before_columns()
            .map_or_else(|| naming.clone(), |_| Naming::Doubtful);
        self.skip_before_columns();
        let columns = self.columns();
        self.added(ConstraintKind::PrimaryKey, table, naming, start, columns);
    }

    /// PostgreSQL's `USING INDEX name`: without a name of its own the constraint takes the index's.
    fn using_index(&mut self, naming: &Naming) -> Option<Naming> {
        if !self.takes(&["using", "index"]) {
            return None;
        }
        let index = self.name().map_or(Naming::Doubtful, Naming::Named);
        Some(if *naming == Naming::Unnamed {
            index
        } else {
            naming.clone()
        })
    }

    /// What may stand between the kind and the columns without being a name.
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
        let name = self.name().map_or(Naming::Doubtful, Naming::Named);
        let goes_on = self.sees_mark('(') || self.sees("using");
        Some(if goes_on { name } else { Naming::Doubtful })
    }

    /// Column names in parentheses; nothing where one of them is more than a name.
    fn columns(&mut self) -> Option<Vec<String>> {
        let start = self.at;
        self.skip_parentheses();
        let inside = self.words.get(start + 1..self.at.checked_sub(1)?)?;
        inside
            .split(|word| word.is_mark(','))
            .map(|column| match column {
                [word] => self.ident(word).filter(|name| name.is_certain).map(|name| name.text),
                _ => None,
            })
            .collect()
    }

    fn skip_parentheses(&mut self) {
        let mut depth = 0_usize;
        while let Some(word) = self.peek(0) {
            match word.kind {
                Kind::Mark('(') => depth += 1,
                Kind::Mark(')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && !word.is_mark(')') {
                return;
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    fn referred(&mut self) -> Option<(Table, Vec<String>)> {
        if !self.takes(&["references"]) {
            return None;
        }
        let table = self.table()?;
        let columns = if self.sees_mark('(') {
            self.columns().unwrap_or_default()
        } else {
            Vec::new()
        };
        Some((table, columns))
    }

    fn added(
        &mut self,
        kind: ConstraintKind,
        table: &Table,
        naming: Naming,
        start: usize,
        columns: Option<Vec<String>>,
    ) {
        self.added_until(kind, table, naming, start..self.at, columns);
    }

    fn added_until(
        &mut self,
        kind: ConstraintKind,
        table: &Table,
        naming: Naming,
        words: Range<usize>,
        columns: Option<Vec<String>>,
    ) {
        let place = |at: usize| self.words.get(at).map(|word| word.at.clone());
        let start = place(words.start).map_or(0, |at| at.start);
        let end = words.end.checked_sub(1).and_then(place).map_or(start, |at| at.end);
        self.found.push(Effect::Added(Added {
            kind,
            table: table.clone(),
            naming,
            columns,
            referred: None,
            in_column: false,
            at: start..end.max(start),
            says_constraint: false,
        }));
    }

    fn drop_of_table(&mut self, table: &Table) {
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
            self.takes(&["if", "exists"]);
            return match self
                .name()
                .filter(|name| says_column || !name.text.contains(PLACEHOLDER))
            {
                Some(column) => self.found.push(Effect::ColumnDropped {
                    table: table.clone(),
                    column,
                }),
                None => self.found.push(Effect::Unknown),
            };
        };
        let if_exists = self.takes(&["if", "exists"]);
        match self.name() {
            Some(name) => self.found.push(Effect::Dropped(Dropped {
                kinds,
                table: Some(table.clone()),
                name,
                if_exists,
            })),
            None => self.found.push(Effect::Unknown),
        }
    }

    fn rename(&mut self, table: &Table) {
        let of_constraint = self.takes(&["constraint"]) || self.takes(&["index"]) || self.takes(&["key"]);
        if of_constraint {
            let from = self.name();
            let to = self.takes(&["to"]).then(|| self.name()).flatten();
            return self.found.push(match from.zip(to) {
                Some((from, to)) => Effect::Renamed {
                    table: Some(table.clone()),
                    from,
                    to,
                    if_exists: false,
                },
                None => Effect::Unknown,
            });
        }
        let of_table = self.sees("to") || self.sees("as");
        self.takes(&["column"]);
        let of_column = self.peek(1).is_some_and(|word| word.is("to"));
        if of_table || !of_column {
            self.found.push(Effect::TableChanged(table.clone()));
        }
    }

    fn create(&mut self) -> bool {
        let routines = ["procedure", "function", "trigger", "event", "package"];
        let is_routine = self
            .words
            .iter()
            .take(8)
            .any(|word| routines.iter().any(|routine| word.is(routine)));
        if is_routine {
            return !self.words.iter().any(|word| word.is("begin"));
        }
        self.takes(&["or", "replace"]);
        let kind = self.words[self.at..]
            .iter()
            .take(4)
            .position(|word| word.is("index") || word.is("table"));
        let Some(ahead) = kind else {
            if !self.is_word() {
                self.found.push(Effect::Unknown);
            }
            return true;
        };
        let is_table = self.words[self.at + ahead].is("table");
        self.at += ahead + 1;
        self.takes(&["concurrently"]);
        self.takes(&["if", "not", "exists"]);
        if is_table {
            let effect = self.table().map_or(Effect::Unknown, Effect::TableChanged);
            self.found.push(effect);
        } else {
            self.index();
        }
        true
    }

    fn index(&mut self) {
        let naming = if self.sees("on") {
            Naming::Doubtful
        } else {
            self.name().map_or(Naming::Doubtful, Naming::Named)
        };
        // MySQL has `USING BTREE` here.
        while self.peek(0).is_some() && !self.sees("on") {
            self.at += 1;
        }
        self.takes(&["on"]);
        self.takes(&["only"]);
        match self.table() {
            Some(table) => self.added(ConstraintKind::Index, &table, naming, 0, None),
            None => self.found.push(Effect::Unknown),
        }
    }

    fn drop(&mut self) {
        if self.takes(&["index"]) {
            self.takes(&["concurrently"]);
            let if_exists = self.takes(&["if", "exists"]);
            let Some(index) = self.table() else {
                return self.found.push(Effect::Unknown);
            };
            let table = self.takes(&["on"]).then(|| self.table()).flatten();
            // Where the table is named, the index may be what keeps a constraint unique.
            let kinds: &'static [ConstraintKind] = match table {
                Some(_) => INDEX_OR_UNIQUE,
                None => &[ConstraintKind::Index],
            };
            self.found.push(Effect::Dropped(Dropped {
                kinds: Some(kinds),
                table,
                name: index.name,
                if_exists,
            }));
        } else if self.takes(&["table"]) {
            self.takes(&["if", "exists"]);
            while let Some(table) = self.table() {
                self.found.push(Effect::TableChanged(table));
                if !self.sees_mark(',') {
                    break;
                }
                self.at += 1;
            }
        } else {
            let takes_tables_along = ["schema", "database", "owned"].iter().any(|what| self.sees(what));
            if takes_tables_along || !self.is_word() {
                self.found.push(Effect::Unknown);
            }
        }
    }

    /// Whether a word comes next that is certain to stand there.
    fn is_word(&self) -> bool {
        self.peek(0)
            .is_some_and(|word| word.kind == Kind::Bare && !word.text.contains(PLACEHOLDER))
    }

    fn table(&mut self) -> Option<Table> {
        let mut parts = vec![self.name()?];
        while self.sees_mark('.') {
            self.at += 1;
            parts.push(self.name()?);
        }
        let name = parts.pop()?;
        // A database before the schema says nothing that matters here.
        Some(Table {
            schema: parts.pop(),
            name,
        })
    }

    fn name(&mut self) -> Option<Ident> {
        let name = self.peek(0).and_then(|word| self.ident(word))?;
        self.at += 1;
        Some(name)
    }

    fn ident(&self, word: &Word) -> Option<Ident> {
        let (text, is_certain) = match word.kind {
            Kind::Quoted => (word.text.clone(), true),
            Kind::Bare => match self.dialect {
                // What is not quoted is stored in lower case; Oracle's capitals are lower case to SQLAlchemy.
                Some(Dialect::Postgresql | Dialect::Oracle) => (word.text.to_lowercase(), true),
                Some(Dialect::Mysql | Dialect::Mariadb | Dialect::Mssql | Dialect::Sqlite) => (word.text.clone(), true),
                Some(Dialect::Other) | None => (word.text.clone(), !word.text.contains(char::is_uppercase)),
            },
            Kind::Mark(_) | Kind::Other => return None,
        };
        Some(Ident {
            is_certain: is_certain && !text.contains(PLACEHOLDER),
            text,
            at: word.at.clone(),
        })
    }
}

/// Where the first part of a list ends: at a comma outside of parentheses, or at its end.
fn end_of_part(words: &[Word]) -> usize {
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate() {
        match word.kind {
            Kind::Mark('(') => depth += 1,
            Kind::Mark(')') => depth = depth.saturating_sub(1),
            Kind::Mark(',') if depth == 0 => return at,
            _ => {}
        }
    }
    words.len()
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    /// What a text does, a line each.
    fn told(sql: &str, dialect: Option<Dialect>) -> Vec<String> {
        read(sql, dialect)
            .effects
            .iter()
            .map(|effect| tell(effect, sql))
            .collect()
    }

    fn table_text(table: &Table) -> String {
        let schema = table.schema.as_ref().map(|schema| format!("{}.", schema.text));
        format!("{}{}", schema.unwrap_or_default(), table.name.text)
    }

    fn tell(effect: &Effect, sql: &str) -> String {
        match effect {
            Effect::Added(added) => {
                let name = match &added.naming {
                    Naming::Unnamed => "-",
                    Naming::Named(name) => &name.text,
                    Naming::Doubtful => "?",
                };
                let columns = added
                    .columns
                    .as_ref()
                    .map_or("?".to_owned(), |columns| columns.join(","));
                let referred = added.referred.as_ref();
                let referred =
                    referred.map(|(table, columns)| format!(" -> {}({})", table_text(table), columns.join(",")));
                let place = &sql[added.at.clone()];
                let column = if added.in_column { " in column" } else { "" };
                let kind = added.kind.label();
                let table = table_text(&added.table);
                format!(
                    "+{kind} {table}({columns}) {name}{}{column} [{place}]",
                    referred.unwrap_or_default()
                )
            }
            Effect::Dropped(dropped) => {
                let table = dropped.table.as_ref().map_or("?".to_owned(), table_text);
                format!("-{} of {table}", dropped.name.text)
            }
            Effect::Renamed { from, to, .. } => format!("{} to {}", from.text, to.text),
            Effect::ColumnDropped { table, column } => format!("-{}.{}", table_text(table), column.text),
            Effect::TableChanged(table) => format!("table {}", table_text(table)),
            Effect::Unknown => "unknown".to_owned(),
        }
    }

    #[allow(clippy::too_many_lines, reason = "it is a table")]
    #[test]
    fn what_is_added_is_told_with_its_place() {
        let (pg, my, ms) = (Some(Dialect::Postgresql), Some(Dialect::Mariadb), Some(Dialect::Mssql));
        for (sql, dialect, expected) in [
            (
                "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES s.c (id) ON DELETE CASCADE NOT VALID",
                pg,
                "+foreign key a(b) - -> s.c(id) [FOREIGN KEY (b)]",
            ),
            (
                "alter table if exists only S.\"A\" * add unique (X)",
                pg,
                "+unique constraint s.A(x) - [unique (X)]",
            ),
            (
                "ALTER TABLE a ADD COLUMN b int, ADD CHECK (b > 0 AND f(b, 1))",
                None,
                "+check constraint a(?) - [CHECK (b > 0 AND f(b, 1))]",
            ),
            (
                "ALTER TABLE a ADD UNIQUE NULLS NOT DISTINCT (b, \"C\")",
                pg,
                "+unique constraint a(b,C) - [UNIQUE NULLS NOT DISTINCT (b, \"C\")]",
            ),
            (
                "ALTER TABLE a ADD UNIQUE USING INDEX i",
                pg,
                "+unique constraint a(?) i [UNIQUE USING INDEX i]",
            ),
            (
                "ALTER TABLE a ADD CONSTRAINT x PRIMARY KEY USING INDEX i",
                pg,
                "+primary key a(?) x [PRIMARY KEY USING INDEX i]",
            ),
            (
                "ALTER TABLE a ADD EXCLUDE USING gist (b WITH &&)",
                pg,
                "+exclude constraint a(?) - [EXCLUDE]",
            ),
            (
                "ALTER TABLE a /* ; */ ADD -- ,\n FOREIGN KEY (b) REFERENCES c",
                None,
                "+foreign key a(b) - -> c() [FOREIGN KEY (b)]",
            ),
            (
                "ALTER TABLE `a` ADD UNIQUE KEY `x` (`b`)",
                my,
                "+unique constraint a(b) x [UNIQUE KEY `x` (`b`)]",
            ),
            (
                "ALTER TABLE a ADD UNIQUE x USING BTREE (b)",
                my,
                "+unique constraint a(b) x [UNIQUE x USING BTREE (b)]",
            ),
            (
                "ALTER TABLE a ADD UNIQUE KEY USING BTREE (b)",
                my,
                "+unique constraint a(b) - [UNIQUE KEY USING BTREE (b)]",
            ),
            (
                "ALTER TABLE a ADD CONSTRAINT y UNIQUE KEY x (b)",
                my,
                "+unique constraint a(b) x [UNIQUE KEY x (b)]",
            ),
            (
                "ALTER TABLE a ADD CONSTRAINT UNIQUE (b(10))",
                my,
                "+unique constraint a(?) - [UNIQUE (b(10))]",
            ),
            (
                "ALTER TABLE a ADD CONSTRAINT FOREIGN KEY (b) REFERENCES c(d)",
                my,
                "+foreign key a(b) - -> c(d) [FOREIGN KEY (b)]",
            ),
            (
                "ALTER TABLE a ADD FOREIGN KEY i (b) REFERENCES c(d)",
                my,
                "+foreign key a(b) i -> c(d) [FOREIGN KEY i (b)]",
            ),
            (
                "ALTER TABLE a ADD FOREIGN KEY IF NOT EXISTS (b) REFERENCES c(d)",
                my,
                "+foreign key a(b) - -> c(d) [FOREIGN KEY IF NOT EXISTS (b)]",
            ),
            (
                "ALTER TABLE a ADD CONSTRAINT x FOREIGN KEY i (b) REFERENCES c(d)",
                my,
                "+foreign key a(b) x -> c(d) [FOREIGN KEY i (b)]",
            ),
            (
                "ALTER TABLE a ADD COLUMN b int CONSTRAINT x REFERENCES c(d)",
                my,
                "+foreign key a(b) x -> c(d) in column [REFERENCES c(d)]",
            ),
            (
                "ALTER TABLE a ADD b int DEFAULT f(1, 2) UNIQUE",
                None,
                "+unique constraint a(b) - in column [UNIQUE]",
            ),
            (
                "ALTER TABLE [a b] WITH NOCHECK ADD PRIMARY KEY CLUSTERED (c)",
                ms,
                "+primary key a b(c) - [PRIMARY KEY CLUSTERED (c)]",
            ),
            ("ALTER TABLE a ADD INDEX i (b)", my, "+index a(?) i [INDEX i]"),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY a USING btree (lower(b))",
                pg,
                "+index a(?) i [CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY a]",
            ),
        ] {
            assert_eq!(told(sql, dialect), [expected], "{sql}");
        }
    }

    #[test]
    fn several_statements_and_parts_are_told_in_order() {
        assert_eq!(
            told(
                "ALTER TABLE a ADD CONSTRAINT x UNIQUE (b), DROP CONSTRAINT y, DROP COLUMN IF EXISTS z CASCADE, RENAME TO w;\n\
                 SELECT ';'; DROP INDEX s.i; ALTER TABLE a RENAME CONSTRAINT p TO q; ALTER INDEX i RENAME TO j; ALTER TABLE a RENAME b TO c;\n\
                 ALTER TABLE a DROP FOREIGN KEY f, DROP KEY k, DROP PRIMARY KEY; DROP TABLE t, u; CREATE TEMP TABLE v (a int);",
                None,
            ),
            [
                "+unique constraint a(b) x [UNIQUE (b)]",
                "-y of a",
                "-a.z",
                "table a",
                "-i of ?",
                "p to q",
                "i to j",
                "-f of a",
                "-k of a",
                "table t",
                "table u",
                "table v"
            ]
        );
    }

    #[test]
    fn what_is_not_understood_is_unknown_and_what_is_harmless_is_nothing() {
        for sql in [
            "DO $$ BEGIN ALTER TABLE a ADD UNIQUE (b); END $$",
            "CALL f()",
            "EXEC sp_rename 'a', 'b'",
            "\u{f8ff} ADD UNIQUE (b)",
            "ALTER TABLE a \u{f8ff} UNIQUE (b)",
            "ALTER TABLE a DROP \u{f8ff}",
            "ALTER \u{f8ff} a ADD UNIQUE (b)",
            "CREATE \u{f8ff}",
            "DROP \u{f8ff} a",
            "ALTER TABLE a ADD \u{f8ff} (b)",
            "ALTER TABLE a ADD CONSTRAINT x \u{f8ff}",
            "SELECT 'a",
        ] {
            let found = told(sql, None);
            assert_eq!(found, ["unknown"], "{sql}");
        }
        for sql in [
            "SELECT 'ALTER TABLE a ADD UNIQUE (b)'",
            "SELECT $$ALTER TABLE a ADD UNIQUE (b)$$",
            "-- ALTER TABLE a ADD UNIQUE (b)\nUPDATE a SET b = 1",
            "COMMENT ON CONSTRAINT a ON b IS 'c'",
            "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN ALTER TABLE a ADD UNIQUE (b); END $$ LANGUAGE plpgsql",
            "ALTER DOMAIN d ADD CHECK (VALUE > 0)",
            "ALTER TYPE e ADD VALUE 'x'",
            "ALTER TABLE a ALTER COLUMN b TYPE int USING b::int, VALIDATE CONSTRAINT x",
            "ALTER TABLE a ADD COLUMN \"unique\" int",
            "CREATE VIEW v AS SELECT 1",
            "",
            ";;",
        ] {
            assert_eq!(told(sql, None), Vec::<String>::new(), "{sql}");
        }
    }

    #[test]
    fn the_body_of_a_routine_is_not_run() {
        let sql = "CREATE PROCEDURE p() BEGIN ALTER TABLE a ADD UNIQUE (b); ALTER TABLE a ADD UNIQUE (c); END; ALTER TABLE a ADD UNIQUE (d)";
        assert_eq!(told(sql, Some(Dialect::Mysql)), ["unknown"]);
    }

    #[test]
    fn a_name_that_is_put_in_later_is_doubtful() {
        let found = read(
            "ALTER TABLE a ADD CONSTRAINT fk_\u{f8ff} FOREIGN KEY (b) REFERENCES c",
            None,
        );
        let [Effect::Added(added)] = found.effects.as_slice() else {
            panic!("{found:?}")
        };
        assert!(matches!(&added.naming, Naming::Named(name) if !name.is_certain));
    }
}

//! Reads which constraints SQL adds, drops and renames. It understands nothing else of SQL, and guesses nothing.
//!
//! The caller gives the text, with [`PLACEHOLDER`] for each part that is put in later, and the database if that is known.

mod alter_table;
mod constraint;
mod reader;
mod statement;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

use crate::naming::{ConstraintKind, Dialect};

use alter_table::CONSTRAINT_WORDS;
use words::{Kind, Word};

pub(crate) use words::PLACEHOLDER;

/// One thing that a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A constraint or an index is added.
    Added(Added),
    /// A constraint or an index is dropped.
    Dropped(Dropped),
    /// A constraint or an index gets another name.
    Renamed {
        /// `ALTER INDEX` names none.
        table: Option<Table>,
        from: Ident,
        to: Ident,
        if_exists: bool,
    },
    /// A column is dropped, and with it its constraints.
    ColumnDropped { table: Table, column: Ident },
    /// A table is made, renamed or dropped, so its constraints are not known.
    TableChanged(Table),
    /// It cannot be read, so it may do anything.
    Unknown,
}

/// A table in SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) schema: Option<Ident>,
    pub(crate) name: Ident,
}

impl Table {
    /// Its schema, if it is written.
    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_ref().map(|schema| schema.text.as_str())
    }

    /// Its name, unless a part of that is put in later.
    pub(crate) fn known_name(&self) -> Option<&str> {
        Some(self.name.text.as_str()).filter(|name| !name.contains(PLACEHOLDER))
    }
}

/// A name in SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ident {
    /// As the database stores it, as far as that can be told.
    pub(crate) text: String,
    /// Whether no part of it is put in later, and its case is certain.
    pub(crate) is_certain: bool,
    /// Where it is written, with its quotes.
    pub(crate) at: Range<usize>,
}

/// The name of what is added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Naming {
    /// The database chooses one.
    #[default]
    Unnamed,
    Named(Ident),
    /// One that is put in later, or that follows rules which are not known here.
    Doubtful,
}

/// A constraint or an index that SQL adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) kind: ConstraintKind,
    pub(crate) table: Table,
    pub(crate) naming: Naming,
    /// `None` if they are not all plain names.
    pub(crate) columns: Option<Vec<String>>,
    /// Of a foreign key, the other table and its columns.
    pub(crate) referred: Option<(Table, Vec<String>)>,
    /// Whether it is part of the definition of a new column.
    pub(crate) in_column: bool,
    /// Where its kind is written, with its columns: `FOREIGN KEY (a)`.
    pub(crate) at: Range<usize>,
    /// Whether `CONSTRAINT` is written before it already.
    pub(crate) says_constraint: bool,
}

/// A constraint or an index that SQL drops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// What it may be; `None` for `DROP CONSTRAINT`, which does not say.
    pub(crate) kinds: Option<&'static [ConstraintKind]>,
    /// `DROP INDEX` names none.
    pub(crate) table: Option<Table>,
    pub(crate) name: Ident,
    pub(crate) if_exists: bool,
}

/// Whether a text can change constraints at all. Most SQL in migrations only moves data.
pub(crate) fn may_matter(text: &str) -> bool {
    let letters = text.to_ascii_lowercase();
    ["alter", "create", "drop", "rename", "exec", "call", "do "]
        .iter()
        .any(|word| letters.contains(word))
        || letters.contains(PLACEHOLDER)
}

/// What a text does on a database, in order.
pub(crate) fn read(text: &str, dialect: Option<Dialect>) -> Vec<Effect> {
    match words::words(text, dialect) {
        Some(words) => statement::effects(&words, dialect),
        None => vec![Effect::Unknown],
    }
}

/// Whether only MySQL and MariaDB take the text: it has backticks, or drops a key without a name.
pub(crate) fn is_written_for_mysql(text: &str) -> bool {
    let words = words::words(text, Some(Dialect::Mysql)).unwrap_or_default();
    let drops_key = |words: &[Word]| {
        let [drop, what, key] = words else { return false };
        drop.is("drop") && (what.is("primary") || what.is("foreign")) && key.is("key")
    };
    words.iter().any(|word| word.kind == Kind::Quoted) || words.windows(3).any(drops_key)
}

/// The names in a text, whatever they name, each with its place and whether it is quoted. Without quotes its case does not matter.
pub(crate) fn mentioned(text: &str, dialect: Option<Dialect>) -> Vec<(String, Range<usize>, bool)> {
    let words = words::words(text, dialect).unwrap_or_default().into_iter();
    let name = |word: Word| match word.kind {
        Kind::Quoted => Some((word.text, word.at, true)),
        Kind::Bare => Some((word.text, word.at, false)),
        Kind::Mark(_) | Kind::Other => None,
    };
    words.filter_map(name).collect()
}

/// A name as SQL needs it: in the quotes of the database, or without any if it is plain.
///
/// `None` if it needs quotes and the database is not known.
pub(crate) fn written(name: &str, dialect: Option<Dialect>) -> Option<String> {
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        && !is_keyword(name);
    if is_plain {
        return Some(name.to_owned());
    }
    match dialect? {
        Dialect::Mysql | Dialect::Mariadb => Some(format!("`{}`", name.replace('`', "``"))),
        Dialect::Mssql => Some(format!("[{}]", name.replace(']', "]]"))),
        Dialect::Postgresql | Dialect::Sqlite | Dialect::Oracle => Some(format!("\"{}\"", name.replace('"', "\"\""))),
        Dialect::Other => None,
    }
}

/// Whether a word would not be read as the name of a constraint.
fn is_keyword(word: &str) -> bool {
    CONSTRAINT_WORDS.contains(&word) || matches!(word, "if" | "not" | "null" | "key" | "index" | "references" | "using")
}

//! What SQL does to the constraints of tables: which it adds, drops and renames. Nothing else of SQL is understood, and nothing is guessed.
//!
//! Nothing here parses Python. A text comes with the database it is for, where that is known, and with [`PLACEHOLDER`] where a part is put in later.

mod statement;
mod words;

use std::ops::Range;

use crate::naming::{ConstraintKind, Dialect};

pub(crate) use words::PLACEHOLDER;

/// What a text does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sql {
    /// In the order in which it does it.
    pub(crate) effects: Vec<Effect>,
}

/// One thing that a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A constraint or an index is made.
    Added(Added),
    /// A constraint or an index is dropped.
    Dropped(Dropped),
    /// A constraint or an index gets another name.
    Renamed {
        /// On this table; `ALTER INDEX` names none.
        table: Option<Table>,
        /// What it was called.
        from: Ident,
        /// What it is called then.
        to: Ident,
        /// Whether it may be missing.
        if_exists: bool,
    },
    /// A column is dropped, and with it the constraints that it is part of.
    ColumnDropped {
        /// Of this table.
        table: Table,
        /// The column.
        column: Ident,
    },
    /// A table is made, renamed or dropped, so that nobody knows its constraints.
    TableChanged(Table),
    /// Anything may happen.
    Unknown,
}

/// A table in SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its schema, if it is written.
    pub(crate) schema: Option<Ident>,
    /// Its name.
    pub(crate) name: Ident,
}

/// A name in SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ident {
    /// As the database stores it, as far as that can be told.
    pub(crate) text: String,
    /// Whether nothing in it is put in later, and its case is certain.
    pub(crate) is_certain: bool,
    /// Where it stands, with its quotes.
    pub(crate) at: Range<usize>,
}

/// The name of what is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Naming {
    /// None, so the database makes one up.
    Unnamed,
    /// This one.
    Named(Ident),
    /// One that is put in later, or that follows rules which are not known here.
    Doubtful,
}

/// A constraint or an index that SQL makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Added {
    /// What it is.
    pub(crate) kind: ConstraintKind,
    /// On this table.
    pub(crate) table: Table,
    /// Under this name.
    pub(crate) naming: Naming,
    /// Its columns; nothing where they are not all plain names.
    pub(crate) columns: Option<Vec<String>>,
    /// Of a foreign key, the other table and its columns.
    pub(crate) referred: Option<(Table, Vec<String>)>,
    /// Whether it stands in the definition of a new column.
    pub(crate) in_column: bool,
    /// Where its kind is written, with its columns: `FOREIGN KEY (a)`.
    pub(crate) at: Range<usize>,
    /// Whether `CONSTRAINT` stands before it already.
    pub(crate) says_constraint: bool,
}

/// A constraint or an index that SQL drops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// What it may be; nothing for `DROP CONSTRAINT`, which says no kind.
    pub(crate) kinds: Option<&'static [ConstraintKind]>,
    /// Of this table; `DROP INDEX` names none.
    pub(crate) table: Option<Table>,
    /// Its name.
    pub(crate) name: Ident,
    /// Whether it may be missing.
    pub(crate) if_exists: bool,
}

/// Whether a text can change constraints at all; most SQL in migrations moves data, and needs no second look.
pub(crate) fn may_matter(text: &str) -> bool {
    let letters = text.to_ascii_lowercase();
    ["alter", "create", "drop", "rename", "exec", "call", "do "]
        .iter()
        .any(|word| letters.contains(word))
        || letters.contains(PLACEHOLDER)
}

/// What a text does on a database.
pub(crate) fn read(text: &str, dialect: Option<Dialect>) -> Sql {
    let effects = match words::words(text, dialect) {
        Some(words) => statement::effects(&words, dialect),
        None => vec![Effect::Unknown],
    };
    Sql { effects }
}

/// Whether a text is MySQL's or MariaDB's by its syntax: with backticks, or with a drop of what others drop by its name.
pub(crate) fn is_written_for_mysql(text: &str) -> bool {
    let words = words::words(text, Some(Dialect::Mysql)).unwrap_or_default();
    let is_quoted = |word: &words::Word| word.kind == words::Kind::Quoted;
    let drops = |words: &[words::Word]| {
        let [drop, what, key] = words else { return false };
        drop.is("drop") && (what.is("primary") || what.is("foreign")) && key.is("key")
    };
    words.iter().any(is_quoted) || words.windows(3).any(drops)
}

/// The names in a text, whatever they name there, each with its place and whether it stands in quotes: what does not counts in any case.
pub(crate) fn mentioned(text: &str, dialect: Option<Dialect>) -> Vec<(String, Range<usize>, bool)> {
    let words = words::words(text, dialect).unwrap_or_default().into_iter();
    let is_name = |word: &words::Word| matches!(word.kind, words::Kind::Quoted | words::Kind::Bare);
    let name = |word: words::Word| (word.text, word.at, word.kind == words::Kind::Quoted);
    words.filter(is_name).map(name).collect()
}

/// A name as SQL needs it: without quotes where it is plain, else in those of the database.
///
/// Nothing where the quotes depend on the database and that is not known.
pub(crate) fn written(name: &str, dialect: Option<Dialect>) -> Option<String> {
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        && !statement::is_keyword(name);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_under_any_case_and_in_any_quotes() {
        let pg = Some(Dialect::Postgresql);
        for (text, name, expected) in [
            (
                "DROP CONSTRAINT A_b_KEY, x a_b_key",
                "a_b_key",
                &["A_b_KEY", "a_b_key"][..],
            ),
            ("COMMENT ON CONSTRAINT \"a\"\"b\" IS 'a\"b'", "a\"b", &["\"a\"\"b\""]),
            ("DROP CONSTRAINT \"A\"", "a", &[]),
            ("DROP CONSTRAINT a_b_key2", "a_b_key", &[]),
            ("SELECT 1", "a_b_key", &[]),
        ] {
            let is_meant = |own: &str, is_quoted: bool| own == name || !is_quoted && own.eq_ignore_ascii_case(name);
            let found = mentioned(text, pg)
                .into_iter()
                .filter(|(own, _, is_quoted)| is_meant(own, *is_quoted));
            let found: Vec<&str> = found.map(|(_, at, _)| &text[at]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}

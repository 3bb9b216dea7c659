//! Splits SQL into words. Comments, strings and quotes are those of the database.

use std::ops::Range;

use squawk_lexer::{LiteralKind, Token, TokenKind, tokenize};

use crate::naming::Dialect;

/// A private character, which the lexer takes for a letter.
pub(crate) use crate::python::values::PLACEHOLDER;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword, or a name without quotes.
    Bare,
    /// A name in quotes.
    Quoted,
    /// `(`, `)`, `,`, `;`, `.`, `*` or `=`
    Mark(char),
    /// A string, a number, or anything else that is no name.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) kind: Kind,
    /// Without its quotes.
    pub(super) text: String,
    pub(super) at: Range<usize>,
}

impl Word {
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Bare && self.text.eq_ignore_ascii_case(keyword)
    }

    pub(super) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// The words of a text; `None` if it cannot be split with certainty.
pub(super) fn words(sql: &str, dialect: Option<Dialect>) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, word) = next(rest, dialect)?;
        if let Some((kind, text)) = word {
            words.push(Word {
                kind,
                text,
                at: at..at + length,
            });
        }
        at += length;
    }
    Some(words)
}

/// A length in bytes, and the word there; a comment or white space has none.
type Next = (usize, Option<(Kind, String)>);

/// The first token of a text. The lexer is PostgreSQL's; this reads what is different in other databases.
fn next(rest: &str, dialect: Option<Dialect>) -> Option<Next> {
    let is_mysql = matches!(dialect, Some(Dialect::Mysql | Dialect::Mariadb));
    match rest.chars().next()? {
        '`' => quoted(rest, '`'),
        '[' if takes_brackets(rest, dialect) => quoted(rest, ']'),
        // A string, unless the server has ANSI_QUOTES set, which cannot be seen here.
        '\'' | '"' if is_mysql => Some((escaped_string(rest)?, Some((Kind::Other, String::new())))),
        '#' if is_mysql => Some((rest.find('\n').unwrap_or(rest.len()), None)),
        '$' if is_mysql => Some((1, Some((Kind::Other, String::new())))),
        // MySQL runs what such a comment holds.
        '/' if rest.starts_with("/*!") && dialect.is_none_or(|_| is_mysql) => None,
        _ => word(rest, tokenize(rest).next()?, dialect),
    }
}

fn word(rest: &str, token: Token, dialect: Option<Dialect>) -> Option<Next> {
    let length = usize::try_from(token.len).ok()?;
    let text = rest.get(..length)?;
    let found = match token.kind {
        TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { terminated: true } => None,
        TokenKind::Ident => Some((Kind::Bare, text.to_owned())),
        TokenKind::QuotedIdent {
            terminated: true,
            uescape: false,
        } => return quoted(rest, '"'),
        TokenKind::Semi
        | TokenKind::Comma
        | TokenKind::OpenParen
        | TokenKind::CloseParen
        | TokenKind::Dot
        | TokenKind::Star
        | TokenKind::Eq => Some((Kind::Mark(text.chars().next()?), text.to_owned())),
        TokenKind::Literal { kind } if is_terminated(kind) => {
            // A backslash before a quote ends the string on one database and not on another.
            if dialect.is_none() && text.contains("\\'") {
                return None;
            }
            Some((Kind::Other, String::new()))
        }
        TokenKind::BlockComment { .. } | TokenKind::QuotedIdent { .. } | TokenKind::Literal { .. } => return None,
        _ => Some((Kind::Other, String::new())),
    };
    Some((length, found))
}

const fn is_terminated(kind: LiteralKind) -> bool {
    match kind {
        LiteralKind::Str { terminated }
        | LiteralKind::NationalStr { terminated }
        | LiteralKind::ByteStr { terminated }
        | LiteralKind::BitStr { terminated }
        | LiteralKind::DollarQuotedString { terminated }
        | LiteralKind::UnicodeEscStr { terminated }
        | LiteralKind::EscStr { terminated } => terminated,
        LiteralKind::Int { .. } | LiteralKind::Numeric { .. } => true,
    }
}

/// A name up to `close`; doubled, that is part of the name.
fn quoted(rest: &str, close: char) -> Option<Next> {
    let mut letters = rest.char_indices().skip(1).peekable();
    let mut name = String::new();
    while let Some((at, letter)) = letters.next() {
        if letter != close {
            name.push(letter);
        } else if letters.next_if(|(_, next)| *next == close).is_some() {
            name.push(close);
        } else {
            return Some((at + close.len_utf8(), Some((Kind::Quoted, name))));
        }
    }
    None
}

/// The length of a MySQL string, in which a backslash escapes the next character.
fn escaped_string(rest: &str) -> Option<usize> {
    let quote = rest.chars().next()?;
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' || letter == quote && letters.peek().is_some_and(|(_, next)| *next == quote) {
            letters.next();
        } else if letter == quote {
            return Some(at + 1);
        }
    }
    None
}

/// SQL Server and SQLite quote names with brackets; PostgreSQL has arrays in them.
fn takes_brackets(rest: &str, dialect: Option<Dialect>) -> bool {
    match dialect {
        Some(Dialect::Mssql | Dialect::Sqlite) => true,
        Some(_) => false,
        None => {
            let inside = rest[1..].split(']').next().unwrap_or_default();
            inside.starts_with(|first: char| first.is_alphabetic() || first == '_')
                && !inside.contains([',', '\'', '"', '('])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str, dialect: Option<Dialect>) -> Option<Vec<String>> {
        let words = words(sql, dialect)?;
        Some(words.into_iter().map(|word| word.text).collect())
    }

    #[test]
    fn each_database_quotes_in_its_own_way() {
        let (pg, my) = (Some(Dialect::Postgresql), Some(Dialect::Mysql));
        for (sql, dialect, expected) in [
            ("a \"b\"\"c\" 'd'", pg, Some(vec!["a", "b\"c", ""])),
            ("a `it's` \"x\"", my, Some(vec!["a", "it's", ""])),
            ("'it\\'s' a", my, Some(vec!["", "a"])),
            ("'it\\' a", pg, Some(vec!["", "a"])),
            ("'it\\' a", None, None),
            ("a # b\nc", my, Some(vec!["a", "c"])),
            ("[a b].c", Some(Dialect::Mssql), Some(vec!["a b", ".", "c"])),
            ("a[1]", None, Some(vec!["a", "", "", ""])),
            ("/*! a */ b", my, None),
            ("/*! a */ b", pg, Some(vec!["b"])),
            ("$$ a ' $$ b", pg, Some(vec!["", "b"])),
            ("$x$ $$ a $x$ b", None, Some(vec!["", "b"])),
            ("a 'b", None, None),
            ("a /* b", None, None),
        ] {
            assert_eq!(
                texts(sql, dialect),
                expected.map(|words| words.into_iter().map(str::to_owned).collect()),
                "{sql} on {dialect:?}"
            );
        }
    }

    #[test]
    fn words_have_their_place() {
        let sql = "ä -- x\n\"b c\" `d`";
        let found = words(sql, None).unwrap();
        let slices: Vec<&str> = found.iter().map(|word| &sql[word.at.clone()]).collect();
        assert_eq!(slices, ["ä", "\"b c\"", "`d`"]);
    }
}

//! What can be wrong with a naming convention, as a sentence.

use std::fmt;

use super::{ConstraintKind, FormatError, Key};

/// What is wrong with one entry of a convention. Its `Display` is a sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The entry's key, by which it is found again in the code.
    pub key: Key,
    /// What is wrong with it.
    pub kind: ProblemKind,
}

/// A way in which an entry can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    /// The template uses this token, which SQLAlchemy does not know: `KeyError`. With the known one that looks most like it.
    UnknownToken(String, Option<&'static str>),
    /// The template asks a constraint of a kind that refers to nothing for what it refers to, by this token: `AttributeError` or `KeyError`.
    ReferredToken(String, ConstraintKind),
    /// The template for primary keys builds on an explicit name, which the one that every table starts with does not
    /// have.
    ExplicitNameInPrimaryKey,
    /// Python refuses the template.
    BrokenFormat(FormatError),
    /// The template uses this token, which the convention itself defines as a text: `TypeError`.
    TokenNotCallable(String),
    /// A function in the place of a template for a kind: `TypeError`.
    NotATemplate(ConstraintKind),
    /// SQLAlchemy never looks at this key. With the kind that was meant, as far as the key or its template tells.
    IgnoredKey(Option<ConstraintKind>),
    /// The template gives one name to any two constraints of this kind, on one table and for a foreign key between the
    /// same two tables.
    SameName(ConstraintKind),
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = match &self.key {
            Key::Text(name) | Key::Class(name) => name,
        };
        match &self.kind {
            ProblemKind::UnknownToken(token, nearest) => {
                write!(out, "the template for `{key}` uses `%({token})s`, a token that SQLAlchemy does not know")?;
                nearest.map_or(Ok(()), |nearest| write!(out, "; the nearest that it knows is `%({nearest})s`"))
            }
            ProblemKind::ReferredToken(token, kind) => {
                write!(
                    out,
                    "the template for `{key}` uses `%({token})s`, but {} refers to no table",
                    kind.with_article()
                )
            }
            ProblemKind::ExplicitNameInPrimaryKey => write!(
                out,
                "the template for `{key}` builds on `%(constraint_name)s`, but every table starts with a primary key \
                 that has no name, so no table can be built"
            ),
            ProblemKind::BrokenFormat(error) => write!(out, "the template for `{key}` is broken: {error}"),
            ProblemKind::TokenNotCallable(token) => write!(
                out,
                "the template for `{key}` uses `%({token})s`, which the convention itself defines as a text where \
                 SQLAlchemy calls a function"
            ),
            ProblemKind::NotATemplate(_) => {
                write!(out, "`{key}` holds a function, but SQLAlchemy needs a template there")
            }
            ProblemKind::IgnoredKey(meant) => {
                write!(out, "SQLAlchemy silently ignores the key `{key}`")?;
                let meant = meant.and_then(ConstraintKind::prefix);
                meant.map_or(Ok(()), |meant| write!(out, "; the key that it reads is `{meant}`"))
            }
            ProblemKind::SameName(kind) => write!(out, "the template for `{key}` {}", same_name(*kind)),
        }
    }
}

fn same_name(kind: ConstraintKind) -> String {
    match kind {
        ConstraintKind::ForeignKey => {
            "names no column, so two foreign keys between the same two tables get one name".to_owned()
        }
        ConstraintKind::Check => {
            "mentions no `%(constraint_name)s`, so two unnamed check constraints on one table get one name".to_owned()
        }
        _ => format!("names no column, so every {} on one table gets the same name", kind.label()),
    }
}

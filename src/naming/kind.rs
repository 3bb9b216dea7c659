//! The kinds of constraint, and what SQLAlchemy and Alembic call each.

/// A kind of constraint that can be named.
///
/// An index counts as one, because a naming convention names it too. The order is the one in which the kinds are worth
/// reporting: what breaks a downgrade most often comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConstraintKind {
    /// `FOREIGN KEY`. The default only so that a [`Subject`](super::Subject) can be written in part.
    #[default]
    ForeignKey,
    /// `UNIQUE`.
    Unique,
    /// `CHECK`.
    Check,
    /// `PRIMARY KEY`.
    PrimaryKey,
    /// An index, unique or not.
    Index,
    /// `EXCLUDE`, which only PostgreSQL has.
    Exclude,
}

impl ConstraintKind {
    /// Every kind, in order.
    pub const ALL: [Self; 6] =
        [Self::ForeignKey, Self::Unique, Self::Check, Self::PrimaryKey, Self::Index, Self::Exclude];

    /// The key under which a naming convention holds this kind's template.
    ///
    /// `None` for an exclude constraint, which only a class can stand for (`sqlalchemy/sql/naming.py`, `_prefix_dict`).
    #[must_use]
    pub const fn prefix(self) -> Option<&'static str> {
        match self {
            Self::ForeignKey => Some("fk"),
            Self::Unique => Some("uq"),
            Self::Check => Some("ck"),
            Self::PrimaryKey => Some("pk"),
            Self::Index => Some("ix"),
            Self::Exclude => None,
        }
    }

    /// Its name in a sentence: lower case, no article.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ForeignKey => "foreign key",
            Self::Unique => "unique constraint",
            Self::Check => "check constraint",
            Self::PrimaryKey => "primary key",
            Self::Index => "index",
            Self::Exclude => "exclude constraint",
        }
    }

    /// The label with its article: `an index`.
    pub(crate) fn with_article(self) -> String {
        let article = if matches!(self, Self::Index | Self::Exclude) {
            "an"
        } else {
            "a"
        };
        format!("{article} {}", self.label())
    }

    /// The value of `drop_constraint(type_=)` for this kind (`alembic/operations/schemaobj.py`, `generic_constraint`).
    ///
    /// `None` where that function cannot drop it by type: an index has its own operation, an exclude constraint no
    /// type.
    #[must_use]
    pub const fn type_name(self) -> Option<&'static str> {
        match self {
            Self::ForeignKey => Some("foreignkey"),
            Self::Unique => Some("unique"),
            Self::Check => Some("check"),
            Self::PrimaryKey => Some("primary"),
            Self::Index | Self::Exclude => None,
        }
    }

    /// The kind whose key in a naming convention is `prefix`; `None` for any other text, whatever its case.
    #[must_use]
    pub(super) fn from_prefix(prefix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.prefix() == Some(prefix))
    }

    /// The kind that `drop_constraint(type_=)` names; `None` for a value that Alembic would refuse.
    #[must_use]
    pub(crate) fn from_type_name(type_name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.type_name() == Some(type_name))
    }

    /// SQLAlchemy's class for this kind and what it inherits from, nearest first (the classes' `__mro__` in 2.1).
    ///
    /// A convention may hold any of them as a key, so one entry for `Constraint` names everything but indexes.
    pub(super) fn classes(self) -> impl Iterator<Item = &'static str> {
        let own = match self {
            Self::ForeignKey => "ForeignKeyConstraint",
            Self::Unique => "UniqueConstraint",
            Self::Check => "CheckConstraint",
            Self::PrimaryKey => "PrimaryKeyConstraint",
            Self::Index => "Index",
            Self::Exclude => "ExcludeConstraint",
        };
        let bases: &[&str] = match self {
            Self::Index => &["DialectKWArgs", "ColumnCollectionMixin"],
            _ => &["ColumnCollectionConstraint", "ColumnCollectionMixin", "Constraint", "DialectKWArgs"],
        };
        std::iter::once(own)
            .chain(bases.iter().copied())
            .chain(SCHEMA_ITEM_CLASSES)
    }
}

/// What all of SQLAlchemy's constraints and indexes inherit last.
const SCHEMA_ITEM_CLASSES: [&str; 7] = [
    "HasConditionalDDL",
    "SchemaItem",
    "SchemaVisitable",
    "SchemaEventTarget",
    "EventTarget",
    "Visitable",
    "object",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_type_leads_back_to_its_kind() {
        for kind in ConstraintKind::ALL {
            assert_eq!(kind.prefix().and_then(ConstraintKind::from_prefix), kind.prefix().map(|_| kind));
            assert_eq!(kind.type_name().and_then(ConstraintKind::from_type_name), kind.type_name().map(|_| kind));
        }
        assert_eq!(ConstraintKind::from_prefix("FK"), None);
        assert_eq!(ConstraintKind::from_type_name("foreign_key"), None);
    }
}

//! Why a convention gives no name.

use super::{ConstraintKind, FormatError};

/// Why a convention gives no name for a constraint that it means to name.
///
/// Either SQLAlchemy itself raises, or the name depends on something that the code does not show:
/// [`NamingError::is_raised`] tells the two apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamingError {
    /// A token that SQLAlchemy does not know: its `KeyError`.
    #[error("the naming convention uses the token `%({0})s`, which SQLAlchemy does not know")]
    UnknownToken(String),
    /// A token of the referred table on a constraint that refers to none: `AttributeError` or `KeyError`.
    #[error("the token `%({0})s` speaks of a referred table, and this {kind} refers to none", kind = .1.label())]
    ReferredOutsideForeignKey(String, ConstraintKind),
    /// A token of a referred column that the foreign key does not have: `IndexError`.
    #[error("the token `%({0})s` asks for a referred column that the foreign key does not have")]
    ReferredOutOfRange(String),
    /// `%(constraint_name)s` without a name to build on: `InvalidRequestError`.
    #[error("the naming convention builds on an explicit name through `%(constraint_name)s`, and there is none")]
    ExplicitNameNeeded,
    /// The template is not a format string that Python accepts: `ValueError` or `TypeError`.
    #[error("the template in the naming convention is broken: {0}")]
    BrokenFormat(#[from] FormatError),
    /// A token that the convention defines as something that cannot be called: `TypeError`.
    #[error("the naming convention defines the token `%({0})s` as a text, where SQLAlchemy needs a function")]
    TokenNotCallable(String),
    /// The convention holds a function where a template belongs: `TypeError`.
    #[error("the naming convention holds a function for this {}, where SQLAlchemy needs a template", .0.label())]
    NotATemplate(ConstraintKind),
    /// The template for primary keys fails, and with it every table, whatever is to be named.
    #[error("no table can be built with this naming convention, since its template for primary keys fails: {0}")]
    PrimaryKey(Box<NamingError>),
    /// A token of the project's own: a function that only Python can call.
    #[error("the token `%({0})s` is a function of the project, so its text is known only at run time")]
    UserToken(String),
    /// The template is not written out in the code.
    #[error("the template in the naming convention cannot be read from the code: {0}")]
    TemplateNotKnowable(String),
    /// The constraint itself is not written out in the code.
    #[error("the name cannot be read from the code: {0}")]
    NotKnowable(String),
}

impl NamingError {
    /// Whether SQLAlchemy raises too. False if only running Python tells the name: a function of the project's own, a value that the code does not
    /// show, or the memory address that `%s` writes.
    #[must_use]
    pub const fn is_raised(&self) -> bool {
        match self {
            Self::UserToken(_) | Self::TemplateNotKnowable(_) | Self::NotKnowable(_) => false,
            Self::BrokenFormat(error) => error.is_raised(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_fails_from_what_is_not_shown() {
        assert!(NamingError::UnknownToken("x".to_owned()).is_raised());
        assert!(NamingError::BrokenFormat(FormatError::Incomplete).is_raised());
        assert!(!NamingError::BrokenFormat(FormatError::WithoutToken('s')).is_raised());
        assert!(!NamingError::UserToken("own".to_owned()).is_raised());
        assert!(!NamingError::NotKnowable("a variable".to_owned()).is_raised());
    }
}

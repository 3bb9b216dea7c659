//! A naming convention: which template names a constraint, and the name it gives.
//!
//! Follows `_get_convention` and `_constraint_name_for_table` in `sqlalchemy/sql/naming.py`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::work;

use super::token::Token;
use super::{ConstraintKind, Name, NamingError, Subject, template};

/// What the dict given as `naming_convention=` holds, in source order.
///
/// Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convention {
    entries: Arc<Entries>,
}

/// The entries, and the place of each key.
#[derive(Debug, PartialEq, Eq)]
struct Entries {
    all: Vec<(Key, Value)>,
    places: HashMap<Key, usize>,
}

impl Entries {
    fn new(entries: impl IntoIterator<Item = (Key, Value)>) -> Self {
        let mut all: Vec<(Key, Value)> = Vec::new();
        let mut places: HashMap<Key, usize> = HashMap::new();
        for (key, value) in entries {
            let place = *places.entry(key.clone()).or_insert(all.len());
            match all.get_mut(place) {
                Some(entry) => entry.1 = value,
                None => all.push((key, value)),
            }
        }
        Self { all, places }
    }
}

/// A key of the dict.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// A text: a kind's prefix such as `fk`, or the name of one of the project's own tokens.
    Text(String),
    /// A class object, by its own name without a module: `ForeignKeyConstraint`, `Constraint`.
    Class(String),
}

/// A value of the dict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A template, or another text.
    Template(String),
    /// A function for one of the project's own tokens, which only Python can call.
    Token,
    /// `None`: the kind is left unnamed, and its base classes are not looked at.
    Nothing,
    /// Something that cannot be read from the code, and why.
    Unknown(String),
}

#[cfg(test)]
impl Key {
    /// A class after `class:`, as the recorded conventions write it, else a text.
    pub(super) fn read(text: &str) -> Self {
        match text.strip_prefix("class:") {
            Some(class) => Self::Class(class.to_owned()),
            None => Self::Text(text.to_owned()),
        }
    }
}

impl Convention {
    /// A convention of these entries. A key that comes again keeps its place and takes the later value, as in Python.
    ///
    /// No entry at all gives [`Convention::default`], as `MetaData(naming_convention={})` does.
    pub fn new(entries: impl IntoIterator<Item = (Key, Value)>) -> Self {
        let entries = Entries::new(entries);
        if entries.all.is_empty() {
            Self::default()
        } else {
            Self {
                entries: Arc::new(entries),
            }
        }
    }

    /// The same without a template for one kind.
    #[must_use]
    pub fn without(self, kind: ConstraintKind) -> Self {
        let is_kind = |key: &Key| matches!(key, Key::Text(text) if Some(text.as_str()) == kind.prefix());
        Self::new(self.entries.all.iter().filter(|(key, _)| !is_kind(key)).cloned())
    }

    /// The entries in source order; those of the default for an empty dict.
    pub fn entries(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.entries.all.iter().map(|(key, value)| (key, value))
    }

    /// Whether this is no more than what SQLAlchemy does without any convention.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The template that names a kind of constraint; `None` where the kind is left unnamed.
    ///
    /// The nearest class wins, and for a class its prefix wins over the class object. `None` and an empty text as
    /// values leave the kind unnamed, without a look at its base classes. An [`Value::Unknown`] may still turn out to
    /// be `None`.
    #[must_use]
    pub fn template_for(&self, kind: ConstraintKind) -> Option<&Value> {
        self.entry_for(kind)
            .map(|(_, value)| value)
            .filter(|value| match value {
                Value::Template(text) => !text.is_empty(),
                Value::Nothing => false,
                Value::Token | Value::Unknown(_) => true,
            })
    }

    /// The entry that SQLAlchemy asks for a kind, even one that says to leave it unnamed.
    pub(super) fn entry_for(&self, kind: ConstraintKind) -> Option<&(Key, Value)> {
        let of_class = |class: &str| self.find(&Key::Class(class.to_owned()));
        let by_prefix = kind.prefix().and_then(|prefix| self.find_text(prefix));
        by_prefix.or_else(|| kind.classes().find_map(of_class))
    }

    /// The value under a text, whether it is meant as a template or as a token.
    pub(super) fn text_entry(&self, text: &str) -> Option<&Value> {
        self.find_text(text).map(|(_, value)| value)
    }

    fn find_text(&self, text: &str) -> Option<&(Key, Value)> {
        self.find(&Key::Text(text.to_owned()))
    }

    fn find(&self, key: &Key) -> Option<&(Key, Value)> {
        work::step();
        self.entries.all.get(*self.entries.places.get(key)?)
    }

    /// The name of a constraint, as SQLAlchemy computes it when the constraint joins its table.
    ///
    /// `Ok(None)` where the convention leaves it unnamed: the database then invents a name, except that SQLAlchemy
    /// cannot create an index at all without one. A finished name (`op.f()`) stays as it is; a plain one does so unless
    /// the template mentions `constraint_name`. An explicit empty text is a name like any other.
    ///
    /// Every table gets a primary key without a name before anything else, so a template for primary keys that fails is
    /// an error for every constraint.
    ///
    /// # Errors
    /// [`NamingError`] where SQLAlchemy would raise, or where the name depends on what the code does not show.
    pub fn name(&self, subject: &Subject<'_>) -> Result<Option<Name>, NamingError> {
        self.check_implicit_primary_key(subject)?;
        self.apply(subject)
    }

    fn check_implicit_primary_key(&self, subject: &Subject<'_>) -> Result<(), NamingError> {
        let Subject { table, schema, .. } = *subject;
        let implicit = Subject {
            kind: ConstraintKind::PrimaryKey,
            table,
            schema,
            ..Subject::default()
        };
        match self.apply(&implicit) {
            Err(error) if error.is_raised() && subject.kind == ConstraintKind::PrimaryKey => Err(error),
            Err(error) if error.is_raised() => Err(NamingError::PrimaryKey(Box::new(error))),
            _ => Ok(()),
        }
    }

    fn apply(&self, subject: &Subject<'_>) -> Result<Option<Name>, NamingError> {
        let kept = subject.explicit.map(|explicit| Name {
            text: explicit.name.to_owned(),
            conv: explicit.is_conv,
        });
        if subject.explicit.is_some_and(|explicit| explicit.is_conv) {
            return Ok(kept);
        }
        let template = match self.entry_for(subject.kind).map(|(_, value)| value) {
            None | Some(Value::Nothing) => return Ok(kept),
            Some(Value::Token) => return Err(NamingError::NotATemplate(subject.kind)),
            Some(Value::Unknown(reason)) => return Err(NamingError::TemplateNotKnowable(reason.clone())),
            Some(Value::Template(template)) => template,
        };
        if kept.is_some() && !template.contains("constraint_name") {
            return Ok(kept);
        }
        let text = template::render(template, |key| self.token_text(key, subject))?;
        Ok((!text.is_empty()).then_some(Name { text, conv: true }))
    }

    /// A token's text. A key of the convention itself hides the token that SQLAlchemy would know.
    fn token_text(&self, key: &str, subject: &Subject<'_>) -> Result<String, NamingError> {
        match self.text_entry(key) {
            Some(Value::Token) => Err(NamingError::UserToken(key.to_owned())),
            Some(Value::Unknown(reason)) => Err(NamingError::NotKnowable(format!(
                "the convention's own token `%({key})s` cannot be read: {reason}"
            ))),
            Some(Value::Template(_) | Value::Nothing) => Err(NamingError::TokenNotCallable(key.to_owned())),
            None => match Token::parse(key) {
                Some(token) => token.resolve(key, subject),
                None => Err(NamingError::UnknownToken(key.to_owned())),
            },
        }
    }
}

#[cfg(test)]
mod tests;

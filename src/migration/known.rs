//! A value read from the source, or the reason why it can't be.

use crate::libraries::kinds;
use crate::python::values::Value;

use super::Name;

/// What the source says, or why that is known only at run time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Known<T> {
    /// The value.
    Is(T),
    /// The reason, as half a sentence.
    Computed(String),
}

impl<T> Known<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Computed(_) => None,
        }
    }

    fn or(value: Option<T>, reason: &dyn Fn() -> String) -> Self {
        value.map_or_else(|| Self::Computed(reason()), Self::Is)
    }
}

impl Known<String> {
    pub(super) fn text(value: &Value<'_>, reason: &dyn Fn() -> String) -> Self {
        Self::or(value.as_text().map(str::to_owned), reason)
    }
}

impl Known<Option<String>> {
    pub(super) fn optional_text(value: &Value<'_>, reason: &dyn Fn() -> String) -> Self {
        match value {
            Value::None => Self::Is(None),
            _ => Self::or(value.as_text().map(|text| Some(text.to_owned())), reason),
        }
    }
}

impl Known<Vec<String>> {
    pub(super) fn texts(value: &Value<'_>, reason: &dyn Fn() -> String) -> Self {
        let texts = match value {
            Value::List(items) => items.iter().map(|item| item.as_text().map(str::to_owned)).collect(),
            _ => None,
        };
        Self::or(texts, reason)
    }
}

impl Name {
    pub(super) fn of(value: &Value<'_>) -> Self {
        match value {
            Value::None => Self::Unnamed,
            Value::Text(text) => match text.known() {
                Some("") => Self::Unnamed,
                Some(text) => Self::Plain(text.to_owned()),
                None => Self::Computed,
            },
            Value::Made(made) if made.kind == kinds::FINISHED => match made.arguments.positional.first() {
                Some(Value::None) => Self::Unnamed,
                Some(text) => text
                    .as_text()
                    .map_or(Self::Computed, |text| Self::Finished(text.to_owned())),
                None => Self::Computed,
            },
            _ => Self::Computed,
        }
    }
}

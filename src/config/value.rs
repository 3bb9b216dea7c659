//! The values of a configuration, each with its key and its place: what is wrong with one is said there.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::names::{nearest, start_of};
use crate::words::{alternatives, listed};

/// What is wrong, and the byte of the text where it begins.
#[derive(Debug)]
pub(super) struct Mistake {
    pub at: usize,
    pub message: String,
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Setting<'t> {
    /// The key within its table.
    pub name: &'t str,
    /// The same behind the keys of the tables around it, for messages.
    key: String,
    key_at: usize,
    value: &'t Spanned<DeValue<'t>>,
}

/// A text and the byte where it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'t> {
    pub text: &'t str,
    pub at: usize,
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        self.text
    }
}

/// The settings of a table, with `above` before their keys.
pub(super) fn settings<'t>(above: &str, table: &'t DeTable<'t>) -> Vec<Setting<'t>> {
    let setting = |(name, value): (&'t Spanned<_>, &'t Spanned<DeValue<'t>>)| {
        let key_at = name.span().start;
        let name: &'t DeString<'t> = name.get_ref();
        Setting {
            name,
            key: format!("{above}{}", start_of(name)),
            key_at,
            value,
        }
    };
    table.iter().map(setting).collect()
}

impl<'t> Setting<'t> {
    /// The key is none of those that can be. `meant` is one of them.
    pub(super) fn unknown(&self, keys: &[&str], meant: Option<&str>) -> Mistake {
        let key = &self.key;
        let message = match meant.or_else(|| nearest(self.name, keys.iter().copied())) {
            Some(meant) => format!("unknown key `{key}`, did you mean `{meant}`?"),
            None => format!("unknown key `{key}`: the keys are {}", listed(keys)),
        };
        Mistake {
            at: self.key_at,
            message,
        }
    }

    /// Something is wrong with a part of the value that begins there.
    pub(super) fn wrong(&self, at: usize, why: &impl ToString) -> Mistake {
        let message = format!("`{}`: {}", self.key, why.to_string());
        Mistake { at, message }
    }

    /// The place of the key.
    pub(super) fn key_at(&self) -> usize {
        self.key_at
    }

    /// The place of the value.
    pub(super) fn at(&self) -> usize {
        self.value.span().start
    }

    /// The value is not `what` it must be.
    pub(super) fn must_be(&self, what: &str) -> Mistake {
        self.must_be_instead(what, self.at(), &type_of(self.value.get_ref()))
    }

    fn must_be_instead(&self, what: &str, at: usize, found: &str) -> Mistake {
        let message = format!("`{}` must be {what}, not {found}", self.key);
        Mistake { at, message }
    }

    pub(super) fn text(&self) -> Option<&'t str> {
        self.value.get_ref().as_str()
    }

    pub(super) fn boolean(&self) -> Result<bool, Mistake> {
        let value = self.value.get_ref().as_bool();
        value.ok_or_else(|| self.must_be("`true` or `false`"))
    }

    /// The choice of this name, of some that are known; or, if there is anything else, what that is.
    pub(super) fn choice<T>(
        &self,
        names: &[&str],
        otherwise: Option<&str>,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Mistake> {
        let what = alternatives(names, otherwise);
        let Some(text) = self.text() else {
            return Err(self.must_be(&what));
        };
        find(text).ok_or_else(|| {
            let meant = nearest(text, names.iter().copied());
            let meant = meant.map_or_else(String::new, |meant| format!(": did you mean `{meant}`?"));
            self.must_be_instead(&what, self.at(), &format!("`{}`{meant}", start_of(text)))
        })
    }

    /// A list of texts.
    pub(super) fn texts(&self, what: &str) -> Result<Vec<Text<'t>>, Mistake> {
        let list = self.value.get_ref().as_array().ok_or_else(|| self.must_be(what))?;
        let text = |item: &'t Spanned<DeValue<'t>>| {
            let at = item.span().start;
            let text = item.get_ref().as_str().map(|text| Text { text, at });
            let found = || format!("a list with {}", type_of(item.get_ref()));
            text.ok_or_else(|| self.must_be_instead(what, at, &found()))
        };
        list.iter().map(text).collect()
    }

    /// The settings of a table.
    pub(super) fn table(&self, what: &str) -> Result<Vec<Setting<'t>>, Mistake> {
        self.settings_below(&format!("{}.", self.key))
            .ok_or_else(|| self.must_be(what))
    }

    /// The settings of a table, with `above` before their keys; none for another value.
    pub(super) fn settings_below(&self, above: &str) -> Option<Vec<Setting<'t>>> {
        let table = self.value.get_ref().as_table();
        table.map(|table| settings(above, table))
    }
}

/// What a value is, with its article.
fn type_of(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text `{}`", start_of(text)),
        DeValue::Boolean(value) => format!("`{value}`"),
        DeValue::Integer(_) | DeValue::Float(_) => "a number".to_owned(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

//! SQLModel: one base class with one metadata.

use super::{ends, kinds, shared};
use crate::python::values::{Arguments, Value};

/// `sqlmodel/main.py`, `SQLModel`: a declarative base with a registry of its own.
pub(super) fn external<'m>(name: &str) -> Option<Value<'m>> {
    (ends(name) == ("sqlmodel", "SQLModel")).then(|| shared(kinds::BASE, "SQLModel", Arguments::default()))
}

//! advanced-alchemy, also as part of Litestar: registries with the naming convention of SQLAlchemy's documentation.

use super::{ends, kinds, shared};
use crate::naming::{Convention, Key, Value as Template};
use crate::python::values::{Arguments, Dict, Value};

/// `advanced_alchemy/base.py`: the mixins without a metadata of their own.
const MIXINS: &[&str] = &["CommonTableAttributes", "BasicAttributes", "AdvancedDeclarativeBase"];

pub(super) fn is_mixin(class: &str) -> bool {
    MIXINS.contains(&class)
}

pub(super) fn external<'m>(name: &str) -> Option<Value<'m>> {
    match ends(name) {
        ("advanced_alchemy" | "litestar", "orm_registry") => Some(shared(kinds::REGISTRY, MAKER, with_metadata())),
        ("advanced_alchemy" | "litestar", last) if last.ends_with("Base") && !is_mixin(last) => {
            Some(shared(kinds::BASE, "advanced_alchemy.base", with_metadata()))
        }
        _ => None,
    }
}

pub(super) fn is_callable(name: &str) -> bool {
    ends(name) == ("advanced_alchemy", "create_registry") || name.ends_with("metadata_registry.get")
}

pub(super) fn call<'m>(name: &str) -> Value<'m> {
    if name.ends_with("metadata_registry.get") {
        metadata()
    } else {
        shared(kinds::REGISTRY, MAKER, with_metadata())
    }
}

/// `metadata_registry[...]`
pub(super) fn item<'m>(name: &str) -> Option<Value<'m>> {
    (ends(name) == ("advanced_alchemy", "metadata_registry")).then(metadata)
}

const MAKER: &str = "advanced-alchemy";

fn with_metadata<'m>() -> Arguments<'m> {
    Arguments::named("metadata", metadata())
}

/// `advanced_alchemy/base.py`, `convention`.
fn metadata<'m>() -> Value<'m> {
    shared(kinds::METADATA, MAKER, Arguments::named("naming_convention", documented()))
}

/// The naming convention of SQLAlchemy's documentation.
pub(super) fn documented<'m>() -> Value<'m> {
    let convention = Convention::sqlalchemy_documented();
    dict(convention.entries().filter_map(|entry| match entry {
        (Key::Text(key), Template::Template(template)) => Some((key.as_str(), template.as_str())),
        _ => None,
    }))
}

pub(super) fn dict<'e, 'm>(entries: impl Iterator<Item = (&'e str, &'e str)>) -> Value<'m> {
    let mut dict = Dict::default();
    for (key, template) in entries {
        dict.set(Value::text(key), Value::text(template));
    }
    Value::dict(dict)
}

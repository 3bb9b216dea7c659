//! Functions and types of Python's standard library that conventions and names are built with.

use std::rc::Rc;

use super::ends;
use crate::python::values::{Arguments, Chain, Dict, Place, Reader, Value};

pub(super) fn is_callable(name: &str) -> bool {
    match ends(name) {
        ("builtins", last) => {
            matches!(last, "dict" | "frozenset" | "getattr" | "list" | "set" | "setattr" | "str" | "tuple")
        }
        ("functools", "partial")
        | ("textwrap", "dedent")
        | ("inspect", "cleandoc")
        | ("copy", "copy" | "deepcopy")
        | ("typing" | "typing_extensions", "cast")
        | (_, "immutabledict" | "frozendict" | "MappingProxyType" | "OrderedDict") => true,
        _ => false,
    }
}

pub(super) fn call<'m>(
    reader: &mut Reader<'m>,
    name: &str,
    arguments: Arguments<'m>,
    place: &Place,
    chain: &Chain<'m>,
) -> Value<'m> {
    let first = arguments.positional.first();
    match ends(name).1 {
        "partial" => {
            let mut rest = arguments;
            if rest.positional.is_empty() {
                return Value::unknown("`partial` without a function");
            }
            let callee = rest.positional.remove(0);
            Value::Partial(Rc::new((callee, rest)))
        }
        "cast" => arguments.positional.get(1).cloned().unwrap_or(Value::None),
        "copy" | "deepcopy" | "dedent" | "cleandoc" => first.cloned().unwrap_or(Value::None),
        "dict" | "immutabledict" | "frozendict" | "MappingProxyType" | "OrderedDict" => {
            dict(reader, &arguments, place, chain)
        }
        "set" | "frozenset" => Value::unknown("a set has no order"),
        "list" | "tuple" => match first {
            Some(Value::List(items)) => Value::List(items.clone()),
            Some(Value::Dict(dict))
                if dict.unknown.is_none() && reader.charge(dict.items().len(), place.span, chain) =>
            {
                Value::List(dict.items().iter().map(|(key, _)| key.clone()).collect())
            }
            None => Value::List([].into()),
            Some(_) => Value::unknown("the list is computed"),
        },
        "str" => match first {
            Some(text @ Value::Text(_)) => text.clone(),
            _ => Value::unknown("the text is computed"),
        },
        "getattr" => match (first, arguments.positional.get(1)) {
            (Some(object), Some(name)) => attribute(reader, object, name, arguments.positional.get(2)),
            _ => Value::unknown("`getattr` with a computed name"),
        },
        _ => Value::None,
    }
}

/// `getattr(object, name)` for each name that it may be.
fn attribute<'m>(
    reader: &mut Reader<'m>,
    object: &Value<'m>,
    name: &Value<'m>,
    default: Option<&Value<'m>>,
) -> Value<'m> {
    let value = Value::either(name.choices().iter().map(|name| match name.as_text() {
        Some(name) => reader.attribute(object, name),
        None => Value::unknown("`getattr` with a computed name"),
    }));
    match (&value, default) {
        (Value::Unknown(_), Some(default)) => Value::either([default.clone(), value]),
        _ => value,
    }
}

fn dict<'m>(reader: &mut Reader<'m>, arguments: &Arguments<'m>, place: &Place, chain: &Chain<'m>) -> Value<'m> {
    let mut dict = Dict::at(place.clone());
    dict.unknown.clone_from(&arguments.unknown);
    for other in &arguments.positional {
        reader.update(&mut dict, other, place.span, chain);
    }
    for (key, value) in &arguments.named {
        dict.set(Value::text(key), value.clone());
    }
    Value::dict(dict)
}

//! Dicts, and what their methods give and change.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::chain::Chain;
use super::reader::Reader;
use super::value::{Arguments, MAX_ITEMS, Place, TOO_MUCH, Value};
use crate::source::Span;

/// A dict as far as it is known.
#[derive(Clone, Default)]
pub(crate) struct Dict<'m> {
    items: Vec<(Value<'m>, Value<'m>)>,
    /// The index of each item, by the fingerprint of its key.
    places: FxHashMap<u64, usize>,
    /// Why it may hold something else.
    pub(crate) unknown: Option<Rc<str>>,
    /// Where it is written.
    pub(crate) place: Option<Place>,
}

impl<'m> Dict<'m> {
    /// An empty dict that is written at a place.
    pub(crate) fn at(place: Place) -> Self {
        Self {
            place: Some(place),
            ..Self::default()
        }
    }

    /// In order.
    pub(crate) fn items(&self) -> &[(Value<'m>, Value<'m>)] {
        &self.items
    }

    pub(crate) fn get(&self, key: &Value<'m>) -> Option<&Value<'m>> {
        let place = self.places.get(&key.fingerprint()?)?;
        self.items.get(*place).map(|(_, value)| value)
    }

    /// Whether it certainly has no such key.
    pub(crate) fn lacks(&self, key: &Value<'m>) -> bool {
        let is_known = !matches!(key, Value::Either(_)) && key.fingerprint().is_some();
        is_known && self.unknown.is_none() && self.get(key).is_none()
    }

    pub(crate) fn set(&mut self, key: Value<'m>, value: Value<'m>) {
        let is_several = matches!(key, Value::Either(_));
        let Some(fingerprint) = key.fingerprint().filter(|_| !is_several) else {
            self.unknown = Some("a key of the dict is computed".into());
            return;
        };
        if let Some(place) = self.places.get(&fingerprint) {
            self.items[*place].1 = value;
        } else if self.items.len() >= MAX_ITEMS {
            self.unknown = Some("the dict has too many items".into());
        } else {
            self.places.insert(fingerprint, self.items.len());
            self.items.push((key, value));
        }
    }

    /// Sets a key under a condition that is not known.
    pub(super) fn set_perhaps(&mut self, key: Value<'m>, value: Value<'m>) {
        let value = match self.get(&key).cloned() {
            Some(before) => Value::either([before, value]),
            None => Value::either([value, Value::unknown("it is set under a condition")]),
        };
        self.set(key, value);
    }

    pub(crate) fn remove(&mut self, key: &Value<'m>) {
        let removed = key
            .fingerprint()
            .and_then(|fingerprint| self.places.remove(&fingerprint));
        if let Some(removed) = removed {
            self.items.remove(removed);
            for place in self.places.values_mut().filter(|place| **place > removed) {
                *place -= 1;
            }
        }
    }

    /// `dict.update(other)`
    fn update(&mut self, other: &Value<'m>) {
        match other {
            Value::Dict(dict) => {
                if dict.unknown.is_some() {
                    self.unknown.clone_from(&dict.unknown);
                }
                for (key, value) in &dict.items {
                    self.set(key.clone(), value.clone());
                }
            }
            Value::List(pairs) => {
                for pair in pairs.iter() {
                    match pair {
                        Value::List(parts) if parts.len() == 2 => self.set(parts[0].clone(), parts[1].clone()),
                        _ => self.unknown = Some("a pair is computed".into()),
                    }
                }
            }
            Value::None => {}
            Value::Unknown(reason) => self.unknown = Some(reason.clone()),
            _ => self.unknown = Some("a part of the dict is computed".into()),
        }
    }
}

impl<'m> Reader<'m> {
    /// `dict.update(value)`, which costs a step for some items that are copied.
    pub(crate) fn update(&mut self, dict: &mut Dict<'m>, value: &Value<'m>, span: Span, chain: &Chain<'m>) {
        let copied = match value {
            Value::Dict(other) => other.items.len(),
            Value::List(items) => items.len(),
            _ => 0,
        };
        if self.charge(copied, span, chain) {
            dict.update(value);
        } else {
            dict.unknown = Some(TOO_MUCH.into());
        }
    }

    pub(super) fn dict_method(
        &mut self,
        dict: &Rc<Dict<'m>>,
        name: &str,
        arguments: &Arguments<'m>,
        span: Span,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        match name {
            "copy" => Value::Dict(dict.clone()),
            _ if !self.charge(dict.items.len(), span, chain) => Value::too_much(),
            "union" => {
                let mut merged = Dict::clone(dict);
                for other in &arguments.positional {
                    self.update(&mut merged, other, span, chain);
                }
                Value::dict(merged)
            }
            "get" | "setdefault" | "pop" => {
                let key = arguments.positional.first().cloned().unwrap_or(Value::None);
                if dict.lacks(&key) {
                    return arguments.positional.get(1).cloned().unwrap_or(Value::None);
                }
                self.item(&Value::Dict(dict.clone()), &key)
            }
            "items" | "keys" | "values" if dict.unknown.is_none() => {
                let items = dict.items.iter().map(|(key, value)| match name {
                    "keys" => key.clone(),
                    "values" => value.clone(),
                    _ => Value::List([key.clone(), value.clone()].into()),
                });
                Value::List(items.collect())
            }
            _ => Value::unknown(format!("what `.{name}()` of a dict gives is not known")),
        }
    }
}

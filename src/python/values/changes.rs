//! Changes of a dict, a list or a text in place, after a name is bound to it.

use std::ops::Range;
use std::rc::Rc;

use super::chain::Chain;
use super::dict::Dict;
use super::reader::Reader;
use super::text::Text;
use super::value::{MAX_ITEMS, TOO_MUCH, Value};
use crate::python::scopes::{CHANGING_METHODS, Change, ChangeKind};
use crate::python::{Call, Expr, Operator};
use crate::source::Span;

/// One step is spent for so many changes of a name.
const CHANGES_A_STEP: usize = 16;

impl<'m> Reader<'m> {
    /// The value of an attribute after the changes in its scope before the place where it is read.
    pub(super) fn changed_in_place(&mut self, value: Value<'m>, expr: &'m Expr, chain: &Chain<'m>) -> Value<'m> {
        if !matches!(value, Value::Dict(_) | Value::List(_)) {
            return value;
        }
        let Some((name, path)) = expr.root_and_path() else {
            return value;
        };
        let scope = chain.scope.clone();
        match scope.changes(name) {
            [] => value,
            changes => self.with_changes(value, changes, &path, 0..expr.span.start, chain),
        }
    }

    /// A value after the changes between two bytes, in order.
    pub(super) fn with_changes(
        &mut self,
        value: Value<'m>,
        changes: &[Change<'m>],
        path: &[&str],
        between: Range<usize>,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        let start = Span::new(between.start, between.start);
        self.spend(changes.len() / CHANGES_A_STEP, start, chain.module);
        let first = changes.partition_point(|change| change.from < between.start);
        let here: Vec<&Change<'m>> = changes[first..]
            .iter()
            .take_while(|change| change.from <= between.end)
            .filter(|change| change.path == path)
            .collect();
        if here.is_empty() {
            return value;
        }
        match value {
            Value::Dict(dict) => {
                self.charge(dict.items().len(), start, chain);
                let mut dict = Rc::unwrap_or_clone(dict);
                for change in here {
                    self.change_dict(&mut dict, change, chain, between.end);
                }
                Value::dict(dict)
            }
            Value::List(items) => {
                self.charge(items.len(), start, chain);
                let mut items = items.to_vec();
                for change in here {
                    if !self.change_list(&mut items, change, chain, between.end) {
                        return Value::unknown("the list is changed in place");
                    }
                }
                Value::List(items.into())
            }
            Value::Text(text) => {
                let mut text = Rc::unwrap_or_clone(text);
                for change in here {
                    self.change_text(&mut text, change, chain, between.end);
                }
                self.text(text, start, chain)
            }
            Value::Either(values) => {
                let values = values.iter().cloned();
                Value::either(values.map(|value| self.with_changes(value, changes, path, between.clone(), chain)))
            }
            other => self.change_other(other, &here, chain),
        }
    }

    fn change_other(&mut self, value: Value<'m>, changes: &[&Change<'m>], chain: &Chain<'m>) -> Value<'m> {
        let kinds = changes.iter().map(|change| change.kind);
        let mut kinds = kinds.filter(|kind| !matches!(kind, ChangeKind::Shared));
        match (kinds.next(), kinds.next()) {
            (Some(ChangeKind::Augmented(..)), Some(_)) => Value::unknown("it is changed more than once"),
            (Some(ChangeKind::Augmented(operator, right)), None) => {
                let span = right.span;
                let right = self.value(right, chain);
                self.binary(&value, operator, &right, span, chain)
            }
            _ => value,
        }
    }

    fn change_text(&mut self, text: &mut Text, change: &Change<'m>, chain: &Chain<'m>, at: usize) {
        let is_made = self.is_made(change, chain, at);
        match change.kind {
            _ if is_made == Some(false) => {}
            ChangeKind::Augmented(Operator::Add, value) if is_made == Some(true) => match self.value(value, chain) {
                Value::Text(more) => text.push(&more),
                _ => text.open(),
            },
            ChangeKind::Augmented(..) => text.open(),
            _ => {}
        }
    }

    fn change_dict(&mut self, dict: &mut Dict<'m>, change: &Change<'m>, chain: &Chain<'m>, at: usize) {
        if !self.spend(1, Span::new(change.from, change.from), chain.module) {
            dict.unknown = Some(TOO_MUCH.into());
            return;
        }
        let is_made = self.is_made(change, chain, at);
        let is_certain = is_made == Some(true);
        match change.kind {
            _ if is_made == Some(false) => {}
            ChangeKind::Item(index, value) => {
                let index = self.value(index, chain);
                let value = self.value(value, chain);
                if is_certain {
                    dict.set(index, value);
                } else {
                    dict.set_perhaps(index, value);
                }
            }
            ChangeKind::Call("update", call) if !is_certain => self.perhaps_update(dict, call, chain),
            _ if !is_certain => dict.unknown = Some("it may be changed in place, under a condition".into()),
            ChangeKind::Augmented(Operator::Or, value) => {
                let value = self.value(value, chain);
                self.update(dict, &value, Span::default(), chain);
            }
            ChangeKind::Augmented(..) => dict.unknown = Some("the dict is changed in place".into()),
            ChangeKind::Removed(index) => {
                let index = self.value(index, chain);
                self.charge(dict.items().len(), Span::default(), chain);
                dict.remove(&index);
            }
            ChangeKind::Handed(_) => dict.unknown = Some("it is handed to a function that may change it".into()),
            ChangeKind::Shared => dict.unknown = Some("it is changed by another name".into()),
            ChangeKind::Call(method, call) => self.change_by_call(dict, method, call, chain),
        }
    }

    fn perhaps_update(&mut self, dict: &mut Dict<'m>, call: &'m Call, chain: &Chain<'m>) {
        let mut given = Dict::default();
        self.change_by_call(&mut given, "update", call, chain);
        for (key, value) in given.items() {
            dict.set_perhaps(key.clone(), value.clone());
        }
        if given.unknown.is_some() {
            dict.unknown = given.unknown;
        }
    }

    fn change_by_call(&mut self, dict: &mut Dict<'m>, method: &str, call: &'m Call, chain: &Chain<'m>) {
        let arguments = self.arguments(&call.arguments, chain);
        match method {
            "update" => {
                for other in &arguments.positional {
                    self.update(dict, other, call.span, chain);
                }
                for (key, value) in arguments.named {
                    dict.set(Value::text(&key), value);
                }
                if arguments.unknown.is_some() {
                    dict.unknown = arguments.unknown;
                }
            }
            "setdefault" => {
                let mut arguments = arguments.positional.into_iter();
                if let Some(key) = arguments.next() {
                    let value = arguments.next().unwrap_or(Value::None);
                    if dict.lacks(&key) {
                        dict.set(key, value);
                    } else if dict.get(&key).is_none() {
                        dict.set_perhaps(key, value);
                    }
                }
            }
            "pop" => {
                self.spend(dict.items().len() / 8, call.span, chain.module);
                if let Some(key) = arguments.positional.first() {
                    dict.remove(key);
                }
            }
            "clear" => {
                let place = dict.place.take();
                *dict = Dict::default();
                dict.place = place;
            }
            _ => dict.unknown = Some("the dict is changed in place".into()),
        }
    }

    /// Makes a change. Whether it is understood.
    fn change_list(&mut self, items: &mut Vec<Value<'m>>, change: &Change<'m>, chain: &Chain<'m>, at: usize) -> bool {
        let is_left = self.spend(1, Span::new(change.from, change.from), chain.module);
        if self.is_made(change, chain, at) == Some(false) {
            return true;
        }
        if !is_left || items.len() >= MAX_ITEMS || self.is_made(change, chain, at).is_none() {
            return false;
        }
        match change.kind {
            ChangeKind::Call("append", call) => {
                let arguments = self.arguments(&call.arguments, chain);
                items.extend(arguments.positional);
                true
            }
            ChangeKind::Call("extend", _) | ChangeKind::Augmented(Operator::Add, _) => {
                let more = match change.kind {
                    ChangeKind::Call(_, call) => self.arguments(&call.arguments, chain).positional.into_iter().next(),
                    ChangeKind::Augmented(_, value) => Some(self.value(value, chain)),
                    _ => None,
                };
                match more {
                    Some(Value::List(more)) if items.len() + more.len() <= MAX_ITEMS => {
                        items.extend(more.iter().cloned());
                        true
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// Whether a call is one of a function of the project that changes anything in place.
    fn may_change_what_it_gets(&mut self, call: &'m Call, chain: &Chain<'m>) -> bool {
        const SIGNS: &[&str] = &["] =", "]=", "+=", "-=", "*=", "|=", "&=", "^=", "del "];
        let Value::Function(closure) = self.value(&call.callee, chain) else {
            return false;
        };
        let code = self.code_of_body(&closure);
        let is_called = |method: &&str| code.contains(&format!(".{method}("));
        SIGNS.iter().any(|sign| code.contains(sign)) || CHANGING_METHODS.iter().any(is_called)
    }

    /// Whether a change is made before a byte, if that is known.
    fn is_made(&mut self, change: &Change<'m>, chain: &Chain<'m>, at: usize) -> Option<bool> {
        if let ChangeKind::Handed(call) = change.kind
            && !self.may_change_what_it_gets(call, chain)
        {
            return Some(false);
        }
        if change.block == 0 {
            return Some(true);
        }
        self.reach(change.block, chain, Some(at)).known()
    }
}

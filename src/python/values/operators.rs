//! Lists, dicts, f-strings, items and operators.

use super::chain::Chain;
use super::dict::Dict;
use super::reader::Reader;
use super::templates::put_in;
use super::text::Text;
use super::value::{Choices, MAX_ITEMS, Place, Value};
use crate::python::{DictItem, Expr, ExprKind, FStringPart, Operator};
use crate::source::Span;

impl<'m> Reader<'m> {
    pub(super) fn f_string(&mut self, parts: &'m [FStringPart], span: Span, chain: &Chain<'m>) -> Value<'m> {
        let mut text = Text::default();
        let mut offset = 0;
        for part in parts {
            match part {
                FStringPart::Text(literal) => {
                    text.push(&Text::literal(literal, chain.module.file(), span, offset));
                    offset += literal.len();
                }
                FStringPart::Value { value, plain: true } => {
                    let value = self.value(value, chain);
                    put_in(&mut text, Some(&value));
                }
                FStringPart::Value { .. } => text.open(),
            }
        }
        self.text(text, span, chain)
    }

    pub(super) fn list(&mut self, items: &'m [Expr], chain: &Chain<'m>) -> Value<'m> {
        if items.len() > MAX_ITEMS {
            return Value::unknown("the list has too many items");
        }
        let span = items.first().map_or_else(Span::default, |first| first.span);
        self.charge(items.len(), span, chain);
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            match &item.kind {
                ExprKind::Starred(inner) => match self.value(inner, chain) {
                    Value::List(more)
                        if values.len() + more.len() <= MAX_ITEMS && self.charge(more.len(), item.span, chain) =>
                    {
                        values.extend(more.iter().cloned());
                    }
                    _ => return Value::unknown("a part of the list is computed"),
                },
                _ => values.push(self.value(item, chain)),
            }
        }
        Value::List(values.into())
    }

    pub(super) fn dict(&mut self, items: &'m [DictItem], span: Span, chain: &Chain<'m>) -> Value<'m> {
        let mut dict = Dict::at(Place::new(chain.module, span));
        if !self.charge(items.len(), span, chain) {
            return Value::too_much();
        }
        for item in items {
            let value = self.value(&item.value, chain);
            match &item.key {
                Some(key) => {
                    let key = self.value(key, chain);
                    dict.set(key, value);
                }
                None => self.update(&mut dict, &value, span, chain),
            }
        }
        Value::dict(dict)
    }

    /// `object[index]`
    pub(super) fn item(&mut self, object: &Value<'m>, index: &Value<'m>) -> Value<'m> {
        match (object, index) {
            (Value::Dict(dict), _) => {
                let reason = || match &dict.unknown {
                    Some(reason) => Value::Unknown(reason.clone()),
                    None => Value::unknown("the key is not in the dict that can be read"),
                };
                dict.get(index).cloned().unwrap_or_else(reason)
            }
            (Value::List(items), Value::Integer(at)) => {
                let at = if *at < 0 {
                    items
                        .len()
                        .checked_add_signed(isize::try_from(*at).unwrap_or(isize::MIN))
                } else {
                    usize::try_from(*at).ok()
                };
                let reason = || Value::unknown("the list is shorter than that");
                at.and_then(|at| items.get(at).cloned()).unwrap_or_else(reason)
            }
            // `Generic[int]` and the like are the class itself.
            (Value::Class(_) | Value::Unknown(_), _) => object.clone(),
            (Value::External(name), _) => self.libraries.item(name, index),
            (Value::Made(made), _) => {
                let item = self.libraries.item_of(made);
                item.unwrap_or_else(|| Value::unknown("it is computed"))
            }
            (Value::Either(objects), _) => Value::either(objects.iter().map(|object| self.item(object, index))),
            _ => Value::unknown("it is computed"),
        }
    }

    pub(super) fn binary(
        &mut self,
        left: &Value<'m>,
        operator: Operator,
        right: &Value<'m>,
        span: Span,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        match (left, operator, right) {
            (Value::Dict(dict), Operator::Or, _) => {
                let mut merged = Dict::clone(dict);
                self.charge(merged.items().len(), span, chain);
                self.update(&mut merged, right, span, chain);
                Value::dict(merged)
            }
            (Value::List(left), Operator::Add, Value::List(right)) if left.len() + right.len() <= MAX_ITEMS => {
                self.charge(left.len() + right.len(), span, chain);
                Value::List(left.iter().chain(right.iter()).cloned().collect())
            }
            (Value::Text(_), Operator::Add, _) | (_, Operator::Add, Value::Text(_)) => {
                let mut text = Text::default();
                for part in [left, right] {
                    match part {
                        Value::Text(part) => text.push(part),
                        _ => text.open(),
                    }
                }
                self.text(text, span, chain)
            }
            (Value::Text(template), Operator::Modulo, _) => self.filled_percents(template, right, span, chain),
            (Value::Either(values), _, _) => {
                Value::either(values.iter().map(|one| self.binary(one, operator, right, span, chain)))
            }
            (_, _, Value::Either(values)) if !matches!(left, Value::Unknown(_)) => {
                Value::either(values.iter().map(|one| self.binary(left, operator, one, span, chain)))
            }
            _ => Value::unknown("it is computed"),
        }
    }

    pub(super) fn choice(&mut self, all: bool, values: &'m [Expr], chain: &Chain<'m>) -> Value<'m> {
        let mut choices = Choices::default();
        let last = values.len().saturating_sub(1);
        for (at, expr) in values.iter().enumerate() {
            let value = self.value(expr, chain);
            match value.truth() {
                // `or` ends at what is true, `and` at what is not.
                Some(truth) if truth != all => {
                    choices.add(value);
                    break;
                }
                Some(_) if at < last => {}
                _ => choices.add(value),
            }
        }
        choices.finish()
    }
}

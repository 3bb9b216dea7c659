//! What a binding gives its name: the value of an expression, an item of a loop, an import, a function or a class.

use std::rc::Rc;

use super::chain::Chain;
use super::reader::{BYTES_A_STEP, Loop, Reader, address};
use super::value::{Choices, Class, Closure, Code, ModuleName, Value};
use crate::python::Expr;
use crate::python::scopes::{Binding, ScopeKind, Site};

/// The texts of a longer list do not remember the name of the list.
const MAX_ROWS: usize = 64;

impl<'m> Reader<'m> {
    pub(super) fn bound(&mut self, name: &str, site: &Site<'m>, chain: &Chain<'m>) -> Value<'m> {
        match &site.binding {
            Binding::Value(expr, path) => {
                let value = self.value(expr, chain);
                let value = part(value, path);
                if let Value::Text(text) = &value {
                    self.spend(text.size() / BYTES_A_STEP, expr.span, chain.module);
                }
                read_through(value, name, expr)
            }
            Binding::Round(iterable, path) => self.round(iterable, path, chain),
            Binding::Entered(expr) => match self.value(expr, chain) {
                unknown @ Value::Unknown(_) => unknown,
                _ => Value::unknown("it is what a `with` block gives"),
            },
            Binding::Import(dotted) => self.imported(ModuleName::absolute(*dotted)),
            Binding::ImportFrom {
                module,
                level,
                name: attribute,
                ..
            } => match chain.imported_from(module, *level) {
                Some(module) => self.module_attribute(&module, attribute),
                None => Value::unknown("the relative import leads out of the repository"),
            },
            Binding::Function(function) if self.is_replaced(&function.decorators, chain) => {
                Value::unknown(format!("a decorator may replace `{}`", function.name))
            }
            Binding::Function(function) => Value::Function(Rc::new(Closure {
                code: Code::Function(function),
                around: chain.clone(),
                class: match chain.scope.kind {
                    ScopeKind::Class(_) => chain.class.clone(),
                    _ => None,
                },
            })),
            Binding::Class(tree) => Value::Class(Class::new(tree, chain)),
            Binding::Other => Value::unknown("it is bound at run time"),
        }
    }

    /// Whether a decorator is a function of the project, which may return anything. Those of libraries return what they get.
    fn is_replaced(&mut self, decorators: &'m [Expr], chain: &Chain<'m>) -> bool {
        let mut decorators = decorators.iter();
        decorators.any(|decorator| {
            let function = decorator.as_call().map_or(decorator, |call| &call.callee);
            matches!(self.value(function, chain), Value::Function(_))
        })
    }

    /// An item of the iterable of a loop: the one that is looked at, else any.
    fn round(&mut self, iterable: &'m Expr, path: &[usize], chain: &Chain<'m>) -> Value<'m> {
        let items = match self.value(iterable, chain) {
            Value::List(items) => items,
            Value::Dict(dict) if dict.unknown.is_none() => dict.items().iter().map(|(key, _)| key.clone()).collect(),
            _ => return Value::unknown("it is bound in a loop"),
        };
        let key = address(iterable);
        if let Some((_, at)) = chain.rounds.iter().find(|(known, _)| *known == key) {
            return match items.get(*at) {
                Some(item) => part(item.clone(), path),
                None => Value::unknown("it is bound in a loop"),
            };
        }
        if !self.loops.iter().any(|known| known.key == key) {
            self.loops.push(Loop {
                at: iterable.span.start,
                key,
                items: items.len(),
            });
        }
        let mut choices = Choices::default();
        for item in items.iter() {
            choices.add(part(item.clone(), path));
            if choices.is_full() {
                break;
            }
        }
        if items.is_empty() {
            return Value::unknown("the loop goes through nothing");
        }
        choices.finish()
    }
}

/// The part of a value at a path of indexes.
fn part<'m>(mut value: Value<'m>, path: &[usize]) -> Value<'m> {
    for at in path {
        value = match &value {
            Value::List(items) => match items.get(*at) {
                Some(item) => item.clone(),
                None => Value::unknown("it is taken out of something shorter"),
            },
            Value::Unknown(_) => return value,
            _ => return Value::unknown("it is taken out of something computed"),
        };
    }
    value
}

/// Adds a name to those that a text was read through.
fn read_through<'m>(value: Value<'m>, name: &str, expr: &Expr) -> Value<'m> {
    match value {
        Value::Text(text) => Value::Text(Rc::new(text.through(name, expr.span))),
        Value::List(items) if items.len() <= MAX_ROWS && items.iter().any(holds_text) => Value::List(
            items
                .iter()
                .map(|item| read_through(item.clone(), name, expr))
                .collect(),
        ),
        value => value,
    }
}

fn holds_text(value: &Value<'_>) -> bool {
    match value {
        Value::Text(_) => true,
        Value::List(items) => items.iter().any(|item| matches!(item, Value::Text(_))),
        _ => false,
    }
}

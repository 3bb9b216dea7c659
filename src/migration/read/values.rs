//! The names, tables and columns in an operation's arguments.

use crate::naming::{Convention, Key, Value as Template};
use crate::python::values::Value;
use crate::python::{Call, Expr, ExprKind, Spread};
use crate::source::Span;

use super::super::{Known, Name};
use super::{Reader, is_bound};

impl<'m> Reader<'_, 'm> {
    pub(super) fn value(&self, expr: &'m Expr) -> Value<'m> {
        self.values.borrow_mut().value(expr, self.chain())
    }

    /// The expression behind a name; the expression itself when it is no name.
    pub(super) fn source(&self, expr: &'m Expr) -> &'m Expr {
        self.values.borrow_mut().source(expr, self.chain()).0
    }

    pub(super) fn text(&self, call: &'m Call, position: Option<usize>, name: &str) -> Known<String> {
        let missing = Known::Computed("it is not given".to_owned());
        self.argument(call, position, name, missing, Known::text)
    }

    pub(super) fn optional_text(&self, call: &'m Call, position: Option<usize>, name: &str) -> Known<Option<String>> {
        self.argument(call, position, name, Known::Is(None), Known::optional_text)
    }

    /// The texts of a list or tuple; none where the operation has no such parameter.
    pub(super) fn texts(&self, call: &'m Call, position: Option<usize>, name: &str) -> Known<Vec<String>> {
        if position.is_none() {
            return Known::Is(Vec::new());
        }
        let missing = Known::Computed("they are not given".to_owned());
        self.argument(call, position, name, missing, Known::texts)
    }

    fn argument<T>(
        &self,
        call: &'m Call,
        position: Option<usize>,
        name: &str,
        missing: Known<T>,
        read: fn(&Value<'_>, &dyn Fn() -> String) -> Known<T>,
    ) -> Known<T> {
        match call.argument(position, name) {
            Ok(Some(argument)) => read(&self.value(&argument.value), &|| why_computed(&argument.value)),
            Ok(None) => missing,
            Err(Spread) => Known::Computed("it comes out of `*` or `**`".to_owned()),
        }
    }

    /// A name, and where it is `None` if that is not in the expression itself.
    pub(super) fn name_or_origin(&self, value: &'m Expr) -> (Name, Option<Span>) {
        let name = self.name(value);
        let value = self.source(value);
        let inner = match value.as_call().filter(|call| is_finisher(&call.callee)) {
            Some(call) => call.arguments.first().map_or(value, |first| &first.value),
            None => value,
        };
        let origin = self.unnamed_by(inner).filter(|_| name == Name::Unnamed);
        (name, origin)
    }

    pub(super) fn name(&self, value: &'m Expr) -> Name {
        let value = self.source(value);
        match &value.kind {
            ExprKind::Name(_) if self.unnamed_by(value).is_some() => Name::Unnamed,
            ExprKind::None => Name::Unnamed,
            ExprKind::Call(call) if is_finisher(&call.callee) => {
                match call.arguments.first().map(|one| self.name(&one.value)) {
                    Some(Name::Plain(text) | Name::Finished(text)) => Name::Finished(text),
                    Some(Name::Unnamed) => Name::Unnamed,
                    _ => Name::Computed,
                }
            }
            _ => match self.value(value) {
                // A parameter may be tested before it is used, and a function that returns nothing gives no name.
                Value::None if !self.is_assigned_once(value) => Name::Computed,
                value => Name::of(&value),
            },
        }
    }

    /// Whether an expression is a name that no caller fills, or an attribute.
    fn is_assigned_once(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Name(name) => !self.chain().is_variable(name),
            ExprKind::Attribute { .. } => true,
            _ => false,
        }
    }

    /// Whether an expression is `None` or `''` as it is written, by any name.
    pub(super) fn is_left_out(&self, expr: &'m Expr) -> bool {
        let value = self.source(expr);
        match &value.kind {
            ExprKind::None => true,
            ExprKind::String(text) => text.is_empty(),
            ExprKind::Name(_) => self.unnamed_by(value).is_some(),
            ExprKind::Call(call) if is_finisher(&call.callee) => {
                let first = call.arguments.first();
                first.is_some_and(|first| self.is_left_out(&first.value))
            }
            _ => false,
        }
    }

    /// Where a name gets its `None` from.
    fn unnamed_by(&self, expr: &Expr) -> Option<Span> {
        let name = expr.as_name()?;
        let mut scopes = self.scopes.iter().rev();
        let binding = scopes.find(|scope| {
            let mut parameters = scope.chain.scope.parameters().iter();
            is_bound(&scope.chain, name) || parameters.any(|one| one.name == name)
        })?;
        binding.unnamed.get(name).copied()
    }
}

fn why_computed(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Name(name) => format!("`{name}` is set at run time"),
        ExprKind::List(_) | ExprKind::Tuple(_) => "a part of the list is computed".to_owned(),
        ExprKind::FString(_) => "the text is put together at run time".to_owned(),
        _ => "it is computed".to_owned(),
    }
}

/// Whether an expression is certainly no object of Alembic's.
pub(super) fn is_literal(value: &Expr) -> bool {
    matches!(
        value.kind,
        ExprKind::Bool(_)
            | ExprKind::Integer(_)
            | ExprKind::String(_)
            | ExprKind::FString(_)
            | ExprKind::List(_)
            | ExprKind::Tuple(_)
            | ExprKind::Dict(_)
            | ExprKind::Lambda { .. }
            | ExprKind::Not(_)
            | ExprKind::Comprehension { .. }
    )
}

/// `op.f`, `batch_op.f`, and SQLAlchemy's `conv` behind them (`alembic/operations/base.py`, `f`).
fn is_finisher(callee: &Expr) -> bool {
    match &callee.kind {
        ExprKind::Attribute { name, .. } | ExprKind::Name(name) => name == "f" || name == "conv",
        _ => false,
    }
}

/// A dict of templates, if nothing in it is computed.
pub(super) fn templates(value: &Value<'_>) -> Option<Convention> {
    let Value::Dict(dict) = value else { return None };
    let entry = |(key, template): &(Value<'_>, Value<'_>)| {
        let template = template.as_text()?.to_owned();
        Some((Key::Text(key.as_text()?.to_owned()), Template::Template(template)))
    };
    let entries: Option<Vec<_>> = dict.items().iter().map(entry).collect();
    entries.filter(|_| dict.unknown.is_none()).map(Convention::new)
}

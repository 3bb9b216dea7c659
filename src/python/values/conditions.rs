//! Conditions: whether a test is true, if that is known.

use super::chain::Chain;
use super::reader::Reader;
use super::value::Value;
use crate::python::{ArgumentKind, Comparison, Expr, ExprKind};

impl<'m> Reader<'m> {
    /// Whether a condition is true, if that is known.
    pub(crate) fn truth(&mut self, test: &'m Expr, chain: &Chain<'m>) -> Option<bool> {
        match &test.kind {
            ExprKind::Not(inner) => self.truth(inner, chain).map(|truth| !truth),
            // Only type checkers set it.
            ExprKind::Name(name) | ExprKind::Attribute { name, .. } if name == "TYPE_CHECKING" => Some(false),
            ExprKind::Choice { all, values } => {
                let mut known = true;
                for value in values {
                    match self.truth(value, chain) {
                        Some(truth) if truth != *all => return Some(truth),
                        Some(_) => {}
                        None => known = false,
                    }
                }
                known.then_some(*all)
            }
            // The modules are imported, not run as a program.
            ExprKind::Compare { left, rest } if is_main_program(left, rest) => Some(false),
            ExprKind::Compare { left, rest } => match &rest[..] {
                [(comparison, right)] => {
                    let left = self.value(left, chain);
                    let right = self.value(right, chain);
                    if let Value::List(items) = &right {
                        self.charge(items.len(), test.span, chain);
                    }
                    compared(&left, *comparison, &right)
                }
                _ => None,
            },
            ExprKind::Call(call) if call.callee.as_name() == Some("hasattr") => match &call.arguments[..] {
                [object, name] if name.kind == ArgumentKind::Positional => {
                    let object = self.value(&object.value, chain);
                    self.has_attribute(&object, name.value.as_str()?)
                }
                _ => None,
            },
            _ => self.value(test, chain).truth(),
        }
    }
}

/// `__name__ == '__main__'`
fn is_main_program(left: &Expr, rest: &[(Comparison, Expr)]) -> bool {
    let [(Comparison::Same, right)] = rest else {
        return false;
    };
    let says = |name: &Expr, text: &Expr| name.as_name() == Some("__name__") && text.as_str() == Some("__main__");
    says(left, right) || says(right, left)
}

fn compared(left: &Value<'_>, comparison: Comparison, right: &Value<'_>) -> Option<bool> {
    match comparison {
        Comparison::Same => is_same(left, right),
        Comparison::Different => is_same(left, right).map(|same| !same),
        Comparison::In => is_in(left, right),
        Comparison::NotIn => is_in(left, right).map(|is_in| !is_in),
        Comparison::Other => None,
    }
}

fn is_same(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    let is_plain = |value: &Value<'_>| match value {
        Value::None | Value::Bool(_) | Value::Integer(_) => true,
        Value::Text(text) => text.known().is_some(),
        _ => false,
    };
    let is_object = |value: &Value<'_>| {
        matches!(
            value,
            Value::Class(_) | Value::Function(_) | Value::Made(_) | Value::Module(_) | Value::Dict(_) | Value::List(_)
        )
    };
    if left.same(right) {
        return Some(true);
    }
    // `True` equals 1 and is another object.
    if matches!((left, right), (Value::Bool(_), Value::Integer(_)) | (Value::Integer(_), Value::Bool(_))) {
        return None;
    }
    let differ = is_plain(left) && is_plain(right)
        || matches!(left, Value::None) && is_object(right)
        || is_object(left) && matches!(right, Value::None);
    differ.then_some(false)
}

fn is_in(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    match right {
        Value::List(items) => {
            if items.iter().any(|item| item.same(left)) {
                return Some(true);
            }
            let all_differ = items.iter().all(|item| is_same(left, item) == Some(false));
            all_differ.then_some(false)
        }
        Value::Dict(dict) => match dict.get(left) {
            // A key that is set under a condition has an unknown value beside the others.
            Some(value) => (!value.choices().iter().any(|one| matches!(one, Value::Unknown(_)))).then_some(true),
            None => dict.lacks(left).then_some(false),
        },
        Value::Text(text) => Some(text.known()?.contains(left.as_text()?)),
        _ => None,
    }
}

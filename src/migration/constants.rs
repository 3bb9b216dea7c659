//! Names that stand for one literal: `TABLE = 'order'` above, `op.create_foreign_key(None, TABLE, ...)` below.

use std::collections::HashSet;

use rustc_hash::FxHashMap;

use crate::python::{Expr, ExprKind, FStringPart, Operator, Stmt, StmtKind, Text};
use crate::source::Span;

use super::Known;

/// The names of one scope that are bound exactly once, to a value that can be read.
#[derive(Debug, Default, Clone)]
pub(super) struct Constants<'m> {
    names: FxHashMap<&'m str, Option<&'m Expr>>,
    /// The names that only a loop binds: what it goes through, and the place in each item where that is a tuple.
    rounds: FxHashMap<&'m str, (&'m Expr, Option<usize>)>,
    /// The names that are bound more than once.
    rebound: HashSet<&'m str>,
    /// The names that stand for no name of a constraint, at least once, with the place that says so: a call that leaves a parameter out, or a
    /// row of a table that is gone through.
    unnamed: FxHashMap<&'m str, Span>,
}

impl<'m> Constants<'m> {
    /// The constants of a module's or a function's own statements; nested functions and classes have scopes of their own.
    pub(super) fn of(body: &'m [Stmt]) -> Self {
        let mut constants = Self::default();
        constants.block(body, false);
        constants
    }

    /// Declares a name whose value is not known, such as a parameter.
    pub(super) fn hide(&mut self, name: &'m str) {
        let seen = self.names.insert(name, None).is_some();
        self.seen_again(name, seen);
    }

    /// Whether the statements give the name another value.
    pub(super) fn binds(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Declares a parameter that a call fills with `None`.
    pub(super) fn leave_unnamed(&mut self, parameter: &'m str, call: Span) {
        self.unnamed.insert(parameter, call);
    }

    /// Ends what [`Self::leave_unnamed`] began.
    pub(super) fn forget_unnamed(&mut self, name: &str) {
        self.unnamed.remove(name);
    }

    fn hide_all(&mut self, names: impl Iterator<Item = &'m Text>) {
        for name in names {
            self.hide(name);
        }
    }

    /// Declares the names of a target, whose values are not known.
    pub(super) fn hide_target(&mut self, target: &'m Expr) {
        self.bind(target, None);
    }

    /// What a name of this scope stands for.
    fn get(&self, name: &str) -> Bound<'m> {
        match self.names.get(name) {
            Some(Some(expr)) => Bound::To(expr),
            Some(None) => Bound::Hidden,
            None => Bound::Elsewhere,
        }
    }

    fn block(&mut self, body: &'m [Stmt], conditional: bool) {
        for statement in body {
            self.statement(statement, conditional);
        }
    }

    fn statement(&mut self, statement: &'m Stmt, conditional: bool) {
        match &statement.kind {
            StmtKind::Assign { targets, value, .. } => {
                let value = value.as_ref().filter(|_| !conditional && targets.len() == 1);
                for target in targets {
                    self.bind(target, value);
                }
            }
            StmtKind::AugmentedAssign { target, .. } => self.bind(target, None),
            StmtKind::If(branches) => {
                for (_, body) in branches {
                    self.block(body, true);
                }
            }
            StmtKind::For {
                target,
                iterable,
                bodies,
            } => {
                self.bind(target, None);
                self.bind_rounds(target, iterable);
                for body in bodies {
                    self.block(body, true);
                }
            }
            StmtKind::While { bodies, .. } => {
                for body in bodies {
                    self.block(body, true);
                }
            }
            StmtKind::With { items, body } => {
                for target in items.iter().filter_map(|item| item.target.as_ref()) {
                    self.bind(target, None);
                }
                self.block(body, conditional);
            }
            StmtKind::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => {
                for handler in handlers {
                    self.hide_all(handler.name.iter());
                    self.block(&handler.body, true);
                }
                for body in [body, otherwise, finally] {
                    self.block(body, true);
                }
            }
            StmtKind::Match { cases, .. } => {
                for case in cases {
                    self.hide_all(case.names.iter());
                    self.block(&case.body, true);
                }
            }
            _ => {}
        }
    }

    fn bind(&mut self, target: &'m Expr, value: Option<&'m Expr>) {
        match &target.kind {
            ExprKind::Name(name) => {
                let seen = self.names.contains_key(name.as_str());
                self.seen_again(name, seen);
                self.names.insert(name, value.filter(|_| !seen));
            }
            ExprKind::Tuple(parts) | ExprKind::List(parts) => {
                for part in parts {
                    self.bind(part, None);
                }
            }
            ExprKind::Starred(inner) => self.bind(inner, None),
            _ => {}
        }
    }

    /// A name that something else binds as well is not what the loop made of it.
    fn seen_again(&mut self, name: &str, seen: bool) {
        if seen {
            self.rounds.remove(name);
            if let Some((name, _)) = self.names.get_key_value(name) {
                self.rebound.insert(name);
            }
        }
    }

    fn bind_rounds(&mut self, target: &'m Expr, iterable: &'m Expr) {
        let parts: Vec<(&'m Expr, Option<usize>)> = match &target.kind {
            ExprKind::Tuple(parts) | ExprKind::List(parts) => parts
                .iter()
                .enumerate()
                .map(|(index, part)| (part, Some(index)))
                .collect(),
            _ => vec![(target, None)],
        };
        for (part, index) in parts {
            if let ExprKind::Name(name) = &part.kind
                && !self.rebound.contains(name.as_str())
            {
                self.rounds.insert(name, (iterable, index));
            }
        }
    }
}

/// What a scope knows of a name.
enum Bound<'m> {
    /// This value, and never another.
    To(&'m Expr),
    /// Something that cannot be read, which hides what the name means further out.
    Hidden,
    /// It is not bound here.
    Elsewhere,
}

/// Looks names up from the innermost scope outwards.
pub(super) struct Lookup<'s, 'm>(pub(super) &'s [Constants<'m>]);

/// How far a constant may be defined by another; ends a cycle.
const MAX_STEPS: usize = 8;

impl<'m> Lookup<'_, 'm> {
    /// The expression that a name stands for, through other names; the expression itself when it is no name.
    pub(super) fn value(&self, expr: &'m Expr) -> &'m Expr {
        let mut current = expr;
        for _ in 0..MAX_STEPS {
            let ExprKind::Name(name) = &current.kind else { break };
            let mut scopes = self.0.iter().rev().map(|scope| scope.get(name));
            let Some(Bound::To(next)) = scopes.find(|bound| !matches!(bound, Bound::Elsewhere)) else {
                break;
            };
            current = next;
        }
        current
    }

    /// What the loop goes through that alone binds a name, and the name's place in each item where that is a tuple.
    pub(super) fn round(&self, name: &str) -> Option<(&'m Expr, Option<usize>)> {
        let scope = self.0.iter().rev().find(|scope| scope.names.contains_key(name))?;
        scope.rounds.get(name).copied()
    }

    /// The call that fills a parameter with `None`, which the function then takes for a name.
    pub(super) fn unnamed_by(&self, expr: &Expr) -> Option<Span> {
        let name = expr.as_name()?;
        let declaring = self.0.iter().rev().find(|scope| scope.binds(name))?;
        declaring.unnamed.get(name).copied()
    }

    /// The text of an expression that is put together from literals.
    pub(super) fn text(&self, expr: &'m Expr) -> Known<String> {
        self.text_within(expr, MAX_STEPS)
            .map_or_else(|| Known::Computed(describe(expr)), Known::Is)
    }

    fn text_within(&self, expr: &'m Expr, steps: usize) -> Option<String> {
        let steps = steps.checked_sub(1)?;
        match &self.value(expr).kind {
            ExprKind::String(text) => Some(text.to_string()),
            ExprKind::FString(parts) => parts
                .iter()
                .map(|part| match part {
                    FStringPart::Text(text) => Some(text.to_string()),
                    FStringPart::Value { value, plain: true } => self.text_within(value, steps),
                    FStringPart::Value { .. } => None,
                })
                .collect(),
            ExprKind::Binary {
                left,
                operator: Operator::Add,
                right,
            } => Some(self.text_within(left, steps)? + &self.text_within(right, steps)?),
            _ => None,
        }
    }

    /// The texts of a list or tuple; a lone string counts as a list of one, which is how `columns='a'` reads to a person.
    pub(super) fn texts(&self, expr: &'m Expr) -> Known<Vec<String>> {
        match &self.value(expr).kind {
            ExprKind::List(items) | ExprKind::Tuple(items) => items
                .iter()
                .map(|item| self.text_within(item, MAX_STEPS))
                .collect::<Option<_>>()
                .map_or_else(|| Known::Computed(describe(expr)), Known::Is),
            _ => Known::Computed(describe(expr)),
        }
    }
}

fn describe(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Name(name) => format!("`{name}` is set at run time"),
        ExprKind::List(_) | ExprKind::Tuple(_) => "a part of the list is computed".to_owned(),
        ExprKind::FString(_) => "the text is put together at run time".to_owned(),
        _ => "it is computed".to_owned(),
    }
}

//! Calls that run SQL on the migration's database (`alembic/operations/base.py`, `execute`; SQLAlchemy's `Connection`).

use crate::python::values::Value;
use crate::python::{ArgumentKind, Call, Expr, ExprKind};

use super::super::When;
use super::super::executed::{Execution, Guard, SqlText};
use super::super::scope::{Binding, partial_of, resolve};
use super::Reader;

/// How many rounds of loops over literals are read.
const MAX_ROUNDS: usize = 64;

impl<'m> Reader<'_, 'm> {
    pub(super) fn execution(&mut self, call: &'m Call) {
        let Some((position, parameter)) = self.sql_parameter(call) else {
            return;
        };
        let given = call.argument(Some(position), parameter).ok().flatten();
        let (texts, loops) = given.map(|given| self.sql_texts(&given.value)).unwrap_or_default();
        let moves_data = given.is_some_and(|given| self.moves_data(&given.value));
        let mut guards = self.around.guards.iter().rev().copied();
        self.found.executions.push(Execution {
            call,
            argument: given.map_or(call.span, |given| given.value.span),
            texts,
            moves_data,
            when: When {
                repeated: self.around.loops > loops,
                ..self.when()
            },
            guard: guards.find(|guard| *guard != Guard::None).unwrap_or(Guard::None),
        });
    }

    /// The position and the name of the parameter with the SQL.
    fn sql_parameter(&self, call: &'m Call) -> Option<(usize, &'static str)> {
        let is_execute = |binding| matches!(binding, Some(Binding::Operation("execute", _)));
        if is_execute(resolve(&self.scopes, &call.callee)) {
            return Some((0, "sqltext"));
        }
        if call.arguments.len() > 1 && is_execute(partial_of(&self.scopes, call)) {
            return Some((1, "sqltext"));
        }
        let ExprKind::Attribute { value, name, .. } = &call.callee.kind else {
            return None;
        };
        match (name.as_str(), resolve(&self.scopes, value)?) {
            ("execute", Binding::Context) => Some((0, "sql")),
            ("execute" | "exec_driver_sql", Binding::Connection) => Some((0, "statement")),
            _ => None,
        }
    }

    /// The texts of an expression, one for each round of the loops over literals that it depends on, and how many loops these are.
    fn sql_texts(&self, expr: &'m Expr) -> (Vec<SqlText>, usize) {
        let chain = self.chain();
        let expr = self.without_wrappers(expr);
        let mut values = self.values.borrow_mut();
        let (value, loops) = values.value_in_loops(expr, chain);
        if loops.is_empty() {
            return (SqlText::of(&[value], self.body, &self.literals), 0);
        }
        let product = loops
            .iter()
            .fold(1_usize, |product, one| product.saturating_mul(one.items));
        if product == 0 || product > MAX_ROUNDS {
            return (Vec::new(), 0);
        }
        let mut found = Vec::new();
        for number in 0..product {
            let mut rest = number;
            let mut rounds = Vec::new();
            for one in &loops {
                rounds.push((one.key, rest % one.items));
                rest /= one.items;
            }
            let chain = values.at_rounds(chain, rounds);
            found.push(values.value(expr, &chain));
        }
        let texts = SqlText::of(&found, self.body, &self.literals);
        let count = if texts.is_empty() { 0 } else { loops.len() };
        (texts, count)
    }

    /// The SQL inside `text(...)` and the like.
    fn without_wrappers(&self, expr: &'m Expr) -> &'m Expr {
        let mut current = expr;
        while let Some(call) = self.source(current).as_call() {
            current = match (call.name(), &call.callee.kind, call.arguments.first()) {
                (Some("bindparams" | "execution_options"), ExprKind::Attribute { value, .. }, _) => value,
                (Some("text" | "dedent" | "cleandoc"), _, Some(first)) if first.kind == ArgumentKind::Positional => {
                    &first.value
                }
                (Some("DDL"), ExprKind::Attribute { value, .. }, Some(first)) if self.is_unknown(value) => &first.value,
                _ => break,
            };
        }
        current
    }

    /// Whether nothing in the module tells what an expression is, as in a file that is run with names put in.
    fn is_unknown(&self, expr: &'m Expr) -> bool {
        matches!(self.value(expr), Value::Unknown(_))
    }

    /// Whether an expression is a statement built with SQLAlchemy that moves rows.
    fn moves_data(&self, expr: &'m Expr) -> bool {
        let mut current = self.source(expr);
        while let Some(call) = current.as_call() {
            if let Some("update" | "insert" | "delete" | "select" | "values" | "where") = call.name() {
                return true;
            }
            let ExprKind::Attribute { value, .. } = &call.callee.kind else {
                break;
            };
            current = self.source(value);
        }
        false
    }
}

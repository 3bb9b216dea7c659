//! What is inside an expression or a statement.

use super::{Call, Expr, ExprKind, FStringPart, Stmt, StmtKind};

impl Expr {
    /// Visits every call, this one included.
    pub(crate) fn each_call<'s>(&'s self, visit: &mut impl FnMut(&'s Call)) {
        if let Some(call) = self.as_call() {
            visit(call);
        }
        for child in self.children() {
            child.each_call(visit);
        }
    }

    /// The expressions directly inside this one.
    pub(crate) fn children(&self) -> Vec<&Self> {
        match &self.kind {
            ExprKind::None | ExprKind::Bool(_) | ExprKind::Integer(_) | ExprKind::String(_) | ExprKind::Name(_) => {
                Vec::new()
            }
            ExprKind::FString(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    FStringPart::Text(_) => None,
                    FStringPart::Value { value, .. } => Some(value),
                })
                .collect(),
            ExprKind::Attribute { value, .. } | ExprKind::Starred(value) | ExprKind::Not(value) => vec![value],
            ExprKind::Call(call) => std::iter::once(&call.callee)
                .chain(call.arguments.iter().map(|argument| &argument.value))
                .collect(),
            ExprKind::List(items)
            | ExprKind::Tuple(items)
            | ExprKind::Choice { values: items, .. }
            | ExprKind::Other(items) => items.iter().collect(),
            ExprKind::Comprehension { rounds, parts } => parts
                .iter()
                .chain(rounds.iter().map(|(_, iterable)| iterable))
                .collect(),
            ExprKind::Dict(items) => items
                .iter()
                .flat_map(|item| item.key.iter().chain(std::iter::once(&item.value)))
                .collect(),
            ExprKind::Compare { left, rest } => std::iter::once(&**left)
                .chain(rest.iter().map(|(_, other)| other))
                .collect(),
            ExprKind::Subscript { value, index } => vec![value, index],
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::Conditional { test, body, otherwise } => vec![body, test, otherwise],
            ExprKind::Named { target, value } => vec![target, value],
            ExprKind::Lambda { parameters, body } => parameters
                .iter()
                .filter_map(|parameter| parameter.default.as_ref())
                .chain(std::iter::once(&**body))
                .collect(),
        }
    }
}

impl Stmt {
    /// The expressions and the inner blocks of a statement.
    pub(crate) fn parts(&self) -> (Vec<&Expr>, Vec<&[Self]>) {
        match &self.kind {
            StmtKind::Assign { targets, value, .. } => (targets.iter().chain(value).collect(), Vec::new()),
            StmtKind::AugmentedAssign { target, value, .. } => (vec![target, value], Vec::new()),
            StmtKind::Expr(expr) => (vec![expr], Vec::new()),
            StmtKind::Function(function) => (function.decorators.iter().collect(), vec![&function.body]),
            StmtKind::Class(class) => (class.decorators.iter().collect(), vec![&class.body]),
            StmtKind::If(branches) => (
                branches.iter().filter_map(|(test, _)| test.as_ref()).collect(),
                branches.iter().map(|(_, body)| body.as_slice()).collect(),
            ),
            StmtKind::For { iterable, bodies, .. } => (vec![iterable], bodies.iter().map(Vec::as_slice).collect()),
            StmtKind::While { test, bodies } => (vec![test], bodies.iter().map(Vec::as_slice).collect()),
            StmtKind::With { items, body } => (items.iter().map(|item| &item.value).collect(), vec![body]),
            StmtKind::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => {
                let handlers = handlers.iter().map(|handler| &handler.body);
                let blocks = std::iter::once(body).chain(handlers).chain([otherwise, finally]);
                (Vec::new(), blocks.map(Vec::as_slice).collect())
            }
            StmtKind::Match { subject, cases } => {
                (vec![subject], cases.iter().map(|case| case.body.as_slice()).collect())
            }
            StmtKind::Return(value) => (value.iter().collect(), Vec::new()),
            StmtKind::Raise(exprs) | StmtKind::Delete(exprs) | StmtKind::Other(exprs) => {
                (exprs.iter().collect(), Vec::new())
            }
            StmtKind::Import(_) | StmtKind::ImportFrom { .. } | StmtKind::Global(_) | StmtKind::Nonlocal(_) => {
                (Vec::new(), Vec::new())
            }
        }
    }

    /// Visits every call, those of inner statements included.
    pub(crate) fn each_call<'s>(&'s self, visit: &mut impl FnMut(&'s Call)) {
        let (exprs, blocks) = self.parts();
        for expr in exprs {
            expr.each_call(visit);
        }
        for block in blocks {
            for inner in block {
                inner.each_call(visit);
            }
        }
    }
}

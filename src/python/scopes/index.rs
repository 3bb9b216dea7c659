//! An index of what a module does anywhere: attribute assignments, calls and `global` declarations.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::python::tree::{Call, Class, Expr, ExprKind, Function, Stmt, StmtKind};
use crate::source::Span;

/// By name; each entry with the definitions around it.
#[derive(Debug, Default)]
pub(crate) struct Index<'m> {
    assignments: FxHashMap<&'m str, Vec<AttributeAssignment<'m>>>,
    calls: FxHashMap<&'m str, Vec<(Within<'m>, &'m Call)>>,
    globals: FxHashMap<&'m str, Vec<Within<'m>>>,
}

/// The classes and functions around a place, outermost first.
type Within<'m> = Arc<[Definition<'m>]>;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Definition<'m> {
    Class(&'m Class),
    Function(&'m Arc<Function>),
}

/// `object.name = value`, or `setattr(object, 'name', value)`.
#[derive(Debug)]
pub(crate) struct AttributeAssignment<'m> {
    pub(crate) within: Within<'m>,
    pub(crate) object: &'m Expr,
    pub(crate) value: &'m Expr,
    pub(crate) span: Span,
}

impl<'m> Index<'m> {
    pub(crate) fn of(body: &'m [Stmt]) -> Self {
        let mut index = Self::default();
        let top: Within<'m> = Arc::new([]);
        index.block(body, &top);
        index
    }

    /// The assignments to attributes of this name.
    pub(crate) fn assignments(&self, attribute: &str) -> &[AttributeAssignment<'m>] {
        self.assignments.get(attribute).map(Vec::as_slice).unwrap_or_default()
    }

    /// The calls of a function or a method of this name.
    pub(crate) fn calls(&self, name: &str) -> &[(Within<'m>, &'m Call)] {
        self.calls.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The functions that declare a name `global`.
    pub(crate) fn globals(&self, name: &str) -> &[Within<'m>] {
        self.globals.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    fn block(&mut self, body: &'m [Stmt], within: &Within<'m>) {
        for statement in body {
            self.statement(statement, within);
        }
    }

    fn statement(&mut self, statement: &'m Stmt, within: &Within<'m>) {
        let with = |definition| -> Within<'m> { within.iter().copied().chain([definition]).collect() };
        let mut inside = within.clone();
        match &statement.kind {
            StmtKind::Function(function) => inside = with(Definition::Function(function)),
            StmtKind::Class(class) => {
                class.decorators.iter().for_each(|expr| self.expr(expr, within));
                class.arguments.iter().for_each(|one| self.expr(&one.value, within));
                return self.block(&class.body, &with(Definition::Class(class)));
            }
            StmtKind::Assign {
                targets,
                value: Some(value),
            } => {
                for target in targets {
                    if let ExprKind::Attribute { value: object, name } = &target.kind {
                        self.assigned(name, object, value, target.span, within);
                    }
                }
            }
            StmtKind::Global(names) => {
                for name in names {
                    self.globals.entry(name).or_default().push(within.clone());
                }
            }
            _ => {}
        }
        let (exprs, blocks) = statement.parts();
        for expr in exprs {
            self.expr(expr, within);
        }
        for block in blocks {
            self.block(block, &inside);
        }
    }

    fn assigned(&mut self, name: &'m str, object: &'m Expr, value: &'m Expr, span: Span, within: &Within<'m>) {
        self.assignments.entry(name).or_default().push(AttributeAssignment {
            within: within.clone(),
            object,
            value,
            span,
        });
    }

    fn expr(&mut self, expr: &'m Expr, within: &Within<'m>) {
        expr.each_call(&mut |call| {
            if let Some(name) = call.name() {
                self.calls.entry(name).or_default().push((within.clone(), call));
            }
            if let [object, name, value] = &call.arguments[..]
                && call.callee.as_name() == Some("setattr")
                && let ExprKind::String(name) = &name.value.kind
            {
                self.assigned(name, &object.value, &value.value, call.span, within);
            }
        });
    }
}

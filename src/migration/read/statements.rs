//! The walk over statements and expressions: what they bind, and which branch or loop they are in.

use crate::python::scopes::ScopeKind;
use crate::python::{Call, Case, Expr, ExprKind, Handler, Stmt, StmtKind};
use crate::source::Span;

use super::super::executed::{Guard, guard};
use super::super::helpers;
use super::super::receiver::Batch;
use super::super::scope::{Binding, parameter, resolve};
use super::Reader;
use super::values::{is_literal, templates};

impl<'m> Reader<'_, 'm> {
    pub(super) fn statements(&mut self, body: &'m [Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    /// Reads what runs on its own condition, if at all.
    pub(super) fn apart(&mut self, read: impl FnOnce(&mut Self)) {
        self.blocks += 1;
        let around = std::mem::replace(&mut self.block, self.blocks);
        read(self);
        self.block = around;
    }

    fn branch(&mut self, body: &'m [Stmt]) {
        self.around.branches += 1;
        self.apart(|reader| reader.statements(body));
        self.around.branches -= 1;
    }

    fn loop_body(&mut self, body: &'m [Stmt]) {
        self.around.loops += 1;
        self.branch(body);
        self.around.loops -= 1;
    }

    fn statement(&mut self, statement: &'m Stmt) {
        match &statement.kind {
            StmtKind::Import(aliases) => {
                for alias in aliases {
                    self.innermost(|scope| scope.import(alias));
                }
            }
            StmtKind::ImportFrom { module, names, level } => {
                let module = module.as_deref().unwrap_or_default();
                for alias in names {
                    self.innermost(|scope| scope.import_from(module, *level, alias));
                }
            }
            StmtKind::Assign { targets, value, .. } => {
                if let Some(value) = value {
                    self.expr(value);
                    for target in targets {
                        self.expr(target);
                        self.assign(target, value);
                    }
                }
            }
            StmtKind::AugmentedAssign { target, value, .. } => {
                self.expr(target);
                self.expr(value);
            }
            StmtKind::Expr(expr) => {
                self.expr(expr);
                if let Some(call) = expr.as_call() {
                    self.foreign_helper(call);
                }
            }
            StmtKind::Function(function) => {
                self.innermost(|scope| scope.bind(&function.name, Binding::Function(function)));
                self.later.push(statement);
            }
            StmtKind::Class(_) => self.later.push(statement),
            StmtKind::Return(value) => value.iter().for_each(|value| self.expr(value)),
            StmtKind::Raise(exprs) | StmtKind::Delete(exprs) | StmtKind::Other(exprs) => {
                for expr in exprs {
                    self.expr(expr);
                }
            }
            _ => self.compound(statement),
        }
    }

    fn compound(&mut self, statement: &'m Stmt) {
        match &statement.kind {
            StmtKind::If(branches) => self.if_statement(branches),
            StmtKind::For {
                target,
                iterable,
                bodies: [rounds, otherwise],
            } => {
                self.expr(iterable);
                self.hide(target);
                let nameless = self.nameless_variables(target, iterable, rounds);
                self.innermost(|scope| scope.unnamed.extend(nameless.iter().copied()));
                self.loop_body(rounds);
                if let Some(scope) = self.scopes.last_mut() {
                    scope
                        .unnamed
                        .retain(|name, _| !nameless.iter().any(|(known, _)| known == name));
                }
                self.branch(otherwise);
            }
            StmtKind::While {
                test,
                bodies: [rounds, otherwise],
            } => {
                self.expr(test);
                self.loop_body(rounds);
                self.branch(otherwise);
            }
            StmtKind::With { items, body } => {
                for item in items {
                    self.expr(&item.value);
                    if let Some(target) = &item.target {
                        self.enter(target, &item.value);
                    }
                }
                self.statements(body);
            }
            StmtKind::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => {
                self.statements(body);
                for handler in handlers {
                    self.handler(handler);
                }
                self.branch(otherwise);
                self.statements(finally);
            }
            StmtKind::Match { subject, cases } => {
                self.expr(subject);
                for case in cases {
                    self.case(case);
                }
            }
            _ => {}
        }
    }

    fn case(&mut self, case: &'m Case) {
        for name in &case.names {
            self.innermost(|scope| scope.bind(name, Binding::Other));
        }
        if let Some(guard) = &case.guard {
            self.expr(guard);
        }
        self.branch(&case.body);
    }

    fn if_statement(&mut self, branches: &'m [(Option<Expr>, Vec<Stmt>)]) {
        let mut before = Guard::None;
        for (test, body) in branches {
            let mut said = Guard::None;
            if let Some(test) = test {
                self.expr(test);
                said = guard(test, self.module.file().slice(test.span));
            }
            self.around.guards.push(if said == Guard::None { before } else { said });
            if said != Guard::None {
                // After a test for one database, the rest can be any other.
                before = Guard::Doubtful;
            }
            self.branch(body);
            self.around.guards.pop();
        }
    }

    /// The variables of a loop over a literal that are `None` in some row, if the loop's body uses them as they come.
    fn nameless_variables(&self, target: &'m Expr, iterable: &'m Expr, rounds: &'m [Stmt]) -> Vec<(&'m str, Span)> {
        let (ExprKind::List(rows) | ExprKind::Tuple(rows)) = &self.source(iterable).kind else {
            return Vec::new();
        };
        if !self.values.borrow_mut().charge(rows.len(), iterable.span, self.chain()) {
            return Vec::new();
        }
        let cells = rows.iter().flat_map(|row| match (&target.kind, &row.kind) {
            (ExprKind::Tuple(targets) | ExprKind::List(targets), ExprKind::Tuple(cells) | ExprKind::List(cells))
                if targets.len() == cells.len() =>
            {
                targets.iter().zip(cells).collect()
            }
            _ => vec![(target, row)],
        });
        let nameless = cells.filter_map(|(target, cell)| {
            let name = target.as_name()?;
            self.is_left_out(cell).then_some((name, cell.span))
        });
        let mut found: Vec<(&str, Span)> = nameless.collect();
        found.dedup_by_key(|(name, _)| *name);
        found.retain(|(name, _)| !self.is_bound_again(name, rounds) && !helpers::tests(rounds, name));
        found
    }

    /// Whether the body of a loop gives a name another value.
    fn is_bound_again(&self, name: &str, rounds: &[Stmt]) -> bool {
        let (Some(first), Some(last)) = (rounds.first(), rounds.last()) else {
            return false;
        };
        // The loop itself binds it at the first byte.
        let is_inside = |from: usize| first.span.start < from && from <= last.span.end;
        let known = self.chain().scope.name(name);
        known.is_some_and(|known| known.sites.iter().any(|site| is_inside(site.from)))
    }

    /// Reads the handler of an exception, whose name is unbound after it.
    fn handler(&mut self, handler: &'m Handler) {
        let Some(name) = &handler.name else {
            return self.branch(&handler.body);
        };
        let before = self.scopes.last().and_then(|scope| scope.get(name).cloned());
        self.innermost(|scope| scope.bind(name, Binding::Other));
        self.branch(&handler.body);
        self.innermost(|scope| scope.restore(name, before));
    }

    /// What a value means. `batch_alter_table` is read here, since its table may be a constant of these scopes.
    pub(super) fn meaning(&self, value: &'m Expr) -> Option<Binding<'m>> {
        if let Some(call) = value.as_call() {
            if let Some(manager) = self.batch_manager(call) {
                return Some(manager);
            }
            if let ExprKind::Attribute { name, .. } = &call.callee.kind
                && name == "enter_context"
                && let Some(argument) = call.arguments.first()
                && let Some(Binding::BatchManager(batch)) = self.meaning(&argument.value)
            {
                return Some(Binding::Batch(batch));
            }
        }
        resolve(&self.scopes, value)
    }

    fn batch_manager(&self, call: &'m Call) -> Option<Binding<'m>> {
        let on_operations = match &call.callee.kind {
            ExprKind::Attribute { value, name, .. } => {
                name == "batch_alter_table" && matches!(resolve(&self.scopes, value), Some(Binding::Operations))
            }
            ExprKind::Name(name) => name == "batch_alter_table",
            _ => false,
        };
        on_operations.then(|| {
            let convention = call.keyword("naming_convention");
            let last = call.arguments.last();
            Binding::BatchManager(Batch {
                table: self.text(call, Some(0), "table_name"),
                schema: self.optional_text(call, Some(1), "schema"),
                end_of_arguments: last.map(|last| (last.span.end, call.arguments_span.end.saturating_sub(1))),
                names_reflected: convention.is_some(),
                reflected_by: convention.and_then(|given| templates(&self.value(given))),
            })
        })
    }

    fn assign(&mut self, target: &'m Expr, value: &'m Expr) {
        match (&target.kind, &value.kind) {
            (ExprKind::Name(name), _) => {
                let is_connection = || matches!(resolve(&self.scopes, target), Some(Binding::Connection));
                if let Some(meaning) = self.meaning(value) {
                    self.innermost(|scope| scope.bind(name, meaning));
                } else if is_literal(value) || is_connection() {
                    self.hide(target);
                }
            }
            (ExprKind::Tuple(targets) | ExprKind::List(targets), ExprKind::Tuple(values) | ExprKind::List(values))
                if targets.len() == values.len() =>
            {
                for (target, value) in targets.iter().zip(values) {
                    self.assign(target, value);
                }
            }
            _ => {}
        }
    }

    /// Binds the target of a `with`.
    fn enter(&mut self, target: &'m Expr, value: &'m Expr) {
        let ExprKind::Name(name) = &target.kind else {
            return self.hide(target);
        };
        let meaning = match self.meaning(value) {
            Some(Binding::BatchManager(batch)) => Binding::Batch(batch),
            Some(other) => other,
            None => Binding::Other,
        };
        self.innermost(|scope| scope.bind(name, meaning));
    }

    pub(super) fn expr(&mut self, expr: &'m Expr) {
        match &expr.kind {
            ExprKind::Call(call) => self.call(call),
            ExprKind::Named { target, value } => match self.meaning(value) {
                Some(_) => self.assign(target, value),
                None => self.hide(target),
            },
            ExprKind::Lambda { parameters, body } => {
                for default in parameters.iter().filter_map(|one| one.default.as_ref()) {
                    self.expr(default);
                }
                let names = parameters.iter();
                let names = names.map(|one| (one.name.as_str(), parameter(&self.scopes, one, None)));
                let names = names.collect();
                return self.inner_scope(ScopeKind::Lambda(parameters), names, |reader| reader.expr(body));
            }
            ExprKind::Comprehension { rounds, parts } => {
                return self.inner_scope(ScopeKind::Comprehension(rounds), Vec::new(), |reader| {
                    for (target, _) in rounds {
                        reader.hide(target);
                    }
                    reader.around.loops += 1;
                    for part in parts.iter().chain(rounds.iter().map(|(_, iterable)| iterable)) {
                        reader.expr(part);
                    }
                    reader.around.loops -= 1;
                });
            }
            _ => {}
        }
        for child in expr.children() {
            self.expr(child);
        }
    }
}

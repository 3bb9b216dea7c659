//! Walks a module, scope by scope, and finds the operations in it.

mod operations;
mod sql;
mod statements;
mod values;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use crate::python::scopes::ScopeKind;
use crate::python::values::{Chain, Class as ClassValue, Reader as Values};
use crate::python::{Class, Expr, ExprKind, Function, Literals, Module, Stmt, StmtKind};
use crate::source::Span;

use super::executed::Guard;
use super::helpers::{self, Calls};
use super::scope::{Binding, Scope, parameter};
use super::{Direction, Migration, When};

/// How often a module is read again because its functions pass operations on to each other.
const MAX_READINGS: usize = 5;

pub(super) fn migration<'m>(module: &'m Module, values: Values<'m>) -> Migration<'m> {
    let values = RefCell::new(values);
    let mut reader = Reader::new(module, &values, Calls::default());
    reader.module_scope();
    // What a function is given is known only when all of its calls have been seen.
    for _ in 1..MAX_READINGS {
        if reader.seen.is_empty() || reader.seen.shape() == reader.known.shape() {
            break;
        }
        reader = Reader::new(module, &values, reader.seen);
        reader.module_scope();
    }
    let directions = directions(&reader.calls);
    let direction = |function: Option<&str>| {
        let known = function.and_then(|name| directions.get(name).copied());
        known.unwrap_or(Direction::Unknown)
    };
    let mut found = reader.found;
    let operations = found.operations.iter_mut().map(|one| &mut one.when);
    let steps = found.steps.iter_mut().map(|one| &mut one.when);
    let executions = found.executions.iter_mut().map(|one| &mut one.when);
    for when in operations.chain(steps).chain(executions) {
        when.direction = direction(when.function);
    }
    found.operations.sort_by_key(|one| one.call.span);
    found.steps.sort_by_key(|one| one.call.span);
    found.executions.sort_by_key(|one| one.call.span);
    found
}

/// The direction that each function of the module runs in: by its own name, else by who calls it.
///
/// The templates for several databases write `upgrade_engine1()` and `downgrade_engine1()`.
fn directions<'m>(calls: &HashMap<&'m str, HashSet<&'m str>>) -> HashMap<&'m str, Direction> {
    let reached = |prefix: &str| {
        let mut open: Vec<&str> = calls.keys().copied().filter(|name| name.starts_with(prefix)).collect();
        let mut reached: HashSet<&str> = open.iter().copied().collect();
        while let Some(name) = open.pop() {
            for &callee in calls.get(name).into_iter().flatten() {
                if calls.contains_key(callee) && reached.insert(callee) {
                    open.push(callee);
                }
            }
        }
        reached
    };
    let (up, down) = (reached("upgrade"), reached("downgrade"));
    let direction = |name: &str| match (up.contains(name), down.contains(name)) {
        (true, false) => Direction::Upgrade,
        (false, true) => Direction::Downgrade,
        _ => Direction::Unknown,
    };
    calls.keys().map(|name| (*name, direction(name))).collect()
}

/// Alembic's script directory takes a file for a revision when it has both names (`alembic/script/base.py`, `Script`).
fn declares_revision(body: &[Stmt]) -> bool {
    let assigns = |wanted: &str| body.iter().any(|statement| statement.assigns(wanted));
    assigns("revision") && assigns("down_revision")
}

/// One pass over a module.
struct Reader<'v, 'm> {
    module: &'m Module,
    values: &'v RefCell<Values<'m>>,
    found: Migration<'m>,
    /// The module's own scope for the reader of values.
    module_chain: Chain<'m>,
    /// The scopes around the current statement, outermost first.
    scopes: Vec<Scope<'m>>,
    /// The outermost function around the current statement.
    function: Option<&'m str>,
    /// From the first to the last statement of the innermost one.
    body: Option<Span>,
    /// The functions and classes of the current scope, which are read after its other statements.
    later: Vec<&'m Stmt>,
    around: Around,
    /// The block around the current statement, and how many there were.
    block: usize,
    blocks: usize,
    /// Which functions of the module a function calls by name.
    calls: HashMap<&'m str, HashSet<&'m str>>,
    /// The methods of the module's classes, by their names.
    methods: HashMap<&'m str, &'m Function>,
    /// The calls of the module's functions, as the last pass and as this one sees them.
    known: Calls<'m>,
    seen: Calls<'m>,
    literals: Literals,
}

/// What is around the current statement in its scope.
#[derive(Default)]
struct Around {
    loops: usize,
    /// The branches that may not be taken.
    branches: usize,
    /// What the conditions say of the database, outermost first.
    guards: Vec<Guard>,
}

impl<'v, 'm> Reader<'v, 'm> {
    fn new(module: &'m Module, values: &'v RefCell<Values<'m>>, known: Calls<'m>) -> Self {
        Self {
            module,
            values,
            found: Migration {
                declares_revision: declares_revision(module.body()),
                ..Migration::none(module)
            },
            module_chain: values.borrow_mut().module(module),
            scopes: Vec::new(),
            function: None,
            body: None,
            later: Vec::new(),
            around: Around::default(),
            block: 0,
            blocks: 0,
            calls: HashMap::new(),
            methods: helpers::methods(module.body()),
            known,
            seen: Calls::default(),
            literals: Literals::default(),
        }
    }

    fn chain(&self) -> &Chain<'m> {
        self.scopes.last().map_or(&self.module_chain, |scope| &scope.chain)
    }

    /// When a call in the current statement runs; in which direction is told when all calls are known.
    fn when(&self) -> When<'m> {
        When {
            direction: Direction::Unknown,
            function: self.function,
            block: self.block,
            repeated: self.around.loops > 0,
            conditional: self.around.branches > 0,
        }
    }

    fn module_scope(&mut self) {
        self.scope(self.module.body(), Scope::new(self.module_chain.clone()));
    }

    /// Reads the body of a module, a class or a function. Its functions run after all of its names are bound, so they are read last.
    fn scope(&mut self, body: &'m [Stmt], scope: Scope<'m>) {
        self.scopes.push(scope);
        let outer = mem::take(&mut self.later);
        self.statements(body);
        let later = mem::replace(&mut self.later, outer);
        let around = mem::take(&mut self.around);
        for definition in later {
            self.apart(|reader| match &definition.kind {
                StmtKind::Function(function) => reader.function(function),
                StmtKind::Class(class) => reader.class(class),
                _ => {}
            });
        }
        self.around = around;
        self.scopes.pop();
    }

    /// Reads an expression that has names of its own.
    fn inner_scope(&mut self, kind: ScopeKind<'m>, names: Vec<(&'m str, Binding<'m>)>, read: impl FnOnce(&mut Self)) {
        let chain = self.values.borrow_mut().inner_chain(kind, self.chain());
        let mut scope = Scope::new(chain);
        for (name, binding) in names {
            scope.bind(name, binding);
        }
        self.scopes.push(scope);
        read(self);
        self.scopes.pop();
    }

    fn class(&mut self, tree: &'m Class) {
        let class = ClassValue::new(tree, self.chain());
        let chain = self.values.borrow_mut().class_chain(&class);
        self.scope(&tree.body, Scope::of_class(chain));
    }

    fn function(&mut self, function: &'m Arc<Function>) {
        let chain = self.values.borrow_mut().function_chain(function, self.chain());
        let defaults = function.parameters.iter().filter_map(|one| one.default.as_ref());
        for expr in function.decorators.iter().chain(defaults) {
            self.expr(expr);
        }
        let mut scope = Scope::new(chain);
        for one in &function.parameters {
            let given = self.known.of(function, &one.name);
            scope.bind(&one.name, parameter(&self.scopes, one, helpers::agreed(&given)));
            let unnamed = given.iter().flatten().find(|given| given.unnamed);
            if let Some(call) = unnamed
                && !is_bound(&scope.chain, &one.name)
                && !helpers::tests(&function.body, &one.name)
            {
                scope.unnamed.insert(&one.name, call.place);
            }
        }
        let outer = (self.function, self.body);
        if self.function.is_none() {
            self.function = Some(&function.name);
            self.calls.entry(&function.name).or_default();
        }
        let place = |statement: Option<&Stmt>| statement.map(|statement| statement.span).unwrap_or_default();
        let (first, last) = (place(function.body.first()), place(function.body.last()));
        self.body = Some(Span::new(first.start, last.end));
        self.scope(&function.body, scope);
        (self.function, self.body) = outer;
    }

    fn innermost(&mut self, change: impl FnOnce(&mut Scope<'m>)) {
        if let Some(scope) = self.scopes.last_mut() {
            change(scope);
        }
    }

    /// Binds every name of a target to something that is not Alembic's.
    fn hide(&mut self, target: &'m Expr) {
        match &target.kind {
            ExprKind::Name(name) => self.innermost(|scope| scope.bind(name, Binding::Other)),
            ExprKind::Tuple(parts) | ExprKind::List(parts) => parts.iter().for_each(|part| self.hide(part)),
            ExprKind::Starred(inner) => self.hide(inner),
            _ => {}
        }
    }
}

/// Whether statements of a scope bind a name.
fn is_bound(chain: &Chain<'_>, name: &str) -> bool {
    chain.scope.name(name).is_some_and(|known| !known.sites.is_empty())
}

#[cfg(test)]
mod tests;

//! The walk over a module that finds its operations, scope by scope.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::naming::{ConstraintKind, Convention, Key, Value as Template};
use crate::python::scopes::ScopeKind;
use crate::python::values::{Chain, Reader as Values, Value};
use crate::python::{
    Argument, ArgumentKind, Call, Class, Expr, ExprKind, Function, Handler, Literals, Module, Spread, Stmt, StmtKind,
};
use crate::source::Span;

use super::executed::{Execution, Guard, SqlText, guard};
use super::foreign;
use super::helpers::{self, Calls, Given};
use super::receiver::{Batch, Binding, Bindings, Receiver, parameter, partial_of, resolve};
use super::signature::{Action, operation, signature};
use super::{Direction, Known, Migration, Name, Operation, Referred, Step};

/// How often a module is read again because its functions hand operations on to each other.
const MAX_READINGS: usize = 5;

/// What a function with more parameters is given is not compared with each of them.
const MAX_PARAMETERS: usize = 255;

/// The most rounds of loops over literals that are followed.
const MAX_ROUNDS: usize = 64;

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
        function
            .and_then(|name| directions.get(name).copied())
            .unwrap_or(Direction::Unknown)
    };
    let mut operations = reader.operations;
    let mut steps = reader.steps;
    for step in &mut steps {
        step.direction = direction(step.function);
    }
    steps.sort_by_key(|step| step.call.span);
    let mut executions = reader.executions;
    for execution in &mut executions {
        execution.direction = direction(execution.function);
    }
    executions.sort_by_key(|execution| execution.call.span);
    for operation in &mut operations {
        operation.direction = direction(operation.function);
    }
    operations.sort_by_key(|operation| operation.call.span);
    Migration {
        module,
        operations,
        steps,
        executions,
        declares_revision: declares_revision(module.body()),
        uses_operations: reader.uses_operations,
    }
}

/// Alembic's script directory takes a file for a revision when it has both names (`alembic/script/base.py`, `Script`).
fn declares_revision(body: &[Stmt]) -> bool {
    let assigns = |wanted: &str| {
        body.iter().any(|statement| match &statement.kind {
            StmtKind::Assign { targets, .. } => targets.iter().any(|target| target.as_name() == Some(wanted)),
            _ => false,
        })
    };
    assigns("revision") && assigns("down_revision")
}

struct Reader<'v, 'm> {
    module: &'m Module,
    /// Whether the module declares a revision: what others do with their helpers is not asked.
    is_revision: bool,
    /// What expressions are worth.
    values: &'v RefCell<Values<'m>>,
    operations: Vec<Operation<'m>>,
    steps: Vec<Step<'m>>,
    executions: Vec<Execution<'m>>,
    /// What the conditions around the current statement say of the database, outermost first.
    guards: Vec<Guard>,
    uses_operations: bool,
    scopes: Vec<Bindings<'m>>,
    /// The same scopes to the reader of values.
    chains: Vec<Chain<'m>>,
    /// In each scope, the names that stand for no name of a constraint, at least once, with the place that says so: a call that leaves a
    /// parameter out, or a row of a table that is gone through.
    unnamed: Vec<HashMap<&'m str, Span>>,
    /// The functions around the current statement, outermost first.
    functions: Vec<&'m str>,
    /// From their first to their last statement.
    bodies: Vec<Span>,
    loops: usize,
    /// How many branches that may not be taken are around the current statement.
    branches: usize,
    /// The block around the current statement, and how many there were.
    block: usize,
    blocks: usize,
    /// Which functions of the module a function calls by name.
    calls: HashMap<&'m str, HashSet<&'m str>>,
    /// The methods of the module's classes, by their names.
    methods: HashMap<&'m str, &'m Function>,
    /// How the module's functions are called, as the last reading has seen it and as this one sees it.
    known: Calls<'m>,
    seen: Calls<'m>,
    literals: Literals,
}

impl<'v, 'm> Reader<'v, 'm> {
    fn new(module: &'m Module, values: &'v RefCell<Values<'m>>, known: Calls<'m>) -> Self {
        Self {
            module,
            is_revision: declares_revision(module.body()),
            values,
            operations: Vec::new(),
            steps: Vec::new(),
            executions: Vec::new(),
            guards: Vec::new(),
            uses_operations: false,
            scopes: Vec::new(),
            chains: Vec::new(),
            unnamed: Vec::new(),
            functions: Vec::new(),
            bodies: Vec::new(),
            loops: 0,
            branches: 0,
            block: 0,
            blocks: 0,
            calls: HashMap::new(),
            methods: helpers::methods(module.body()),
            known,
            seen: Calls::default(),
            literals: Literals::default(),
        }
    }

    fn module_scope(&mut self) {
        let chain = self.values.borrow_mut().module(self.module);
        self.scope(self.module.body(), Bindings::default(), chain, HashMap::new());
    }

    /// A module's, a class's or a function's body. Its functions run after all of its names are bound, so they are read last.
    fn scope(&mut self, body: &'m [Stmt], bindings: Bindings<'m>, chain: Chain<'m>, unnamed: HashMap<&'m str, Span>) {
        self.scopes.push(bindings);
        self.chains.push(chain);
        self.unnamed.push(unnamed);
        let mut later = Vec::new();
        self.block(body, &mut later);
        let outside = (std::mem::take(&mut self.loops), std::mem::take(&mut self.branches));
        let guards = std::mem::take(&mut self.guards);
        for definition in later {
            self.apart(|reader| match definition {
                Definition::Function(function) => reader.function(function),
                Definition::Class(class) => reader.class(class),
            });
        }
        (self.loops, self.branches) = outside;
        self.guards = guards;
        self.unnamed.pop();
        self.chains.pop();
        self.scopes.pop();
    }

    fn class(&mut self, tree: &'m Class) {
        let Some(around) = self.chains.last().cloned() else {
            return;
        };
        let chain = {
            let mut values = self.values.borrow_mut();
            let class = values.class(tree, &around);
            values.class_chain(&class)
        };
        self.scope(&tree.body, Bindings::of_class(), chain, HashMap::new());
    }

    fn function(&mut self, function: &'m Arc<Function>) {
        let Some(around) = self.chains.last().cloned() else {
            return;
        };
        let chain = self.values.borrow_mut().function_chain(function, &around);
        for expr in function
            .decorators
            .iter()
            .chain(function.parameters.iter().filter_map(|one| one.default.as_ref()))
        {
            self.expr(expr);
        }
        let mut bindings = Bindings::default();
        let mut unnamed_parameters = HashMap::new();
        for one in &function.parameters {
            let given = self.known.of(function, &one.name);
            bindings.bind(&one.name, parameter(&self.scopes, one, helpers::agreed(&given)));
            let unnamed = given.iter().flatten().find(|given| given.unnamed);
            let is_bound = chain.scope.name(&one.name).is_some_and(|known| !known.sites.is_empty());
            if let Some(call) = unnamed
                && !is_bound
                && !helpers::tests(&function.body, &one.name)
            {
                unnamed_parameters.insert(one.name.as_str(), call.place);
            }
        }
        self.functions.push(&function.name);
        if self.functions.len() == 1 {
            self.calls.entry(&function.name).or_default();
        }
        let place = |statement: Option<&Stmt>| statement.map(|statement| statement.span).unwrap_or_default();
        let (first, last) = (place(function.body.first()), place(function.body.last()));
        self.bodies.push(Span::new(first.start, last.end));
        self.scope(&function.body, bindings, chain, unnamed_parameters);
        self.bodies.pop();
        self.functions.pop();
    }

    fn block(&mut self, body: &'m [Stmt], later: &mut Vec<Definition<'m>>) {
        for statement in body {
            self.statement(statement, later);
        }
    }

    /// Reads what is executed at a time of its own, if at all.
    fn apart(&mut self, read: impl FnOnce(&mut Self)) {
        self.blocks += 1;
        let around = std::mem::replace(&mut self.block, self.blocks);
        read(self);
        self.block = around;
    }

    fn branch(&mut self, body: &'m [Stmt], later: &mut Vec<Definition<'m>>) {
        self.branches += 1;
        self.apart(|reader| reader.block(body, later));
        self.branches -= 1;
    }

    fn repeated(&mut self, body: &'m [Stmt], later: &mut Vec<Definition<'m>>) {
        self.loops += 1;
        self.branch(body, later);
        self.loops -= 1;
    }

    fn statement(&mut self, statement: &'m Stmt, later: &mut Vec<Definition<'m>>) {
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
                    self.helper_elsewhere(call);
                }
            }
            StmtKind::Function(function) => {
                self.innermost(|scope| scope.bind(&function.name, Binding::Function(function)));
                later.push(Definition::Function(function));
            }
            StmtKind::Class(class) => later.push(Definition::Class(class)),
            StmtKind::Return(value) => {
                if let Some(value) = value {
                    self.expr(value);
                }
            }
            StmtKind::Raise(exprs) | StmtKind::Delete(exprs) | StmtKind::Other(exprs) => {
                for expr in exprs {
                    self.expr(expr);
                }
            }
            _ => self.compound(statement, later),
        }
    }

    fn compound(&mut self, statement: &'m Stmt, later: &mut Vec<Definition<'m>>) {
        match &statement.kind {
            StmtKind::If(branches) => {
                let mut before = Guard::None;
                for (test, body) in branches {
                    if let Some(test) = test {
                        self.expr(test);
                    }
                    let said = test
                        .as_ref()
                        .map_or(Guard::None, |test| guard(test, self.module.file().slice(test.span)));
                    // What is left when the database is not one of those asked for can be any other.
                    let holds = if said == Guard::None { before } else { said };
                    if said != Guard::None {
                        before = Guard::Doubtful;
                    }
                    self.guards.push(holds);
                    self.branch(body, later);
                    self.guards.pop();
                }
            }
            StmtKind::For {
                target,
                iterable,
                bodies,
            } => {
                self.expr(iterable);
                self.hide(target);
                let [rounds, otherwise] = bodies;
                let nameless = self.nameless_rows(target, iterable, rounds);
                if let Some(unnamed) = self.unnamed.last_mut() {
                    unnamed.extend(nameless.iter().copied());
                }
                self.repeated(rounds, later);
                if let Some(unnamed) = self.unnamed.last_mut() {
                    for (name, _) in &nameless {
                        unnamed.remove(name);
                    }
                }
                self.branch(otherwise, later);
            }
            StmtKind::While { test, bodies } => {
                self.expr(test);
                let [rounds, otherwise] = bodies;
                self.repeated(rounds, later);
                self.branch(otherwise, later);
            }
            StmtKind::With { items, body } => {
                for item in items {
                    self.expr(&item.value);
                    if let Some(target) = &item.target {
                        self.enter(target, &item.value);
                    }
                }
                self.block(body, later);
            }
            StmtKind::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => {
                self.block(body, later);
                for handler in handlers {
                    self.handler(handler, later);
                }
                self.branch(otherwise, later);
                self.block(finally, later);
            }
            StmtKind::Match { subject, cases } => {
                self.expr(subject);
                for case in cases {
                    for name in &case.names {
                        self.innermost(|scope| scope.bind(name, Binding::Other));
                    }
                    if let Some(guard) = &case.guard {
                        self.expr(guard);
                    }
                    self.branch(&case.body, later);
                }
            }
            _ => {}
        }
    }

    /// The names of a loop that are `None` in a row of what is gone through, and are used as they come.
    fn nameless_rows(&self, target: &'m Expr, iterable: &'m Expr, rounds: &'m [Stmt]) -> Vec<(&'m str, Span)> {
        let (ExprKind::List(rows) | ExprKind::Tuple(rows)) = &self.source(iterable).kind else {
            return Vec::new();
        };
        if let Some(chain) = self.chains.last()
            && !self.values.borrow_mut().charge(rows.len(), iterable.span, chain)
        {
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

    /// Whether the rounds of a loop give a name another value.
    fn is_bound_again(&self, name: &str, rounds: &[Stmt]) -> bool {
        let (Some(first), Some(last)) = (rounds.first(), rounds.last()) else {
            return false;
        };
        let known = self.chains.last().and_then(|chain| chain.scope.name(name));
        // The loop itself binds it at the first byte.
        let is_inside = |from: usize| first.span.start < from && from <= last.span.end;
        known.is_some_and(|known| known.sites.iter().any(|site| is_inside(site.from)))
    }

    /// What an exception is called goes again with its handler.
    fn handler(&mut self, handler: &'m Handler, later: &mut Vec<Definition<'m>>) {
        let Some(name) = &handler.name else {
            return self.branch(&handler.body, later);
        };
        let before = self.scopes.last().and_then(|scope| scope.get(name).cloned());
        self.innermost(|scope| scope.bind(name, Binding::Other));
        self.branch(&handler.body, later);
        self.innermost(|scope| scope.restore(name, before));
    }

    /// Every name of a target is something of its own from here on.
    fn hide(&mut self, target: &'m Expr) {
        match &target.kind {
            ExprKind::Name(name) => self.innermost(|scope| scope.bind(name, Binding::Other)),
            ExprKind::Tuple(parts) | ExprKind::List(parts) => parts.iter().for_each(|part| self.hide(part)),
            ExprKind::Starred(inner) => self.hide(inner),
            _ => {}
        }
    }

    fn innermost(&mut self, change: impl FnOnce(&mut Bindings<'m>)) {
        if let Some(scope) = self.scopes.last_mut() {
            change(scope);
        }
    }

    /// What a value stands for; `batch_alter_table` is read here because its table may be a constant of these scopes.
    fn meaning(&self, value: &'m Expr) -> Option<Binding<'m>> {
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
            Binding::BatchManager(Batch {
                table: self.text(call, Some(0), "table_name"),
                schema: self.optional_text(call, Some(1), "schema"),
                end_of_arguments: call
                    .arguments
                    .last()
                    .map(|last| (last.span.end, call.arguments_span.end.saturating_sub(1))),
                names_reflected: call.keyword("naming_convention").is_some(),
                reflected_by: call
                    .keyword("naming_convention")
                    .and_then(|given| templates(&self.value(given))),
            })
        })
    }

    fn assign(&mut self, target: &'m Expr, value: &'m Expr) {
        match (&target.kind, &value.kind) {
            (ExprKind::Name(name), _) => {
                if let Some(meaning) = self.meaning(value) {
                    self.innermost(|scope| scope.bind(name, meaning));
                } else if is_written_out(value) || self.is_connection(target) {
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

    fn is_connection(&self, target: &Expr) -> bool {
        matches!(resolve(&self.scopes, target), Some(Binding::Connection))
    }

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

    fn expr(&mut self, expr: &'m Expr) {
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
                let mut bindings = Bindings::default();
                for one in parameters {
                    bindings.bind(&one.name, parameter(&self.scopes, one, None));
                }
                return self.within(bindings, ScopeKind::Lambda(parameters), |reader| reader.expr(body));
            }
            ExprKind::Comprehension { rounds, parts } => {
                return self.within(Bindings::default(), ScopeKind::Comprehension(rounds), |reader| {
                    for (target, _) in rounds {
                        reader.hide(target);
                    }
                    reader.loops += 1;
                    for part in parts.iter().chain(rounds.iter().map(|(_, iterable)| iterable)) {
                        reader.expr(part);
                    }
                    reader.loops -= 1;
                });
            }
            _ => {}
        }
        for child in expr.children() {
            self.expr(child);
        }
    }

    /// Reads an expression that has names of its own.
    fn within(&mut self, bindings: Bindings<'m>, kind: ScopeKind<'m>, read: impl FnOnce(&mut Self)) {
        let Some(around) = self.chains.last().cloned() else {
            return;
        };
        let chain = self.values.borrow_mut().inner_chain(kind, &around);
        self.scopes.push(bindings);
        self.chains.push(chain);
        self.unnamed.push(HashMap::new());
        read(self);
        self.unnamed.pop();
        self.chains.pop();
        self.scopes.pop();
    }

    fn call(&mut self, call: &'m Call) {
        self.execution(call);
        if let Some((method, receiver)) = self.receiver(call) {
            let Some(method) = operation(method) else { return };
            self.uses_operations = true;
            match self.invoked(method, call) {
                Some((method, inner)) => self.operation(method, inner, receiver, 0),
                None => self.operation(method, call, receiver, 0),
            }
        } else if let Some(Binding::Operation(method, receiver)) = partial_of(&self.scopes, call) {
            self.uses_operations = true;
            // Before the operation's own arguments stands the operation.
            if gives_name(call) {
                self.operation(method, call, receiver, 1);
            }
        } else {
            self.note_helper(call);
        }
    }

    /// `op.invoke(ops.CreateForeignKeyOp(...))`: the operation, and the call that has its arguments.
    fn invoked(&self, method: &str, call: &'m Call) -> Option<(&'static str, &'m Call)> {
        if method != "invoke" {
            return None;
        }
        let object = self.source(&call.arguments.first()?.value).as_call()?;
        match resolve(&self.scopes, &object.callee)? {
            Binding::OpClass(method) => Some((method, object)),
            _ => None,
        }
    }

    /// Notes an operation whose arguments begin after the first `shift` ones of the call.
    fn operation(&mut self, method: &'static str, call: &'m Call, receiver: Receiver, shift: usize) {
        let Some(signature) = signature(method) else {
            return self.step(method, call, receiver);
        };
        let parameters = if receiver.is_batch() {
            signature.on_batch
        } else {
            signature.on_op
        };
        let position = |name: &str| Some(parameters.iter().position(|parameter| *parameter == name)? + shift);
        let name_argument = call
            .argument(Some(shift), parameters.first().copied().unwrap_or_default())
            .ok()
            .flatten();
        let kind = match signature.action {
            Action::Drop(None) => Action::Drop(self.drop_kind(call, position("type_"))),
            action => action,
        };
        let is_key = kind == Action::Create(ConstraintKind::ForeignKey);
        let (table, schema) = match &receiver {
            Receiver::Batch { batch, .. } => (batch.table.clone(), batch.schema.clone()),
            _ if is_key => (
                self.text(call, position("source_table"), "source_table"),
                self.optional_text(call, None, "source_schema"),
            ),
            _ => (
                self.text(call, position("table_name"), "table_name"),
                self.optional_text(call, None, "schema"),
            ),
        };
        let columns_parameter = if is_key { "local_cols" } else { "columns" };
        let (name, unnamed_by) = match (name_argument, self.spread_name(call, shift, parameters)) {
            (Some(argument), _) => self.name_or_origin(&argument.value),
            (None, Some(value)) if self.name(value) == Name::Unnamed => (Name::Unnamed, Some(value.span)),
            (None, _) => (Name::Computed, None),
        };
        self.operations.push(Operation {
            action: kind,
            call,
            name,
            unnamed_by,
            name_argument,
            table,
            schema,
            columns: match kind {
                Action::Create(ConstraintKind::Exclude) => self.elements(call, parameters.len() + shift),
                _ => self.texts(call, position(columns_parameter), columns_parameter),
            },
            referred: is_key.then(|| Referred {
                table: self.text(call, position("referent_table"), "referent_table"),
                schema: self.optional_text(call, None, "referent_schema"),
                columns: self.texts(call, position("remote_cols"), "remote_cols"),
            }),
            receiver,
            direction: Direction::Unknown,
            function: self.functions.first().copied(),
            block: self.block,
            repeated: self.loops > 0,
            conditional: self.branches > 0,
        });
    }

    /// Where a call that runs SQL takes it, by position and by name.
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

    /// A call that runs SQL on the database of the migration (`alembic/operations/base.py`, `execute`; SQLAlchemy's `Connection`).
    fn execution(&mut self, call: &'m Call) {
        let Some((position, parameter)) = self.sql_parameter(call) else {
            return;
        };
        let given = call.argument(Some(position), parameter).ok().flatten();
        let (texts, loops) = given.map(|given| self.sql_texts(&given.value)).unwrap_or_default();
        let moves_data = given.is_some_and(|given| self.moves_data(&given.value));
        let inner = self.guards.iter().rev().copied().find(|guard| *guard != Guard::None);
        self.executions.push(Execution {
            call,
            argument: given.map_or(call.span, |given| given.value.span),
            texts,
            moves_data,
            direction: Direction::Unknown,
            function: self.functions.first().copied(),
            repeated: self.loops > loops,
            guard: inner.unwrap_or(Guard::None),
            conditional: self.branches > 0,
        });
    }

    /// The texts that an expression may be, one for each round of the loops over literals that it depends on, and how many loops these are.
    fn sql_texts(&self, expr: &'m Expr) -> (Vec<SqlText>, usize) {
        let Some(chain) = self.chains.last() else {
            return Default::default();
        };
        let expr = self.without_wrappers(expr);
        let mut values = self.values.borrow_mut();
        let (value, loops) = values.value_in_loops(expr, chain);
        let body = self.bodies.last().copied();
        if loops.is_empty() {
            return (SqlText::of(&[value], body, &self.literals), 0);
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
        let texts = SqlText::of(&found, body, &self.literals);
        let count = if texts.is_empty() { 0 } else { loops.len() };
        (texts, count)
    }

    /// The SQL inside `text(...)` and its kin, by whatever name the module has them.
    fn without_wrappers(&self, expr: &'m Expr) -> &'m Expr {
        let mut current = expr;
        while let Some(call) = self.source(current).as_call() {
            current = match (call.name(), &call.callee.kind, call.arguments.first()) {
                (Some("bindparams" | "execution_options"), ExprKind::Attribute { value, .. }, _) => value,
                (Some("text" | "dedent" | "cleandoc"), _, Some(first)) if first.kind == ArgumentKind::Positional => {
                    &first.value
                }
                (Some("DDL"), callee, Some(first)) if self.is_unbound(callee) => &first.value,
                _ => break,
            };
        }
        current
    }

    /// Whether nothing in the module tells what is called, as with a file that is run with names put in.
    fn is_unbound(&self, callee: &'m ExprKind) -> bool {
        let ExprKind::Attribute { value, .. } = callee else {
            return false;
        };
        matches!(self.value(value), Value::Unknown(_))
    }

    /// Whether an expression is a statement of SQLAlchemy's that moves rows.
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

    /// The name that a `*` or `**` hands over, where that is written out.
    fn spread_name(&self, call: &'m Call, at: usize, parameters: &[&str]) -> Option<&'m Expr> {
        let first = call
            .arguments
            .get(at)
            .filter(|first| first.kind == ArgumentKind::Spread);
        if let Some(first) = first
            && let ExprKind::List(items) | ExprKind::Tuple(items) = &self.source(&first.value).kind
        {
            return items.first();
        }
        let mut spreads = call
            .arguments
            .iter()
            .filter(|argument| argument.kind == ArgumentKind::KeywordSpread);
        spreads.find_map(|spread| {
            let value = self.source(&spread.value);
            if let Some(call) = value.as_call().filter(|call| call.callee.as_name() == Some("dict")) {
                return call.keyword(parameters.first()?);
            }
            let ExprKind::Dict(items) = &value.kind else {
                return None;
            };
            let mut items = items.iter().rev();
            let is_name = |key: &Expr| key.as_str() == parameters.first().copied();
            let item = items.find(|item| item.key.as_ref().is_some_and(is_name))?;
            Some(&item.value)
        })
    }

    /// The `Column(...)` that `add_column` is given, also under a name.
    fn added_column(&self, method: &str, call: &'m Call, receiver: &Receiver) -> Option<&'m Call> {
        let position = usize::from(!receiver.is_batch());
        let argument = call.argument(Some(position), "column").ok()??;
        let column = self.source(&argument.value).as_call_of("Column");
        column.filter(|_| method == "add_column")
    }

    fn step(&mut self, method: &'static str, call: &'m Call, receiver: Receiver) {
        let (table, schema) = match &receiver {
            Receiver::Batch { batch, .. } => (batch.table.clone(), batch.schema.clone()),
            _ => (
                self.text(call, Some(0), "table_name"),
                self.optional_text(call, None, "schema"),
            ),
        };
        self.steps.push(Step {
            column: self.added_column(method, call, &receiver),
            method,
            call,
            receiver,
            table,
            schema,
            direction: Direction::Unknown,
            function: self.functions.first().copied(),
            block: self.block,
            repeated: self.loops > 0,
            conditional: self.branches > 0,
        });
    }

    /// Notes which function of the module is called from where, and what it is given.
    fn note_helper(&mut self, call: &'m Call) {
        if let (Some(caller), Some(callee)) = (self.functions.first(), call.name()) {
            self.calls.entry(caller).or_default().insert(callee);
        }
        let method = || match &call.callee.kind {
            ExprKind::Attribute { name, .. } => self.methods.get(name.as_str()).copied(),
            _ => None,
        };
        let (function, bound) = match (resolve(&self.scopes, &call.callee), method()) {
            (Some(Binding::Function(function)), _) => (function, 0),
            (None | Some(Binding::Unknown), Some(method)) => (method, helpers::bound_parameters(method)),
            _ => return,
        };
        if function.parameters.len() > MAX_PARAMETERS {
            return;
        }
        let written = helpers::arguments(function, call, bound);
        let has_spread = helpers::has_spread(call);
        let mut given = HashMap::new();
        for one in function.parameters.iter().skip(bound) {
            let argument = written.get(one.name.as_str()).map(|argument| &argument.value);
            let value = argument.or_else(|| one.default.as_ref().filter(|_| !has_spread));
            if let Some(value) = value {
                given.insert(one.name.as_str(), self.given(call.span, value));
            }
        }
        self.seen.note(function, given);
    }

    /// Notes what a helper of another module does where it is called here.
    fn helper_elsewhere(&mut self, call: &'m Call) {
        let Some(chain) = self.chains.last().filter(|_| self.is_revision) else {
            return;
        };
        let is_own = |binding| {
            matches!(
                binding,
                Some(Binding::Function(_) | Binding::Operation(..) | Binding::Operations)
            )
        };
        if is_own(resolve(&self.scopes, &call.callee)) || self.receiver(call).is_some() {
            return;
        }
        let found = foreign::operations(&mut self.values.borrow_mut(), call, chain, self.module);
        for one in found {
            self.uses_operations = true;
            self.operations.push(Operation {
                action: one.action,
                call,
                receiver: Receiver::Operations("op".to_owned()),
                name_argument: None,
                unnamed_by: (one.name == Name::Unnamed).then_some(call.span),
                name: one.name,
                table: one.table,
                schema: one.schema,
                columns: one.columns,
                referred: one.referred,
                direction: Direction::Unknown,
                function: self.functions.first().copied(),
                block: self.block,
                repeated: self.loops > 0,
                // Whether the helper does it each time is its own affair.
                conditional: true,
            });
        }
    }

    fn given(&self, place: Span, value: &'m Expr) -> Given<'m> {
        let other = || is_written_out(value).then_some(Binding::Other);
        Given {
            place,
            binding: self
                .meaning(value)
                .filter(|binding| !matches!(binding, Binding::Unknown))
                .or_else(other),
            unnamed: self.is_left_out(value),
        }
    }

    /// Whether an expression is `None` or `''` as it is written, by any name.
    fn is_left_out(&self, expr: &'m Expr) -> bool {
        let value = self.source(expr);
        match &value.kind {
            ExprKind::None => true,
            ExprKind::String(text) => text.is_empty(),
            ExprKind::Name(_) => self.unnamed_by(value).is_some(),
            ExprKind::Call(call) if is_finisher(&call.callee) => call
                .arguments
                .first()
                .is_some_and(|first| self.is_left_out(&first.value)),
            _ => false,
        }
    }

    fn receiver(&self, call: &'m Call) -> Option<(&'m str, Receiver)> {
        if let ExprKind::Attribute { value, name, .. } = &call.callee.kind {
            let named = match &value.kind {
                ExprKind::Named { target, .. } => target,
                _ => value,
            };
            let spelling = self.module.file().slice(named.span).to_owned();
            match resolve(&self.scopes, value) {
                Some(Binding::Operations) => return Some((name, Receiver::Operations(spelling))),
                Some(Binding::Batch(batch)) => return Some((name, Receiver::Batch { spelling, batch })),
                _ => {}
            }
        }
        match resolve(&self.scopes, &call.callee)? {
            Binding::Operation(method, receiver) => Some((method, receiver)),
            _ => None,
        }
    }

    fn drop_kind(&self, call: &'m Call, position: Option<usize>) -> Option<ConstraintKind> {
        let argument = call.argument(position, "type_").ok()??;
        let text = self.known_text(&argument.value);
        match text.known()?.as_str() {
            "foreignkey" => Some(ConstraintKind::ForeignKey),
            "unique" => Some(ConstraintKind::Unique),
            "check" => Some(ConstraintKind::Check),
            "primary" => Some(ConstraintKind::PrimaryKey),
            _ => None,
        }
    }

    /// The name that an expression is worth, and the call of the helper that leaves it out.
    fn name_or_origin(&self, value: &'m Expr) -> (Name, Option<Span>) {
        let name = self.name(value);
        let value = self.source(value);
        let inner = match value.as_call().filter(|call| is_finisher(&call.callee)) {
            Some(call) => call.arguments.first().map_or(value, |first| &first.value),
            None => value,
        };
        let origin = self.unnamed_by(inner).filter(|_| name == Name::Unnamed);
        (name, origin)
    }

    fn name(&self, value: &'m Expr) -> Name {
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
            _ => self.name_of_value(value),
        }
    }

    fn name_of_value(&self, expr: &'m Expr) -> Name {
        let value = self.value(expr);
        // A parameter may be looked at before it is used, and a function that returns nothing gives no name.
        if matches!(value, Value::None) && !self.stands_for_itself(expr) {
            return Name::Computed;
        }
        foreign::name_of(&value)
    }

    /// Whether an expression is a name or a path to one that is written once for all.
    fn stands_for_itself(&self, expr: &Expr) -> bool {
        match (&expr.kind, self.chains.last()) {
            (ExprKind::Name(name), Some(chain)) => !chain.is_variable(name),
            (ExprKind::Attribute { .. }, _) => true,
            _ => false,
        }
    }

    /// The place that leaves out what a name stands for.
    fn unnamed_by(&self, expr: &Expr) -> Option<Span> {
        let name = expr.as_name()?;
        let binds = |chain: &Chain<'_>| {
            chain.scope.name(name).is_some_and(|known| !known.sites.is_empty())
                || chain.scope.parameters().iter().any(|one| one.name == name)
        };
        let mut scopes = self.chains.iter().zip(&self.unnamed).rev();
        let (_, unnamed) = scopes.find(|(chain, _)| binds(chain))?;
        unnamed.get(name).copied()
    }

    /// What an expression is worth.
    fn value(&self, expr: &'m Expr) -> Value<'m> {
        match self.chains.last() {
            Some(chain) => self.values.borrow_mut().value(expr, chain),
            None => Value::unknown("it stands nowhere"),
        }
    }

    /// The expression that a name stands for; the expression itself when it is no name.
    fn source(&self, expr: &'m Expr) -> &'m Expr {
        match self.chains.last() {
            Some(chain) => self.values.borrow_mut().source(expr, chain).0,
            None => expr,
        }
    }

    fn known_text(&self, expr: &'m Expr) -> Known<String> {
        match self.value(expr).as_text() {
            Some(text) => Known::Is(text.to_owned()),
            None => Known::Computed(describe(expr)),
        }
    }

    /// The texts of a list or tuple.
    fn known_texts(&self, expr: &'m Expr) -> Known<Vec<String>> {
        let texts = match self.value(expr) {
            Value::List(items) => items.iter().map(|item| item.as_text().map(str::to_owned)).collect(),
            _ => None,
        };
        texts.map_or_else(|| Known::Computed(describe(expr)), Known::Is)
    }

    fn text(&self, call: &'m Call, position: Option<usize>, name: &str) -> Known<String> {
        match call.argument(position, name) {
            Ok(Some(argument)) => self.known_text(&argument.value),
            Ok(None) => Known::Computed("it is not given".to_owned()),
            Err(Spread) => Known::Computed(SPREAD.to_owned()),
        }
    }

    fn optional_text(&self, call: &'m Call, position: Option<usize>, name: &str) -> Known<Option<String>> {
        match call.argument(position, name) {
            Ok(Some(argument)) => match self.value(&argument.value) {
                Value::None => Known::Is(None),
                value => match value.as_text() {
                    Some(text) => Known::Is(Some(text.to_owned())),
                    None => Known::Computed(describe(&argument.value)),
                },
            },
            Ok(None) => Known::Is(None),
            Err(Spread) => Known::Computed(SPREAD.to_owned()),
        }
    }

    /// The columns of an exclude constraint, which stand in its elements: `('room_id', '='), (sa.column('during'), '&&')`.
    ///
    /// Of an expression SQLAlchemy takes the first column that it comes upon (`sqlalchemy/sql/coercions.py`,
    /// `_extract_col_expression_collection`), and PostgreSQL its own word: it is left alone.
    fn elements(&self, call: &'m Call, named: usize) -> Known<Vec<String>> {
        let positional = |argument: &&Argument| !matches!(argument.kind, ArgumentKind::Keyword(_));
        let elements = call.arguments.iter().filter(positional).skip(named);
        let columns = elements.map(|argument| {
            let (ExprKind::Tuple(parts) | ExprKind::List(parts)) = &self.source(&argument.value).kind else {
                return None;
            };
            let element = self.source(parts.first()?);
            let column = match element.as_call() {
                Some(inner) if inner.name() == Some("column") => &inner.arguments.first()?.value,
                Some(_) => return None,
                None => element,
            };
            self.known_text(column).known().cloned()
        });
        match columns.collect::<Option<Vec<String>>>() {
            Some(columns) if !columns.is_empty() => Known::Is(columns),
            _ => Known::Computed("an element of the constraint is computed".to_owned()),
        }
    }

    fn texts(&self, call: &'m Call, position: Option<usize>, name: &str) -> Known<Vec<String>> {
        if position.is_none() {
            return Known::Is(Vec::new());
        }
        match call.argument(position, name) {
            Ok(Some(argument)) => self.known_texts(&argument.value),
            Ok(None) => Known::Computed("they are not given".to_owned()),
            Err(Spread) => Known::Computed(SPREAD.to_owned()),
        }
    }
}

/// Why an expression has no text that is known.
fn describe(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Name(name) => format!("`{name}` is set at run time"),
        ExprKind::List(_) | ExprKind::Tuple(_) => "a part of the list is computed".to_owned(),
        ExprKind::FString(_) => "the text is put together at run time".to_owned(),
        _ => "it is computed".to_owned(),
    }
}

const SPREAD: &str = "it comes out of `*` or `**`";

/// Whether a call gives the operation that it fills in part a name, `None` included.
fn gives_name(partial: &Call) -> bool {
    let by_position = |argument: &Argument| argument.kind == ArgumentKind::Positional;
    partial.arguments.get(1).is_some_and(by_position)
        || partial
            .keyword("constraint_name")
            .or_else(|| partial.keyword("index_name"))
            .is_some()
}

/// Whether an expression is a value that is no object of Alembic's, as it stands there.
fn is_written_out(value: &Expr) -> bool {
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

enum Definition<'m> {
    Function(&'m Arc<Function>),
    Class(&'m Class),
}

/// `op.f`, `batch_op.f`, and SQLAlchemy's `conv`, which it is made of (`alembic/operations/base.py`, `f`).
fn is_finisher(callee: &Expr) -> bool {
    match &callee.kind {
        ExprKind::Attribute { name, .. } | ExprKind::Name(name) => name == "f" || name == "conv",
        _ => false,
    }
}

/// The direction that each function of the module runs in: by its own name, else by who calls it.
///
/// The templates for several databases write `upgrade_engine1()` and `downgrade_engine1()`.
fn directions<'m>(calls: &HashMap<&'m str, HashSet<&'m str>>) -> HashMap<&'m str, Direction> {
    let reached = |prefix: &str| {
        let mut reached: HashSet<&'m str> = calls.keys().copied().filter(|name| name.starts_with(prefix)).collect();
        let mut open: Vec<&'m str> = reached.iter().copied().collect();
        while let Some(name) = open.pop() {
            for callee in calls.get(name).into_iter().flatten() {
                if let Some((known, _)) = calls.get_key_value(callee)
                    && reached.insert(known)
                {
                    open.push(known);
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

/// A dict of templates, where nothing in it is computed.
fn templates(value: &Value<'_>) -> Option<Convention> {
    let Value::Dict(dict) = value else { return None };
    let entry = |(key, template): &(Value<'_>, Value<'_>)| {
        let template = template.as_text()?.to_owned();
        Some((Key::Text(key.as_text()?.to_owned()), Template::Template(template)))
    };
    let entries: Option<Vec<_>> = dict.items().iter().map(entry).collect();
    entries.filter(|_| dict.unknown.is_none()).map(Convention::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    fn unnamed(text: &str) -> Vec<String> {
        let module = Module::parse(SourceFile::new("m.py".into(), text.to_owned()));
        let migration = Migration::read(&module);
        migration
            .operations
            .iter()
            .filter(|operation| operation.name == Name::Unnamed)
            .map(|operation| {
                let table = operation.table.known().cloned().unwrap_or_else(|| "?".to_owned());
                format!("{:?} {table}", operation.action)
            })
            .collect()
    }

    #[track_caller]
    fn finds(text: &str, expected: &str) {
        assert_eq!(unnamed(text), [expected], "in\n{text}");
    }

    const KEY: &str = "Create(ForeignKey) order";

    #[test]
    fn every_spelling_of_the_receiver_is_understood() {
        let arguments = "(None, 'order', 'invoice', ['i'], ['id'])";
        for text in [
            format!("from alembic import op\ndef upgrade():\n    op.create_foreign_key{arguments}\n"),
            format!("from alembic import op as o\no.create_foreign_key{arguments}\n"),
            format!("import alembic\nalembic.op.create_foreign_key{arguments}\n"),
            format!("import alembic.op\nalembic.op.create_foreign_key{arguments}\n"),
            format!("import alembic as a\na.op.create_foreign_key{arguments}\n"),
            format!("from alembic.op import create_foreign_key\ncreate_foreign_key{arguments}\n"),
            format!("from alembic.op import create_foreign_key as fk\nfk{arguments}\n"),
            format!("from alembic.op import *\ncreate_foreign_key{arguments}\n"),
            format!("def upgrade(op):\n    op.create_foreign_key{arguments}\n"),
            format!("def upgrade(operations: 'Operations'):\n    operations.create_foreign_key{arguments}\n"),
            format!("from alembic.operations import Operations\no = Operations(context)\no.create_foreign_key{arguments}\n"),
            format!("from alembic.operations import Operations\nwith Operations.context(c) as o:\n    o.create_foreign_key{arguments}\n"),
            format!("from alembic import op\ndef upgrade():\n    o = op\n    o.create_foreign_key{arguments}\n"),
            format!("from alembic import op\ndef upgrade():\n    make = op.create_foreign_key\n    make{arguments}\n"),
            format!("def upgrade():\n    from alembic import op\n    def inner():\n        op.create_foreign_key{arguments}\n    inner()\n"),
            format!("def upgrade():\n    helper()\ndef helper():\n    op.create_foreign_key{arguments}\nfrom alembic import op\n"),
            format!("from alembic import op\nclass Step:\n    def run(self):\n        op.create_foreign_key{arguments}\n"),
            format!("class Step:\n    def run(self):\n        self.op.create_foreign_key{arguments}\n"),
            format!("from alembic import op\ntry:\n    pass\nexcept E:\n    op.create_foreign_key{arguments}\n"),
            format!("from alembic import op\nif x:\n    pass\nelif y:\n    [op.create_foreign_key{arguments} for _ in z]\n"),
            format!("from alembic import op\nmatch x:\n    case 1:\n        op.create_foreign_key{arguments}\n"),
            "from alembic import op\nop . create_foreign_key(\n    # the key\n    None,  # no name\n    'order', 'invoice', ['i'], ['id'],\n)\n".to_owned(),
        ] {
            finds(&text, KEY);
        }
    }

    #[test]
    fn operations_are_found_whatever_a_function_calls_them() {
        let arguments = "(None, 'order', 'invoice', ['i'], ['id'])";
        for text in [
            format!("def add(o):\n    o.create_foreign_key{arguments}\ndef upgrade():\n    add(op)\n"),
            format!("def add(table, *, o):\n    o.create_foreign_key{arguments}\ndef upgrade():\n    add('t', o=op)\n"),
            format!(
                "def add(o):\n    inner(o)\ndef inner(p):\n    p.create_foreign_key{arguments}\ndef upgrade():\n    add(op)\n"
            ),
            format!("def upgrade():\n    def add(o):\n        o.create_foreign_key{arguments}\n    add(op)\n"),
            format!(
                "class Keys:\n    def add(self, o):\n        o.create_foreign_key{arguments}\ndef upgrade():\n    Keys().add(op)\n"
            ),
            format!("def add(make):\n    make{arguments}\ndef upgrade():\n    add(op.create_foreign_key)\n"),
            format!("def add(o=op):\n    o.create_foreign_key{arguments}\ndef upgrade():\n    add()\n"),
            format!(
                "from alembic.operations import Operations as O\ndef add(o: O):\n    o.create_foreign_key{arguments}\n"
            ),
            format!("def add(o: 'Operations | None'):\n    o.create_foreign_key{arguments}\n"),
            format!("def add(o: 'alembic.op'):\n    o.create_foreign_key{arguments}\n"),
            format!("def add(o: Optional['Operations']):\n    o.create_foreign_key{arguments}\n"),
            format!(
                "def add(op: SomethingOfOurs):\n    op.create_foreign_key{arguments}\ndef upgrade():\n    add(op)\n"
            ),
            format!("getattr(op, 'create_foreign_key'){arguments}\n"),
            format!(
                "import functools\nfk = functools.partial(op.create_foreign_key, source_schema='a')\nfk{arguments}\n"
            ),
            format!(
                "from functools import partial\npartial(op.create_foreign_key, {}\n",
                &arguments[1..]
            ),
            format!("from alembic.operations import ops\nop.invoke(ops.CreateForeignKeyOp{arguments})\n"),
            format!("from alembic.operations.ops import CreateForeignKeyOp as K\nkey = K{arguments}\nop.invoke(key)\n"),
            format!("import alembic\nop.invoke(alembic.operations.ops.CreateForeignKeyOp{arguments})\n"),
            format!("op2, x = op, 1\nop2.create_foreign_key{arguments}\n"),
            format!("(o := op).create_foreign_key{arguments}\n"),
        ] {
            finds(&format!("from alembic import op\n{text}"), KEY);
        }
    }

    #[test]
    fn a_batch_operation_keeps_its_table_inside_a_helper() {
        let helper = "def add(batch):\n    batch.create_foreign_key(None, 'invoice', ['i'], ['id'])\n";
        for (calls, expected) in [
            ("with op.batch_alter_table('order') as b:\n    add(b)\n", KEY),
            ("with op.batch_alter_table('order') as b:\n    add(batch=b)\n", KEY),
            (
                "with op.batch_alter_table('order') as b:\n    add(b)\nwith op.batch_alter_table('line') as b:\n    add(b)\n",
                "Create(ForeignKey) ?",
            ),
        ] {
            finds(&format!("from alembic import op\n{helper}{calls}"), expected);
        }
        assert!(unnamed(helper).is_empty(), "nobody knows what it is called with");
    }

    #[test]
    fn a_name_that_a_call_leaves_out_is_none() {
        for (helper, calls, is_found) in [
            ("def add(name=None):\n    MAKE", "add()", true),
            ("def add(name=None):\n    MAKE", "add('a')\nadd()", true),
            ("def add(name):\n    MAKE", "add(None)", true),
            (
                "def add(name=None):\n    other(name)\ndef other(name):\n    MAKE",
                "add()",
                true,
            ),
            ("def add(name=''):\n    MAKE", "add()", true),
            ("def add(name=None):\n    MAKE", "add('a')\nadd(name='b')", false),
            ("def add(name=None):\n    MAKE", "add(*names)", false),
            ("def add(name=None):\n    MAKE", "add(**names)", false),
            ("def add(name=None):\n    MAKE", "", false),
            ("def add(name=None):\n    name = name or 'x'\n    MAKE", "add()", false),
            (
                "def add(name=None):\n    if name is None:\n        return\n    MAKE",
                "add()",
                false,
            ),
            ("def add(name=None):\n    if name:\n        MAKE", "add()", false),
            ("def add(name=None):\n    assert name\n    MAKE", "add()", false),
            (
                "def add(name=None):\n    op.create_unique_constraint(name or 'x', 'order', ['a'])",
                "add()",
                false,
            ),
        ] {
            let make = "op.create_unique_constraint(name, 'order', ['a'])";
            let text = format!("from alembic import op\n{}\n{calls}\n", helper.replace("MAKE", make));
            assert_eq!(unnamed(&text).len(), usize::from(is_found), "in\n{text}");
        }
    }

    #[test]
    fn a_name_that_is_written_elsewhere_is_read_there() {
        let make = "op.create_unique_constraint(name, table, ['a'])";
        for (text, is_found) in [
            (
                format!("ROWS = [(None, 'a'), ('x', 'b')]\nfor name, table in ROWS:\n    {make}\n"),
                true,
            ),
            (format!("for name in ('x', None):\n    {make}\n"), true),
            (format!("for name, table in [('x', 'a')]:\n    {make}\n"), false),
            (
                format!("for name in [None]:\n    pass\nfor name in names:\n    {make}\n"),
                false,
            ),
            (
                format!("for name in [None]:\n    name = name or 'x'\n    {make}\n"),
                false,
            ),
            (format!("for name in [None]:\n    if name:\n        {make}\n"), false),
            (
                "ARGS = (None, 'a', ['b'])\nop.create_unique_constraint(*ARGS)\n".to_owned(),
                true,
            ),
            (
                "op.create_unique_constraint(**dict(constraint_name=None))\n".to_owned(),
                true,
            ),
            (
                "ARGS = {'constraint_name': None}\nop.create_unique_constraint(**ARGS)\n".to_owned(),
                true,
            ),
            (
                "op.create_unique_constraint(**{'constraint_name': 'x'})\n".to_owned(),
                false,
            ),
            (
                "op.create_unique_constraint('x', **{'schema': None})\n".to_owned(),
                false,
            ),
        ] {
            let text = format!("from alembic import op\n{text}");
            assert_eq!(unnamed(&text).len(), usize::from(is_found), "in\n{text}");
        }
    }

    #[test]
    fn op_is_not_alembics_where_it_is_something_else() {
        let call = "op.create_unique_constraint(None, 'order', ['a'])";
        for text in [
            format!("[{call} for op in items]\n"),
            format!("{{1: {call} for x, op in items}}\n"),
            format!("for op in items:\n    {call}\n"),
            format!("with x() as op:\n    {call}\n"),
            format!("try:\n    pass\nexcept E as op:\n    {call}\n"),
            format!("if (op := queue.get()):\n    {call}\n"),
            format!("match x:\n    case [op, *_]:\n        {call}\n"),
            format!("def f(op):\n    {call}\nf(3)\nf('x')\n"),
            format!("def f(op: Opcode):\n    {call}\n"),
            format!("op = 'x'\n{call}\n"),
            format!("import operator\nop = operator\n{call}\n"),
            format!("class A:\n    op = 3\n    {call}\n"),
            format!("class A:\n    op = 3\n    def f(self):\n        self.{call}\n"),
            format!("lambda op=1: 2\ndef op():\n    pass\n{call}\n"),
        ] {
            assert!(
                unnamed(&format!("from alembic import op\n{text}")).is_empty(),
                "in\n{text}"
            );
        }
        for text in [
            format!("class A:\n    op = 3\n    def f(self):\n        {call}\n"),
            format!("[1 for op in items]\n{call}\n"),
            format!("try:\n    pass\nexcept E as op:\n    pass\n{call}\n"),
            format!("class A:\n    op = op\n    def f(self):\n        self.{call}\n"),
        ] {
            finds(&format!("from alembic import op\n{text}"), "Create(Unique) order");
        }
    }

    #[test]
    fn batch_operations_take_their_table_from_the_block() {
        for text in [
            "from alembic import op\nwith op.batch_alter_table('order', schema=None) as b:\n    b.create_foreign_key(None, 'invoice', ['i'], ['id'])\n",
            "from alembic import op\nwith op.batch_alter_table(table_name='order') as b, x() as y:\n    b.create_foreign_key(constraint_name=None, referent_table='invoice')\n",
            "from alembic import op\nmanager = op.batch_alter_table('order')\nwith manager as b:\n    b.create_foreign_key(None, 'invoice')\n",
            "from alembic import op\nwith ExitStack() as s:\n    b = s.enter_context(op.batch_alter_table('order'))\n    b.create_foreign_key(None, 'invoice')\n",
            "from alembic.op import batch_alter_table\nwith batch_alter_table('order') as b:\n    b.create_foreign_key(None, 'invoice')\n",
        ] {
            finds(text, KEY);
        }
        finds(
            "def helper(batch_op):\n    batch_op.create_foreign_key(None, 'invoice')\n",
            "Create(ForeignKey) ?",
        );
    }

    #[test]
    fn names_are_none_or_empty_by_position_and_by_keyword() {
        for call in [
            "op.create_unique_constraint(None, 'order', ['a'])",
            "op.create_unique_constraint('', 'order', ['a'])",
            "op.create_unique_constraint(columns=['a'], table_name='order', constraint_name=None)",
            "op.create_unique_constraint(op.f(None), 'order', ['a'])",
            "op.create_unique_constraint(NAME, TABLE, COLUMNS)",
        ] {
            finds(
                &format!("from alembic import op\nNAME = None\nTABLE = 'or' 'der'\nCOLUMNS = ('a',)\n{call}\n"),
                "Create(Unique) order",
            );
        }
    }

    #[test]
    fn what_has_a_name_or_may_have_one_is_left_alone() {
        for call in [
            "op.create_unique_constraint('uq', 'order', ['a'])",
            "op.create_unique_constraint(op.f('uq'), 'order', ['a'])",
            "op.create_unique_constraint(name, 'order', ['a'])",
            "op.create_unique_constraint(*arguments)",
            "op.create_unique_constraint(**arguments)",
            "op.create_unique_constraint(None if x else 'a', 'order', ['a'])",
            "other.create_unique_constraint(None, 'order', ['a'])",
            "'op.create_unique_constraint(None, 1)'  # op.create_unique_constraint(None, 2)",
        ] {
            assert!(
                unnamed(&format!("from alembic import op\n{call}\n")).is_empty(),
                "{call}"
            );
        }
        assert!(unnamed("import operator as op\nop.create_unique_constraint(None, 'order', ['a'])\n").is_empty());
        assert!(unnamed("for op in operations:\n    op.create_unique_constraint(None, 'order', ['a'])\n").is_empty());
    }

    #[test]
    fn drops_know_their_kind() {
        finds(
            "op.drop_constraint(None, 'order', type_='foreignkey')\n",
            "Drop(Some(ForeignKey)) order",
        );
        finds(
            "op.drop_constraint(None, 'order', 'unique')\n",
            "Drop(Some(Unique)) order",
        );
        finds("op.drop_constraint(None, 'order')\n", "Drop(None) order");
        finds("op.drop_index(None, table_name='order')\n", "Drop(Some(Index)) order");
    }

    #[test]
    fn helpers_run_in_the_half_that_calls_them() {
        let text = "from alembic import op\ndef upgrade():\n    a()\ndef downgrade():\n    b()\n    c()\ndef a():\n    c()\n    op.drop_index('x')\ndef b():\n    op.drop_index('y')\ndef c():\n    op.drop_index('z')\n";
        let module = Module::parse(SourceFile::new("m.py".into(), text.to_owned()));
        let directions: Vec<Direction> = Migration::read(&module)
            .operations
            .iter()
            .map(|operation| operation.direction)
            .collect();
        assert_eq!(
            directions,
            [Direction::Upgrade, Direction::Downgrade, Direction::Unknown]
        );
    }

    #[test]
    fn a_broken_file_is_still_searched() {
        let found = unnamed(
            "from alembic import op\ndef upgrade():\n    op.create_foreign_key(None, 'order', 'i', ['i'], ['id'])\n    x = = 1\n    op.drop_constraint(None, 'order')\n",
        );
        assert_eq!(found.len(), 2);
    }
}

//! The walk over a module that finds its operations, scope by scope.

use std::collections::{HashMap, HashSet};

use crate::naming::ConstraintKind;
use crate::python::{Call, Class, Expr, ExprKind, Function, Module, Parameter, Spread, Stmt, StmtKind};

use super::constants::{Constants, Lookup};
use super::receiver::{Batch, Binding, Bindings, Receiver, resolve};
use super::signature::{Action, operation, signature};
use super::{Half, Known, Migration, Name, Operation, Referred, Step};

pub(super) fn migration(module: &Module) -> Migration<'_> {
    let mut reader = Reader {
        module,
        operations: Vec::new(),
        steps: Vec::new(),
        uses_operations: false,
        scopes: Vec::new(),
        constants: Vec::new(),
        functions: Vec::new(),
        loops: 0,
        branches: 0,
        block: 0,
        blocks: 0,
        calls: HashMap::new(),
    };
    reader.scope(module.body(), &[]);
    let halves = halves(&reader.calls);
    let half = |function: Option<&str>| {
        function
            .and_then(|name| halves.get(name).copied())
            .unwrap_or(Half::Unknown)
    };
    let mut operations = reader.operations;
    let mut steps = reader.steps;
    for step in &mut steps {
        step.half = half(step.function);
    }
    steps.sort_by_key(|step| step.call.span);
    for operation in &mut operations {
        operation.half = half(operation.function);
    }
    operations.sort_by_key(|operation| operation.call.span);
    Migration {
        module,
        operations,
        steps,
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

struct Reader<'m> {
    module: &'m Module,
    operations: Vec<Operation<'m>>,
    steps: Vec<Step<'m>>,
    uses_operations: bool,
    scopes: Vec<Bindings<'m>>,
    constants: Vec<Constants<'m>>,
    /// The functions around the current statement, outermost first.
    functions: Vec<&'m str>,
    loops: usize,
    /// How many branches that may not be taken are around the current statement.
    branches: usize,
    /// The block around the current statement, and how many there were.
    block: usize,
    blocks: usize,
    /// Which functions of the module a function calls by name.
    calls: HashMap<&'m str, HashSet<&'m str>>,
}

impl<'m> Reader<'m> {
    /// A module's or function's body. Its functions run after all of its names are bound, so they are read last.
    fn scope(&mut self, body: &'m [Stmt], parameters: &'m [Parameter]) {
        let mut bindings = Bindings::default();
        let mut constants = Constants::of(body);
        for parameter in parameters {
            bindings.parameter(parameter);
            constants.hide(&parameter.name);
        }
        self.scopes.push(bindings);
        self.constants.push(constants);
        let mut later = Vec::new();
        self.block(body, &mut later);
        let outside = (std::mem::take(&mut self.loops), std::mem::take(&mut self.branches));
        for definition in later {
            self.apart(|reader| match definition {
                Definition::Function(function) => reader.function(function),
                Definition::Class(class) => reader.scope(&class.body, &[]),
            });
        }
        (self.loops, self.branches) = outside;
        self.constants.pop();
        self.scopes.pop();
    }

    fn function(&mut self, function: &'m Function) {
        for expr in function
            .decorators
            .iter()
            .chain(function.parameters.iter().filter_map(|one| one.default.as_ref()))
        {
            self.expr(expr);
        }
        self.functions.push(&function.name);
        if self.functions.len() == 1 {
            self.calls.entry(&function.name).or_default();
        }
        self.scope(&function.body, &function.parameters);
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
            StmtKind::Expr(expr) => self.expr(expr),
            StmtKind::Function(function) => later.push(Definition::Function(function)),
            StmtKind::Class(class) => later.push(Definition::Class(class)),
            StmtKind::Return(value) => {
                if let Some(value) = value {
                    self.expr(value);
                }
            }
            StmtKind::Other(exprs) => {
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
                for (test, body) in branches {
                    if let Some(test) = test {
                        self.expr(test);
                    }
                    self.branch(body, later);
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
                self.repeated(rounds, later);
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
                for body in handlers.iter().chain([otherwise]) {
                    self.branch(body, later);
                }
                self.block(finally, later);
            }
            StmtKind::Match { subject, cases } => {
                self.expr(subject);
                for body in cases {
                    self.branch(body, later);
                }
            }
            _ => {}
        }
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
    fn meaning(&self, value: &'m Expr) -> Option<Binding> {
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

    fn batch_manager(&self, call: &'m Call) -> Option<Binding> {
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
            })
        })
    }

    fn assign(&mut self, target: &'m Expr, value: &'m Expr) {
        let ExprKind::Name(name) = &target.kind else { return };
        if let Some(meaning) = self.meaning(value) {
            self.innermost(|scope| scope.bind(name, meaning));
        }
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
            ExprKind::Named { target, value } => self.assign(target, value),
            ExprKind::Lambda { parameters, body } => return self.lambda(parameters, body),
            _ => {}
        }
        let repeats = matches!(expr.kind, ExprKind::Comprehension(_) | ExprKind::Lambda { .. });
        self.loops += usize::from(repeats);
        for child in expr.children() {
            self.expr(child);
        }
        self.loops -= usize::from(repeats);
    }

    fn lambda(&mut self, parameters: &'m [Parameter], body: &'m Expr) {
        for default in parameters.iter().filter_map(|parameter| parameter.default.as_ref()) {
            self.expr(default);
        }
        let mut bindings = Bindings::default();
        let mut constants = Constants::default();
        for parameter in parameters {
            bindings.parameter(parameter);
            constants.hide(&parameter.name);
        }
        self.scopes.push(bindings);
        self.constants.push(constants);
        self.expr(body);
        self.constants.pop();
        self.scopes.pop();
    }

    fn call(&mut self, call: &'m Call) {
        self.note_helper(call);
        let Some((method, receiver)) = self.receiver(call) else {
            return;
        };
        let Some(method) = operation(method) else { return };
        self.uses_operations = true;
        let Some(signature) = signature(method) else {
            return self.step(method, call, receiver);
        };
        let parameters = if receiver.is_batch() {
            signature.on_batch
        } else {
            signature.on_op
        };
        let position = |name: &str| parameters.iter().position(|parameter| *parameter == name);
        let name_argument = call
            .argument(Some(0), parameters.first().copied().unwrap_or_default())
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
        self.operations.push(Operation {
            action: kind,
            call,
            name: name_argument.map_or(Name::Computed, |argument| self.name(&argument.value)),
            name_argument,
            table,
            schema,
            columns: self.texts(call, position(columns_parameter), columns_parameter),
            referred: is_key.then(|| Referred {
                table: self.text(call, position("referent_table"), "referent_table"),
                schema: self.optional_text(call, None, "referent_schema"),
                columns: self.texts(call, position("remote_cols"), "remote_cols"),
            }),
            receiver,
            half: Half::Unknown,
            function: self.functions.first().copied(),
            block: self.block,
            repeated: self.loops > 0,
            conditional: self.branches > 0,
        });
    }

    fn step(&mut self, method: &'static str, call: &'m Call, receiver: Receiver) {
        let (table, schema) = match &receiver {
            Receiver::Batch { batch, .. } => (batch.table.clone(), batch.schema.clone()),
            _ => (
                self.text(call, Some(0), "table_name"),
                self.optional_text(call, None, "schema"),
            ),
        };
        let position = usize::from(!receiver.is_batch());
        let column = match call.argument(Some(position), "column") {
            Ok(Some(argument)) if method == "add_column" => Some(self.lookup().value(&argument.value)),
            _ => None,
        };
        self.steps.push(Step {
            method,
            call,
            receiver,
            table,
            schema,
            column,
            half: Half::Unknown,
            function: self.functions.first().copied(),
            repeated: self.loops > 0,
            conditional: self.branches > 0,
        });
    }

    fn note_helper(&mut self, call: &'m Call) {
        if let (Some(caller), Some(callee)) = (self.functions.first(), call.callee.as_name()) {
            self.calls.entry(caller).or_default().insert(callee);
        }
    }

    fn receiver(&self, call: &'m Call) -> Option<(&'m str, Receiver)> {
        match &call.callee.kind {
            ExprKind::Attribute { value, name, .. } => {
                let named = match &value.kind {
                    ExprKind::Named { target, .. } => target,
                    _ => value,
                };
                let spelling = self.module.file().slice(named.span).to_owned();
                match resolve(&self.scopes, value)? {
                    Binding::Operations => Some((name, Receiver::Operations(spelling))),
                    Binding::Batch(batch) => Some((name, Receiver::Batch { spelling, batch })),
                    _ => None,
                }
            }
            ExprKind::Name(_) => match resolve(&self.scopes, &call.callee)? {
                Binding::Operation(method) => Some((method, Receiver::Bare)),
                _ => None,
            },
            _ => None,
        }
    }

    fn drop_kind(&self, call: &'m Call, position: Option<usize>) -> Option<ConstraintKind> {
        let argument = call.argument(position, "type_").ok()??;
        let text = self.lookup().text(&argument.value);
        match text.known()?.as_str() {
            "foreignkey" => Some(ConstraintKind::ForeignKey),
            "unique" => Some(ConstraintKind::Unique),
            "check" => Some(ConstraintKind::Check),
            "primary" => Some(ConstraintKind::PrimaryKey),
            _ => None,
        }
    }

    fn name(&self, value: &'m Expr) -> Name {
        let value = self.lookup().value(value);
        match &value.kind {
            ExprKind::None => Name::Unnamed,
            ExprKind::String(text) if text.is_empty() => Name::Unnamed,
            ExprKind::Call(call) if is_finisher(&call.callee) => {
                match call.arguments.first().map(|one| self.name(&one.value)) {
                    Some(Name::Plain(text) | Name::Finished(text)) => Name::Finished(text),
                    Some(Name::Unnamed) => Name::Unnamed,
                    _ => Name::Computed,
                }
            }
            _ => match self.lookup().text(value) {
                Known::Is(text) if text.is_empty() => Name::Unnamed,
                Known::Is(text) => Name::Plain(text),
                Known::Computed(_) => Name::Computed,
            },
        }
    }

    fn lookup(&self) -> Lookup<'_, 'm> {
        Lookup(&self.constants)
    }

    fn text(&self, call: &'m Call, position: Option<usize>, name: &str) -> Known<String> {
        match call.argument(position, name) {
            Ok(Some(argument)) => self.lookup().text(&argument.value),
            Ok(None) => Known::Computed("it is not given".to_owned()),
            Err(Spread) => Known::Computed(SPREAD.to_owned()),
        }
    }

    fn optional_text(&self, call: &'m Call, position: Option<usize>, name: &str) -> Known<Option<String>> {
        match call.argument(position, name) {
            Ok(Some(argument)) if self.lookup().value(&argument.value).kind == ExprKind::None => Known::Is(None),
            Ok(Some(argument)) => match self.lookup().text(&argument.value) {
                Known::Is(text) => Known::Is(Some(text)),
                Known::Computed(reason) => Known::Computed(reason),
            },
            Ok(None) => Known::Is(None),
            Err(Spread) => Known::Computed(SPREAD.to_owned()),
        }
    }

    fn texts(&self, call: &'m Call, position: Option<usize>, name: &str) -> Known<Vec<String>> {
        if position.is_none() {
            return Known::Is(Vec::new());
        }
        match call.argument(position, name) {
            Ok(Some(argument)) => self.lookup().texts(&argument.value),
            Ok(None) => Known::Computed("they are not given".to_owned()),
            Err(Spread) => Known::Computed(SPREAD.to_owned()),
        }
    }
}

const SPREAD: &str = "it comes out of `*` or `**`";

enum Definition<'m> {
    Function(&'m Function),
    Class(&'m Class),
}

/// `op.f`, `batch_op.f`, and SQLAlchemy's `conv`, which it is made of (`alembic/operations/base.py`, `f`).
fn is_finisher(callee: &Expr) -> bool {
    match &callee.kind {
        ExprKind::Attribute { name, .. } | ExprKind::Name(name) => name == "f" || name == "conv",
        _ => false,
    }
}

/// The half that each function of the module runs in: by its own name, else by who calls it.
///
/// The templates for several databases write `upgrade_engine1()` and `downgrade_engine1()`.
fn halves<'m>(calls: &HashMap<&'m str, HashSet<&'m str>>) -> HashMap<&'m str, Half> {
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
    let half = |name: &str| match (up.contains(name), down.contains(name)) {
        (true, false) => Half::Upgrade,
        (false, true) => Half::Downgrade,
        _ => Half::Unknown,
    };
    calls.keys().map(|name| (*name, half(name))).collect()
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
        let halves: Vec<Half> = Migration::read(&module)
            .operations
            .iter()
            .map(|operation| operation.half)
            .collect();
        assert_eq!(halves, [Half::Upgrade, Half::Downgrade, Half::Unknown]);
    }

    #[test]
    fn a_broken_file_is_still_searched() {
        let found = unnamed(
            "from alembic import op\ndef upgrade():\n    op.create_foreign_key(None, 'order', 'i', ['i'], ['id'])\n    x = = 1\n    op.drop_constraint(None, 'order')\n",
        );
        assert_eq!(found.len(), 2);
    }
}

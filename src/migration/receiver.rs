//! What an operation is called on: `op` in all its spellings, and batch operations.

use rustc_hash::FxHashMap;

use crate::naming::Convention;
use crate::python::{Alias, ArgumentKind, Call, Expr, ExprKind, Function, Parameter};

use super::Known;
use super::signature::{operation, operation_of_class};

/// What an operation is called on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// `op.`, in the spelling of the source.
    Operations(String),
    /// A batch operation, in the spelling of the source, with its table.
    Batch {
        /// The variable.
        spelling: String,
        /// What it is a batch of.
        batch: Batch,
    },
    /// A function imported from `alembic.op`, called by its own name.
    Bare,
}

/// What `batch_alter_table` was called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The table.
    pub table: Known<String>,
    /// Its schema.
    pub schema: Known<Option<String>>,
    /// Where the last argument ends and where the call's closing parenthesis stands; nothing when the call is the caller's.
    pub end_of_arguments: Option<(usize, usize)>,
    /// Whether it is given a `naming_convention` for what it reflects.
    pub names_reflected: bool,
    /// That convention, where it can be read. It names what SQLite holds without a name, and nothing that the batch makes (measured with
    /// Alembic 1.20.1; on PostgreSQL and MariaDB it does nothing).
    pub reflected_by: Option<Convention>,
}

impl Batch {
    fn of_the_caller() -> Self {
        Self {
            table: Known::Computed("the table is the caller's".to_owned()),
            schema: Known::Computed("the schema is the caller's".to_owned()),
            end_of_arguments: None,
            names_reflected: false,
            reflected_by: None,
        }
    }
}

impl Receiver {
    /// Whether it is a batch operation.
    #[must_use]
    pub fn is_batch(&self) -> bool {
        matches!(self, Self::Batch { .. })
    }
}

/// What a name stands for, as far as operations are concerned.
#[derive(Debug, Clone)]
pub(super) enum Binding<'m> {
    /// The package `alembic`.
    Alembic,
    /// The module `alembic.op`, or an `Operations` object.
    Operations,
    /// The module `alembic.operations`.
    OperationsModule,
    /// The class `Operations`.
    OperationsClass,
    /// The class `BatchOperations`.
    BatchClass,
    /// The module `alembic.operations.ops`.
    OpsModule,
    /// A class of that module, by the operation that its objects stand for.
    OpClass(&'static str),
    /// A batch operation.
    Batch(Batch),
    /// The object that `batch_alter_table` returns before it is entered.
    BatchManager(Batch),
    /// An operation by a name of its own, with what it was taken from.
    Operation(&'static str, Receiver),
    /// The connection that the migration runs on, or a session on it.
    Connection,
    /// The migration context.
    Context,
    /// A function of the module.
    Function(&'m Function),
    /// What only the caller knows.
    Unknown,
    /// Something else, certainly.
    Other,
}

/// The names of one scope.
#[derive(Debug, Default)]
pub(super) struct Bindings<'m> {
    names: FxHashMap<&'m str, Binding<'m>>,
    /// Whether it is the body of a class, which the functions in it do not see.
    is_class: bool,
}

impl<'m> Bindings<'m> {
    pub(super) fn of_class() -> Self {
        Self {
            is_class: true,
            ..Self::default()
        }
    }

    pub(super) fn bind(&mut self, name: &'m str, binding: Binding<'m>) {
        self.names.insert(name, binding);
    }

    /// Takes a name back to what it was.
    pub(super) fn restore(&mut self, name: &'m str, before: Option<Binding<'m>>) {
        match before {
            Some(binding) => self.names.insert(name, binding),
            None => self.names.remove(name),
        };
    }

    pub(super) fn get(&self, name: &str) -> Option<&Binding<'m>> {
        self.names.get(name)
    }

    /// `import a.b as c`
    pub(super) fn import(&mut self, alias: &'m Alias) {
        match (alias.name.as_str(), alias.asname.as_deref()) {
            ("alembic", name) => self.bind(name.unwrap_or("alembic"), Binding::Alembic),
            ("alembic.op", Some(name)) => self.bind(name, Binding::Operations),
            ("alembic.operations", Some(name)) => self.bind(name, Binding::OperationsModule),
            ("alembic.operations.ops", Some(name)) => self.bind(name, Binding::OpsModule),
            (dotted, None) if dotted.starts_with("alembic.") => self.bind("alembic", Binding::Alembic),
            (_, Some(name)) => self.bind(name, Binding::Other),
            (dotted, None) => self.bind(dotted.split('.').next().unwrap_or(dotted), Binding::Other),
        }
    }

    /// `from module import name as other`
    pub(super) fn import_from(&mut self, module: &str, level: u32, alias: &'m Alias) {
        let bound = alias.asname.as_deref().unwrap_or(&alias.name);
        let binding = match (level, module, alias.name.as_str()) {
            (0, "alembic", "operations") => Binding::OperationsModule,
            (0, "alembic.operations", "ops") => Binding::OpsModule,
            (0, "alembic.operations" | "alembic.operations.base", "Operations" | "AbstractOperations") => {
                Binding::OperationsClass
            }
            (0, "alembic.operations" | "alembic.operations.base", "BatchOperations") => Binding::BatchClass,
            (0, "alembic.operations.ops", class) => match operation_of_class(class) {
                Some(method) => Binding::OpClass(method),
                None => return,
            },
            (0, "alembic.op", "*") => return self.import_all(),
            (0, "alembic.op", name) => match operation(name) {
                Some(method) => Binding::Operation(method, Receiver::Bare),
                None => Binding::Other,
            },
            // From alembic itself, or handed on by a module of the project: nothing else by that name has these methods.
            (_, _, "op") => Binding::Operations,
            _ => return,
        };
        self.bind(bound, binding);
    }

    fn import_all(&mut self) {
        for method in [
            "create_foreign_key",
            "create_unique_constraint",
            "create_check_constraint",
            "create_primary_key",
            "create_exclude_constraint",
            "create_index",
            "drop_constraint",
            "drop_index",
        ] {
            self.bind(method, Binding::Operation(method, Receiver::Bare));
        }
    }
}

/// A function's parameter: by its annotation, else by how the function is called, else by the names that everybody gives it.
pub(super) fn parameter<'m>(
    scopes: &[Bindings<'m>],
    parameter: &Parameter,
    called_with: Option<Binding<'m>>,
) -> Binding<'m> {
    let annotation = parameter.annotation.as_ref();
    if let Some(binding) = annotation.and_then(|annotation| annotated(scopes, annotation)) {
        // The caller knows the table as well.
        return match (binding, called_with) {
            (Binding::Batch(_), Some(Binding::Batch(batch))) => Binding::Batch(batch),
            (binding, _) => binding,
        };
    }
    if let Some(binding) = called_with {
        return binding;
    }
    let says_nothing = annotation
        .is_none_or(|annotation| matches!(last_word(annotation).as_deref(), Some("Any" | "ModuleType" | "object")));
    match parameter.name.as_str() {
        "op" if says_nothing => Binding::Operations,
        "batch_op" if says_nothing => Binding::Batch(Batch::of_the_caller()),
        _ if says_nothing => Binding::Unknown,
        _ => Binding::Other,
    }
}

/// What an annotation promises; quoted ones and `X | None` included.
fn annotated<'m>(scopes: &[Bindings<'m>], annotation: &Expr) -> Option<Binding<'m>> {
    let resolved = match &annotation.kind {
        ExprKind::Binary { left, right, .. } => {
            return annotated(scopes, left).or_else(|| annotated(scopes, right));
        }
        ExprKind::Subscript { index, .. } => return annotated(scopes, index),
        ExprKind::Tuple(parts) => return annotated(scopes, parts.first()?),
        ExprKind::String(name) => look_up(scopes, name).cloned(),
        _ => resolve(scopes, annotation),
    };
    match (resolved, last_word(annotation)?.as_str()) {
        (Some(Binding::BatchClass), _) | (_, "BatchOperations") => Some(Binding::Batch(Batch::of_the_caller())),
        (Some(Binding::OperationsClass | Binding::Operations), _)
        | (_, "Operations" | "AbstractOperations")
        | (None, "op") => Some(Binding::Operations),
        (_, "Connection" | "Session") => Some(Binding::Connection),
        _ => None,
    }
}

/// The last part of a type's dotted name.
fn last_word(annotation: &Expr) -> Option<String> {
    let dotted = match &annotation.kind {
        ExprKind::String(text) => text.split('[').next_back()?.trim_end_matches(']').to_owned(),
        _ => annotation.dotted()?,
    };
    dotted.split('|').next()?.trim().rsplit('.').next().map(str::to_owned)
}

/// A name, from the innermost scope outwards. A class body is seen by its own statements alone.
fn look_up<'s, 'm>(scopes: &'s [Bindings<'m>], name: &str) -> Option<&'s Binding<'m>> {
    let innermost = scopes.len().checked_sub(1)?;
    let visible = |(at, scope): &(usize, &Bindings<'m>)| !scope.is_class || *at == innermost;
    let mut scopes = scopes.iter().enumerate().rev().filter(visible);
    scopes.find_map(|(_, scope)| scope.get(name))
}

/// What an expression stands for in the given scopes, innermost last.
pub(super) fn resolve<'m>(scopes: &[Bindings<'m>], expr: &Expr) -> Option<Binding<'m>> {
    match &expr.kind {
        ExprKind::Name(name) => match look_up(scopes, name) {
            Some(binding) => Some(binding.clone()),
            // With `from helpers import *`, or in a file that is run with `op` put in, nothing binds it here.
            None if name == "op" => Some(Binding::Operations),
            None => None,
        },
        ExprKind::Attribute { value, name, .. } => resolve_attribute(scopes, value, name),
        ExprKind::Call(call) => resolve_call(scopes, call),
        ExprKind::Named { value, .. } => resolve(scopes, value),
        _ => None,
    }
}

fn resolve_attribute<'m>(scopes: &[Bindings<'m>], value: &Expr, name: &str) -> Option<Binding<'m>> {
    match (resolve(scopes, value), name) {
        (Some(Binding::Alembic), "op") => Some(Binding::Operations),
        (Some(Binding::Alembic), "operations") => Some(Binding::OperationsModule),
        (Some(Binding::OperationsModule), "Operations") => Some(Binding::OperationsClass),
        (Some(Binding::OperationsModule), "BatchOperations") => Some(Binding::BatchClass),
        (Some(Binding::OperationsModule), "ops") => Some(Binding::OpsModule),
        (Some(Binding::OpsModule), class) => operation_of_class(class).map(Binding::OpClass),
        (Some(binding @ (Binding::Operations | Binding::Batch(_))), method) => {
            Some(Binding::Operation(operation(method)?, binding.receiver(value)?))
        }
        (Some(Binding::Context), "bind" | "connection") | (Some(Binding::Connection), "engine" | "bind") => {
            Some(Binding::Connection)
        }
        (None | Some(Binding::Unknown | Binding::Other), "op") if matches!(value.as_name(), Some("self" | "cls")) => {
            let class = scopes.iter().rev().find(|scope| scope.is_class);
            class
                .and_then(|class| class.get("op").cloned())
                .or(Some(Binding::Operations))
        }
        _ => None,
    }
}

impl Binding<'_> {
    /// What an operation that is taken from it is called on.
    fn receiver(&self, value: &Expr) -> Option<Receiver> {
        let spelled = match &value.kind {
            ExprKind::Named { target, .. } => target,
            _ => value,
        };
        match (self, spelled.dotted()) {
            (Self::Operations, Some(spelling)) => Some(Receiver::Operations(spelling)),
            // To write anything but a chain of names again is to compute it again.
            (Self::Operations, None) => Some(Receiver::Bare),
            (Self::Batch(batch), Some(spelling)) => Some(Receiver::Batch {
                spelling,
                batch: batch.clone(),
            }),
            _ => None,
        }
    }
}

/// Most calls are of something else; only what can be an operation is followed, so that a long chain costs nothing.
fn resolve_call<'m>(scopes: &[Bindings<'m>], call: &Call) -> Option<Binding<'m>> {
    let makes_operations = |callee| matches!(resolve(scopes, callee), Some(Binding::OperationsClass));
    if let Some(connection) = resolve_connection(scopes, call) {
        return Some(connection);
    }
    match &call.callee.kind {
        ExprKind::Name(name) if name == "getattr" => {
            let name = call.arguments.get(1)?.value.as_str()?;
            resolve_attribute(scopes, &call.arguments.first()?.value, name)
        }
        ExprKind::Name(name) if name == "partial" => resolve_partial(scopes, call),
        ExprKind::Attribute { name, .. } if name == "partial" => resolve_partial(scopes, call),
        ExprKind::Name(_) => makes_operations(&call.callee).then_some(Binding::Operations),
        ExprKind::Attribute { name, .. } if name == "Operations" => {
            makes_operations(&call.callee).then_some(Binding::Operations)
        }
        ExprKind::Attribute { value, name, .. } if name == "context" => {
            makes_operations(value).then_some(Binding::Operations)
        }
        ExprKind::Attribute { name, .. } if name == "enter_context" => {
            match resolve(scopes, &call.arguments.first()?.value)? {
                Binding::BatchManager(batch) => Some(Binding::Batch(batch)),
                other => Some(other),
            }
        }
        _ => None,
    }
}

/// `op.get_bind()` and what leads on from there to the same database.
fn resolve_connection<'m>(scopes: &[Bindings<'m>], call: &Call) -> Option<Binding<'m>> {
    let on = |value: &Expr| resolve(scopes, value);
    match (&call.callee.kind, call.name()?) {
        (ExprKind::Attribute { value, .. }, "get_bind") => match on(value)? {
            Binding::Operations | Binding::Batch(_) | Binding::Connection => Some(Binding::Connection),
            _ => None,
        },
        (ExprKind::Name(_), "get_bind") => {
            matches!(on(&call.callee), Some(Binding::Operation("get_bind", _))).then_some(Binding::Connection)
        }
        (ExprKind::Attribute { value, .. }, "get_context") => {
            matches!(on(value), Some(Binding::Operations)).then_some(Binding::Context)
        }
        (ExprKind::Attribute { value, .. }, "connect" | "begin" | "execution_options" | "connection") => {
            matches!(on(value), Some(Binding::Connection)).then_some(Binding::Connection)
        }
        (_, "Session") => {
            let bind = call.keyword("bind").or_else(|| Some(&call.arguments.first()?.value))?;
            matches!(on(bind), Some(Binding::Connection)).then_some(Binding::Connection)
        }
        _ => None,
    }
}

/// `functools.partial(op.create_unique_constraint)`: what is still to be filled is filled by the call of it.
fn resolve_partial<'m>(scopes: &[Bindings<'m>], call: &Call) -> Option<Binding<'m>> {
    let binding = partial_of(scopes, call)?;
    let fills_no_position = call
        .arguments
        .iter()
        .skip(1)
        .all(|argument| matches!(argument.kind, ArgumentKind::Keyword(_)));
    let gives_name = call
        .keyword("constraint_name")
        .or_else(|| call.keyword("index_name"))
        .is_some();
    (fills_no_position && !gives_name).then_some(binding)
}

/// The operation that a `functools.partial(...)` fills in part.
pub(super) fn partial_of<'m>(scopes: &[Bindings<'m>], call: &Call) -> Option<Binding<'m>> {
    if call.name() != Some("partial") {
        return None;
    }
    let first = call
        .arguments
        .first()
        .filter(|first| first.kind == ArgumentKind::Positional)?;
    match resolve(scopes, &first.value)? {
        binding @ Binding::Operation(..) => Some(binding),
        _ => None,
    }
}

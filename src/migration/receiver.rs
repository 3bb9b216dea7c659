//! What an operation is called on: `op` in all its spellings, and batch operations.

use std::collections::HashMap;

use crate::python::{Alias, Call, Expr, ExprKind, Parameter};

use super::Known;

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
}

impl Batch {
    fn of_the_caller() -> Self {
        Self {
            table: Known::Computed("the table is the caller's".to_owned()),
            schema: Known::Computed("the schema is the caller's".to_owned()),
            end_of_arguments: None,
            names_reflected: false,
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
pub(super) enum Binding {
    /// The package `alembic`.
    Alembic,
    /// The module `alembic.op`, or an `Operations` object.
    Operations,
    /// The module `alembic.operations`.
    OperationsModule,
    /// The class `Operations`.
    OperationsClass,
    /// A batch operation.
    Batch(Batch),
    /// The object that `batch_alter_table` returns before it is entered.
    BatchManager(Batch),
    /// An operation by its own name.
    Operation(&'static str),
    /// The connection that the migration runs on, or a session on it.
    Connection,
    /// The migration context.
    Context,
    /// Something else, certainly.
    Other,
}

/// The names of one scope.
#[derive(Debug, Default)]
pub(super) struct Bindings<'m>(HashMap<&'m str, Binding>);

impl<'m> Bindings<'m> {
    pub(super) fn bind(&mut self, name: &'m str, binding: Binding) {
        self.0.insert(name, binding);
    }

    pub(super) fn get(&self, name: &str) -> Option<&Binding> {
        self.0.get(name)
    }

    /// `import a.b as c`
    pub(super) fn import(&mut self, alias: &'m Alias) {
        match (alias.name.as_str(), alias.alias.as_deref()) {
            ("alembic", name) => self.bind(name.unwrap_or("alembic"), Binding::Alembic),
            ("alembic.op", Some(name)) => self.bind(name, Binding::Operations),
            ("alembic.operations", Some(name)) => self.bind(name, Binding::OperationsModule),
            (dotted, None) if dotted.starts_with("alembic.") => self.bind("alembic", Binding::Alembic),
            (_, Some(name)) => self.bind(name, Binding::Other),
            (dotted, None) => self.bind(dotted.split('.').next().unwrap_or(dotted), Binding::Other),
        }
    }

    /// `from module import name as other`
    pub(super) fn import_from(&mut self, module: &str, level: u32, alias: &'m Alias) {
        let bound = alias.alias.as_deref().unwrap_or(&alias.name);
        let binding = match (level, module, alias.name.as_str()) {
            (0, "alembic", "operations") => Binding::OperationsModule,
            (0, "alembic.operations" | "alembic.operations.base", "Operations" | "AbstractOperations") => {
                Binding::OperationsClass
            }
            (0, "alembic.op", "*") => return self.import_all(),
            (0, "alembic.op", name) => match super::signature::operation(name) {
                Some(method) => Binding::Operation(method),
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
            self.bind(method, Binding::Operation(method));
        }
    }

    /// A function's parameter: by its annotation, else by the names that everybody gives it.
    pub(super) fn parameter(&mut self, parameter: &'m Parameter) {
        let annotation = parameter.annotation.as_ref().map(annotation_text).unwrap_or_default();
        let last = annotation.rsplit('.').next().unwrap_or_default();
        let binding = match (last, parameter.name.as_str()) {
            ("BatchOperations", _) | ("", "batch_op") => Binding::Batch(Batch::of_the_caller()),
            ("Connection" | "Session", _) => Binding::Connection,
            ("Operations" | "AbstractOperations", _) | ("" | "Any" | "ModuleType" | "object", "op") => {
                Binding::Operations
            }
            _ => Binding::Other,
        };
        self.bind(&parameter.name, binding);
    }
}

/// A type's dotted name, quoted annotations and `X | None` included.
fn annotation_text(annotation: &Expr) -> String {
    match &annotation.kind {
        ExprKind::String(text) => text.clone(),
        ExprKind::Binary { left, .. } => annotation_text(left),
        ExprKind::Subscript { index, .. } => annotation_text(index),
        _ => annotation.dotted().unwrap_or_else(|| "?".to_owned()),
    }
}

/// What an expression stands for in the given scopes, innermost last.
pub(super) fn resolve(scopes: &[Bindings<'_>], expr: &Expr) -> Option<Binding> {
    match &expr.kind {
        ExprKind::Name(name) => match scopes.iter().rev().find_map(|scope| scope.get(name)) {
            Some(binding) => Some(binding.clone()),
            // With `from helpers import *`, or in a file that is run with `op` put in, nothing binds it here.
            None if name == "op" => Some(Binding::Operations),
            None => None,
        },
        ExprKind::Attribute { value, name, .. } => match (resolve(scopes, value), name.as_str()) {
            (Some(Binding::Alembic), "op") => Some(Binding::Operations),
            (Some(Binding::Alembic), "operations") => Some(Binding::OperationsModule),
            (Some(Binding::OperationsModule), "Operations") => Some(Binding::OperationsClass),
            (Some(Binding::Operations), method) => {
                super::signature::signature(method).map(|signature| Binding::Operation(signature.method))
            }
            (Some(Binding::Context), "bind" | "connection") | (Some(Binding::Connection), "engine" | "bind") => {
                Some(Binding::Connection)
            }
            (None | Some(Binding::Other), "op") if matches!(value.as_name(), Some("self" | "cls")) => {
                Some(Binding::Operations)
            }
            _ => None,
        },
        ExprKind::Call(call) => resolve_call(scopes, call),
        ExprKind::Named { value, .. } => resolve(scopes, value),
        _ => None,
    }
}

/// Most calls are of something else; only what can be an operation is followed, so that a long chain costs nothing.
fn resolve_call(scopes: &[Bindings<'_>], call: &Call) -> Option<Binding> {
    let makes_operations = |callee| matches!(resolve(scopes, callee), Some(Binding::OperationsClass));
    if let Some(connection) = resolve_connection(scopes, call) {
        return Some(connection);
    }
    match &call.callee.kind {
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
fn resolve_connection(scopes: &[Bindings<'_>], call: &Call) -> Option<Binding> {
    let on = |value: &Expr| resolve(scopes, value);
    match (&call.callee.kind, call.name()?) {
        (ExprKind::Attribute { value, .. }, "get_bind") => match on(value)? {
            Binding::Operations | Binding::Batch(_) | Binding::Connection => Some(Binding::Connection),
            _ => None,
        },
        (ExprKind::Name(_), "get_bind") => {
            matches!(on(&call.callee), Some(Binding::Operation("get_bind"))).then_some(Binding::Connection)
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

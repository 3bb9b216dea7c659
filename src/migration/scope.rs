//! What each name of a module means to Alembic's operations, by scope.

use std::collections::HashMap;

use rustc_hash::FxHashMap;

use crate::python::values::Chain;
use crate::python::{Alias, ArgumentKind, Call, Expr, ExprKind, Function, Parameter};
use crate::source::Span;

use super::receiver::{Batch, Receiver};
use super::signature::{SIGNATURES, operation, operation_of_class};

/// What a name means to Alembic's operations.
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
    /// What `batch_alter_table` returns, before `with` enters it.
    BatchManager(Batch),
    /// An operation bound to a name, with what it was taken from.
    Operation(&'static str, Receiver),
    /// The connection that the migration runs on, or a session on it.
    Connection,
    /// The migration context.
    Context,
    /// A function of the module.
    Function(&'m Function),
    /// A parameter that only the caller knows.
    Unknown,
    /// Certainly something else.
    Other,
}

/// The names of one scope.
pub(super) struct Scope<'m> {
    names: FxHashMap<&'m str, Binding<'m>>,
    /// Whether it is the body of a class, which the functions in it do not see.
    is_class: bool,
    /// The same scope for the reader of values.
    pub(super) chain: Chain<'m>,
    /// The names that leave a constraint without one at least once, and where: a call without that argument, or a row of a loop's table.
    pub(super) unnamed: HashMap<&'m str, Span>,
}

impl<'m> Scope<'m> {
    pub(super) fn new(chain: Chain<'m>) -> Self {
        Self {
            names: FxHashMap::default(),
            is_class: false,
            chain,
            unnamed: HashMap::new(),
        }
    }

    pub(super) fn of_class(chain: Chain<'m>) -> Self {
        Self {
            is_class: true,
            ..Self::new(chain)
        }
    }

    pub(super) fn bind(&mut self, name: &'m str, binding: Binding<'m>) {
        self.names.insert(name, binding);
    }

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
            // From alembic itself, or re-exported by a module of the project: nothing else called `op` has these methods.
            (_, _, "op") => Binding::Operations,
            _ => return,
        };
        self.bind(bound, binding);
    }

    fn import_all(&mut self) {
        for signature in &SIGNATURES {
            self.bind(signature.method, Binding::Operation(signature.method, Receiver::Bare));
        }
    }
}

/// What a parameter is: by its annotation, else by how the function is called, else by its customary name.
pub(super) fn parameter<'m>(
    scopes: &[Scope<'m>],
    parameter: &Parameter,
    called_with: Option<Binding<'m>>,
) -> Binding<'m> {
    let annotation = parameter.annotation.as_ref();
    if let Some(binding) = annotation.and_then(|annotation| annotated(scopes, annotation)) {
        // The call also tells the table.
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

/// What an annotation says, in quotes and as `X | None` too.
fn annotated<'m>(scopes: &[Scope<'m>], annotation: &Expr) -> Option<Binding<'m>> {
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

/// Looks a name up from the innermost scope outwards. Only its own statements see a class body.
fn look_up<'s, 'm>(scopes: &'s [Scope<'m>], name: &str) -> Option<&'s Binding<'m>> {
    let innermost = scopes.len().checked_sub(1)?;
    let visible = |(at, scope): &(usize, &Scope<'m>)| !scope.is_class || *at == innermost;
    let mut scopes = scopes.iter().enumerate().rev().filter(visible);
    scopes.find_map(|(_, scope)| scope.get(name))
}

/// What an expression means in these scopes, the innermost last.
pub(super) fn resolve<'m>(scopes: &[Scope<'m>], expr: &Expr) -> Option<Binding<'m>> {
    match &expr.kind {
        ExprKind::Name(name) => match look_up(scopes, name) {
            Some(binding) => Some(binding.clone()),
            // Bound by `from helpers import *`, or by whoever runs the file.
            None if name == "op" => Some(Binding::Operations),
            None => None,
        },
        ExprKind::Attribute { value, name, .. } => resolve_attribute(scopes, value, name),
        ExprKind::Call(call) => resolve_call(scopes, call),
        ExprKind::Named { value, .. } => resolve(scopes, value),
        _ => None,
    }
}

fn resolve_attribute<'m>(scopes: &[Scope<'m>], value: &Expr, name: &str) -> Option<Binding<'m>> {
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
    /// The receiver of an operation that is taken from it.
    fn receiver(&self, value: &Expr) -> Option<Receiver> {
        let spelled = match &value.kind {
            ExprKind::Named { target, .. } => target,
            _ => value,
        };
        match (self, spelled.dotted()) {
            (Self::Operations, Some(spelling)) => Some(Receiver::Operations(spelling)),
            // Anything but a dotted name would be computed again where it is written again.
            (Self::Operations, None) => Some(Receiver::Bare),
            (Self::Batch(batch), Some(spelling)) => Some(Receiver::Batch {
                spelling,
                batch: batch.clone(),
            }),
            _ => None,
        }
    }
}

/// Follows only what can lead to an operation, so that a long chain of other calls costs nothing.
fn resolve_call<'m>(scopes: &[Scope<'m>], call: &Call) -> Option<Binding<'m>> {
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

/// `op.get_bind()`, and what leads from there to the same database.
fn resolve_connection<'m>(scopes: &[Scope<'m>], call: &Call) -> Option<Binding<'m>> {
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

/// `functools.partial(op.create_unique_constraint, ...)`, where the call of the partial still gives the name.
fn resolve_partial<'m>(scopes: &[Scope<'m>], call: &Call) -> Option<Binding<'m>> {
    let binding = partial_of(scopes, call)?;
    let fills_no_position = call
        .arguments
        .iter()
        .skip(1)
        .all(|argument| matches!(argument.kind, ArgumentKind::Keyword(_)));
    (fills_no_position && !gives_name_by_keyword(call)).then_some(binding)
}

pub(super) fn gives_name_by_keyword(call: &Call) -> bool {
    let keywords = ["constraint_name", "index_name"];
    keywords.iter().any(|keyword| call.keyword(keyword).is_some())
}

/// The operation that `functools.partial(...)` wraps.
pub(super) fn partial_of<'m>(scopes: &[Scope<'m>], call: &Call) -> Option<Binding<'m>> {
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

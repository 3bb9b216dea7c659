//! The calls of a module's own functions, which tell what their parameters hold.

use std::collections::HashMap;

use crate::python::{Argument, ArgumentKind, Call, Class, Expr, ExprKind, Function, ParameterKind, Stmt, StmtKind};
use crate::source::Span;

use super::Known;
use super::receiver::Batch;
use super::scope::Binding;

/// What one call passes for one parameter.
#[derive(Debug, Clone)]
pub(super) struct Given<'m> {
    /// The call, or the place of the default.
    pub(super) place: Span,
    /// What it means to Alembic's operations.
    pub(super) binding: Option<Binding<'m>>,
    /// Whether it is `None` or empty, so that a constraint named by it has no name.
    pub(super) unnamed: bool,
}

/// The calls seen so far, by the place of the function's name.
#[derive(Debug, Default)]
pub(super) struct Calls<'m>(HashMap<usize, Vec<HashMap<&'m str, Given<'m>>>>);

impl<'m> Calls<'m> {
    pub(super) fn note(&mut self, function: &'m Function, given: HashMap<&'m str, Given<'m>>) {
        self.0.entry(function.name_span.start).or_default().push(given);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What each call passes for a parameter; nothing for a call that does not show it.
    pub(super) fn of(&self, function: &Function, parameter: &str) -> Vec<Option<&Given<'m>>> {
        let calls = self.0.get(&function.name_span.start).into_iter().flatten();
        calls.map(|call| call.get(parameter)).collect()
    }

    /// A summary: where it stays the same, another pass finds nothing more.
    pub(super) fn shape(&self) -> Vec<(usize, usize, u8, bool)> {
        let mut shape = Vec::new();
        for (function, calls) in &self.0 {
            for given in calls.iter().flat_map(HashMap::values) {
                let binding = match &given.binding {
                    None => 0,
                    Some(Binding::Other) => 1,
                    Some(Binding::Batch(_)) => 2,
                    Some(_) => 3,
                };
                shape.push((*function, given.place.start, binding, given.unnamed));
            }
        }
        shape.sort_unstable();
        shape
    }
}

/// The argument for each parameter. A method's first `bound` parameters take the object that it is called on.
pub(super) fn arguments<'m>(function: &'m Function, call: &'m Call, bound: usize) -> HashMap<&'m str, &'m Argument> {
    let mut positional = function
        .parameters
        .iter()
        .filter(|parameter| parameter.kind == ParameterKind::Positional)
        .skip(bound);
    let mut given = HashMap::new();
    for argument in &call.arguments {
        match &argument.kind {
            ArgumentKind::Positional => {
                if let Some(parameter) = positional.next() {
                    given.insert(parameter.name.as_str(), argument);
                }
            }
            ArgumentKind::Keyword(keyword) => {
                if let Some(parameter) = function.parameters.iter().find(|one| one.name == *keyword) {
                    given.insert(parameter.name.as_str(), argument);
                }
            }
            // What follows may be for any later parameter.
            ArgumentKind::Spread => positional.by_ref().for_each(drop),
            ArgumentKind::KeywordSpread => {}
        }
    }
    given
}

/// What a parameter means by all of its calls. `Other` only where every call certainly passes something else.
pub(super) fn agreed<'m>(given: &[Option<&Given<'m>>]) -> Option<Binding<'m>> {
    let known = || given.iter().flatten().filter_map(|given| given.binding.as_ref());
    let operations = known().find(|binding| !matches!(binding, Binding::Batch(_) | Binding::Other));
    if let Some(binding) = operations {
        return Some(binding.clone());
    }
    let mut batches = known().filter_map(|binding| match binding {
        Binding::Batch(batch) => Some(batch),
        _ => None,
    });
    if let Some(first) = batches.next() {
        return Some(Binding::Batch(batches.fold(first.clone(), |one, other| merged(&one, other))));
    }
    let all_other = !given.is_empty() && known().count() == given.len();
    all_other.then_some(Binding::Other)
}

/// What two batch operations have in common.
fn merged(one: &Batch, other: &Batch) -> Batch {
    fn same<T: PartialEq + Clone>(one: &Known<T>, other: &Known<T>) -> Known<T> {
        if one == other {
            one.clone()
        } else {
            Known::Computed("it differs from call to call".to_owned())
        }
    }
    Batch {
        table: same(&one.table, &other.table),
        schema: same(&one.schema, &other.schema),
        end_of_arguments: None,
        names_reflected: one.names_reflected || other.names_reflected,
        reflected_by: one
            .reflected_by
            .clone()
            .filter(|_| one.reflected_by == other.reflected_by),
    }
}

/// The methods of a module's classes that no other class has under the same name.
pub(super) fn methods(body: &[Stmt]) -> HashMap<&str, &Function> {
    let mut methods: HashMap<&str, Option<&Function>> = HashMap::new();
    for class in body.iter().filter_map(|statement| match &statement.kind {
        StmtKind::Class(class) => Some(class),
        _ => None,
    }) {
        for function in functions(class) {
            methods
                .entry(&function.name)
                .and_modify(|known| *known = None)
                .or_insert(Some(function));
        }
    }
    methods
        .into_iter()
        .filter_map(|(name, function)| Some((name, function?)))
        .collect()
}

fn functions(class: &Class) -> impl Iterator<Item = &Function> {
    class.body.iter().filter_map(|statement| match &statement.kind {
        StmtKind::Function(function) => Some(&**function),
        _ => None,
    })
}

/// How many parameters of a method take the object that it is called on.
pub(super) fn bound_parameters(method: &Function) -> usize {
    let is_static = method
        .decorators
        .iter()
        .any(|decorator| decorator.as_name() == Some("staticmethod"));
    usize::from(!is_static)
}

/// Whether statements branch on a name, so that it may have another value where it is used.
pub(super) fn tests(body: &[Stmt], name: &str) -> bool {
    body.iter().any(|statement| {
        let tested: Vec<&Expr> = match &statement.kind {
            StmtKind::If(branches) => branches.iter().filter_map(|(test, _)| test.as_ref()).collect(),
            StmtKind::While { test, .. } => vec![test],
            StmtKind::Match { subject, .. } => vec![subject],
            StmtKind::Raise(exprs) | StmtKind::Delete(exprs) | StmtKind::Other(exprs) => exprs.iter().collect(),
            _ => Vec::new(),
        };
        let (exprs, blocks) = statement.parts();
        tested.into_iter().any(|test| mentions(test, name))
            || exprs.into_iter().any(|expr| chooses_by(expr, name))
            || blocks.into_iter().any(|block| tests(block, name))
    })
}

fn mentions(expr: &Expr, name: &str) -> bool {
    expr.as_name() == Some(name) || expr.children().into_iter().any(|child| mentions(child, name))
}

fn chooses_by(expr: &Expr, name: &str) -> bool {
    let chooses = match &expr.kind {
        ExprKind::Conditional { test, .. } => mentions(test, name),
        ExprKind::Choice { values, .. } => values.iter().any(|value| mentions(value, name)),
        ExprKind::Named { target, .. } => target.as_name() == Some(name),
        _ => false,
    };
    chooses || expr.children().into_iter().any(|child| chooses_by(child, name))
}

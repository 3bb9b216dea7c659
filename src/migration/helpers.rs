//! How the module's own functions are called, so that what a parameter holds is known where the function uses it.

use std::collections::HashMap;

use crate::python::{Argument, ArgumentKind, Call, Class, Expr, ExprKind, Function, ParameterKind, Stmt, StmtKind};
use crate::source::Span;

use super::Known;
use super::receiver::{Batch, Binding};

/// What one call hands to one parameter.
#[derive(Debug, Clone)]
pub(super) struct Given<'m> {
    /// The call, or the place of the default.
    pub(super) place: Span,
    /// What it stands for as an object of Alembic's.
    pub(super) binding: Option<Binding<'m>>,
    /// Whether it leaves out the name of a constraint that it is taken for.
    pub(super) unnamed: bool,
}

/// The calls of the functions of one module that have been seen, by where the function's name stands.
#[derive(Debug, Default)]
pub(super) struct Calls<'m>(HashMap<usize, Vec<HashMap<&'m str, Given<'m>>>>);

impl<'m> Calls<'m> {
    pub(super) fn note(&mut self, function: &'m Function, given: HashMap<&'m str, Given<'m>>) {
        self.0.entry(function.name_span.start).or_default().push(given);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the calls hand to a parameter; nothing where one of them does not say.
    pub(super) fn of(&self, function: &Function, parameter: &str) -> Vec<Option<&Given<'m>>> {
        let calls = self.0.get(&function.name_span.start).into_iter().flatten();
        calls.map(|call| call.get(parameter)).collect()
    }

    /// What tells whether another reading would find more.
    pub(super) fn shape(&self) -> Vec<(usize, usize, u8, bool)> {
        let mut shape: Vec<_> = self
            .0
            .iter()
            .flat_map(|(function, calls)| {
                calls
                    .iter()
                    .flat_map(move |call| call.values().map(move |given| (*function, given)))
            })
            .map(|(function, given)| {
                let binding = match &given.binding {
                    None => 0,
                    Some(Binding::Other) => 1,
                    Some(Binding::Batch(_)) => 2,
                    Some(_) => 3,
                };
                (function, given.place.start, binding, given.unnamed)
            })
            .collect();
        shape.sort_unstable();
        shape
    }
}

/// The argument of each parameter; `bound` parameters at the front are filled by the object that a method is called on.
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
            // What follows may be anywhere.
            ArgumentKind::Spread => positional.by_ref().for_each(drop),
            ArgumentKind::KeywordSpread => {}
        }
    }
    given
}

/// Whether a call may fill more parameters than can be read.
pub(super) fn has_spread(call: &Call) -> bool {
    call.arguments
        .iter()
        .any(|argument| matches!(argument.kind, ArgumentKind::Spread | ArgumentKind::KeywordSpread))
}

/// What a parameter stands for, by what the calls hand over. `Other` only where every call hands over something else for certain.
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
        return Some(Binding::Batch(
            batches.fold(first.clone(), |one, other| merged(&one, other)),
        ));
    }
    let all_other = !given.is_empty() && known().count() == given.len();
    all_other.then_some(Binding::Other)
}

/// One batch operation that stands for two.
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

/// How many parameters of a method are filled by what it is called on.
pub(super) fn bound_parameters(method: &Function) -> usize {
    let is_static = method
        .decorators
        .iter()
        .any(|decorator| decorator.as_name() == Some("staticmethod"));
    usize::from(!is_static)
}

/// Whether a function looks at a name before it decides what to do.
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

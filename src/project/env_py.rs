//! What an `env.py` hands to Alembic: the expressions after `target_metadata=`, asked where they stand.

use crate::libraries::{ALONE, Known};
use crate::python::scopes::Binding;
use crate::python::values::{Chain, Found, Imports, Reader, Value};
use crate::python::{Call, Expr, ExprKind, Module, Modules};
use crate::source::{RepoPath, SourceFile};

use super::environment::Environment;
use super::target::{Target, target};
use super::{Naming, Place, late};

/// How far a name is followed to where the source says what it is.
const MAX_NAMES: usize = 8;

/// Asks an environment's `env.py` for its `target_metadata`.
pub(super) fn resolve(modules: &Modules<'_>, environment: Environment) -> Naming {
    let known = Known {
        home: environment.folder.parent(),
    };
    let roots = environment.roots.clone();
    let mut reader = Reader::new(Some((modules, Imports::new(move || roots.clone()))), &known);
    let env_py = environment.env_py();
    let mut naming = Naming {
        target: Target::Unknown(format!("`{env_py}` cannot be read")),
        environment: Some(environment),
        stated: None,
        renders_as_batch: false,
        trail: Vec::new(),
        imports: Vec::new(),
        steps: 0,
        exhausted: None,
    };
    if let Some(module) = modules.get(&env_py) {
        naming.renders_as_batch = renders_as_batch(&mut reader, module);
        let (value, stated) = handed_over(&mut reader, module);
        naming.target = target(&mut reader, &value);
        naming.stated = stated;
        naming.imports = late::imported(&mut reader, module)
            .iter()
            .map(|one| one.file().path().clone())
            .collect();
    }
    naming.steps = reader.steps();
    naming.exhausted = reader.exhausted().cloned();
    naming.trail = trail(&reader);
    naming
}

/// The modules that were asked, by path.
pub(super) fn trail(reader: &Reader<'_>) -> Vec<RepoPath> {
    let mut paths: Vec<RepoPath> = reader
        .asked()
        .iter()
        .map(|module| module.file().path().clone())
        .collect();
    paths.sort();
    paths
}

/// What Alembic is given, and where the source says so.
fn handed_over<'m>(reader: &mut Reader<'m>, env_py: &'m Module) -> (Value<'m>, Option<Place>) {
    let mut configured = configured(reader, env_py);
    if configured.is_empty() {
        // The call may stand in a class or function of another module that `env.py` uses.
        for module in late::imported(reader, env_py) {
            if module.file().text().contains("target_metadata") {
                configured.extend(self::configured(reader, module));
            }
        }
    }
    let mut values = Vec::new();
    let mut stated = None;
    for (chain, expr) in configured {
        let value = of_all_databases(reader, expr, &chain);
        if stated.is_none() && !matches!(value, Value::Unknown(_)) {
            stated = self::stated(reader, expr, &chain, MAX_NAMES);
        }
        values.push(value);
    }
    let is_unknown = values.iter().all(|value| matches!(value, Value::Unknown(_)));
    if is_unknown {
        // Inside a function another name may stand for it; the module's own is what Alembic's templates set.
        let chain = reader.module(env_py);
        if let Some(value) = reader.in_scope("target_metadata", &chain, usize::MAX) {
            let stated = stated_name(reader, "target_metadata", &chain, MAX_NAMES);
            return (value, stated);
        }
    }
    if values.is_empty() {
        return (Value::unknown("`env.py` sets no `target_metadata`"), None);
    }
    (Value::either(values), stated)
}

/// The expressions after `target_metadata=` in the calls of `configure`.
fn configured<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<(Chain<'m>, &'m Expr)> {
    let doings = reader.doings(module);
    let given = doings.calls("configure").iter();
    let given: Vec<_> = given
        .filter_map(|(within, call)| Some((within.clone(), call.keyword("target_metadata")?)))
        .collect();
    given
        .into_iter()
        .map(|(within, expr)| (reader.within(module, &within), expr))
        .collect()
}

/// Alembic's template for several databases hands over `target_metadata[name]` or `target_metadata.get(name)`: all of them count.
fn of_all_databases<'m>(reader: &mut Reader<'m>, expr: &'m Expr, chain: &Chain<'m>) -> Value<'m> {
    let whole = match &expr.kind {
        ExprKind::Subscript { value, .. } => Some(&**value),
        ExprKind::Call(call) => match &call.callee.kind {
            ExprKind::Attribute { value, name, .. } if name == "get" => Some(&**value),
            _ => None,
        },
        _ => None,
    };
    if let Some(whole) = whole
        && let dict @ Value::Dict(_) = reader.value(whole, chain)
    {
        let one = reader.value(expr, chain);
        return if matches!(one, Value::Unknown(_) | Value::None) {
            dict
        } else {
            one
        };
    }
    reader.value(expr, chain)
}

/// Whether `context.configure` gets a `render_as_batch=` that is not plainly false.
fn renders_as_batch<'m>(reader: &mut Reader<'m>, env_py: &'m Module) -> bool {
    if !env_py.file().text().contains("render_as_batch") {
        return false;
    }
    let mut open: Vec<&Call> = Vec::new();
    let doings = reader.doings(env_py);
    for name in ["configure", "dict", "run_migrations"] {
        open.extend(doings.calls(name).iter().map(|(_, call)| *call));
    }
    let given = open.iter().filter_map(|call| call.keyword("render_as_batch"));
    let is_false = |value: &Expr| matches!(value.kind, ExprKind::Bool(false));
    given.into_iter().any(|value| !is_false(value))
}

/// Where the source says what an expression is: the last assignment of the name, in this module or in the one it is imported from.
fn stated<'m>(reader: &mut Reader<'m>, expr: &'m Expr, chain: &Chain<'m>, steps: usize) -> Option<Place> {
    let here = || {
        Some(Place {
            file: chain.module.file().clone(),
            span: expr.span,
        })
    };
    match expr.as_name() {
        Some(name) => stated_name(reader, name, chain, steps).or_else(here),
        None => here(),
    }
}

fn stated_name<'m>(reader: &mut Reader<'m>, name: &str, chain: &Chain<'m>, steps: usize) -> Option<Place> {
    let steps = steps.checked_sub(1)?;
    let mut link = Some(chain.clone());
    while let Some(chain) = link.take() {
        let scope = chain.scope.clone();
        let here = |span| Place {
            file: chain.module.file().clone(),
            span,
        };
        if let Some(site) = scope.name(name).and_then(|known| known.sites.last()) {
            return match &site.binding {
                Binding::Value(expr, _) => {
                    let elsewhere = expr.as_name().filter(|other| *other != name);
                    let elsewhere = elsewhere.and_then(|other| stated_name(reader, other, &chain, steps));
                    let is_elsewhere = |place: &Place| place.file.path() != chain.module.file().path();
                    elsewhere.filter(is_elsewhere).or_else(|| Some(here(expr.span)))
                }
                Binding::ImportFrom {
                    module,
                    level,
                    name,
                    span,
                } => {
                    let inner = imported_module(reader, module, *level, &chain);
                    let inner = inner.and_then(|module| {
                        let chain = reader.module(module);
                        stated_name(reader, name, &chain, steps)
                    });
                    inner.or_else(|| Some(here(*span)))
                }
                _ => None,
            };
        }
        link.clone_from(&chain.outer);
    }
    None
}

fn imported_module<'m>(reader: &mut Reader<'m>, module: &str, level: u32, chain: &Chain<'m>) -> Option<&'m Module> {
    let name = reader.imported_from(module, level, chain)?;
    let Found::File(path) = reader.find(&name) else {
        return None;
    };
    reader.module_at(&path)
}

/// A reader of one module and of what it imports, where no environment says where Python looks.
pub(super) fn around<'m>(modules: &'m Modules<'m>, module: &SourceFile) -> Reader<'m> {
    let path = module.path().clone();
    let roots = move || {
        let mut roots: Vec<RepoPath> = path.ancestors().collect();
        roots.extend(roots.clone().iter().filter_map(|root| root.join("src")));
        roots
    };
    Reader::new(Some((modules, Imports::new(roots))), &ALONE)
}

//! The metadata that an `env.py` passes to Alembic as `target_metadata=`.

use std::cell::OnceCell;
use std::collections::HashSet;

use crate::libraries::{ALONE, Known, database_near, uses_flask_alembic};
use crate::python::scopes::Binding;
use crate::python::values::{Chain, Imports, Location, Reader, Value};
use crate::python::{ArgumentKind, Call, Expr, ExprKind, Module, Modules};
use crate::source::{RepoPath, SourceFile};

use super::environment::Environment;
use super::judged::{self, Judged};
use super::target::{self, ConventionFacts, MetadataFacts, Target, target};
use super::{Naming, Place, late};

/// How many names are followed to where the source says which metadata it is.
const MAX_NAMES: usize = 8;

/// Reads the `target_metadata` of an environment's `env.py`.
pub(super) fn resolve(modules: &Modules<'_>, environment: Environment) -> Naming {
    let known = Known {
        home: environment.folder.parent(),
    };
    let roots = environment.roots.clone();
    let mut reader = Reader::new(Some((modules, Imports::new(move || roots.clone()))), &known);
    let env_py = environment.env_py();
    let mut naming = naming(Some(environment), Target::Unknown(format!("`{env_py}` cannot be read")));
    if let Some(module) = modules.get(&env_py) {
        naming.renders_as_batch = renders_as_batch(&mut reader, module);
        let (value, stated) = target_metadata(&mut reader, module);
        let value = without_copies(&mut reader, module, &value);
        naming.target = target(&mut reader, &value);
        if may_lack_convention(&naming.target) && read_other_modules(&mut reader, module) {
            naming.target = target(&mut reader, &value);
        }
        if reader.exhausted().is_some() {
            naming.target = Target::Unknown("there is too much code to follow".to_owned());
        }
        naming.stated = stated;
        if let (Target::Metadata(facts), Some(stated)) = (&mut naming.target, &naming.stated)
            && facts.is_configurable()
            && let Some(metadata) = target::only(&value)
        {
            facts.first_statement = late::first_statement(&mut reader, &metadata, module, stated);
        }
        naming.imports = late::imported(&mut reader, module);
    }
    read_by(&reader, naming)
}

fn naming(environment: Option<Environment>, target: Target) -> Naming {
    Naming {
        environment,
        target,
        stated: None,
        renders_as_batch: false,
        trail: Vec::new(),
        imports: Vec::new(),
        steps: 0,
        exhausted: None,
        signs: OnceCell::new(),
        models: OnceCell::new(),
    }
}

/// Notes which modules were read for it, and at what cost.
fn read_by(reader: &Reader<'_>, mut naming: Naming) -> Naming {
    naming.steps = reader.steps();
    naming.exhausted = reader.exhausted().cloned();
    let asked = reader.asked().iter();
    naming.trail = asked.map(|module| module.file().path().clone()).collect();
    naming.trail.sort();
    naming
}

fn may_lack_convention(target: &Target) -> bool {
    let has_none = |facts: &&MetadataFacts| matches!(facts.convention, ConventionFacts::Default);
    target.metadata().iter().any(has_none)
}

/// Reads the modules that may assign a convention though nothing is taken from them: those that `env.py` imports, and the packages around each
/// module that was read, which Python runs before it. Returns whether there are any.
fn read_other_modules<'m>(reader: &mut Reader<'m>, env_py: &'m Module) -> bool {
    let Some(modules) = reader.modules() else { return false };
    let imported = late::imported(reader, env_py);
    let asked: Vec<RepoPath> = reader.asked().iter().map(|one| one.file().path().clone()).collect();
    // `env.py` itself is run by its path.
    let inside = asked.iter().skip(1).chain(&imported);
    let packages = inside
        .flat_map(RepoPath::ancestors)
        .filter_map(|folder| folder.join("__init__.py"));
    let mut candidates: Vec<RepoPath> = packages.collect();
    candidates.extend(imported.iter().cloned());
    let mut seen: HashSet<RepoPath> = asked.iter().cloned().collect();
    let mut is_any = false;
    for path in candidates {
        if !seen.insert(path.clone()) {
            continue;
        }
        let mentions = |file: &SourceFile| file.text().contains("naming_convention");
        if modules.file(&path).is_some_and(mentions)
            && let Some(module) = modules.get(&path)
        {
            reader.module(module);
            is_any = true;
        }
    }
    is_any
}

/// What Alembic is given as `target_metadata`, and where the source says so.
fn target_metadata<'m>(reader: &mut Reader<'m>, env_py: &'m Module) -> (Value<'m>, Option<Place>) {
    let mut configured = configured(reader, env_py);
    if configured.is_empty() {
        configured = configured_elsewhere(reader, env_py);
    }
    let is_configured = !configured.is_empty();
    let mut values = Vec::new();
    let mut stated = None;
    for (chain, given) in configured {
        match given {
            Given::Written(expr) => {
                let value = of_all_databases(reader, expr, &chain);
                if stated.is_none() && !matches!(value, Value::Unknown(_)) {
                    stated = self::stated(reader, expr, &chain, MAX_NAMES);
                }
                values.push(value);
            }
            Given::Spread(spread) => values.push(in_spread(reader, spread, &chain)),
            // A call for SQL without a database may leave out what the other one says.
            Given::Nothing => {}
        }
    }
    if values.iter().all(|value| matches!(value, Value::Unknown(_))) {
        // A function may take it under another name; Alembic's templates set one of the module.
        let chain = reader.module(env_py);
        if let Some(value) = reader.in_scope("target_metadata", &chain, usize::MAX) {
            let stated = stated_name(reader, "target_metadata", &chain, MAX_NAMES);
            return (value, stated);
        }
    }
    match (values.is_empty(), is_configured) {
        (false, _) => (Value::either(values), stated),
        (true, true) => (Value::None, None),
        (true, false) => (Value::unknown("`env.py` sets no `target_metadata`"), None),
    }
}

/// The calls of `configure` in the modules that `env.py` imports. They configure other things as well, so only those with a `target_metadata`
/// count.
fn configured_elsewhere<'m>(reader: &mut Reader<'m>, env_py: &'m Module) -> Vec<(Chain<'m>, Given<'m>)> {
    let mut found = Vec::new();
    for path in late::imported(reader, env_py) {
        let file = reader.modules().and_then(|modules| modules.file(&path));
        if file.is_some_and(|file| file.text().contains("target_metadata"))
            && let Some(module) = reader.module_at(&path)
        {
            let calls = configured(reader, module).into_iter();
            found.extend(calls.filter(|(_, given)| matches!(given, Given::Written(_))));
        }
    }
    found
}

/// The `target_metadata` in the dict after a `**`.
fn in_spread<'m>(reader: &mut Reader<'m>, spread: &'m Expr, chain: &Chain<'m>) -> Value<'m> {
    let Value::Dict(dict) = reader.value(spread, chain) else {
        return Value::unknown("what `configure` is given comes out of a `**` that is computed");
    };
    match (dict.get(&Value::text("target_metadata")), &dict.unknown) {
        (Some(value), _) => value.clone(),
        (None, None) => Value::None,
        (None, Some(reason)) => Value::Unknown(reason.clone()),
    }
}

/// Leaves out metadata that `env.py` fills with copies of tables: their constraints got their names from another one.
fn without_copies<'m>(reader: &mut Reader<'m>, env_py: &'m Module, value: &Value<'m>) -> Value<'m> {
    let index = reader.index(env_py);
    let calls = ["tometadata", "to_metadata"]
        .into_iter()
        .flat_map(|name| index.calls(name));
    let mut copies = Vec::new();
    for (within, call) in calls {
        if let Ok(Some(argument)) = call.argument(Some(0), "metadata") {
            let chain = reader.within(env_py, within);
            copies.push(reader.value(&argument.value, &chain));
        }
    }
    let is_copy = |one: &Value<'m>| {
        copies
            .iter()
            .any(|copy| copy.choices().iter().any(|copy| copy.same(one)))
    };
    let others: Vec<Value<'m>> = value.choices().iter().filter(|one| !is_copy(one)).cloned().collect();
    if others.is_empty() {
        return Value::unknown("`env.py` fills it with tables of other metadata");
    }
    Value::either(others)
}

/// What a call of `configure` says of `target_metadata`.
enum Given<'m> {
    /// This expression.
    Written(&'m Expr),
    /// It may be in the dict after a `**`.
    Spread(&'m Expr),
    /// Nothing.
    Nothing,
}

/// The calls of `configure` in a module.
fn configured<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<(Chain<'m>, Given<'m>)> {
    let index = reader.index(module);
    let mut found = Vec::new();
    for (within, call) in index.calls("configure") {
        let mut spreads = call.arguments.iter();
        let spread = spreads.find(|argument| argument.kind == ArgumentKind::KeywordSpread);
        let given = match (call.keyword("target_metadata"), spread) {
            (Some(expr), _) => Given::Written(expr),
            (None, Some(spread)) => Given::Spread(&spread.value),
            (None, None) => Given::Nothing,
        };
        found.push((reader.within(module, within), given));
    }
    found
}

/// Alembic's template for several databases passes `target_metadata[name]` or `target_metadata.get(name)`: all of them count.
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
    let index = reader.index(env_py);
    for name in ["configure", "dict", "run_migrations"] {
        open.extend(index.calls(name).iter().map(|(_, call)| *call));
    }
    let given = open.iter().filter_map(|call| call.keyword("render_as_batch"));
    let is_false = |value: &Expr| matches!(value.kind, ExprKind::Bool(false));
    given.into_iter().any(|value| !is_false(value))
}

/// Where the source says what an expression is: the last assignment of the name, here or in the module it is imported from.
fn stated<'m>(reader: &mut Reader<'m>, expr: &'m Expr, chain: &Chain<'m>, steps: usize) -> Option<Place> {
    let here = || Some(Place::new(chain.module, expr.span));
    match expr.as_name() {
        Some(name) => stated_name(reader, name, chain, steps).or_else(here),
        None => here(),
    }
}

fn stated_name<'m>(reader: &mut Reader<'m>, name: &str, chain: &Chain<'m>, steps: usize) -> Option<Place> {
    let steps = steps.checked_sub(1)?;
    for chain in chain.outward() {
        let here = |span| Place::new(chain.module, span);
        if let Some(site) = chain.scope.sites(name).last() {
            return match &site.binding {
                Binding::Value(expr, _) => {
                    let elsewhere = expr.as_name().filter(|other| *other != name);
                    let elsewhere = elsewhere.and_then(|other| stated_name(reader, other, chain, steps));
                    let is_elsewhere = |place: &Place| place.file.path() != chain.module.file().path();
                    elsewhere.filter(is_elsewhere).or_else(|| Some(here(expr.span)))
                }
                Binding::ImportFrom {
                    module,
                    level,
                    name,
                    span,
                } => {
                    let inner = imported_module(reader, module, *level, chain);
                    let inner = inner.and_then(|module| {
                        let chain = reader.module(module);
                        stated_name(reader, name, &chain, steps)
                    });
                    inner.or_else(|| Some(here(*span)))
                }
                _ => None,
            };
        }
    }
    None
}

fn imported_module<'m>(reader: &mut Reader<'m>, module: &str, level: u32, chain: &Chain<'m>) -> Option<&'m Module> {
    let name = chain.imported_from(module, level)?;
    let Location::File(path) = reader.find(&name) else {
        return None;
    };
    reader.module_at(&path)
}

/// A reader of one module and of what it imports, without an environment that says where Python looks.
pub(super) fn around<'m>(modules: &'m Modules<'m>, module: &SourceFile) -> Reader<'m> {
    let path = module.path().clone();
    let roots = move || {
        let mut roots: Vec<RepoPath> = path.ancestors().collect();
        roots.extend(roots.clone().iter().filter_map(|root| root.join("src")));
        roots
    };
    Reader::new(Some((modules, Imports::new(roots))), &ALONE)
}

/// What holds for a migration without an `env.py`, as with Flask-Alembic: the database of the application around it.
pub(super) fn without(modules: &Modules<'_>, migration: &SourceFile) -> Naming {
    let mut reader = around(modules, migration);
    let home = migration.path().parent().and_then(|folder| folder.parent());
    let database = home.and_then(|home| database_near(&mut reader, &home));
    let reason = "no Alembic environment (a folder with `env.py`) was found for this file";
    let target = match database {
        Some(database) => {
            let metadata = reader.attribute(&database, "metadata");
            target(&mut reader, &metadata)
        }
        None => Target::Unknown(reason.to_owned()),
    };
    read_by(&reader, naming(None, target))
}

/// The metadata of a changed module that Flask-Alembic migrates.
pub(super) fn judged_without(modules: &Modules<'_>, module: &SourceFile) -> Vec<Judged> {
    let mut reader = around(modules, module);
    let folder = module.path().parent().unwrap_or_else(RepoPath::top);
    if !uses_flask_alembic(&reader, &folder) {
        return Vec::new();
    }
    judged::made_in(&mut reader, modules.parse(module))
}

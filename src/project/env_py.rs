//! What an `env.py` hands to Alembic: the expressions after `target_metadata=`, asked where they stand.

use std::cell::OnceCell;
use std::collections::HashSet;

use crate::libraries::{ALONE, Known, database_near, uses_flask_alembic};
use crate::python::scopes::Binding;
use crate::python::values::{Chain, Found, Imports, Reader, Value};
use crate::python::{ArgumentKind, Call, Expr, ExprKind, Module, Modules};
use crate::source::{RepoPath, SourceFile};

use super::environment::Environment;
use super::judged::{self, Judged};
use super::target::{self, ConventionFacts, MetadataFacts, Target, target};
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
        signs: OnceCell::new(),
        models: OnceCell::new(),
    };
    if let Some(module) = modules.get(&env_py) {
        naming.renders_as_batch = renders_as_batch(&mut reader, module);
        let (value, stated) = handed_over(&mut reader, module);
        let value = without_copies(&mut reader, module, &value);
        naming.target = target(&mut reader, &value);
        if may_lack_convention(&naming.target) && ask_who_may_set_it(&mut reader, module) {
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
    naming.steps = reader.steps();
    naming.exhausted = reader.exhausted().cloned();
    naming.trail = trail(&reader);
    naming
}

fn may_lack_convention(target: &Target) -> bool {
    let has_none = |facts: &MetadataFacts| matches!(facts.convention, ConventionFacts::Default);
    match target {
        Target::Metadata(facts) => has_none(facts),
        Target::Several(several) => several.iter().any(has_none),
        Target::ByDatabase(databases) => databases.iter().any(|(_, facts)| has_none(facts)),
        Target::Nothing | Target::Unknown(_) => false,
    }
}

/// A convention may be assigned by a module that nothing is taken from: one that `env.py` imports, or a package around one that was asked, which
/// Python runs before it. Whether there are any.
fn ask_who_may_set_it<'m>(reader: &mut Reader<'m>, env_py: &'m Module) -> bool {
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
        for path in late::imported(reader, env_py) {
            let text = reader
                .modules()
                .and_then(|modules| modules.file(&path))
                .map(SourceFile::text);
            if text.is_some_and(|text| text.contains("target_metadata"))
                && let Some(module) = reader.module_at(&path)
            {
                // Other things are configured as well, so only a call that says it counts there.
                let in_module = self::configured(reader, module);
                let says = |(_, given): &(Chain<'m>, Given<'m>)| matches!(given, Given::Written(_));
                configured.extend(in_module.into_iter().filter(says));
            }
        }
    }
    let is_configured = !configured.is_empty();
    let mut values = Vec::new();
    let mut stated = None;
    for (chain, given) in configured {
        let value = match given {
            Given::Written(expr) => {
                let value = of_all_databases(reader, expr, &chain);
                if stated.is_none() && !matches!(value, Value::Unknown(_)) {
                    stated = self::stated(reader, expr, &chain, MAX_NAMES);
                }
                value
            }
            Given::Spread(spread) => match reader.value(spread, &chain) {
                Value::Dict(dict) => match (dict.get(&Value::text("target_metadata")), &dict.unknown) {
                    (Some(value), _) => value.clone(),
                    (None, None) => Value::None,
                    (None, Some(reason)) => Value::Unknown(reason.clone()),
                },
                _ => Value::unknown("what `configure` is given comes out of a `**` that is computed"),
            },
            // A call for SQL without a database may leave out what the other one says.
            Given::Nothing => continue,
        };
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
        let nothing = if is_configured {
            Value::None
        } else {
            Value::unknown("`env.py` sets no `target_metadata`")
        };
        return (nothing, None);
    }
    (Value::either(values), stated)
}

/// A metadata that `env.py` fills with copies of tables is not the one that their constraints get their names from.
fn without_copies<'m>(reader: &mut Reader<'m>, env_py: &'m Module, value: &Value<'m>) -> Value<'m> {
    let doings = reader.doings(env_py);
    let calls = ["tometadata", "to_metadata"]
        .into_iter()
        .flat_map(|name| doings.calls(name));
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
    /// It may be in what `**` hands over.
    Spread(&'m Expr),
    /// Nothing.
    Nothing,
}

/// What the calls of `configure` say of `target_metadata`.
fn configured<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<(Chain<'m>, Given<'m>)> {
    let doings = reader.doings(module);
    let mut found = Vec::new();
    for (within, call) in doings.calls("configure") {
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
    let name = chain.imported_from(module, level)?;
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

/// What holds for a migration without any `env.py`, as with Flask-Alembic: the database of the application around it.
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
    Naming {
        environment: None,
        target,
        stated: None,
        renders_as_batch: false,
        trail: trail(&reader),
        imports: Vec::new(),
        steps: reader.steps(),
        exhausted: reader.exhausted().cloned(),
        signs: OnceCell::new(),
        models: OnceCell::new(),
    }
}

/// The metadata of a changed module, where Flask-Alembic migrates what the application has.
pub(super) fn judged_without(modules: &Modules<'_>, module: &SourceFile) -> Vec<Judged> {
    let mut reader = around(modules, module);
    let folder = module.path().parent().unwrap_or_else(RepoPath::top);
    if !uses_flask_alembic(&reader, &folder) {
        return Vec::new();
    }
    judged::made_in(&mut reader, modules.parse(module))
}

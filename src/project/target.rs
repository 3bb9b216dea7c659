//! From `env.py` to the metadata that Alembic migrates, and what can be said of its naming convention.

use std::rc::Rc;

use crate::git::Snapshot;
use crate::naming::{Convention, Key, Value as Template};
use crate::order;
use crate::python::{Call, Expr, ExprKind, Module, Stmt, StmtKind};
use crate::source::{RepoPath, SourceFile};

use super::Naming;
use super::environment::Environment;
use super::evaluate::{Evaluator, Frame};
use super::imports::{Found, relative_folder};
use super::value::{Dict, Metadata, ModuleName, Place, Scope, Setting, Value};

/// What an environment hands to Alembic as `target_metadata`.
#[derive(Debug, Clone)]
pub enum Target {
    /// `None`: autogenerate sees no models, and no convention is applied.
    Nothing,
    /// A metadata.
    Metadata(MetadataFacts),
    /// Several; Alembic applies no convention of theirs to a migration's operations.
    Several(Vec<MetadataFacts>),
    /// One for each database, by the database's name, as in Alembic's template for several databases.
    ByDatabase(Vec<(String, MetadataFacts)>),
    /// It cannot be told without running the project; why.
    Unknown(String),
}

/// A metadata as far as it is known.
#[derive(Debug, Clone)]
pub struct MetadataFacts {
    /// How the source makes it: `MetaData`, `DeclarativeBase`, `SQLAlchemy`, ...
    pub maker: String,
    /// Where the source makes it; nothing when a library does.
    pub place: Option<Place>,
    /// Its convention.
    pub convention: ConventionFacts,
    /// Where a convention was meant to be set without effect, and why there is none.
    pub ineffective: Vec<(Place, String)>,
    /// Where its convention is set after a table was defined, and the first such table.
    pub late: Option<(Place, Place)>,
    /// Whether its tables all come from a database, names included.
    pub is_reflected: bool,
}

/// What is known of a naming convention.
#[derive(Debug, Clone)]
pub enum ConventionFacts {
    /// None was given: only indexes get names.
    Default,
    /// This one, written here.
    Known(Convention, Option<Place>),
    /// One was given whose content cannot be told; why, and where.
    Unknown(String, Option<Place>),
}

/// A metadata of a changed module, with the place to point at.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The metadata; nothing when the environment hands over `None` or a list.
    pub target: Target,
    /// The place in the changed module.
    pub place: Place,
    /// Whether an environment certainly migrates it.
    pub certain: bool,
}

impl PartialEq for Judged {
    fn eq(&self, other: &Self) -> bool {
        self.place.file.path() == other.place.file.path() && self.place.span == other.place.span
    }
}

/// Reads an environment's `env.py` and follows its `target_metadata`.
pub(super) fn resolve(snapshot: &dyn Snapshot, environment: Environment) -> Naming {
    let mut evaluator = Evaluator::new(
        snapshot,
        environment.roots.clone(),
        environment.folder.parent().unwrap_or_else(RepoPath::top),
    );
    let env_py = evaluator.imports.file(&environment.env_py());
    let renders_as_batch = env_py.as_ref().is_some_and(renders_as_batch);
    let (target, stated) = match env_py {
        Some(file) => of_env_py(&mut evaluator, &file),
        None => (
            Target::Unknown(format!("`{}` cannot be read", environment.env_py())),
            None,
        ),
    };
    Naming {
        environment: Some(environment),
        target,
        stated,
        renders_as_batch,
        trail: evaluator.imports.opened(),
    }
}

fn of_env_py(evaluator: &mut Evaluator<'_>, file: &SourceFile) -> (Target, Option<Place>) {
    let scope = evaluator.run(file);
    let global = |name: &str| scope.borrow().get(name).cloned();
    let template = || global("target_metadata").map(|value| ("target_metadata".to_owned(), value));
    let configured = configured_target(file);
    // Inside a function another name may stand for it; the module's own is what Alembic's templates set.
    let named = match configured.as_ref().and_then(Expr::as_name) {
        Some(name) => global(name).map(|value| (name.to_owned(), value)).or_else(template),
        None => template(),
    };
    let (value, stated) = match (named, configured) {
        (Some((name, value)), _) => (value, stated(evaluator, file, &name, 8)),
        (None, Some(expr)) => {
            let mut frame = Frame::of_module(file.clone(), scope.clone());
            let place = Place {
                file: file.clone(),
                span: expr.span,
            };
            (evaluator.eval(&expr, &mut frame), Some(place))
        }
        (None, None) => (Value::unknown("`env.py` sets no `target_metadata`"), None),
    };
    (target(&value), stated)
}

/// The expression after `target_metadata=` in the call of `context.configure`.
fn configured_target(file: &SourceFile) -> Option<Expr> {
    let module = Module::parse(file.clone());
    let mut found = None;
    for statement in module.body() {
        each_call(statement, &mut |call| {
            let configures = matches!(&call.callee.kind, ExprKind::Attribute { name, .. } if name == "configure");
            if configures && let Some(value) = call.keyword("target_metadata") {
                found.get_or_insert_with(|| value.clone());
            }
        });
    }
    found
}

/// Whether `context.configure` gets a `render_as_batch=` that is not plainly false.
fn renders_as_batch(env_py: &SourceFile) -> bool {
    let mut found = false;
    for statement in Module::parse(env_py.clone()).body() {
        each_call(statement, &mut |call| {
            let value = call.keyword("render_as_batch");
            found |= value.is_some_and(|value| env_py.slice(value.span) != "False");
        });
    }
    found
}

pub(super) fn each_call(statement: &Stmt, visit: &mut impl FnMut(&Call)) {
    let (exprs, blocks) = statement.parts();
    for expr in exprs {
        each_call_in(expr, visit);
    }
    for block in blocks {
        for inner in block {
            each_call(inner, visit);
        }
    }
}

fn each_call_in(expr: &Expr, visit: &mut impl FnMut(&Call)) {
    if let Some(call) = expr.as_call() {
        visit(call);
    }
    for child in expr.children() {
        each_call_in(child, visit);
    }
}

/// Where the source says what a name is: its last assignment, in this module or in the one it is imported from.
fn stated(evaluator: &mut Evaluator<'_>, file: &SourceFile, name: &str, steps: usize) -> Option<Place> {
    let steps = steps.checked_sub(1)?;
    let module = Module::parse(file.clone());
    let mut found = None;
    for statement in module.body() {
        match &statement.kind {
            StmtKind::Assign {
                targets,
                value: Some(value),
                ..
            } if targets.iter().any(|target| target.as_name() == Some(name)) => {
                found = Some((
                    value.span,
                    value.as_name().filter(|other| *other != name).map(str::to_owned),
                ));
            }
            StmtKind::ImportFrom { module, names, level } => {
                let Some(alias) = names
                    .iter()
                    .find(|alias| alias.alias.as_deref().unwrap_or(&alias.name) == name)
                else {
                    continue;
                };
                let inner = imported_file(evaluator, file, module.as_deref(), *level)
                    .and_then(|inner| stated(evaluator, &inner, &alias.name, steps));
                if inner.is_some() {
                    return inner;
                }
                found = Some((alias.span, None));
            }
            _ => {}
        }
    }
    let (span, other) = found?;
    let here = || Place {
        file: file.clone(),
        span,
    };
    match other {
        Some(other) => stated(evaluator, file, &other, steps)
            .filter(|place| place.file.path() != file.path())
            .or_else(|| Some(here())),
        None => Some(here()),
    }
}

fn imported_file(
    evaluator: &mut Evaluator<'_>,
    file: &SourceFile,
    module: Option<&str>,
    level: u32,
) -> Option<SourceFile> {
    let folder = if level == 0 {
        None
    } else {
        Some(relative_folder(file.path(), level)?)
    };
    let name = ModuleName {
        folder,
        dotted: module.unwrap_or_default().to_owned(),
    };
    match evaluator.imports.find(&name) {
        Found::File(file) => Some(file),
        _ => None,
    }
}

fn target(value: &Value) -> Target {
    match value {
        Value::None => Target::Nothing,
        Value::Metadata(metadata) => Target::Metadata(facts(metadata)),
        Value::List(items) => {
            let mut several = Vec::new();
            for item in items.borrow().iter() {
                if let Value::Metadata(metadata) = item {
                    several.push(facts(metadata));
                }
            }
            Target::Several(several)
        }
        Value::Dict(dict) => by_database(&dict.borrow()),
        Value::Either(values) => either(values),
        Value::Unknown(reason) => Target::Unknown(reason.to_string()),
        Value::External(name) => Target::Unknown(format!("`{name}` is not part of this repository")),
        _ => Target::Unknown("`target_metadata` is something that cannot be followed".to_owned()),
    }
}

/// Alembic's template for several databases hands over `target_metadata[name]`, and runs `upgrade_<name>()` under it.
fn by_database(dict: &Dict) -> Target {
    let mut databases = Vec::new();
    for (key, value) in &dict.items {
        let metadata = match value {
            Value::Metadata(metadata) => Some(metadata.clone()),
            Value::List(items) => match items.borrow().as_slice() {
                [Value::Metadata(metadata)] => Some(metadata.clone()),
                _ => None,
            },
            _ => None,
        };
        if let (Some(name), Some(metadata)) = (key.as_text(), metadata) {
            databases.push((name.to_owned(), facts(&metadata)));
        }
    }
    match &dict.unknown {
        None if databases.len() == dict.items.len() && !databases.is_empty() => Target::ByDatabase(databases),
        _ => Target::Unknown("the metadata of some databases cannot be followed".to_owned()),
    }
}

/// One metadata among several possible values is the one that matters: the others are `None` and what is unknown.
fn either(values: &Rc<[Value]>) -> Target {
    let mut metadata = values.iter().filter_map(|value| match value {
        Value::Metadata(metadata) => Some(metadata),
        _ => None,
    });
    match (metadata.next(), metadata.next()) {
        (Some(one), None) => Target::Metadata(facts(one)),
        _ => Target::Unknown("which metadata it is depends on something known only at run time".to_owned()),
    }
}

fn facts(metadata: &Rc<Metadata>) -> MetadataFacts {
    MetadataFacts {
        maker: metadata.maker.to_string(),
        place: metadata.place.clone(),
        convention: match &*metadata.convention.borrow() {
            Setting::Default => ConventionFacts::Default,
            Setting::Given(value, place) => convention(value, place.as_ref()),
        },
        ineffective: metadata
            .ineffective
            .borrow()
            .iter()
            .map(|(place, reason)| (place.clone(), reason.to_string()))
            .collect(),
        late: metadata
            .set_late
            .borrow()
            .clone()
            .zip(metadata.first_table.borrow().clone()),
        is_reflected: metadata.reflects.get() && metadata.first_table.borrow().is_none(),
    }
}

fn convention(value: &Value, place: Option<&Place>) -> ConventionFacts {
    match value {
        Value::None => ConventionFacts::Default,
        Value::Dict(dict) => {
            let dict = dict.borrow();
            let place = dict.place.clone().or_else(|| place.cloned());
            if let Some(reason) = &dict.unknown {
                return ConventionFacts::Unknown(reason.to_string(), place);
            }
            if dict.items.is_empty() {
                return ConventionFacts::Default;
            }
            let entries = dict
                .items
                .iter()
                .filter_map(|(key, value)| Some((convention_key(key)?, template(value))));
            ConventionFacts::Known(Convention::new(entries), place)
        }
        Value::Either(values) => {
            let mut given = values.iter().filter(|value| !matches!(value, Value::None));
            match (given.next(), given.next()) {
                (Some(one), None) => convention(one, place),
                _ => ConventionFacts::Unknown(
                    "which convention it is depends on something known only at run time".to_owned(),
                    place.cloned(),
                ),
            }
        }
        Value::Unknown(reason) => ConventionFacts::Unknown(reason.to_string(), place.cloned()),
        Value::External(name) => {
            ConventionFacts::Unknown(format!("`{name}` is not part of this repository"), place.cloned())
        }
        _ => ConventionFacts::Unknown("it is computed".to_owned(), place.cloned()),
    }
}

fn convention_key(key: &Value) -> Option<Key> {
    match key {
        Value::Text(text) => Some(Key::Text(text.to_string())),
        Value::External(name) => Some(Key::Class(name.rsplit('.').next().unwrap_or(name).to_owned())),
        Value::Class(class) => Some(Key::Class(class.name.to_string())),
        _ => None,
    }
}

fn template(value: &Value) -> Template {
    match value {
        Value::Text(text) => Template::Template(text.to_string()),
        Value::Function(_) | Value::Partial(_) | Value::External(_) | Value::Method(_) => Template::Token,
        Value::None => Template::Nothing,
        Value::Unknown(reason) => Template::Unknown(reason.to_string()),
        _ => Template::Unknown("it is computed".to_owned()),
    }
}

/// What this environment migrates and a changed module makes, or states.
pub(super) fn judge(naming: &Naming, module: &SourceFile) -> Vec<Judged> {
    let here = |place: Option<&Place>| place.filter(|place| place.file.path() == module.path()).cloned();
    match &naming.target {
        Target::Metadata(facts) => judge_one(facts, naming, &here).into_iter().collect(),
        Target::ByDatabase(databases) => databases
            .iter()
            .filter_map(|(_, facts)| judge_one(facts, naming, &here))
            .collect(),
        Target::Nothing | Target::Several(_) => {
            let judged = |place| Judged {
                target: naming.target.clone(),
                place,
                certain: true,
            };
            here(naming.stated.as_ref()).map(judged).into_iter().collect()
        }
        Target::Unknown(_) => Vec::new(),
    }
}

fn judge_one(facts: &MetadataFacts, naming: &Naming, here: &dyn Fn(Option<&Place>) -> Option<Place>) -> Option<Judged> {
    let made = here(facts.place.as_ref()).or_else(|| here(convention_place(facts)));
    // A metadata that a library makes can only be pointed at where the project takes it.
    let place = made.or_else(|| here(naming.stated.as_ref()).filter(|_| facts.place.is_none()))?;
    Some(Judged {
        target: Target::Metadata(facts.clone()),
        place,
        certain: true,
    })
}

fn convention_place(facts: &MetadataFacts) -> Option<&Place> {
    match &facts.convention {
        ConventionFacts::Known(_, place) => place.as_ref(),
        ConventionFacts::Default | ConventionFacts::Unknown(..) => None,
    }
}

/// Where no environment is found, every metadata that a module makes at module or class level may be the one.
pub(super) fn without_environment(snapshot: &dyn Snapshot, module: &SourceFile) -> Vec<Judged> {
    if is_aside(module.path()) {
        return Vec::new();
    }
    let mut roots: Vec<RepoPath> = module.path().ancestors().collect();
    roots.extend(roots.clone().iter().filter_map(|root| root.join("src")));
    let mut evaluator = Evaluator::new(snapshot, roots, module.path().parent().unwrap_or_else(RepoPath::top));
    let scope = evaluator.run(module);
    let mut judged: Vec<Judged> = Vec::new();
    for metadata in made_in(&mut evaluator, &scope) {
        let facts = facts(&metadata);
        let Some(place) = facts.place.clone().filter(|place| place.file.path() == module.path()) else {
            continue;
        };
        if facts.is_reflected {
            continue;
        }
        let one = Judged {
            target: Target::Metadata(facts),
            place,
            certain: false,
        };
        if !judged.contains(&one) {
            judged.push(one);
        }
    }
    order::sort_by_key(&mut judged, |one| one.place.span);
    judged
}

fn made_in(evaluator: &mut Evaluator<'_>, scope: &Scope) -> Vec<Rc<Metadata>> {
    let values: Vec<Value> = scope.borrow().values().cloned().collect();
    let mut found = Vec::new();
    for value in values {
        match value {
            Value::Metadata(metadata) | Value::Registry(metadata) => found.push(metadata),
            Value::Class(_) | Value::Database(_) => {
                if let Value::Metadata(metadata) = evaluator.attribute(&value, "metadata") {
                    found.push(metadata);
                }
            }
            _ => {}
        }
    }
    found
}

/// Tests and examples make metadata to throw it away.
fn is_aside(path: &RepoPath) -> bool {
    const ASIDE: &[&str] = &[
        "tests",
        "test",
        "testing",
        "docs",
        "doc",
        "examples",
        "example",
        "samples",
        "benchmarks",
    ];
    let text = path.display().into_owned();
    let (folder, file) = text.rsplit_once('/').unwrap_or(("", &text));
    file.starts_with("test_")
        || file.ends_with("_test.py")
        || matches!(file, "conftest.py" | "tests.py" | "test.py")
        || folder.split('/').any(|part| ASIDE.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::MemorySnapshot;
    use crate::naming::ConstraintKind;
    use crate::project::Project;

    const ENV: &str = "from alembic import context\nfrom app.models import target_metadata\ndef run_migrations_online():\n    context.configure(connection=c, target_metadata=target_metadata)\n";

    fn naming(files: &[(&str, &str)]) -> Rc<Naming> {
        let snapshot = files.iter().copied().collect::<MemorySnapshot>();
        let project = Project::new(&snapshot, "/repo");
        project.naming(&SourceFile::new("migrations/versions/new.py".into(), String::new()))
    }

    /// Each file's first line says what SQLAlchemy really does with it.
    #[test]
    fn every_recorded_spelling_is_judged_as_sqlalchemy_does() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/convention_spellings");
        let mut wrong = Vec::new();
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let has_convention = text.lines().next().unwrap().contains("has-convention");
            let naming = naming(&[("migrations/env.py", ENV), ("app/models.py", &text)]);
            let names_keys = match &naming.target {
                Target::Metadata(facts) => match &facts.convention {
                    ConventionFacts::Known(convention, _) => {
                        convention.template_for(ConstraintKind::ForeignKey).is_some()
                    }
                    ConventionFacts::Default => false,
                    ConventionFacts::Unknown(..) => !has_convention,
                },
                Target::Nothing => false,
                Target::Several(_) | Target::ByDatabase(_) | Target::Unknown(_) => !has_convention,
            };
            seen += 1;
            if names_keys != has_convention {
                wrong.push(format!("{}: {:?}", path.file_name().unwrap().display(), naming.target));
            }
        }
        assert!(seen >= 50, "only {seen} spellings were found");
        assert!(
            wrong.is_empty(),
            "{} of {seen} are wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}

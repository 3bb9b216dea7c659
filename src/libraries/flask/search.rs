//! Finds the database of a Flask application: the one that is given to `Migrate(...)`, or the only one.

use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow;

use super::kind;
use crate::libraries::{Known, kinds};
use crate::python::scopes::Binding;
use crate::python::values::{Chain, Place, Reader, Value};
use crate::python::{Call, ExprKind, Module, StmtKind};
use crate::snapshot::EntryKind;
use crate::source::RepoPath;

/// How deep below a folder an application is looked for.
const MAX_DEPTH: usize = 4;
/// How many modules are searched for it.
const MAX_FILES: usize = 1_000;
/// How many modules are read before the search looks at what it has found.
const CHUNK: usize = 64;
/// How many folders are listed for it.
const MAX_FOLDERS: usize = 2_000;
/// How many modules are searched for a word.
const MAX_NEAR: usize = 60;
/// The key of the answer in [`Reader::remembered`].
const DATABASE: &str = "the database of the Flask application";

/// The database of `current_app.extensions['migrate'].db`.
pub(super) fn database<'m>(known: &Known, reader: &mut Reader<'m>) -> Value<'m> {
    if let Some(found) = reader.remembered.get(DATABASE) {
        return found.clone();
    }
    // The modules that are read for it may ask for it again.
    let asking = Value::unknown("the Flask application asks for itself");
    reader.remembered.insert(DATABASE, asking);
    let database = find_database(known, reader);
    reader.remembered.insert(DATABASE, database.clone());
    database
}

fn find_database<'m>(known: &Known, reader: &mut Reader<'m>) -> Value<'m> {
    // Why an argument of `Migrate` could not be followed.
    let mut reason = None;
    let look = |reader: &mut Reader<'m>, folder: &RepoPath, modules: &[RepoPath]| {
        for some in modules.chunks(CHUNK) {
            let given = in_modules(reader, some, given_to_migrate);
            if reason.is_none() {
                reason = given.first().cloned();
            }
            let several = "the project hands several databases to `Migrate`";
            if let Some(database) = agreed(&given, several) {
                return ControlFlow::Break(Some(database));
            }
        }
        let databases = in_modules(reader, modules, made_in);
        let several = "the project has several databases, and none is handed to `Migrate`";
        match agreed(&databases, several) {
            None if !is_application(reader, folder, modules) => ControlFlow::Continue(()),
            found => ControlFlow::Break(found),
        }
    };
    let found = known.home.as_ref().and_then(|home| search_outward(reader, home, look));
    found
        .or(reason)
        .unwrap_or_else(|| Value::unknown("no `Migrate(app, db)` was found for the Flask application"))
}

/// The database of a project without an `env.py`, as with Flask-Alembic, which asks the application for its models.
pub(crate) fn database_near<'m>(reader: &mut Reader<'m>, folder: &RepoPath) -> Option<Value<'m>> {
    search_outward(reader, folder, |reader, _, modules| {
        match agreed(&in_modules(reader, modules, used_in), "the project has several databases") {
            None => ControlFlow::Continue(()),
            found => ControlFlow::Break(found),
        }
    })
}

/// Looks into the modules below a folder, then into the others below its parent, and so on.
fn search_outward<'m>(
    reader: &mut Reader<'m>,
    start: &RepoPath,
    mut look: impl FnMut(&mut Reader<'m>, &RepoPath, &[RepoPath]) -> ControlFlow<Option<Value<'m>>>,
) -> Option<Value<'m>> {
    let mut seen = Vec::new();
    for folder in std::iter::once(start.clone()).chain(start.ancestors()) {
        let new = modules_below(reader, &folder, &seen, MAX_DEPTH);
        if let ControlFlow::Break(found) = look(reader, &folder, &new) {
            return found;
        }
        seen.extend(new);
        if seen.len() >= MAX_FILES {
            break;
        }
    }
    None
}

/// Whether a folder is a project by itself, as a service of a monorepo is, and makes the application. The databases of its neighbours are
/// not those of the application.
fn is_application(reader: &Reader<'_>, folder: &RepoPath, paths: &[RepoPath]) -> bool {
    const FILES: [&[u8]; 4] = [b"pyproject.toml", b"setup.py", b"setup.cfg", b"Pipfile"];
    let Some(modules) = reader.modules() else { return false };
    let is_project = modules
        .list(folder)
        .iter()
        .any(|entry| FILES.contains(&entry.name.as_slice()));
    let makes = |path: &RepoPath| modules.file(path).is_some_and(|file| file.text().contains("Flask("));
    is_project && paths.iter().any(makes)
}

fn in_modules<'m>(
    reader: &mut Reader<'m>,
    paths: &[RepoPath],
    find: fn(&mut Reader<'m>, &'m Module) -> Vec<Value<'m>>,
) -> Vec<Value<'m>> {
    let mut found = Vec::new();
    let Some(modules) = reader.modules() else { return found };
    for path in paths {
        let Some(file) = modules.file(path) else { continue };
        let text = file.text();
        let may_tell = ["igrate", "lembic", "SQLAlchemy", "invenio_db", "init_app("];
        if may_tell.iter().any(|word| text.contains(word)) {
            let module = modules.parse(file);
            found.extend(find(reader, module));
        }
    }
    found
}

/// The one database among several answers.
fn agreed<'m>(found: &[Value<'m>], otherwise: &'static str) -> Option<Value<'m>> {
    let mut known = found.iter().filter(|value| is_database(value));
    let first = known.next()?;
    if known.all(|other| other.same(first)) {
        Some(first.clone())
    } else {
        Some(Value::unknown(otherwise))
    }
}

fn is_database(value: &Value<'_>) -> bool {
    matches!(value, Value::Made(made) if made.kind == kinds::DATABASE)
}

/// The databases in `Migrate(app, db)` and `migrate.init_app(app, db)`.
fn given_to_migrate<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<Value<'m>> {
    let mut given = Vec::new();
    let mut names = reader.names_imported_for(module, "Migrate");
    names.push("init_app");
    names.sort_unstable();
    let index = reader.index(module);
    for name in names {
        for (within, call) in index.calls(name) {
            let Ok(Some(argument)) = call.argument(Some(1), "db") else {
                continue;
            };
            let chain = reader.within(module, within);
            if is_call_of_migrate(reader, call, &chain) {
                let value = reader.value(&argument.value, &chain);
                given.extend(value.choices().iter().cloned());
            }
        }
    }
    given
}

/// Whether it is `Migrate(...)`, or `init_app` of an object of it.
fn is_call_of_migrate<'m>(reader: &mut Reader<'m>, call: &'m Call, chain: &Chain<'m>) -> bool {
    match &call.callee.kind {
        ExprKind::Attribute { value, name } if name == "init_app" => {
            let receiver = reader.value(value, chain);
            let is_migrate = |one: &Value<'_>| matches!(one, Value::Made(made) if made.kind == kinds::MIGRATE);
            receiver.choices().iter().any(is_migrate)
        }
        ExprKind::Name(name) if name == "init_app" => false,
        _ => {
            let callee = reader.value(&call.callee, chain);
            kind_of_class(reader, &callee) == Some(kinds::MIGRATE)
        }
    }
}

/// The kind of an object of a class of these libraries, or of a subclass in the project.
fn kind_of_class<'m>(reader: &mut Reader<'m>, class: &Value<'m>) -> Option<&'static str> {
    match class {
        Value::External(name) => kind(name),
        Value::Class(class) => reader.of_library_base(class, kind),
        _ => None,
    }
}

/// The databases that a module makes with `SQLAlchemy` or a subclass.
fn made_in<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<Value<'m>> {
    let mut found = Vec::new();
    let index = reader.index(module);
    for name in ["SQLAlchemy"].into_iter().chain(own_classes(module)) {
        for (within, call) in index.calls(name) {
            let chain = reader.within(module, within);
            let callee = reader.value(&call.callee, &chain);
            if kind_of_class(reader, &callee) == Some(kinds::DATABASE) {
                let arguments = reader.arguments(&call.arguments, &chain);
                let place = Place::new(module, call.span);
                found.push(reader.call_with(&callee, arguments, &place, &chain));
            }
        }
    }
    found
}

/// The classes of a module that derive from another.
fn own_classes(module: &Module) -> impl Iterator<Item = &str> {
    module.body().iter().filter_map(|statement| match &statement.kind {
        StmtKind::Class(class) if !class.arguments.is_empty() && class.name != "SQLAlchemy" => Some(&*class.name),
        _ => None,
    })
}

/// The databases that a module makes, or imports from another distribution.
fn used_in<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<Value<'m>> {
    let mut found = made_in(reader, module);
    let chain = reader.module(module);
    let scope = chain.scope.clone();
    for (_, known) in scope.names() {
        for site in &known.sites {
            if let Binding::ImportFrom {
                module, level: 0, name, ..
            } = &site.binding
            {
                let value = reader.external(&format!("{module}.{name}"));
                found.extend(Some(value).filter(is_database));
            }
        }
    }
    found
}

/// Whether Flask-Alembic is used in a folder, or in the one above it.
pub(crate) fn uses_flask_alembic(reader: &Reader<'_>, folder: &RepoPath) -> bool {
    let Some(modules) = reader.modules() else { return false };
    let folders = std::iter::once(folder.clone()).chain(folder.parent());
    let paths = folders.flat_map(|folder| modules_below(reader, &folder, &[], 0));
    paths
        .take(MAX_NEAR)
        .filter_map(|path| modules.file(&path))
        .any(|file| file.text().contains("flask_alembic"))
}

fn modules_below(reader: &Reader<'_>, top: &RepoPath, known: &[RepoPath], most_deep: usize) -> Vec<RepoPath> {
    let mut open = VecDeque::from([(top.clone(), 0)]);
    let mut modules = Vec::new();
    let Some(project) = reader.modules() else {
        return modules;
    };
    let mut folders = 0;
    while let Some((folder, depth)) = open.pop_front().filter(|_| folders < MAX_FOLDERS) {
        folders += 1;
        for entry in project.list(&folder) {
            let Some(path) = folder.join(&entry.name) else { continue };
            match entry.kind {
                EntryKind::File if path.is_python() && known.len() + modules.len() < MAX_FILES => modules.push(path),
                EntryKind::Folder if depth < most_deep && is_code(&entry.name) => open.push_back((path, depth + 1)),
                _ => {}
            }
        }
    }
    modules.sort_by_cached_key(|path| (!is_likely(path), path.clone()));
    let known: HashSet<&RepoPath> = known.iter().collect();
    modules.retain(|path| !known.contains(path));
    modules
}

/// Whether a module of this name often makes the application.
fn is_likely(path: &RepoPath) -> bool {
    const WORDS: &[&str] =
        &["__init__", "app", "database", "db", "ext", "factory", "main", "migrat", "model", "server"];
    let name = String::from_utf8_lossy(path.file_name()).into_owned();
    WORDS.iter().any(|word| name.starts_with(word))
}

fn is_code(name: &[u8]) -> bool {
    !matches!(name.first(), Some(b'.'))
        && !matches!(name, b"node_modules" | b"tests" | b"test" | b"versions" | b"venv" | b"static" | b"templates")
}

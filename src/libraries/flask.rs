//! Flask-SQLAlchemy's database, and Flask-Migrate, whose `env.py` asks the running application for it: here the one is found that was handed to
//! `Migrate(...)`.

use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

use super::{Known, ends, kinds, made, sqlalchemy};
use crate::python::scopes::Binding;
use crate::python::values::{Arguments, Made, Place, Reader, Value};
use crate::python::{Class as ClassTree, Module, StmtKind};
use crate::snapshot::EntryKind;
use crate::source::RepoPath;

/// How far below a folder an application is looked for.
const MAX_DEPTH: usize = 4;
/// How many modules are opened for it.
const MAX_FILES: usize = 1_000;
/// So many modules are looked into before the search asks whether it has found anything.
const CHUNK: usize = 64;
/// How many folders are listed for that.
const MAX_FOLDERS: usize = 2_000;
/// How many modules are looked into for a word.
const MAX_NEAR: usize = 60;
/// Where Flask keeps what its extensions put there.
const EXTENSIONS: &str = "flask.current_app.extensions";
/// Under which name the answer is remembered.
const DATABASE: &str = "the database of the Flask application";

fn is_database_class(name: &str) -> bool {
    ends(name) == ("flask_sqlalchemy", "SQLAlchemy")
}

/// Whether it is Flask-Migrate's class, or Flask-Alembic's, which does the same without an `env.py`.
pub(crate) fn is_flask_migrate(name: &str) -> bool {
    matches!(ends(name), ("flask_migrate", "Migrate") | ("flask_alembic", "Alembic"))
}

/// What an object of a class of these libraries is.
pub(super) fn kind(class: &str) -> Option<&'static str> {
    match class {
        _ if is_database_class(class) => Some(kinds::DATABASE),
        _ if is_flask_migrate(class) => Some(kinds::MIGRATE),
        _ => None,
    }
}

/// What a running application would tell.
pub(super) fn external<'m>(known: &Known, reader: &mut Reader<'m>, name: &str) -> Option<Value<'m>> {
    if matches!(name, "flask.current_app.db" | "flask_migrate.current_app.db") {
        return Some(database(known, reader));
    }
    let extension = name.strip_prefix(EXTENSIONS)?;
    match extension {
        ".migrate.db" | ".sqlalchemy.db" => Some(database(known, reader)),
        _ => {
            // Since Flask-SQLAlchemy 3.0 the extension is the database itself.
            let attribute = extension
                .strip_prefix(".sqlalchemy.")
                .filter(|name| !name.contains('.'))?;
            let database = database(known, reader);
            Some(reader.attribute(&database, attribute))
        }
    }
}

/// `current_app.extensions['migrate']`
pub(super) fn item<'m>(name: &str, index: &Value<'m>) -> Option<Value<'m>> {
    let key = index.as_text().filter(|_| name == EXTENSIONS)?;
    Some(Value::External(format!("{name}.{key}").into()))
}

/// What `SQLAlchemy(...)` was given, by the class of the project where that hands it on.
fn given<'m>(reader: &mut Reader<'m>, database: &Rc<Made<'m>>) -> Arguments<'m> {
    let own = database.class.clone();
    let handed_on = own.and_then(|class| sqlalchemy::handed_on(reader, database, &class));
    handed_on.unwrap_or_else(|| database.arguments.clone())
}

/// An attribute of the database. A declarative `model_class` brings its own metadata and beats the argument
/// (`flask_sqlalchemy/extension.py`).
pub(super) fn attribute<'m>(reader: &mut Reader<'m>, database: &Rc<Made<'m>>, name: &str) -> Option<Value<'m>> {
    match name {
        "metadata" => Some(metadata(reader, database)),
        "Model" => Some(model(reader, database)),
        "metadatas" => {
            let arguments = Arguments {
                positional: vec![metadata(reader, database)],
                ..Arguments::default()
            };
            Some(made(
                kinds::METADATAS,
                "SQLAlchemy",
                arguments,
                database.place.as_ref(),
                None,
            ))
        }
        "Table" => Some(Value::External("sqlalchemy.Table".into())),
        _ => None,
    }
}

/// `db.metadatas[bind]`: what is made for a bind's key copies the convention of the one without a key (`flask_sqlalchemy/extension.py`,
/// `_make_metadata`), so that one stands for all.
pub(super) fn item_of_metadatas<'m>(object: &Made<'m>) -> Option<Value<'m>> {
    let mut given = object.arguments.positional.iter();
    given.next().filter(|_| object.kind == kinds::METADATAS).cloned()
}

pub(super) fn method_of_metadatas<'m>(object: &Made<'m>, name: &str) -> Value<'m> {
    let item = item_of_metadatas(object);
    match (name, item) {
        ("get" | "setdefault", Some(item)) => item,
        ("values", Some(item)) => Value::List([item].into()),
        _ => Value::unknown(format!("what `.{name}()` gives is not known")),
    }
}

fn metadata<'m>(reader: &mut Reader<'m>, database: &Rc<Made<'m>>) -> Value<'m> {
    let arguments = given(reader, database);
    if let Some(metadata) = metadata_of_model(reader, &arguments) {
        return metadata;
    }
    match (arguments.get(None, "metadata"), &arguments.unknown) {
        (Some(given), _) if !matches!(given, Value::None) => given.clone(),
        (_, Some(reason)) => Value::Unknown(reason.clone()),
        (_, None) => made(
            kinds::METADATA,
            "SQLAlchemy",
            Arguments::default(),
            database.place.as_ref(),
            None,
        ),
    }
}

/// The metadata of a declarative `model_class`.
fn metadata_of_model<'m>(reader: &mut Reader<'m>, arguments: &Arguments<'m>) -> Option<Value<'m>> {
    match arguments.get(None, "model_class")? {
        Value::Class(class) => reader.class_attribute(&class.clone(), "metadata"),
        base @ Value::Made(made) if made.kind == kinds::BASE => Some(reader.attribute(&base.clone(), "metadata")),
        unknown @ Value::Unknown(_) => Some(unknown.clone()),
        _ => None,
    }
}

/// The `metadata=` that Flask-SQLAlchemy ignores because `model_class` is a declarative base.
pub(crate) fn ignored_metadata<'m>(reader: &mut Reader<'m>, database: &Rc<Made<'m>>) -> Option<(Value<'m>, Value<'m>)> {
    let arguments = given(reader, database);
    let effective = metadata_of_model(reader, &arguments)?;
    let ignored = arguments.get(None, "metadata")?.clone();
    Some((effective, ignored))
}

fn model<'m>(reader: &mut Reader<'m>, database: &Rc<Made<'m>>) -> Value<'m> {
    let arguments = given(reader, database);
    if let Some(class @ Value::Class(_)) = arguments.get(None, "model_class")
        && metadata_of_model(reader, &arguments).is_some()
    {
        return class.clone();
    }
    let arguments = Arguments {
        named: vec![("metadata".into(), metadata(reader, database))],
        ..Arguments::default()
    };
    made(kinds::BASE, "Model", arguments, database.place.as_ref(), None)
}

/// `Migrate(app, db).db`
pub(super) fn attribute_of_migrate<'m>(migrate: &Made<'m>, name: &str) -> Option<Value<'m>> {
    let database = migrate.arguments.get(Some(1), "db").filter(|_| name == "db")?;
    Some(database.clone())
}

/// The database of `current_app.extensions['migrate'].db`.
pub(crate) fn database<'m>(known: &Known, reader: &mut Reader<'m>) -> Value<'m> {
    if let Some(found) = reader.remembered.get(DATABASE) {
        return found.clone();
    }
    // The modules that are read on the way may ask again.
    let asking = Value::unknown("the Flask application asks for itself");
    reader.remembered.insert(DATABASE, asking);
    let database = find_database(known, reader);
    reader.remembered.insert(DATABASE, database.clone());
    database
}

fn find_database<'m>(known: &Known, reader: &mut Reader<'m>) -> Value<'m> {
    let mut looked_at = Vec::new();
    // Why what was found could not be followed.
    let mut reason = None;
    let homes = known
        .home
        .iter()
        .flat_map(|home| std::iter::once(home.clone()).chain(home.ancestors()));
    for folder in homes {
        let new = modules_below(reader, &folder, &looked_at, MAX_DEPTH);
        // Where it is handed over, the search ends.
        for some in new.chunks(CHUNK) {
            let handed = in_modules(reader, some, handed_over);
            reason = reason.or_else(|| handed.first().cloned());
            if let Some(database) = agreed(&handed, "the project hands several databases to `Migrate`") {
                return database;
            }
        }
        let databases = in_modules(reader, &new, made_in);
        if let Some(database) = agreed(
            &databases,
            "the project has several databases, and none is handed to `Migrate`",
        ) {
            return database;
        }
        let is_whole = is_application(reader, &folder, &new);
        looked_at.extend(new);
        if is_whole || looked_at.len() >= MAX_FILES {
            break;
        }
    }
    reason.unwrap_or_else(|| Value::unknown("no `Migrate(app, db)` was found for the Flask application"))
}

/// Whether a folder is a project by itself, as the services of a monorepo are, and makes the application: what its neighbours have is not
/// what that has.
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
    let is_known = |value: &Value<'_>| matches!(value, Value::Made(made) if made.kind == kinds::DATABASE);
    let known: Vec<Value<'m>> = found.iter().filter(|value| is_known(value)).cloned().collect();
    match known.as_slice() {
        [] => None,
        [first, rest @ ..] if rest.iter().all(|other| other.same(first)) => Some(first.clone()),
        _ => Some(Value::unknown(otherwise)),
    }
}

/// The databases in `Migrate(app, db)` and `migrate.init_app(app, db)`.
fn handed_over<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<Value<'m>> {
    let mut found = Vec::new();
    for name in names_of_migrate(reader, module) {
        found.extend(handed_by(reader, module, &name));
    }
    found
}

fn handed_by<'m>(reader: &mut Reader<'m>, module: &'m Module, name: &str) -> Vec<Value<'m>> {
    let mut found = Vec::new();
    let index = reader.index(module);
    for (within, call) in index.calls(name) {
        let Ok(Some(argument)) = call.argument(Some(1), "db") else {
            continue;
        };
        let chain = reader.within(module, within);
        let migrates = if name == "init_app" {
            match &call.callee.kind {
                crate::python::ExprKind::Attribute { value, .. } => {
                    let receiver = reader.value(value, &chain);
                    let is_migrate = |one: &Value<'_>| matches!(one, Value::Made(made) if made.kind == kinds::MIGRATE);
                    receiver.choices().iter().any(is_migrate)
                }
                _ => false,
            }
        } else {
            let callee = reader.value(&call.callee, &chain);
            kind_of_class(reader, &callee) == Some(kinds::MIGRATE)
        };
        if migrates {
            let value = reader.value(&argument.value, &chain);
            found.extend(value.choices().iter().cloned());
        }
    }
    found
}

/// What an object of a class is: one of these libraries, or one of the project that derives from it.
fn kind_of_class<'m>(reader: &mut Reader<'m>, class: &Value<'m>) -> Option<&'static str> {
    match class {
        Value::External(name) => kind(name),
        Value::Class(class) => reader.of_library_base(class, kind),
        _ => None,
    }
}

/// What a module calls `Migrate`.
fn names_of_migrate<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<String> {
    let mut names = vec!["init_app".to_owned(), "Migrate".to_owned()];
    let chain = reader.module(module);
    for (name, known) in chain.scope.names() {
        let is_migrate = known.sites.iter().any(|site| {
            matches!(site.binding, Binding::ImportFrom { name: imported, .. } if imported == "Migrate" && imported != name)
        });
        if is_migrate {
            names.push(name.to_owned());
        }
    }
    names.sort();
    names
}

/// The databases that a module makes, with the library's class or one of its own that derives from it.
fn made_in<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<Value<'m>> {
    let mut found = Vec::new();
    let index = reader.index(module);
    for name in ["SQLAlchemy".to_owned()].into_iter().chain(own_classes(module)) {
        for (within, call) in index.calls(&name) {
            let chain = reader.within(module, within);
            let callee = reader.value(&call.callee, &chain);
            if kind_of_class(reader, &callee) == Some(kinds::DATABASE) {
                let arguments = reader.arguments(&call.arguments, &chain);
                let place = Place {
                    file: module.file().clone(),
                    span: call.span,
                };
                found.push(reader.call_with(&callee, arguments, &place, &chain));
            }
        }
    }
    found
}

fn own_classes(module: &Module) -> Vec<String> {
    let classes = module.body().iter().filter_map(|statement| match &statement.kind {
        StmtKind::Class(class) => Some(class),
        _ => None,
    });
    let derives = |class: &&ClassTree| !class.arguments.is_empty() && class.name != "SQLAlchemy";
    classes.filter(derives).map(|class| class.name.to_string()).collect()
}

/// The databases that a module makes, or takes from another distribution.
fn used_in<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<Value<'m>> {
    let mut found = made_in(reader, module);
    let chain = reader.module(module);
    let scope = chain.scope.clone();
    for (_, known) in scope.names() {
        for site in &known.sites {
            let Binding::ImportFrom {
                module, level: 0, name, ..
            } = &site.binding
            else {
                continue;
            };
            let value = reader.external(&format!("{module}.{name}"));
            if matches!(&value, Value::Made(made) if made.kind == kinds::DATABASE) {
                found.push(value);
            }
        }
    }
    found
}

/// The database of a project that has no `env.py` at all, as with Flask-Alembic, which asks the application for its models.
pub(crate) fn database_near<'m>(reader: &mut Reader<'m>, folder: &RepoPath) -> Option<Value<'m>> {
    let mut looked_at = Vec::new();
    for folder in std::iter::once(folder.clone()).chain(folder.ancestors()) {
        let new = modules_below(reader, &folder, &looked_at, MAX_DEPTH);
        let databases = in_modules(reader, &new, used_in);
        if let Some(database) = agreed(&databases, "the project has several databases") {
            return Some(database);
        }
        looked_at.extend(new);
        if looked_at.len() >= MAX_FILES {
            break;
        }
    }
    None
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

/// Whether an application is usually put together in a module of that name.
fn is_likely(path: &RepoPath) -> bool {
    const WORDS: &[&str] = &[
        "__init__", "app", "database", "db", "ext", "factory", "main", "migrat", "model", "server",
    ];
    let name = String::from_utf8_lossy(path.file_name()).into_owned();
    WORDS.iter().any(|word| name.starts_with(word))
}

fn is_code(name: &[u8]) -> bool {
    !matches!(name.first(), Some(b'.'))
        && !matches!(
            name,
            b"node_modules" | b"tests" | b"test" | b"versions" | b"venv" | b"static" | b"templates"
        )
}

//! Flask-SQLAlchemy's database, and Flask-Migrate, whose `env.py` asks the running application for it.

mod search;

use std::rc::Rc;

use super::{Known, ends, kinds, made, sqlalchemy};
use crate::python::values::{Arguments, Made, Reader, Value};

pub(crate) use search::{database_near, uses_flask_alembic};

/// Where Flask extensions register themselves.
const EXTENSIONS: &str = "flask.current_app.extensions";
fn is_database_class(name: &str) -> bool {
    ends(name) == ("flask_sqlalchemy", "SQLAlchemy")
}

/// Whether it is Flask-Migrate's class, or Flask-Alembic's, which does the same without an `env.py`.
fn is_flask_migrate(name: &str) -> bool {
    matches!(ends(name), ("flask_migrate", "Migrate") | ("flask_alembic", "Alembic"))
}

/// The kind of an object of a class of these libraries.
pub(super) fn kind(class: &str) -> Option<&'static str> {
    match class {
        _ if is_database_class(class) => Some(kinds::DATABASE),
        _ if is_flask_migrate(class) => Some(kinds::MIGRATE),
        _ => None,
    }
}

/// What the running application has.
pub(super) fn external<'m>(known: &Known, reader: &mut Reader<'m>, name: &str) -> Option<Value<'m>> {
    if matches!(name, "flask.current_app.db" | "flask_migrate.current_app.db") {
        return Some(search::database(known, reader));
    }
    let extension = name.strip_prefix(EXTENSIONS)?;
    match extension {
        ".migrate.db" | ".sqlalchemy.db" => Some(search::database(known, reader)),
        _ => {
            // Since Flask-SQLAlchemy 3.0 the extension is the database itself.
            let attribute = extension
                .strip_prefix(".sqlalchemy.")
                .filter(|name| !name.contains('.'))?;
            let database = search::database(known, reader);
            Some(reader.attribute(&database, attribute))
        }
    }
}

/// `current_app.extensions['migrate']`
pub(super) fn item<'m>(name: &str, index: &Value<'m>) -> Option<Value<'m>> {
    let key = index.as_text().filter(|_| name == EXTENSIONS)?;
    Some(Value::External(format!("{name}.{key}").into()))
}

/// The arguments of `SQLAlchemy(...)`, through the `__init__` of a subclass in the project.
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
            Some(made(kinds::METADATAS, "SQLAlchemy", arguments, database.place.as_ref(), None))
        }
        "Table" => Some(Value::External("sqlalchemy.Table".into())),
        _ => None,
    }
}

/// `db.metadatas[bind]`: the metadata of a bind copies the convention of the default one (`flask_sqlalchemy/extension.py`, `_make_metadata`),
/// which is taken for all of them.
pub(super) fn item_of_metadatas<'m>(object: &Made<'m>) -> Option<Value<'m>> {
    let given = object.arguments.positional.first();
    given.filter(|_| object.kind == kinds::METADATAS).cloned()
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
        (_, None) => made(kinds::METADATA, "SQLAlchemy", Arguments::default(), database.place.as_ref(), None),
    }
}

/// The metadata of a declarative `model_class`.
fn metadata_of_model<'m>(reader: &mut Reader<'m>, arguments: &Arguments<'m>) -> Option<Value<'m>> {
    match arguments.get(None, "model_class")? {
        Value::Class(class) => reader.class_attribute(class, "metadata"),
        base @ Value::Made(made) if made.kind == kinds::BASE => Some(reader.attribute(base, "metadata")),
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
    let arguments = Arguments::named("metadata", metadata(reader, database));
    made(kinds::BASE, "Model", arguments, database.place.as_ref(), None)
}

/// `Migrate(app, db).db`
pub(super) fn attribute_of_migrate<'m>(migrate: &Made<'m>, name: &str) -> Option<Value<'m>> {
    let database = migrate.arguments.get(Some(1), "db").filter(|_| name == "db")?;
    Some(database.clone())
}

//! What SQLAlchemy and the libraries around it do with a value, one file for each.
//!
//! Each behaviour was observed by running the library. What is not here is unknown, never guessed.

mod advanced_alchemy;
mod alembic;
mod builtins;
mod distributions;
mod flask;
pub(crate) mod sqlalchemy;
mod sqlmodel;

use std::rc::Rc;

use crate::python::values::{Arguments, Chain, Class, Made, Place, Reader, Value};

pub(crate) use flask::{database_near, ignored_metadata, item_of_metadatas, uses_flask_alembic};

/// The kinds of objects of libraries.
pub(crate) mod kinds {
    /// A `MetaData`.
    pub(crate) const METADATA: &str = "metadata";
    /// A `registry`.
    pub(crate) const REGISTRY: &str = "registry";
    /// A class that is a declarative base.
    pub(crate) const BASE: &str = "base";
    /// Flask-SQLAlchemy's `SQLAlchemy`.
    pub(crate) const DATABASE: &str = "database";
    /// Flask-SQLAlchemy's metadata by the keys of its binds.
    pub(crate) const METADATAS: &str = "metadatas";
    /// Flask-Migrate's `Migrate`, or Flask-Alembic's `Alembic`.
    pub(crate) const MIGRATE: &str = "migrate";
    /// A constraint's name that no convention is applied to: `op.f(...)`.
    pub(crate) const FINISHED: &str = "finished name";
    /// A table.
    pub(crate) const TABLE: &str = "table";
    /// Something that decorates a class.
    pub(crate) const DECORATOR: &str = "decorator";
}

/// Packages whose behaviour is known. A folder of the project with the same name, as `alembic/` for migrations, usually has no `__init__.py`,
/// and Python prefers the installed package to it.
const LIBRARIES: &[&str] = &[
    "advanced_alchemy",
    "alembic",
    "builtins",
    "collections",
    "copy",
    "fastapi_users_db_sqlalchemy",
    "flask",
    "flask_alembic",
    "flask_migrate",
    "flask_sqlalchemy",
    "functools",
    "gino",
    "logging",
    "os",
    "sqlalchemy",
    "sqlalchemy_utils",
    "sqlmodel",
    "sys",
    "textwrap",
    "types",
    "typing",
    "typing_extensions",
];

/// The first and the last part of a dotted name: libraries have the same thing under many paths.
pub(crate) fn ends(name: &str) -> (&str, &str) {
    (name.split('.').next().unwrap_or(name), name.rsplit('.').next().unwrap_or(name))
}

/// Base classes of libraries that have no metadata.
fn is_mixin(path: &str) -> bool {
    let (root, last) = ends(path);
    matches!(
        root,
        "typing"
            | "typing_extensions"
            | "abc"
            | "builtins"
            | "enum"
            | "flask_sqlalchemy"
            | "sqlalchemy_mixins"
            | "sqlalchemy_utils"
            | "fastapi_users_db_sqlalchemy"
            | "dataclasses"
    ) || (root == "sqlalchemy" && !sqlalchemy::is_declarative_base(path))
        || last.ends_with("Mixin")
        || advanced_alchemy::is_mixin(last)
}

/// Whether a package is a library, even if a folder of the project has the same name.
pub(crate) fn is_library(package: &str) -> bool {
    LIBRARIES.contains(&package)
}

/// Something of a library, by its dotted name.
pub(crate) fn external<'m>(reader: &mut Reader<'m>, name: &str) -> Value<'m> {
    sqlmodel::external(name)
        .or_else(|| advanced_alchemy::external(name))
        .or_else(|| distributions::external(name))
        .or_else(|| flask::external(reader, name))
        .unwrap_or_else(|| Value::External(name.into()))
}

/// Whether it is known what a call of it returns.
pub(crate) fn is_callable(name: &str) -> bool {
    sqlalchemy::is_callable(name)
        || flask::kind(name).is_some()
        || advanced_alchemy::called(name).is_some()
        || alembic::is_callable(name)
        || distributions::called(name).is_some()
        || builtins::is_callable(name)
}

/// Whether a library has this dotted name, so that `from library import *` brings it.
pub(crate) fn offers(name: &str) -> bool {
    let is_base = || sqlalchemy::is_declarative_base(name) || ends(name) == ("sqlmodel", "SQLModel");
    is_library(ends(name).0) && (is_callable(name) || is_base())
}

/// A call of what [`is_callable`].
pub(crate) fn call<'m>(
    reader: &mut Reader<'m>,
    name: &str,
    arguments: Arguments<'m>,
    place: &Place,
    chain: &Chain<'m>,
) -> Value<'m> {
    if alembic::is_callable(name) {
        alembic::call(arguments, place)
    } else if let Some(kind) = flask::kind(name) {
        made(kind, ends(name).1, arguments, Some(place), Some(chain))
    } else if let Some(returned) = distributions::called(name).or_else(|| advanced_alchemy::called(name)) {
        returned
    } else if sqlalchemy::is_callable(name) {
        sqlalchemy::call(reader, name, arguments, place, chain)
    } else {
        builtins::call(reader, name, arguments, place, chain)
    }
}

/// `object.name`
pub(crate) fn attribute<'m>(reader: &mut Reader<'m>, object: &Rc<Made<'m>>, name: &str) -> Option<Value<'m>> {
    match object.kind {
        kinds::DATABASE => flask::attribute(reader, object, name),
        kinds::MIGRATE => flask::attribute_of_migrate(object, name),
        _ => sqlalchemy::attribute(reader, object, name),
    }
}

/// `object.name(...)`
pub(crate) fn method<'m>(reader: &mut Reader<'m>, object: &Rc<Made<'m>>, name: &str, place: &Place) -> Value<'m> {
    match object.kind {
        kinds::METADATAS => flask::method_of_metadatas(object, name),
        _ => sqlalchemy::method(reader, object, name, place),
    }
}

/// `object[index]` for something of a library.
pub(crate) fn item<'m>(name: &str, index: &Value<'m>) -> Value<'m> {
    advanced_alchemy::item(name)
        .or_else(|| flask::item(name, index))
        .unwrap_or_else(|| Value::unknown("it is taken out of a library's object"))
}

/// `hasattr(object, name)`, if it is known.
pub(crate) fn has(object: &Made<'_>, name: &str) -> Option<bool> {
    match (object.kind, name) {
        // `flask_sqlalchemy/extension.py` since 3.0.
        (kinds::DATABASE, "metadatas" | "metadata" | "engines" | "Model" | "session")
        | (kinds::METADATA, "naming_convention" | "tables" | "schema") => Some(true),
        (kinds::METADATA, "metadata" | "metadatas") => Some(false),
        _ => None,
    }
}

/// An attribute that a library sets on a class of the project, whatever its body says.
pub(crate) fn imposed<'m>(reader: &mut Reader<'m>, class: &Rc<Class<'m>>, name: &str) -> Option<Value<'m>> {
    (name == "metadata").then(|| sqlalchemy::decorated(reader, class))?
}

/// An attribute that a library gives a class of the project whose body does not set it.
pub(crate) fn inherited<'m>(reader: &mut Reader<'m>, class: &Rc<Class<'m>>, name: &str) -> Option<Value<'m>> {
    (name == "metadata").then(|| sqlalchemy::declared(reader, class))?
}

/// An attribute of a library's class that a class of the project derives from.
pub(crate) fn of_base<'m>(base: &str, name: &str) -> Option<Value<'m>> {
    (name == "metadata" && !is_mixin(base)).then(|| Value::unknown(format!("the metadata of `{base}` is not known")))
}

/// The kind of an object whose class derives from `base` of a library; none if it is an ordinary object.
pub(crate) fn kind_of_instance(base: &str) -> Option<&'static str> {
    flask::kind(base).or_else(|| sqlalchemy::is_metadata_class(base).then_some(kinds::METADATA))
}

/// An object that a library makes once.
fn shared<'m>(kind: &'static str, maker: &str, arguments: Arguments<'m>) -> Value<'m> {
    made(kind, maker, arguments, None, None)
}

/// An object that a call in the source makes.
fn made<'m>(
    kind: &'static str,
    maker: &str,
    arguments: Arguments<'m>,
    place: Option<&Place>,
    chain: Option<&Chain<'m>>,
) -> Value<'m> {
    Value::Made(Rc::new(Made {
        kind,
        maker: maker.into(),
        arguments,
        place: place.cloned(),
        class: None,
        chain: chain.cloned(),
    }))
}

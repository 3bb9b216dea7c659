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

use crate::python::values::{Arguments, Chain, Class, Libraries, Made, Place, Reader, Value};
use crate::source::RepoPath;

pub(crate) use flask::{database_near, ignored_metadata, uses_flask_alembic};

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

/// The libraries, and where to look for the Flask application.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// The parent of the migrations' folder.
    pub(crate) home: Option<RepoPath>,
}

/// The libraries for a module that is read alone.
pub(crate) static ALONE: Known = Known { home: None };

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

impl Libraries for Known {
    fn is_library(&self, package: &str) -> bool {
        LIBRARIES.contains(&package)
    }

    fn external<'m>(&self, reader: &mut Reader<'m>, name: &str) -> Value<'m> {
        sqlmodel::external(name)
            .or_else(|| advanced_alchemy::external(name))
            .or_else(|| distributions::external(name))
            .or_else(|| flask::external(self, reader, name))
            .unwrap_or_else(|| Value::External(name.into()))
    }

    fn is_callable(&self, name: &str) -> bool {
        sqlalchemy::is_callable(name)
            || flask::kind(name).is_some()
            || advanced_alchemy::is_callable(name)
            || alembic::is_callable(name)
            || distributions::is_callable(name)
            || builtins::is_callable(name)
    }

    fn offers(&self, name: &str) -> bool {
        let is_base = || sqlalchemy::is_declarative_base(name) || ends(name) == ("sqlmodel", "SQLModel");
        self.is_library(ends(name).0) && (self.is_callable(name) || is_base())
    }

    fn call<'m>(
        &self,
        reader: &mut Reader<'m>,
        name: &str,
        arguments: Arguments<'m>,
        place: &Place,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        if alembic::is_callable(name) {
            alembic::call(arguments, place)
        } else if distributions::is_callable(name) {
            distributions::call()
        } else if let Some(kind) = flask::kind(name) {
            made(kind, ends(name).1, arguments, Some(place), Some(chain))
        } else if advanced_alchemy::is_callable(name) {
            advanced_alchemy::call(name)
        } else if sqlalchemy::is_callable(name) {
            sqlalchemy::call(reader, name, arguments, place, chain)
        } else {
            builtins::call(reader, name, arguments, place, chain)
        }
    }

    fn attribute<'m>(&self, reader: &mut Reader<'m>, object: &Rc<Made<'m>>, name: &str) -> Option<Value<'m>> {
        match object.kind {
            kinds::DATABASE => flask::attribute(reader, object, name),
            kinds::MIGRATE => flask::attribute_of_migrate(object, name),
            _ => sqlalchemy::attribute(reader, object, name),
        }
    }

    fn method<'m>(&self, reader: &mut Reader<'m>, object: &Rc<Made<'m>>, name: &str, place: &Place) -> Value<'m> {
        match object.kind {
            kinds::METADATAS => flask::method_of_metadatas(object, name),
            _ => sqlalchemy::method(reader, object, name, place),
        }
    }

    fn item_of<'m>(&self, object: &Made<'m>) -> Option<Value<'m>> {
        flask::item_of_metadatas(object)
    }

    fn item<'m>(&self, name: &str, index: &Value<'m>) -> Value<'m> {
        advanced_alchemy::item(name)
            .or_else(|| flask::item(name, index))
            .unwrap_or_else(|| Value::unknown("it is taken out of a library's object"))
    }

    fn has(&self, object: &Made<'_>, name: &str) -> Option<bool> {
        match (object.kind, name) {
            // `flask_sqlalchemy/extension.py` since 3.0.
            (kinds::DATABASE, "metadatas" | "metadata" | "engines" | "Model" | "session")
            | (kinds::METADATA, "naming_convention" | "tables" | "schema") => Some(true),
            (kinds::METADATA, "metadata" | "metadatas") => Some(false),
            _ => None,
        }
    }

    fn imposed<'m>(&self, reader: &mut Reader<'m>, class: &Rc<Class<'m>>, name: &str) -> Option<Value<'m>> {
        (name == "metadata").then(|| sqlalchemy::decorated(reader, class))?
    }

    fn inherited<'m>(&self, reader: &mut Reader<'m>, class: &Rc<Class<'m>>, name: &str) -> Option<Value<'m>> {
        (name == "metadata").then(|| sqlalchemy::declared(reader, class))?
    }

    fn of_base<'m>(&self, base: &str, name: &str) -> Option<Value<'m>> {
        (name == "metadata" && !is_mixin(base))
            .then(|| Value::unknown(format!("the metadata of `{base}` is not known")))
    }

    fn kind_of_instance(&self, base: &str) -> Option<&'static str> {
        let is_metadata = sqlalchemy::is_metadata_class(base);
        flask::kind(base).or_else(|| is_metadata.then_some(kinds::METADATA))
    }
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

//! Conventions that are written where SQLAlchemy does not read them.

use std::rc::Rc;

use super::Place;
use super::late::is_of;
use crate::libraries::sqlalchemy::{self, Setting};
use crate::libraries::{ignored_metadata, kinds};
use crate::python::values::{Class, Made, Reader, Value};
use crate::python::{Expr, ExprKind, Module, StmtKind};

/// Each such place for a metadata, with the reason.
pub(super) fn ineffective<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>) -> Vec<(Place, String)> {
    let mut found = Vec::new();
    if let Some(class) = &metadata.class
        && let Some(span) = sqlalchemy::assigned_in_body(class, "naming_convention")
        && matches!(sqlalchemy::convention(reader, metadata), Setting::Default)
    {
        let place = Place::new(class.around.module, span);
        found.push((place, "`MetaData.__init__` replaces a class attribute of this name".to_owned()));
    }
    for module in reader.asked().to_vec() {
        let text = module.file().text();
        if text.contains("naming_convention") || text.contains("__metadata_args__") {
            for class in classes(reader, module) {
                in_class_body(reader, metadata, &class, &mut found);
            }
        }
        if text.contains("model_class") {
            in_database(reader, metadata, module, &mut found);
        }
    }
    found
}

/// The classes at the top of a module.
fn classes<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<Rc<Class<'m>>> {
    let chain = reader.module(module);
    let trees = module.body().iter().filter_map(|statement| match &statement.kind {
        StmtKind::Class(class) => Some(class),
        _ => None,
    });
    trees.map(|tree| Class::new(tree, &chain)).collect()
}

fn in_class_body<'m>(
    reader: &mut Reader<'m>,
    metadata: &Rc<Made<'m>>,
    class: &Rc<Class<'m>>,
    found: &mut Vec<(Place, String)>,
) {
    for statement in &class.tree.body {
        let Some((targets, value)) = statement.assignment() else {
            continue;
        };
        let reason = match targets.first().and_then(Expr::as_name) {
            Some("naming_convention") => {
                "SQLAlchemy does not read a class attribute `naming_convention`; it belongs to the `MetaData`"
            }
            Some("__metadata_args__") => {
                "SQLAlchemy has no `__metadata_args__`; the convention belongs to the `MetaData`"
            }
            Some("__table_args__") if mentions_convention(value) => {
                "a convention in `__table_args__` has no effect; it belongs to the `MetaData`"
            }
            Some("metadata") if !class.tree.decorators.is_empty() => {
                if let Some(place) = overwritten(reader, metadata, class) {
                    let reason =
                        "the decorator replaces a `metadata` in the class body; give it to the decorator instead";
                    found.push((place, reason.to_owned()));
                }
                continue;
            }
            _ => continue,
        };
        if is_of(reader.class_attribute(class, "metadata"), metadata) {
            let place = Place::new(class.around.module, statement.span);
            found.push((place, reason.to_owned()));
        }
    }
}

/// The convention of a `metadata` in the body of a class whose decorator replaces it.
fn overwritten<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>, class: &Rc<Class<'m>>) -> Option<Place> {
    let imposed = reader.class_attribute(class, "metadata")?;
    let body = reader.class_chain(class);
    let Some(Value::Made(own)) = reader.in_scope("metadata", &body, usize::MAX) else {
        return None;
    };
    if !imposed.same(&Value::Made(metadata.clone())) || imposed.same(&Value::Made(own.clone())) {
        return None;
    }
    match sqlalchemy::convention(reader, &own) {
        Setting::Given(_, place) => place,
        Setting::Default => None,
    }
}

fn in_database<'m>(
    reader: &mut Reader<'m>,
    metadata: &Rc<Made<'m>>,
    module: &'m Module,
    found: &mut Vec<(Place, String)>,
) {
    let chain = reader.module(module);
    let calls = module.body().iter().filter_map(|statement| {
        let (_, value) = statement.assignment()?;
        value.as_call()?.keyword("model_class").map(|_| value)
    });
    for call in calls {
        let Value::Made(database) = reader.value(call, &chain) else {
            continue;
        };
        if database.kind != kinds::DATABASE {
            continue;
        }
        let Some((effective, Value::Made(ignored))) = ignored_metadata(reader, &database) else {
            continue;
        };
        if effective.same(&Value::Made(metadata.clone()))
            && let Setting::Given(_, Some(place)) = sqlalchemy::convention(reader, &ignored)
        {
            let reason = "Flask-SQLAlchemy ignores `metadata=` when `model_class` is a declarative base";
            found.push((place, reason.to_owned()));
        }
    }
}

fn mentions_convention(value: &Expr) -> bool {
    matches!(&value.kind, ExprKind::String(text) if text == "naming_convention")
        || value.children().into_iter().any(mentions_convention)
}
